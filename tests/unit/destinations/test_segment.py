import base64
import copy

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.destinations.outcome import DELIVERED
from onward.destinations.segment import DEFINITION, loops
from onward.destinations.segment.send import endpoint
from onward.egress.http import EgressError

SETTINGS = {"source_write_key": "target", "endpoint": "http://onward.test:8080/v1"}

TRACK = {
    "type": "track",
    "messageId": "m-1",
    "writeKey": "origin",
    "event": "Bought",
    "userId": "u",
    "anonymousId": "a",
    "timestamp": "2024-01-01T00:00:00.000Z",
    "receivedAt": "2024-01-01T00:00:01.000Z",
    "sentAt": "2024-01-01T00:00:01.000Z",
    "context": {"ip": "1.2.3.4", "custom": {"x": 1}, "traits": {"plan": "pro"}},
    "integrations": {"All": False},
    "properties": {"price": 3},
}


def resolve(mapping, event):
    """A stand-in for the mapping engine that knows `@path` alone, and drops what is missing."""
    payload = {}
    for name, value in mapping.items():
        if isinstance(value, dict) and "@path" in value:
            found = event
            for key in value["@path"].removeprefix("$.").split("."):
                found = found.get(key) if isinstance(found, dict) else None
            value = found
        if value is not None:
            payload[name] = value
    return payload


def preset(kind):
    (found,) = [each for each in DEFINITION.presets if each.trigger == f'type = "{kind}"']
    return found


async def forward(run, *events, **call):
    """The events through the preset of their type, all of the same type."""
    chosen = preset(events[0]["type"])
    payloads = [resolve(chosen.mapping, event) for event in events]
    return await run(DEFINITION.actions[chosen.action], payloads, events, **{"settings": SETTINGS, **call})


async def test_a_track_event_arrives_whole_but_for_what_is_the_targets(run, http):
    before = copy.deepcopy(TRACK)
    assert await forward(run, TRACK) == DELIVERED
    assert before == TRACK, "the event is shared with other destinations and must not change"
    (request,) = http.requests
    assert (request.method, request.url) == ("POST", "http://onward.test:8080/v1/batch")
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"target:").decode()
    ((event,),) = [body["batch"] for body in http.bodies]
    assert event.pop("messageId") not in ("m-1", "", None)
    assert event == {
        "type": "track",
        "event": "Bought",
        "userId": "u",
        "anonymousId": "a",
        "timestamp": "2024-01-01T00:00:00.000Z",
        "context": {
            "ip": "1.2.3.4",
            "custom": {"x": 1},
            "traits": {"plan": "pro"},
            "repeatChain": [loops.link("target")],
        },
        "properties": {"price": 3},
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "identify", "traits": {"email": "e"}}, {"traits": {"email": "e"}}),
        (
            {"type": "page", "name": "Home", "category": "Docs", "properties": {"url": "u", "name": "own"}},
            {
                "name": "Home",
                "category": "Docs",
                "properties": {"url": "u", "name": "own", "category": "Docs"},
            },
        ),
        (
            {"type": "screen", "name": "Main", "properties": {"x": 1}},
            {"name": "Main", "properties": {"name": "Main", "x": 1}},
        ),
        (
            {"type": "group", "groupId": "g", "traits": {"name": "n"}},
            {"groupId": "g", "traits": {"name": "n"}},
        ),
        ({"type": "alias", "previousId": "p"}, {"previousId": "p"}),
    ],
)
async def test_every_type_arrives(run, http, event, expected):
    assert await forward(run, {"messageId": "m", "userId": "u", **event}) == DELIVERED
    ((sent,),) = [body["batch"] for body in http.bodies]
    del sent["messageId"]
    context = {"repeatChain": [loops.link("target")]}
    assert sent == {"type": event["type"], "userId": "u", "context": context, **expected}


async def test_mapped_fields_are_written_over_the_context(run, http):
    payload = resolve(preset("track").mapping, TRACK) | {
        "ip_address": "9.9.9.9",
        "application": {"name": "app"},
        "traits": {"tier": 1},
        "group_id": "g",
        "operating_system": {"name": "os"},
    }
    await run(DEFINITION.actions["sendTrack"], [payload], [TRACK], settings=SETTINGS)
    context = http.bodies[0]["batch"][0]["context"]
    assert context["ip"] == "9.9.9.9"
    assert context["app"] == {"name": "app"}
    assert context["os"] == {"name": "os"}
    assert context["traits"] == {"plan": "pro", "tier": 1}
    assert context["groupId"] == "g"
    assert context["custom"] == {"x": 1}


async def message_id(run, http, event, **call):
    await forward(run, event, **call)
    return http.bodies[-1]["batch"][0].get("messageId")


async def test_a_retry_bears_the_same_message_id_and_nothing_else_does(run, http):
    first = await message_id(run, http, TRACK)
    assert first == await message_id(run, http, TRACK)
    assert first == await message_id(run, http, TRACK, write_keys=("origin",)), "the chain is no content"
    assert first == await message_id(run, http, chained("elsewhere"))
    assert len(first) < 100
    others = [
        await message_id(run, http, {**TRACK, "messageId": "m-2"}),
        await message_id(run, http, {**TRACK, "properties": {"price": 4}}),
        await message_id(run, http, TRACK, destination_id="other"),
    ]
    assert len({first, *others}) == 4


async def test_without_a_message_id_the_target_gives_one(run, http):
    event = {key: value for key, value in TRACK.items() if key != "messageId"}
    assert await message_id(run, http, event) is None


# -- loops --------------------------------------------------------------------------------------------


def test_links_are_md5():
    assert loops.link("abc") == "900150983cd24fb0d6963f7d28e17f72"


async def test_the_chain_holds_origin_and_target(run, http):
    await forward(run, TRACK, write_keys=("origin", "origin-2"))
    assert http.bodies[0]["batch"][0]["context"]["repeatChain"] == [
        loops.link("origin"),
        loops.link("origin-2"),
        loops.link("target"),
    ]


def chained(*keys):
    return {**TRACK, "context": {**TRACK["context"], "repeatChain": [loops.link(key) for key in keys]}}


async def test_an_event_that_was_at_the_target_is_discarded(run, http):
    outcomes = await forward(run, TRACK, chained("target", "origin"), chained("elsewhere"))
    assert [outcome.kind for outcome in outcomes] == ["delivered", "discarded", "delivered"]
    assert outcomes[1].code == "LOOP_DETECTED"
    assert "repeatChain" in outcomes[1].message
    assert len(http.bodies[0]["batch"]) == 2


async def test_a_source_is_not_forwarded_to_itself(run, http):
    (outcome,) = await forward(run, TRACK, write_keys=("other", "target"))
    assert outcome.code == "LOOP_DETECTED"
    assert http.requests == []


async def test_a_mapping_without_the_context_does_not_lose_the_chain(run, http):
    payload = {"user_id": "u", "event_name": "e"}
    event = chained("target")
    (outcome,) = await run(DEFINITION.actions["sendTrack"], [payload], [event], settings=SETTINGS)
    assert outcome.code == "LOOP_DETECTED"


@pytest.mark.parametrize("keys", [1, 2, 3, 5])
async def test_sources_in_a_circle_each_get_an_event_once(run, http, keys):
    event, seen = TRACK, []
    for hop in range(50):
        here, there = f"key-{hop % keys}", f"key-{(hop + 1) % keys}"
        outcome = await forward(
            run, event, write_keys=(here,), settings={**SETTINGS, "source_write_key": there}
        )
        if outcome != DELIVERED:
            assert outcome[0].code == "LOOP_DETECTED"
            break
        event = http.bodies[-1]["batch"][0]
        seen.append(there)
    assert len(seen) == keys - 1
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("chain", ["x", 7, None, {"a": 1}, [1, None, {}], [["x"]]])
async def test_an_odd_chain_is_none(run, http, chain):
    event = {**TRACK, "context": {"repeatChain": chain}}
    assert await forward(run, event) == DELIVERED
    assert http.bodies[0]["batch"][0]["context"]["repeatChain"] == [loops.link("target")]


async def test_an_endless_chain_ends(run, http):
    (outcome,) = await forward(run, chained(*(f"k{n}" for n in range(100))))
    assert outcome.code == "LOOP_DETECTED"


# -- limits and errors --------------------------------------------------------------------------------


async def test_no_request_is_larger_than_the_tracking_api_takes(run, http):
    events = [{**TRACK, "messageId": str(n), "properties": {"x": "y" * 30_000}} for n in range(40)]
    http.answer(200)
    http.answer(500)
    outcomes = await forward(run, *events)
    assert all(len(request.body) <= 500_000 for request in http.requests)
    sizes = [len(body["batch"]) for body in http.bodies]
    assert sum(sizes) == 40 and len(sizes) == 3
    kinds = [outcome.kind for outcome in outcomes]
    assert kinds == ["delivered"] * sizes[0] + ["retry"] * sizes[1] + ["delivered"] * sizes[2]


async def test_an_event_that_is_too_large_or_not_json_costs_only_itself(run, http):
    outcomes = await forward(
        run,
        TRACK,
        {**TRACK, "properties": {"x": "y" * 40_000}},
        {**TRACK, "properties": {"x": 2**70}},
        {**TRACK, "userId": "", "anonymousId": None},
    )
    assert [outcome.kind for outcome in outcomes] == ["delivered", "discarded", "discarded", "discarded"]
    assert {outcome.code for outcome in outcomes[1:]} == {"MESSAGE_REJECTED"}
    assert len(http.bodies[0]["batch"]) == 1


async def test_without_a_write_key_nothing_is_sent(run, http):
    outcome = await forward(run, TRACK, settings={})
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert http.requests == []


async def test_no_answer_is_a_retry_for_all(run, http):
    http.answers.append(EgressError("ECONNREFUSED", "because"))
    outcome = await forward(run, TRACK, TRACK)
    assert (outcome.kind, outcome.code) == ("retry", "ECONNREFUSED")


@pytest.mark.parametrize(
    ("given_endpoint", "used"),
    [
        (None, "https://api.segment.io/v1"),
        ("", "https://api.segment.io/v1"),
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("https://h/onward/v1", "https://h/onward/v1"),
    ],
)
def test_the_endpoint_may_be_written_in_several_ways(given_endpoint, used):
    assert endpoint({"endpoint": given_endpoint}) == used


async def test_the_connection_test_asks_for_the_sources_settings(run, http):
    import msgspec

    call = msgspec.structs.replace(run.call, settings=SETTINGS)
    http.answer(200)
    assert await DEFINITION.test(call) is None
    assert http.requests[0].url == "http://onward.test:8080/v1/projects/target/settings"
    http.answer(404)
    assert "write key" in await DEFINITION.test(call)
    http.answers.append(EgressError("ENOTFOUND", "gone"))
    assert "ENOTFOUND" in await DEFINITION.test(call)
    await DEFINITION.test(msgspec.structs.replace(call, settings={"source_write_key": "k"}))
    assert http.requests[-1].url == "https://cdn.segment.com/v1/projects/k/settings"


anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.lists(st.integers())
    | st.dictionaries(st.text(max_size=3), st.none() | st.text(max_size=3) | st.integers(), max_size=2)
)


@given(data=st.data(), slug=st.sampled_from(sorted(DEFINITION.actions)))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_any_payload_has_an_outcome(run, http, data, slug):
    action = DEFINITION.actions[slug]
    names = st.sampled_from(sorted(action.fields))
    payloads = data.draw(st.lists(st.dictionaries(names, anything), min_size=1, max_size=3))
    events = data.draw(st.sampled_from([[TRACK] * len(payloads), [{"context": 3}] * len(payloads), []]))
    outcome = await run(action, payloads, events, settings=SETTINGS)
    outcomes = outcome if isinstance(outcome, list) else [outcome] * len(payloads)
    assert len(outcomes) == len(payloads)
    sent = sum(len(orjson.loads(request.body)["batch"]) for request in http.requests)
    assert sent == sum(each.kind == "delivered" for each in outcomes)
    http.requests.clear()
