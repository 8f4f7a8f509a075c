import asyncio
from urllib.parse import parse_qsl

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations import amplitude
from onward.destinations.amplitude import LOG_EVENT, LOG_EVENT_V2, LOG_PURCHASE
from onward.destinations.definition import Call
from onward.destinations.outcome import DELIVERED
from onward.egress.http import EgressError, Request, Response

SETTINGS = {"apiKey": "key", "secretKey": "secret", "endpoint": "north_america"}


def payload(n=0, **more):
    return {"event_type": "Seen", "user_id": f"user-{n}", "enable_batching": True, "library": "x", **more}


def users(http):
    return [[event["user_id"] for event in body["events"]] for body in http.bodies]


async def test_a_batch_is_one_request(run, http):
    payloads = [payload(n) for n in range(5)]
    assert await run(LOG_EVENT_V2, payloads, settings=SETTINGS) == [DELIVERED] * 5
    (request,) = http.requests
    assert request.url == "https://api2.amplitude.com/2/httpapi"
    assert http.bodies == [
        {
            "api_key": "key",
            "events": [
                {"event_type": "Seen", "user_id": f"user-{n}", "library": "segment"} for n in range(5)
            ],
        }
    ]


async def test_what_cannot_share_a_request_does_not(run, http):
    payloads = [
        payload(0),
        payload(1, use_batch_endpoint=True),
        payload(2, min_id_length=3),
        payload(3, min_id_length=0),
    ]
    assert await run(LOG_EVENT, payloads, settings=SETTINGS | {"endpoint": "europe"}) == [DELIVERED] * 4
    assert users(http) == [["user-0", "user-3"], ["user-1"], ["user-2"]]
    assert [request.url for request in http.requests] == [
        "https://api.eu.amplitude.com/2/httpapi",
        "https://api.eu.amplitude.com/batch",
        "https://api.eu.amplitude.com/2/httpapi",
    ]
    assert [body.get("options") for body in http.bodies] == [None, None, {"min_id_length": 3}]


async def test_an_event_that_amplitude_names_costs_itself(run, http):
    answer = {
        "code": 400,
        "error": "Request missing required field",
        "events_with_missing_fields": {"event_type": [3]},
        "events_with_invalid_id_lengths": {"user_id": [7]},
        "silenced_events": [99, "x"],
    }
    http.answer(400, orjson.dumps(answer))
    outcomes = await run(LOG_EVENT_V2, [payload(n) for n in range(10)], settings=SETTINGS)
    assert [n for n, outcome in enumerate(outcomes) if outcome != DELIVERED] == [3, 7]
    assert (outcomes[3].kind, outcomes[3].code, outcomes[3].message) == (
        "discarded",
        "400",
        "event_type is missing",
    )
    assert outcomes[7].message == "user_id is too short or too long"
    assert users(http)[1] == [f"user-{n}" for n in range(10) if n not in (3, 7)]


async def test_products_are_events_of_their_payload(run, http):
    http.answer(400, orjson.dumps({"code": 400, "events_with_invalid_fields": {"price": [2]}}))
    order = payload(0, products=[{"productId": "a"}, {"productId": "b"}], insert_id="i")
    outcomes = await run(LOG_PURCHASE, [order, payload(1)], settings=SETTINGS)
    assert [outcome.kind for outcome in outcomes] == ["discarded", "delivered"]
    assert [event.get("insert_id") for event in http.bodies[0]["events"]] == ["i", "i-2", "i-3", None]
    assert users(http)[1] == ["user-1"]


async def test_a_fault_that_is_not_named_is_everyones(run, http):
    http.answer(400, b'{"code":400,"error":"Invalid API key"}')
    outcomes = await run(LOG_EVENT_V2, [payload(n) for n in range(3)], settings=SETTINGS)
    assert [(outcome.kind, outcome.code) for outcome in outcomes] == [("discarded", "400")] * 3
    assert len(http.requests) == 1


@pytest.mark.parametrize("answer", [(429, b"{}"), (503, b""), (200, b"")])
async def test_other_answers_are_everyones(run, http, answer):
    http.answer(*answer, **{"retry-after": "7"})
    outcomes = await run(LOG_EVENT_V2, [payload(n) for n in range(3)], settings=SETTINGS)
    kinds = {(outcome.kind, outcome.retry_after) for outcome in outcomes}
    assert kinds == {("delivered", None) if answer[0] == 200 else ("retry", 7.0)}


async def test_no_answer(run, http):
    http.answers.append(EgressError("ECONNRESET", "gone"))
    outcomes = await run(LOG_EVENT_V2, [payload(n) for n in range(2)], settings=SETTINGS)
    assert [outcome.code for outcome in outcomes] == ["ECONNRESET"] * 2


async def test_what_is_too_large_is_halved(run, http):
    http.answer(413)
    outcomes = await run(LOG_EVENT_V2, [payload(n) for n in range(5)], settings=SETTINGS)
    assert outcomes == [DELIVERED] * 5
    assert users(http)[1:] == [["user-0", "user-1"], ["user-2", "user-3", "user-4"]]


async def test_what_no_json_holds_costs_itself(run, http):
    outcomes = await run(
        LOG_EVENT_V2,
        [payload(0), payload(1, event_properties={"x": "\ud800"}), payload(2, event_properties={"n": 2**70})],
        settings=SETTINGS,
    )
    assert [outcome.kind for outcome in outcomes] == ["delivered", "discarded", "delivered"]
    assert http.bodies[0]["events"][1]["event_properties"] == {"n": float(2**70)}


async def test_requests_hold_less_than_two_thousand_events(run, http):
    payloads = [payload(n, products=[{}] * 500) for n in range(5)]
    assert await run(LOG_PURCHASE, payloads, settings=SETTINGS) == [DELIVERED] * 5
    assert [len(body["events"]) for body in http.bodies] == [1503, 1002]


class Strict:
    """Refuses a request with anything wrong in it, naming but so many of the events, as Amplitude does."""

    def __init__(self, names: int, size: int) -> None:
        self.names = names
        self.size = size
        self.taken: list[str] = []

    async def send(self, request: Request) -> Response:
        events = orjson.loads(request.body)["events"]
        if len(events) > self.size:
            return Response(status=413, headers={}, body=b"")
        faults = [place for place, event in enumerate(events) if event["event_type"] == "bad"]
        if faults:
            named = {"code": 400, "events_with_invalid_fields": {"event_type": faults[: self.names]}}
            return Response(status=400, headers={}, body=orjson.dumps(named))
        self.taken += [event["user_id"] for event in events]
        return Response(status=200, headers={}, body=b"{}")


@given(bad=st.lists(st.booleans(), min_size=1, max_size=40), names=st.integers(1, 5), size=st.integers(1, 50))
def test_whatever_is_at_fault_the_others_arrive_once(bad, names, size):
    http = Strict(names, size)
    call = amplitude_call(http)
    payloads = [payload(n, event_type="bad" if is_bad else "good") for n, is_bad in enumerate(bad)]
    outcomes = asyncio.run(LOG_EVENT_V2.perform(call, payloads))
    outcomes = outcomes if isinstance(outcomes, list) else [outcomes]
    assert [outcome.kind for outcome in outcomes] == [
        "discarded" if is_bad else "delivered" for is_bad in bad
    ]
    assert sorted(http.taken) == sorted(f"user-{n}" for n, is_bad in enumerate(bad) if not is_bad)


def amplitude_call(http):
    return Call(settings=SETTINGS, http=http, timeout=5, workspace_id="w", source_id="s", destination_id="d")


async def test_a_group_is_not_described_if_its_member_was_refused(run, http):
    action = amplitude.GROUP_IDENTIFY_USER
    http.answer(429)
    member = {"group_type": "company", "group_value": "x", "user_id": "u"}
    assert (await run(action, [member], settings=SETTINGS)).kind == "retry"
    assert len(http.requests) == 1
    assert await run(action, [member], settings=SETTINGS) == DELIVERED
    (first, second) = http.requests[1:]
    assert (first.url, second.url) == (
        "https://api2.amplitude.com/identify",
        "https://api2.amplitude.com/groupidentify",
    )
    assert orjson.loads(dict(parse_qsl(first.body.decode()))["identification"])[0]["groups"] == {
        "company": "x"
    }


async def test_only_people_with_an_id_can_be_forgotten(run, http):
    forget = amplitude.DEFINITION.on_delete
    assert (await forget(run.call, None, "a")).kind == "discarded"
    assert http.requests == []
