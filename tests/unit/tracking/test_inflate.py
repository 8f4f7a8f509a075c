import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.tracking.inflate import BadGzip, TooLarge, inflate


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4))
def test_members_are_joined(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    assert inflate(b"".join(map(gzip.compress, parts)), len(whole)) == whole
    assert inflate(zlib.compress(whole), len(whole)) == whole


@given(st.binary(min_size=1, max_size=2000), st.data())
def test_a_body_cut_short_is_refused(content: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    with pytest.raises(BadGzip):
        inflate(packed[: data.draw(st.integers(0, len(packed) - 1))], 1 << 20)


@given(st.binary(max_size=300))
def test_whatever_comes_is_inflated_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadGzip, TooLarge):
        assert len(inflate(body, 1000)) <= 1000


def test_bombs_cost_their_limit() -> None:
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b"\0" * (64 << 20)), 1000)
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b"a" * 600) * 2, 1000)
    with pytest.raises(BadGzip):
        inflate(gzip.compress(b"") * 20_000, 1 << 20)
