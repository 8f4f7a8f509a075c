"""The table of spec §10.3, and what onBatch says of each event."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.functions.errors import CODES, OK, Ending, Kind, of_batch, of_item, of_thrown
from onward.functions.wire import Thrown


@pytest.mark.parametrize(
    ("name", "kind", "action", "code"),
    [
        ("Error", Kind.BAD_REQUEST, "discarded", "bad_request"),
        ("TypeError", Kind.BAD_REQUEST, "discarded", "bad_request"),
        ("InvalidEventPayload", Kind.MESSAGE_REJECTED, "discarded", "message_rejected"),
        ("ValidationError", Kind.MESSAGE_REJECTED, "discarded", "message_rejected"),
        ("EventNotSupported", Kind.UNSUPPORTED_EVENT_TYPE, "discarded", "unsupported_event_type"),
        ("RetryError", Kind.RETRY, "retry", "retry"),
        ("DropEvent", Kind.DROPPED, "filtered", "dropped"),
    ],
)
def test_the_name_decides(name: str, kind: Kind, action: str, code: str) -> None:
    ending = of_thrown(Thrown(name, "why"))
    assert (ending.kind, ending.action, ending.code, ending.message) == (kind, action, code, "why")


def test_only_retry_and_timeout_are_tried_again() -> None:
    retried = {kind for kind in Kind if Ending(kind).action == "retry"}
    assert retried == {Kind.RETRY, Kind.TIMEOUT, Kind.TOO_MANY_REQUESTS}
    assert CODES[Kind.TIMEOUT] == "gateway_timeout"
    assert CODES.keys() == set(Kind)


@pytest.mark.parametrize(
    ("item", "action"),
    [
        ({"status": 200}, "delivered"),
        ({"status": 400, "errormessage": "x"}, "discarded"),
        ({"status": 429}, "retry"),
        ({"status": 408}, "retry"),
        ({"status": 500}, "retry"),
        ({"status": "503"}, "retry"),
        ({"status": True}, "delivered"),
        ({"status": None}, "delivered"),
        ({}, "delivered"),
        (None, "delivered"),
        ("500", "delivered"),
    ],
)
def test_an_item(item: object, action: str) -> None:
    assert of_item(item).action == action


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("status"), inner),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(json | st.lists(json, min_size=3, max_size=3), st.integers(1, 5))
def test_one_ending_for_each_event_whatever_is_returned(value: object, events: int) -> None:
    endings = of_batch(OK, value, events)
    assert len(endings) == events
    if not isinstance(value, list) or len(value) != events:
        fails = isinstance(value, list) and any(of_item(each) != OK for each in value)
        assert {each.kind for each in endings} == {Kind.BAD_REQUEST if fails else Kind.OK}


def test_failures_that_belong_to_nobody_are_not_passed_over() -> None:
    statuses = [{"status": 200}, {"status": 500}]
    assert [each.action for each in of_batch(OK, statuses, 2)] == ["delivered", "retry"]
    [one, *_] = of_batch(OK, statuses, 3)
    assert one.action == "discarded" and one.message.startswith("onBatch returned 2 statuses for 3 events")
    assert of_batch(OK, statuses[:1], 3) == [OK] * 3


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(json, st.integers(1, 5))
def test_what_was_thrown_holds_for_all(value: object, events: int) -> None:
    whole = Ending(Kind.RETRY, "x")
    assert of_batch(whole, value, events) == [whole] * events
