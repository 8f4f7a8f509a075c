"""What `onward send` makes of its input."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.send import MAX_BATCH, MAX_EVENT, InputError, Tally, batches, events, summary


def test_an_event_without_a_message_id_gets_one_and_others_keep_theirs() -> None:
    first, second, third = map(orjson.loads, events([b'{"a":1}\n', b'{"a":2}\n', b'{"messageId":"m"}\n']))
    assert first["messageId"] != second["messageId"]
    assert first["messageId"].startswith("onward-")
    assert third == {"messageId": "m"}


def test_blank_lines_are_skipped() -> None:
    assert len(list(events([b"\n", b'{"a":1}\n', b"   \n", b""]))) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "line 2 is not JSON"),
        (b"[1]", "line 2 is not a JSON object"),
        (b'{"a":"' + b"x" * MAX_EVENT + b'"}', "line 2 has 3"),
    ],
)
def test_a_bad_line_is_named(line: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        list(events([b'{"a":1}\n', line]))


@given(
    st.lists(st.binary(min_size=1, max_size=MAX_EVENT), max_size=60),
    st.integers(1, 30),
)
def test_batches_hold_everything_in_order_within_the_limits(items: list[bytes], size: int) -> None:
    made = list(batches(items, size))
    assert [item for batch in made for item in batch] == items
    for batch in made:
        assert 0 < len(batch) <= size
        assert sum(map(len, batch)) + len(batch) + 100 <= MAX_BATCH


def test_what_came_before_a_bad_line_is_still_sent() -> None:
    made = batches(events([b'{"messageId":"1"}', b'{"messageId":"2"}', b"oops"]), 100)
    assert next(made) == [b'{"messageId":"1"}', b'{"messageId":"2"}']
    with pytest.raises(InputError, match="line 3"):
        next(made)


def test_the_summary_tells_rates() -> None:
    tally = Tally(sent=500, failed=1, requests=6, retries=1, bytes=10_000)
    assert summary(tally, 2.0)["events_per_second"] == 250
