"""The codec of a record's body."""

import threading

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from onward.eventlog import record
from onward.eventlog.record import CorruptRecord, content_size, decode, encode
from onward.pipeline.types import Envelope

texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
envelopes = st.builds(
    Envelope,
    received_at=st.integers(0, 2**53),
    batch=st.booleans(),
    type=texts,
    ip=texts,
    user_agent=texts,
    skip=st.lists(st.integers(0, 2500), max_size=5).map(tuple),
    ids=st.dictionaries(st.integers(0, 2500), st.text(st.characters(exclude_categories=["Cs"])), max_size=5),
)
SOME = Envelope(1, True, ids={3: "m"}, skip=(1, 2))


@given(envelopes, st.binary(max_size=2000))
def test_what_is_encoded_is_decoded(envelope: Envelope, body: bytes) -> None:
    assert decode(encode(envelope, body)) == (envelope, body)


@given(st.data())
def test_a_flipped_bit_is_never_a_wrong_event(data: st.DataObject) -> None:
    blob = bytearray(encode(SOME, b'{"userId":"u","event":"Order Completed"}' * 3))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = decode(bytes(blob))
    except CorruptRecord:
        return
    assert found == (SOME, b'{"userId":"u","event":"Order Completed"}' * 3)


@given(st.binary(max_size=100))
def test_noise_is_corrupt(noise: bytes) -> None:
    for blob in (noise, record.VERSION + noise):
        with pytest.raises(CorruptRecord):
            decode(blob)


@given(st.integers(0, 100))
def test_a_truncated_or_extended_blob_is_corrupt(cut: int) -> None:
    blob = encode(SOME, bytes(range(100)))
    assert cut < len(blob)
    for bad in (blob[:cut], blob + b"\x00", blob + blob[1:]):
        with pytest.raises(CorruptRecord):
            decode(bad)


def test_another_format_is_named() -> None:
    with pytest.raises(CorruptRecord, match="format 02"):
        decode(b"\x02" + encode(SOME, b"")[1:])


def test_a_frame_that_claims_too_much_is_refused_unseen() -> None:
    bomb = record.VERSION + zstandard.ZstdCompressor().compress(bytes(record.MAX_BYTES + 1))
    assert len(bomb) < 10_000
    with pytest.raises(CorruptRecord, match="claims"):
        decode(bomb)


def test_a_frame_that_hides_its_size_is_refused() -> None:
    hidden = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1000))
    with pytest.raises(CorruptRecord):
        decode(record.VERSION + hidden)


@pytest.mark.parametrize("content", [None, [], [[1, True], "text"], [[1, "no"], b""], [[1, True], b"", 3]])
def test_content_of_another_shape_is_corrupt(content: object) -> None:
    blob = record.VERSION + zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(content))
    with pytest.raises(CorruptRecord, match="not an envelope"):
        decode(blob)


def test_a_content_over_the_bound_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="1000"):
        encode(SOME, bytes(1000))


def test_size_is_that_of_envelope_and_body() -> None:
    assert 5000 < content_size(encode(SOME, bytes(5000))) < 5100


def test_threads_share_the_codec() -> None:
    wrong = []

    def run(number: int) -> None:
        body = bytes([number]) * 50_000
        for _ in range(50):
            if decode(encode(SOME, body)) != (SOME, body):
                wrong.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=2_000)), max_size=6))
def test_encoding_all_at_once_is_encoding_each(requests: list[tuple[bool, bytes]]) -> None:
    held = [(Envelope(1, batch), body) for batch, body in requests]
    assert [decode(blob) for blob in record.encode_all(held)] == held
