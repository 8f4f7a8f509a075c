"""What some actions request, and what becomes of the answers: single, batched, and per item."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from integration.bridge import samples
from integration.bridge.tools import Caller, Tool

from onward.destinations.bridge.definitions import TAKE_EVENTS
from onward.destinations.definition import Definition
from onward.destinations.outcome import DELIVERED, Outcome, discarded, retry
from onward.egress.http import EgressError, Request, Response
from onward.pipeline import payloads

BRAZE = {"app_id": "app", "api_key": "key", "endpoint": "https://rest.iad-01.braze.com"}


def mapped(caller: Caller, name: str, event: dict[str, Any], **mapping: Any) -> dict[str, Any]:
    """The payload of an event by the action's default mapping."""
    action = caller.action(name)
    defaults = {key: field.default for key, field in action.fields.items() if field.default is not None}
    made = payloads.compile({**defaults, **mapping}, action.fields, batches=action.batches)(event)
    return dict(made)


def track(n: int = 0, **more: Any) -> dict[str, Any]:
    return samples.event("track", f"m-{n}") | more


# What is requested


async def test_webhook(perform: Caller, tool: Tool) -> None:
    payload = {
        "url": "https://h.example/x?y=1",
        "method": "PUT",
        "headers": {"x-own": "1"},
        "data": {"a": [1, "é"]},
    }
    signed = perform.having(settings={"sharedSecret": "s"})
    assert await signed("actions-webhook.send", payload) == DELIVERED
    request = tool.requests[0]
    assert (request.method, request.url) == ("PUT", "https://h.example/x?y=1")
    assert orjson.loads(request.body) == {"a": [1, "é"]}
    assert request.headers["x-own"] == "1"
    assert len(request.headers["x-signature"]) == 40
    assert request.timeout == 10.0


async def test_webhook_batch(perform: Caller, tool: Tool) -> None:
    batch = [
        {"url": "https://h.example/", "method": "POST", "data": {"n": n}, "enable_batching": True}
        for n in range(3)
    ]
    assert await perform("actions-webhook.send", *batch) == DELIVERED
    assert tool.bodies == [[{"n": 0}, {"n": 1}, {"n": 2}]]


async def test_slack(perform: Caller, tool: Tool) -> None:
    payload = {"url": "https://hooks.slack.com/services/x", "text": "hi", "channel": "#a"}
    assert await perform("actions-slack.postToChannel", payload) == DELIVERED
    assert tool.seen() == ["POST https://hooks.slack.com/services/x"]
    assert tool.bodies == [{"channel": "#a", "text": "hi"}]


async def test_amplitude(perform: Caller, tool: Tool) -> None:
    settings = {"apiKey": "k", "secretKey": "s", "endpoint": "north_america"}
    payload = mapped(perform, "actions-amplitude.logEventV2", track())
    assert await perform.having(settings=settings)("actions-amplitude.logEventV2", payload) == DELIVERED
    assert tool.seen() == ["POST https://api2.amplitude.com/2/httpapi"]
    event = tool.bodies[0]["events"][0]
    assert (tool.bodies[0]["api_key"], event["event_type"]) == ("k", "Order Completed")
    assert event["user_id"] == "user-1"


async def test_mixpanel(perform: Caller, tool: Tool) -> None:
    settings = {"projectToken": "t", "apiSecret": "s", "apiRegion": "US 🇺🇸"}
    name = "actions-mixpanel.trackEvent"
    batch = [mapped(perform, name, track(n), enable_batching=True) for n in range(2)]
    assert await perform.having(settings=settings)(name, *batch) == DELIVERED
    assert tool.seen() == ["POST https://api.mixpanel.com/import?strict=1"]
    assert tool.requests[0].headers["authorization"].startswith("Basic ")
    assert [event["event"] for event in tool.bodies[0]] == ["Order Completed"] * 2


async def test_braze(perform: Caller, tool: Tool) -> None:
    name = "actions-braze-cloud.trackEvent"
    payload = mapped(perform, name, track(), enable_batching=False)
    assert await perform.having(settings=BRAZE)(name, payload) == DELIVERED
    assert tool.seen() == ["POST https://rest.iad-01.braze.com/users/track"]
    assert tool.requests[0].headers["authorization"] == "Bearer key"
    assert tool.requests[0].timeout == 30.0  # which the action asks for
    assert tool.bodies[0]["events"][0]["external_id"] == "user-1"


async def test_google_analytics(perform: Caller, tool: Tool) -> None:
    name = "actions-google-analytics-4.customEvent"
    payload = mapped(perform, name, track(), data_stream_type="Web", clientId="c-1")
    settings = {"apiSecret": "s", "measurementId": "G-1"}
    assert await perform.having(settings=settings)(name, payload) == DELIVERED
    url = "https://www.google-analytics.com/mp/collect?api_secret=s&measurement_id=G-1"
    assert tool.seen() == [f"POST {url}"]
    assert tool.bodies[0]["client_id"] == "c-1"


async def test_hubspot_signs_in_with_the_token(perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (200, {"id": "77", "properties": {}})
    caller = perform.having(settings={"oauth_access_token": "AT", "portalId": "1"})
    payload = {"email": "g@example.com", "lifecyclestage": "lead"}
    assert await caller("actions-hubspot-cloud.upsertContact", payload) == DELIVERED
    assert tool.requests[0].headers["authorization"] == "Bearer AT"
    assert tool.bodies[0]["properties"]["email"] == "g@example.com"


async def test_what_one_mapping_leaves_for_the_next(perform: Caller, tool: Tool) -> None:
    """HubSpot's company mapping needs the contact's id, whichever is first at the tool."""
    tool.answer = lambda request: (200, {"id": "77", "properties": {}, "results": []})
    caller = perform.having(settings={"oauth_access_token": "AT"})
    event = [track(9)]
    contact = caller("actions-hubspot-cloud.upsertContact", {"email": "g@example.com"}, events=event)
    company = caller(
        "actions-hubspot-cloud.upsertCompany",
        {"groupid": "g", "name": "G", "associateContact": True},
        events=event,
    )
    first, second = [await contact, await company]
    assert (first, second) == (DELIVERED, DELIVERED)
    assert any("/companies/77/associations/contacts/77" in seen for seen in tool.seen()), tool.seen()


async def test_customerio_and_sendgrid(perform: Caller, tool: Tool) -> None:
    name = "actions-customerio.trackEvent"
    payload = mapped(perform, name, track(), enable_batching=False)
    settings = {"siteId": "site", "apiKey": "key", "accountRegion": "US"}
    assert await perform.having(settings=settings)(name, payload) == DELIVERED
    assert tool.requests[0].url.startswith("https://track.customer.io/")
    assert tool.requests[0].headers["authorization"].startswith("Basic ")


async def test_intercom(perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (200, {"type": "list", "total_count": 0, "data": []})
    payload = {"external_id": "user-1", "email": "g@example.com"}
    caller = perform.having(settings={"oauth_access_token": "AT"})
    assert await caller("actions-intercom-cloud.identifyContact", payload) == DELIVERED
    assert [seen.split("?")[0] for seen in tool.seen()] == [
        "POST https://api.intercom.io/contacts/search",
        "POST https://api.intercom.io/contacts",
    ]


async def test_files_in_forms_are_sent_as_they_are(perform: Caller, tool: Tool) -> None:
    """The Trade Desk's drop: a request that names a place, and the bytes for it."""
    tool.answer = lambda request: (
        (200, {"Url": "https://drop.example/put"}) if request.method == "POST" else (200, {})
    )
    settings = {"advertiser_id": "a", "auth_token": "t"}
    name = "actions-the-trade-desk-crm.syncAudience"
    batch = [
        {
            "email": f"user{n}@example.com",
            "pii_type": "Email",
            "external_id": "seg",
            "enable_batching": True,
            "batch_size": 100_000,
        }
        for n in range(1600)
    ]
    assert await perform.having(settings=settings)(name, *batch) == DELIVERED
    put = tool.requests[-1]
    assert (put.method, put.url) == ("PUT", "https://drop.example/put")
    assert put.body.count(b"\n") == 1600


# Per item


async def test_braze_items_fail_by_themselves(perform: Caller, tool: Tool) -> None:
    errors = [{"type": "'external_id' is required", "input_array": "events", "index": n} for n in (3, 7)]
    tool.answer = lambda request: (201, {"message": "success", "errors": errors})
    name = "actions-braze-cloud.trackEvent"
    batch = [mapped(perform, name, track(n), enable_batching=True) for n in range(10)]
    outcomes = await perform.having(settings=BRAZE)(name, *batch)
    bad = discarded("400", "BAD_REQUEST: 'external_id' is required")
    assert outcomes == [bad if n in (3, 7) else DELIVERED for n in range(10)]


async def test_what_an_action_finds_wrong_with_items_is_not_sent(perform: Caller, tool: Tool) -> None:
    name = "actions-braze-cloud.trackEvent"
    batch = [mapped(perform, name, track(n), enable_batching=True) for n in range(10)]
    for n in (3, 7):
        batch[n].pop("external_id", None)
        for key in ("user_alias", "braze_id", "email"):
            batch[n].pop(key, None)
    outcomes = await perform.having(settings=BRAZE)(name, *batch)
    assert [n for n, outcome in enumerate(outcomes) if outcome != DELIVERED] == [3, 7]
    assert outcomes[3].code == "MESSAGE_REJECTED"
    assert outcomes[3].message.startswith("PAYLOAD_VALIDATION_FAILED: ")
    assert len(tool.bodies[0]["events"]) == 8


async def test_klaviyo_items_fail_and_their_neighbours_are_retried(perform: Caller, tool: Tool) -> None:
    errors = [
        {
            "status": 400,
            "detail": "bad time",
            "source": {"pointer": f"/data/attributes/events-bulk-create/data/{n}/attributes/time"},
        }
        for n in (3, 7)
    ]
    tool.answer = lambda request: (400, {"errors": errors})
    batch = [
        {
            "metric_name": "x",
            "profile": {"email": f"u{n}@example.com"},
            "enable_batching": True,
            "properties": {},
        }
        for n in range(10)
    ]
    outcomes = await perform.having(settings={"api_key": "k"})("actions-klaviyo.trackEvent", *batch)
    assert [outcome.kind for outcome in outcomes] == [
        "discarded" if n in (3, 7) else "retry" for n in range(10)
    ]
    assert outcomes[3] == discarded("400", "BAD_REQUEST: bad time")
    assert outcomes[0].code == "429"


@pytest.mark.parametrize("name", ["actions-braze-cloud.trackEvent", "actions-webhook.send"])
async def test_a_429_for_the_batch_retries_all(perform: Caller, tool: Tool, name: str) -> None:
    tool.answer = lambda request: Response(
        status=429,
        headers={"retry-after": "17", "content-type": "application/json"},
        body=b'{"message":"slow down"}',
    )
    url = {"url": "https://h.example/"} if "webhook" in name else {}
    batch = [mapped(perform, name, track(n), enable_batching=True, **url) for n in range(10)]
    outcomes = await perform.having(settings=BRAZE)(name, *batch)
    for outcome in outcomes if isinstance(outcomes, list) else [outcomes]:
        assert (outcome.kind, outcome.code, outcome.retry_after) == ("retry", "429", 17.0)
        assert "slow down" in outcome.message


async def test_payloads_that_json_cannot_hold(perform: Caller, tool: Tool) -> None:
    batch = [
        {
            "url": "https://h.example/",
            "method": "POST",
            "data": {"n": n if n != 1 else 2**70},
            "enable_batching": True,
        }
        for n in range(3)
    ]
    outcomes = await perform("actions-webhook.send", *batch)
    assert [outcome.kind for outcome in outcomes] == ["delivered", "discarded", "delivered"]
    assert outcomes[1].code == "MESSAGE_REJECTED"
    assert tool.bodies == [[{"n": 0}, {"n": 2}]]
    alone = await perform("actions-webhook.send", batch[1] | {"enable_batching": False})
    assert alone.code == "MESSAGE_REJECTED"


# Answers

ONE = {"url": "https://h.example/", "method": "POST", "data": {}}


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ((400, {"error": "no"}), "discarded", "400"),
        ((404, b"gone"), "discarded", "404"),
        ((408, b""), "retry", "408"),
        ((423, b""), "retry", "423"),
        ((429, b""), "retry", "429"),
        ((500, b""), "retry", "500"),
        ((501, b""), "discarded", "501"),
        ((503, b""), "retry", "503"),
        (EgressError("ECONNREFUSED", "nobody there"), "retry", "ECONNREFUSED"),
        (EgressError("ETIMEDOUT", "slow"), "retry", "ETIMEDOUT"),
        (EgressError("BLOCKED_ADDRESS", "10.0.0.1 is private"), "discarded", "BLOCKED_ADDRESS"),
        (EgressError("TLS", "expired"), "discarded", "TLS"),
        ((204, b""), "delivered", ""),
    ],
)
async def test_answers(perform: Caller, tool: Tool, answer: Any, kind: str, code: str) -> None:
    tool.answer = lambda request: answer
    outcome = await perform("actions-webhook.send", ONE)
    assert (outcome.kind, outcome.code) == (kind, code)


async def test_a_retry_after_that_is_a_date(perform: Caller, tool: Tool) -> None:
    when = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 120))
    tool.answer = lambda request: Response(status=503, headers={"retry-after": when}, body=b"")
    outcome = await perform("actions-webhook.send", ONE)
    assert 100 < outcome.retry_after < 121


async def test_an_answer_that_the_action_cannot_read_may_be_better_next_time(
    perform: Caller, tool: Tool
) -> None:
    tool.answer = lambda request: (200, b"<html>maintenance</html>")
    payload = {"email": "g@example.com", "list_id": "L"}
    outcome = await perform.having(settings={"api_key": "k"})("actions-klaviyo.removeProfile", payload)
    assert (outcome.kind, outcome.code) == ("retry", "INTERNAL")
    assert "is not valid JSON" in outcome.message


async def test_a_fault_without_any_answer_is_final(perform: Caller, tool: Tool) -> None:
    outcome = await perform("actions-slack.postToChannel", {"url": 7, "text": "x"})
    assert outcome.kind == "discarded"
    assert tool.requests == []


async def test_own_timers_of_actions_hold(perform: Caller, tool: Tool) -> None:
    """Amazon's profile request has 2.5 s of its own; ours are cut off when it is up."""
    import asyncio

    async def never(request: Request) -> tuple[int, bytes]:
        await asyncio.sleep(30)
        return 200, b"{}"

    tool.answer = never
    caller = perform.having(
        settings={
            "oauth_access_token": "a",
            "region": "https://advertising-api.amazon.com",
            "advertiserId": "1",
        }
    )
    problem = await caller.catalogue["actions-amazon-conversions-api"].test(caller.call())  # type: ignore[misc]
    assert problem is not None
    assert "2500ms" in problem
    assert tool.under_way == 0


async def test_redirects_of_gets_are_followed(perform: Caller, tool: Tool) -> None:
    hops = iter(
        [
            Response(status=302, headers={"location": "/b"}, body=b""),
            Response(status=307, headers={"location": "https://other.example/c"}, body=b""),
        ]
    )
    tool.answer = lambda request: next(hops, (200, {"data": []}))
    caller = perform.having(settings={"api_key": "secret"})
    assert await caller.catalogue["actions-klaviyo"].test(caller.call()) is None  # type: ignore[misc]
    urls = [request.url for request in tool.requests]
    assert urls[1:] == ["https://a.klaviyo.com/b", "https://other.example/c"]
    assert "secret" in str(tool.requests[1].headers)
    assert "secret" not in str(tool.requests[2].headers)


async def test_those_with_connections_of_their_own_say_so(
    catalogue: Mapping[str, Definition], perform: Caller
) -> None:
    for slug in ("actions-kafka", "actions-sftp", "actions-s3", "actions-aws-kinesis"):
        definition = catalogue[slug]
        assert definition.listing.own_sockets
        action = next(iter(definition.actions.values()))
        outcome = await action.perform(perform.call(), [{}])
        assert isinstance(outcome, Outcome)
        assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")


async def test_forms_are_encoded(perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (401, {}) if "oauth" not in request.url else (200, {"access_token": "NEW"})
    caller = perform.having(
        settings={
            "oauth_access_token": "A",
            "oauth_refresh_token": "R",
            "oauth_client_id": "id",
            "oauth_client_secret": "se cret",
        }
    )
    await caller("actions-hubspot-cloud.upsertContact", {"email": "g@example.com"})
    form = next(request for request in tool.requests if "oauth" in request.url)
    assert form.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert parse_qs(form.body.decode()) == {
        "refresh_token": ["R"],
        "client_id": ["id"],
        "client_secret": ["se cret"],
        "grant_type": ["refresh_token"],
    }


async def test_without_a_runtime_nothing_is_lost(perform: Caller) -> None:
    import msgspec

    call = msgspec.structs.replace(perform.call(), runtime=None)
    outcome = await perform.action("actions-slack.postToChannel").perform(call, [{}])
    assert outcome == retry("ECONNRESET", "nothing runs the catalogue's JavaScript here")


def test_insert_functions_stand_before_events_and_not_before_lists(
    catalogue: Mapping[str, Definition],
) -> None:
    assert all(catalogue[f"actions-{slug}"].insert_refusal == "" for slug in TAKE_EVENTS)
    refused = {slug for slug, each in catalogue.items() if each.insert_refusal}
    assert {"actions-facebook-custom-audiences", "actions-iterable-lists"} <= refused
    assert not refused & {"actions-braze-cloud", "actions-slack", "actions-hubspot-cloud"}
