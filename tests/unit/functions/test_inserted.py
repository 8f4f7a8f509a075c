"""What stands in the place of events that an insert function was given."""

import msgspec
import pytest

from onward.functions.errors import Ending, Kind
from onward.functions.inserted import of_event, of_events
from onward.functions.invocation import Invocation

GIVEN = [{"messageId": "m0"}, {"messageId": "m1"}]
DEEP = b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"


def returned(value: bytes) -> Invocation:
    return Invocation(ending=Ending(Kind.OK), value=msgspec.Raw(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'[{"a":1},{"b":2}]', [{"a": 1}, {"b": 2}]),
        (b'[{"a":1},null]', [{"a": 1}, Kind.DROPPED]),
        (b'[{"messageId":"m0","a":1}]', [{"messageId": "m0", "a": 1}, Kind.DROPPED]),
        (b'[{"messageId":"m1","a":1}]', [Kind.DROPPED, {"messageId": "m1", "a": 1}]),
        (b"[]", [Kind.DROPPED, Kind.DROPPED]),
        (b"null", [Kind.DROPPED, Kind.DROPPED]),
        (b'[{"a":1}]', [Kind.BAD_REQUEST, Kind.BAD_REQUEST]),
        (b'[{"messageId":"m2"}]', [Kind.BAD_REQUEST, Kind.BAD_REQUEST]),
        (b"[{},{},{}]", [Kind.BAD_REQUEST, Kind.BAD_REQUEST]),
        (b"[{}," + DEEP + b"]", [{}, Kind.BAD_REQUEST]),
    ],
)
def test_a_batch_comes_back_by_place_and_if_some_are_left_out_by_message_id(
    value: bytes, expected: list[object]
) -> None:
    came = of_events(returned(value), GIVEN)
    assert [each.kind if isinstance(each, Ending) else each for each in came] == expected


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (returned(b"5"), Kind.DROPPED),
        (returned(DEEP), Kind.BAD_REQUEST),
        (Invocation(ending=Ending(Kind.OK), dropped=True), Kind.BAD_REQUEST),
        (Invocation(ending=Ending(Kind.RETRY)), Kind.RETRY),
    ],
)
def test_what_is_no_event_that_could_be_kept_lets_nothing_through(made: Invocation, kind: Kind) -> None:
    came = of_event(made)
    assert isinstance(came, Ending) and came.kind is kind
