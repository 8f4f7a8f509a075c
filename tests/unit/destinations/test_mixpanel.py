import base64
from urllib.parse import parse_qsl

import orjson
import pytest

from onward.destinations import mixpanel
from onward.destinations.mixpanel import IDENTIFY_USER, INCREMENT_PROPERTIES, TRACK_EVENT, TRACK_PURCHASE
from onward.destinations.outcome import DELIVERED
from onward.egress.http import EgressError

SETTINGS = {"projectToken": "token", "apiSecret": "secret", "apiRegion": "EU 🇪🇺", "strictMode": "1"}


def payload(n=0, **more):
    return {
        "event": "Seen",
        "distinct_id": f"u{n}",
        "insert_id": f"i{n}",
        "time": "2026-01-31T10:20:30Z",
    } | more


def refusal(*indexes, **more):
    failed = [
        {"index": index, "insert_id": "i", "field": "properties.time", "message": f"bad {index}"}
        for index in indexes
    ]
    return orjson.dumps(
        {"code": 400, "error": "some data points failed", "num_records_imported": 1, "failed_records": failed}
        | more
    )


async def test_a_batch_is_one_request(run, http):
    assert await run(TRACK_EVENT, [payload(n) for n in range(3)], settings=SETTINGS) == [DELIVERED] * 3
    (request,) = http.requests
    assert request.url == "https://api-eu.mixpanel.com/import?strict=1"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"secret:").decode()
    assert [event["properties"]["$insert_id"] for event in http.bodies[0]] == ["i0", "i1", "i2"]
    assert http.bodies[0][0]["properties"]["time"] == 1769854830000


async def test_records_that_mixpanel_names_cost_themselves(run, http):
    http.answer(400, refusal(3, 7))
    outcomes = await run(TRACK_EVENT, [payload(n) for n in range(10)], settings=SETTINGS)
    assert [n for n, outcome in enumerate(outcomes) if outcome != DELIVERED] == [3, 7]
    assert (outcomes[3].kind, outcomes[3].code, outcomes[3].message) == ("discarded", "400", "bad 3")
    assert len(http.requests) == 1


async def test_records_are_those_of_their_payloads(run, http):
    http.answer(400, refusal(4))
    payloads = [
        payload(n, products=[{"name": "a"}, {"name": "b"}], generatePurchaseEventPerProduct=True)
        for n in range(3)
    ]
    outcomes = await run(TRACK_PURCHASE, payloads, settings=SETTINGS)
    assert [outcome.kind for outcome in outcomes] == ["delivered", "discarded", "delivered"]
    ids = [event["properties"]["$insert_id"] for event in http.bodies[0]]
    assert ids == ["i0", "0i0", "1i0", "i1", "0i1", "1i1", "i2", "0i2", "1i2"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"failed_records": 3}',
        b'{"failed_records": []}',
        refusal(99, "x", None),
        b"failed_records",
    ],
)
async def test_a_fault_that_is_not_named_is_everyones(run, http, body):
    http.answer(400, body)
    outcomes = await run(TRACK_EVENT, [payload(n) for n in range(3)], settings=SETTINGS)
    assert [(outcome.kind, outcome.code) for outcome in outcomes] == [("discarded", "400")] * 3


@pytest.mark.parametrize("status", [429, 503])
async def test_other_answers_are_everyones(run, http, status):
    http.answer(status, refusal(1))
    outcomes = await run(TRACK_EVENT, [payload(n) for n in range(3)], settings=SETTINGS)
    assert [(outcome.kind, outcome.code) for outcome in outcomes] == [("retry", str(status))] * 3


async def test_no_answer(run, http):
    http.answers.append(EgressError("ETIMEDOUT", "slow"))
    assert (await run(TRACK_EVENT, [payload()], settings=SETTINGS)).code == "ETIMEDOUT"


async def test_what_is_too_large_is_halved(run, http):
    http.answer(413)
    http.answer(400, refusal(1))
    outcomes = await run(TRACK_EVENT, [payload(n) for n in range(5)], settings=SETTINGS)
    assert [outcome.kind for outcome in outcomes] == ["delivered", "discarded", *["delivered"] * 3]
    assert [len(body) for body in http.bodies] == [5, 2, 3]


async def test_requests_hold_two_thousand_events(run, http):
    many = [payload(n, products=[{}] * 600, generatePurchaseEventPerProduct=True) for n in range(5)]
    assert await run(TRACK_PURCHASE, many, settings=SETTINGS) == [DELIVERED] * 5
    assert [len(body) for body in http.bodies] == [1803, 1202]


async def test_events_without_an_insert_id_get_one_each(run, http):
    bare = {"event": "Seen", "time": 1}
    await run(TRACK_EVENT, [bare, bare], settings=SETTINGS)
    first, second = (event["properties"]["$insert_id"] for event in http.bodies[0])
    assert first and second and first != second


async def test_a_profile_is_not_set_before_its_ids_are_tied(run, http):
    person = {"anonymous_id": "a", "user_id": "u", "traits": {"firstName": "Ada", "lastName": "L", "x": 1}}
    http.answer(503)
    assert (await run(IDENTIFY_USER, [person], settings=SETTINGS)).kind == "retry"
    assert len(http.requests) == 1
    assert await run(IDENTIFY_USER, [person], settings=SETTINGS) == DELIVERED
    data = [orjson.loads(dict(parse_qsl(request.body.decode()))["data"]) for request in http.requests[1:]]
    assert data[0]["event"] == "$identify"
    assert data[1]["$set"] == {"x": 1, "$first_name": "Ada", "$last_name": "L", "$name": "Ada L"}


async def test_zero_is_a_refusal(run, http):
    http.answer(200, b"0")
    outcome = await run(IDENTIFY_USER, [{"anonymous_id": "a"}], settings=SETTINGS)
    assert (outcome.kind, outcome.message) == (
        "discarded",
        "Mixpanel's /track answered 0: the data is not valid",
    )


@pytest.mark.parametrize(
    ("increment", "said"),
    [
        ({"a": "x"}, "increment.a is 'x', not a number"),
        (dict.fromkeys("abcdefghijklmnopqrstu", 1), "21 properties"),
    ],
)
async def test_increments_that_are_refused(run, http, increment, said):
    outcome = await run(INCREMENT_PROPERTIES, [{"user_id": "u", "increment": increment}], settings=SETTINGS)
    assert outcome.kind == "discarded"
    assert said in outcome.message
    assert http.requests == []


async def test_a_connection_test_says_what_is_wrong(run, http):
    http.answer(401, b"no such project")
    assert await mixpanel.DEFINITION.test(run.call) == "401: no such project"
    assert await mixpanel.DEFINITION.test(run.call) is None
