"""From a stored request to its events (spec §3.5, §4)."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.pipeline.strategies import values

from onward.pipeline import timestamps
from onward.pipeline.normalise import Undecodable, normalise, trim_properties
from onward.pipeline.types import Envelope

NOW = 1_714_979_340_500
"""2024-05-06T07:09:00.500Z"""
RECEIVED = "2024-05-06T07:09:00.500Z"


def single(event: dict[str, Any], **envelope: Any) -> dict[str, Any]:
    body = orjson.dumps({"messageId": "m", "userId": "u", **event})
    (result,) = normalise(Envelope(**{"received_at": NOW, "batch": False, "type": "track", **envelope}), body)
    assert isinstance(result, dict)
    return result


def batch(items: list[Any], shared: dict[str, Any] | None = None, **envelope: Any) -> list[Any]:
    body = orjson.dumps({"batch": items, **(shared or {})})
    return normalise(Envelope(received_at=NOW, batch=True, **envelope), body)


def item(id: str = "m", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": id, "userId": "u", **fields}


def test_a_single_event_is_completed() -> None:
    event = single({"event": "E", "writeKey": "k", "type": "page", "version": "x", "channel": 5})
    assert event == {
        "type": "track",
        "event": "E",
        "userId": "u",
        "messageId": "m",
        "receivedAt": RECEIVED,
        "timestamp": RECEIVED,
        "version": 2,
        "channel": "server",
        "context": {},
        "integrations": {},
    }


def test_without_an_implied_type_the_event_has_its_own() -> None:
    assert single({"type": "screen"}, type=None)["type"] == "screen"


def test_message_ids_and_positions() -> None:
    events = batch(
        [item("a"), item("b"), 5, {**item(), "messageId": 7}, item("d")], skip=(1, 2), ids={3: "given"}
    )
    assert [event["messageId"] for event in events] == ["a", "given", "d"]
    assert single({"messageId": None}, ids={0: "given"})["messageId"] == "given"


def test_shared_context_and_integrations_go_into_the_items() -> None:
    shared = {
        "context": {"device": {"type": "phone", "name": "x"}, "locale": "en"},
        "integrations": {"All": False, "Amplitude": {"a": 1}},
        "writeKey": "k",
    }
    own = item("a", context={"device": {"id": "d"}}, integrations={"Amplitude": True, "Mixpanel": True})
    first, second, third = batch([own, item("b"), item("c", context=5, integrations=[])], shared)
    assert first["context"] == {"device": {"id": "d"}, "locale": "en"}
    assert first["integrations"] == {"All": False, "Amplitude": True, "Mixpanel": True}
    for event in (second, third):
        assert event["context"] == shared["context"]
        assert event["integrations"] == shared["integrations"]
    assert second["context"] is not third["context"]


@pytest.mark.parametrize("wrong", [None, 5, "x", [], True])
def test_shared_fields_of_wrong_types_share_nothing(wrong: Any) -> None:
    (event,) = batch([item()], {"context": wrong, "integrations": wrong, "sentAt": wrong})
    assert event["context"] == event["integrations"] == {}
    assert event["timestamp"] == RECEIVED
    assert "sentAt" not in event


@pytest.mark.parametrize(
    ("given", "timestamp", "original", "sent"),
    [
        ({}, RECEIVED, None, None),
        # No sentAt: nothing to correct.
        (
            {"timestamp": "2012-12-02T00:30:08.276Z"},
            "2012-12-02T00:30:08.276Z",
            "2012-12-02T00:30:08.276Z",
            None,
        ),
        (
            {"timestamp": "2012-12-02T02:30:08+02:00"},
            "2012-12-02T00:30:08.000Z",
            "2012-12-02T00:30:08.000Z",
            None,
        ),
        # A clock one hour ahead, ten seconds in the queue.
        (
            {"timestamp": "2024-05-06T08:08:50.500Z", "sentAt": "2024-05-06T08:09:00.500Z"},
            "2024-05-06T07:08:50.500Z",
            "2024-05-06T08:08:50.500Z",
            "2024-05-06T08:09:00.500Z",
        ),
        # A clock at the epoch.
        (
            {"timestamp": "1970-01-01T00:00:01Z", "sentAt": "1970-01-01T00:00:02Z"},
            "2024-05-06T07:08:59.500Z",
            "1970-01-01T00:00:01.000Z",
            "1970-01-01T00:00:02.000Z",
        ),
        # sentAt alone says nothing of when it happened.
        ({"sentAt": "2024-05-06T08:09:00Z"}, RECEIVED, None, "2024-05-06T08:09:00.000Z"),
        # What is no time counts as not given.
        ({"timestamp": "yesterday", "sentAt": 5}, RECEIVED, None, None),
        ({"timestamp": 1714979340500}, RECEIVED, None, None),
        ({"timestamp": {}, "originalTimestamp": []}, RECEIVED, None, None),
        (
            {"timestamp": "2024-05-06T07:00:00Z", "sentAt": "0001-01-01T00:00:00Z"},
            "2024-05-06T07:00:00.000Z",
            "2024-05-06T07:00:00.000Z",
            None,
        ),
        # A correction that leaves the calendar is none.
        (
            {"timestamp": "9999-12-31T00:00:00Z", "sentAt": "1970-01-02T00:00:00Z"},
            RECEIVED,
            "9999-12-31T00:00:00.000Z",
            "1970-01-02T00:00:00.000Z",
        ),
        # The original of an event that comes from another router; its timestamp wins.
        (
            {"originalTimestamp": "2024-05-06T07:00:00Z"},
            "2024-05-06T07:00:00.000Z",
            "2024-05-06T07:00:00.000Z",
            None,
        ),
        (
            {"originalTimestamp": "2000-01-01", "timestamp": "2024-05-06T07:00:00Z"},
            "2024-05-06T07:00:00.000Z",
            "2024-05-06T07:00:00.000Z",
            None,
        ),
    ],
)
def test_timestamps(given: dict[str, Any], timestamp: str, original: str | None, sent: str | None) -> None:
    event = single(given)
    assert event["timestamp"] == timestamp
    assert event.get("originalTimestamp") == original
    assert event.get("sentAt") == sent
    assert event["receivedAt"] == RECEIVED


def test_the_batch_is_sent_at_once_unless_an_item_says_otherwise() -> None:
    at = "2024-05-06T08:00:00.000Z"
    shared = {"sentAt": "2024-05-06T08:09:00.500Z"}
    first, second, third = batch(
        [
            item("a", timestamp=at),
            item("b", timestamp=at, sentAt="2024-05-06T08:00:01Z"),
            item("c", sentAt=5),
        ],
        shared,
    )
    assert first["timestamp"] == "2024-05-06T07:00:00.000Z"
    assert first["sentAt"] == "2024-05-06T08:09:00.500Z"
    assert second["timestamp"] == "2024-05-06T07:08:59.500Z"
    assert third["sentAt"] == "2024-05-06T08:09:00.500Z"


AJS = {"library": {"name": "analytics.js", "version": "next-1.84.3"}}
IOS = {"library": {"name": "analytics-ios"}}
PYTHON = {"library": {"name": "analytics-python"}}


@pytest.mark.parametrize(
    ("context", "envelope", "channel", "ip", "user_agent"),
    [
        (AJS, {}, "browser", "1.2.3.4", "UA"),
        (IOS, {}, "mobile", "1.2.3.4", None),
        (PYTHON, {}, "server", None, None),
        ({}, {}, "server", None, None),
        ({"direct": True}, {}, "server", "1.2.3.4", "UA"),
        ({"direct": "true"}, {}, "server", "1.2.3.4", "UA"),
        ({"direct": False}, {}, "server", None, None),
        ({}, {"direct": True}, "browser", "1.2.3.4", "UA"),
        ({**AJS, "ip": "9.9.9.9", "userAgent": "own"}, {}, "browser", "9.9.9.9", "own"),
        ({**AJS, "ip": "0.0.0.0"}, {}, "browser", "0.0.0.0", "UA"),
        (AJS, {"ip": "2001:db8::1"}, "browser", None, "UA"),
        (AJS, {"ip": "::ffff:5.6.7.8"}, "browser", "5.6.7.8", "UA"),
        (AJS, {"ip": None, "user_agent": None}, "browser", None, None),
        ({"channel": "mobile"}, {}, "mobile", "1.2.3.4", None),
        ({**PYTHON, "channel": "server"}, {}, "server", None, None),
        ({"channel": 5, "library": ["x"]}, {}, "server", None, None),
        ({"library": {"name": ["analytics.js"]}}, {}, "server", None, None),
    ],
)
def test_origin(
    context: dict[str, Any], envelope: dict[str, Any], channel: str, ip: str | None, user_agent: str | None
) -> None:
    event = single({"context": context}, **{"ip": "1.2.3.4", "user_agent": "UA", **envelope})
    assert event["channel"] == channel
    assert event["context"].get("ip") == ip
    assert event["context"].get("userAgent") == user_agent


def test_the_address_does_not_leak_into_what_is_shared() -> None:
    shared = {"context": {"locale": "en"}}
    first, second = batch([item("a", context={"direct": True}), item("b")], shared, ip="1.2.3.4")
    assert first["context"]["ip"] == "1.2.3.4"
    assert "ip" not in second["context"]


def test_poison_costs_only_itself() -> None:
    good = orjson.dumps(item())
    body = (
        b'{"batch":['
        + good
        + b',{"x":1e400},'
        + good
        + b',"text",{"a":"\\ud800"}],"context":{"locale":"en"}}'
    )
    events = normalise(Envelope(received_at=NOW, batch=True), body)
    assert [type(event) for event in events] == [dict, Undecodable, dict, Undecodable, Undecodable]
    assert events[0]["context"] == {"locale": "en"}
    assert [event.position for event in events if isinstance(event, Undecodable)] == [1, 3, 4]
    assert "number that is no double" in events[1].reason
    assert "not an object" in events[3].reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"5",
        b"[]",
        b"{}",
        b'{"batch":5}',
        b'{"batch":[1e400],"context":1e400}',
        b"\xff",
        b"[" * 5000,
    ],
)
def test_a_batch_that_can_not_be_read_is_as_many_discards_as_events(body: bytes) -> None:
    assert [event.position for event in normalise(Envelope(received_at=NOW, batch=True), body, 3)] == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'{"a":1e400}', b"{}", b'{"messageId":5}'])
def test_a_single_event_that_can_not_be_read(body: bytes) -> None:
    (event,) = normalise(Envelope(received_at=NOW, batch=False, type="track"), body)
    assert isinstance(event, Undecodable)


def test_an_event_must_have_a_type_and_a_message_id() -> None:
    events = batch([{"messageId": "a"}, {"type": "track"}, {"type": ["track"], "messageId": "c"}])
    assert [event.reason for event in events] == [
        "the event has no type",
        "the event has no messageId",
        "the event has no type",
    ]


def test_properties_beyond_the_limit_are_dropped() -> None:
    many = {f"p{n}": n for n in range(10_001)}
    (event,) = batch([item(properties=many, traits=many)])
    assert list(event["properties"]) == list(event["traits"]) == [f"p{n}" for n in range(10_000)]
    event = {"properties": {"a": 1, "b": 2}, "traits": [1, 2, 3]}
    assert trim_properties(event, 2) is event
    assert trim_properties(event, 1) == {"properties": {"a": 1}, "traits": [1, 2, 3]}
    assert len(event["properties"]) == 2


FIELDS = [
    "type",
    "context",
    "integrations",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "channel",
    "properties",
]
wild = st.dictionaries(st.sampled_from(FIELDS), values | st.datetimes().map(str), max_size=6)


@given(st.lists(wild | values, max_size=4), wild, st.sampled_from([None, "1.2.3.4", "::1", "junk"]))
def test_whatever_comes_in_the_promises_hold(
    items: list[Any], shared: dict[str, Any], ip: str | None
) -> None:
    ids = {position: f"m{position}" for position in range(len(items))}
    events = batch(items, shared, ids=ids, ip=ip, user_agent="UA")
    assert len(events) == len(items)
    for position, event in enumerate(events):
        if isinstance(event, Undecodable):
            assert event.position == position
            continue
        assert event["messageId"] == f"m{position}"
        assert type(event["type"]) is type(event["channel"]) is str
        assert type(event["context"]) is type(event["integrations"]) is dict
        for field in ("timestamp", "receivedAt", "originalTimestamp", "sentAt"):
            if field in event or field in ("timestamp", "receivedAt"):
                ms = timestamps.parse(event[field])
                assert ms is not None
                assert timestamps.render(ms) == event[field]
        orjson.dumps(event)
    assert batch(items, shared, ids=ids, ip=ip, user_agent="UA") == events
