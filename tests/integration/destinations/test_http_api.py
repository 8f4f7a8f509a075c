"""The HTTP API destination against servers that want it in various ways."""

import hmac
from base64 import b64encode
from typing import Any

import msgspec
import orjson
import pytest
from integration.destinations.stub import Asked, Reply, Stub, calling, demand

from onward.destinations.http_api import DEFINITION, SEND
from onward.destinations.outcome import Outcome
from onward.pipeline import mapping as mappings
from onward.pipeline.fields import compile_fields

SETTINGS = {"base_url": "http://api.example.com/v1"}
OAUTH = {
    "auth": "oauth2",
    "token_url": "http://login.example.com/oauth/token",
    "client_id": "id",
    "client_secret": "hush",
    "scope": "write read",
    "token_parameters": {"audience": "things"},
}


class Api(Stub):
    """`wanted` says what a request must bring to be let in."""

    hosts = ("api.example.com", "login.example.com")

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[str] = []
        self.revoked: set[str] = set()
        self.answers: Any = {}
        self.wanted: dict[str, str] = {}

    def reply(self, asked: Asked) -> Reply:
        if asked.headers["x-forwarded-host"] == "login.example.com":
            demand(asked.headers["authorization"] == "Basic " + b64encode(b"id:hush").decode(), "client")
            demand(
                asked.form
                == {"grant_type": "client_credentials", "scope": "write read", "audience": "things"},
                f"{asked.form}",
            )
            self.tokens.append(f"T{len(self.tokens)}")
            return 200, {"access_token": self.tokens[-1], "expires_in": 3600, "token_type": "Bearer"}
        demand(asked.path.startswith("/v1"), f"{asked.path} is not below the base")
        if self.tokens:
            token = asked.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.tokens or token in self.revoked:
                return 401, {"error": "token"}
        elif any((asked.headers | asked.query).get(name) != value for name, value in self.wanted.items()):
            return 401, {"error": "who?"}
        return 200, self.answers


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
async def call(api):
    async with calling(api, dict(SETTINGS)) as call:
        yield call


async def perform(call, payloads, **change) -> list[Outcome]:
    change["settings"] = SETTINGS | change.get("settings", {})
    change.setdefault("events", [{"messageId": f"m{n}"} for n in range(len(payloads))])
    outcomes = await SEND.perform(msgspec.structs.replace(call, **change), payloads)
    return outcomes if isinstance(outcomes, list) else [outcomes] * len(payloads)


def kinds(outcomes) -> list[str]:
    return [f"{each.kind} {each.code}".strip() for each in outcomes]


async def test_one_event_is_one_request(api, call):
    payload = {
        "method": "PUT",
        "path": "/users/{id}",
        "path_parameters": {"id": "a/b c"},
        "query": {"dry": True, "tag": ["x", "y&z"]},
        "headers": {"X-Mine": "1"},
        "data": {"name": "Zoë"},
    }
    assert kinds(await perform(call, [payload], settings={"headers": {"X-Team": "7"}})) == ["delivered"]
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("PUT", "/v1/users/a%2Fb%20c")
    assert asked.query == {"dry": "true", "tag": "y&z"}
    assert (asked.headers["x-mine"], asked.headers["x-team"]) == ("1", "7")
    assert asked.json == {"name": "Zoë"}


async def test_bodies_as_the_api_wants_them(api, call):
    payloads = [
        {"body_format": "form", "data": {"a": {"b": [1, 2]}, "c": "ü"}, "enable_batching": True},
        {"body_format": "text", "text": "hello\nü"},
        {"method": "GET", "data": {"a": 1}},
        {"method": "DELETE", "body_format": "none", "data": {"a": 1}},
    ]
    assert kinds(await perform(call, payloads)) == ["delivered"] * 4
    told = {(asked.method, asked.headers.get("content-type"), asked.body) for asked in api.asked}
    assert told == {
        ("POST", "application/x-www-form-urlencoded", b"a%5Bb%5D=1&a%5Bb%5D=2&c=%C3%BC"),
        ("POST", "text/plain; charset=utf-8", "hello\nü".encode()),
        ("GET", None, b""),
        ("DELETE", None, b""),
    }


@pytest.mark.parametrize(
    ("change", "content_type", "body"),
    [
        ({}, "application/json", b'[{"n":0},{"n":1}]'),
        (
            {"batch_format": "member", "batch_member": "events"},
            "application/json",
            b'{"events":[{"n":0},{"n":1}]}',
        ),
        ({"batch_format": "lines"}, "application/x-ndjson", b'{"n":0}\n{"n":1}\n'),
    ],
)
async def test_many_events_share_a_request(api, call, change, content_type, body):
    payloads = [{"data": {"n": n}, "enable_batching": True, **change} for n in range(2)]
    assert kinds(await perform(call, payloads)) == ["delivered"] * 2
    (asked,) = api.asked
    assert (asked.headers["content-type"], asked.body) == (content_type, body)


async def test_what_names_another_request_gets_one(api, call):
    payloads = [{"path": f"/{n % 2}", "data": {"n": n}, "enable_batching": True} for n in range(4)] + [
        {"path": "/{id}", "data": {}, "enable_batching": True},
        {"method": "TRACE"},
        {"data": {"n": 2**70}},
    ]
    outcomes = await perform(call, payloads)
    assert kinds(outcomes) == ["delivered"] * 4 + ["discarded MESSAGE_REJECTED"] * 3
    assert {asked.path: asked.json for asked in api.asked} == {
        "/v1/0": [{"n": 0}, {"n": 2}],
        "/v1/1": [{"n": 1}, {"n": 3}],
    }


async def test_a_payload_that_is_no_json_costs_itself(api, call):
    payloads = [{"data": {"n": n}, "enable_batching": True} for n in (0, 2**70, 2)]
    assert kinds(await perform(call, payloads)) == ["delivered", "discarded MESSAGE_REJECTED", "delivered"]
    assert api.asked[0].json == [{"n": 0}, {"n": 2}]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"auth": "basic", "username": "u", "password": "pä"}, {"authorization": "Basic dTpww6Q="}),
        ({"auth": "bearer", "token": "T"}, {"authorization": "Bearer T"}),
        ({"auth": "bearer", "token": "T", "auth_scheme": "Token"}, {"authorization": "Token T"}),
        ({"auth": "api_key_header", "api_key_name": "X-Key", "api_key": "K"}, {"x-key": "K"}),
        ({"auth": "api_key_query", "api_key_name": "key", "api_key": "K&1"}, {"key": "K&1"}),
    ],
)
async def test_requests_sign_in(api, call, settings, wanted):
    api.wanted = wanted
    payload = {"data": {}, "query": {"a": 1}, "headers": {"Authorization": "mapped", "x-key": "mapped"}}
    assert kinds(await perform(call, [payload], settings=settings)) == ["delivered"]
    assert kinds(await perform(call, [payload])) == ["discarded 401"]


async def test_access_tokens_are_kept_and_replaced_once(api, call):
    payloads = [{"path": f"/{n}", "data": {}} for n in range(5)]
    assert kinds(await perform(call, payloads, settings=OAUTH)) == ["delivered"] * 5
    assert api.tokens == ["T0"]
    api.revoked.add("T0")
    assert kinds(await perform(call, payloads, settings=OAUTH)) == ["delivered"] * 5
    assert api.tokens == ["T0", "T1"]
    api.revoked |= {"T1", "T2"}
    assert kinds(await perform(call, payloads[:1], settings=OAUTH)) == ["discarded 401"]
    assert api.tokens == ["T0", "T1", "T2"]


async def test_a_token_endpoint_in_trouble_is_no_fault_of_the_event(api, call):
    api.answer("/oauth/token", 503, {"error": "busy"}, Retry_After="3")
    (outcome,) = await perform(call, [{"data": {}}], settings=OAUTH)
    assert (outcome.kind, outcome.code, outcome.retry_after) == ("retry", "503", 3.0)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"base_url": "api.example.com"}, "base_url is"),
        ({"auth": "basic"}, "username and password are both empty"),
        ({"auth": "bearer"}, "token is empty"),
        ({"auth": "oauth2"}, "token_url is empty"),
        ({"auth": "api_key_query", "api_key": "x"}, "api_key_name is empty"),
        ({"auth": "magic"}, "auth is 'magic'"),
        (OAUTH | {"token_parameters": {"a": 1}}, "token_parameters is not"),
        ({"headers": "x"}, "headers is not an object"),
    ],
)
async def test_settings_that_can_not_work_are_named(api, call, settings, reason):
    (outcome,) = await perform(call, [{"data": {}}], settings=settings)
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert reason in outcome.message
    assert api.asked == []


async def test_bodies_are_signed(api, call):
    settings = {"signing_secret": "hush"}
    await perform(call, [{"data": {"a": "ü"}, "headers": {"X-Signature": "mine"}}], settings=settings)
    (asked,) = api.asked
    assert asked.headers["x-signature"] == hmac.new(b"hush", asked.body, "sha256").hexdigest()


async def test_a_repeated_request_has_the_same_key(api, call):
    settings = {"idempotency_header": "Idempotency-Key"}
    payloads = [{"data": {"n": n}, "enable_batching": True} for n in range(2)]
    await perform(call, payloads, settings=settings)
    await perform(call, payloads, settings=settings)
    await perform(call, payloads[:1], settings=settings)
    await perform(call, payloads, settings=settings, events=[{}, {}])
    await perform(call, payloads, settings=settings, events=[{}, {}])
    keys = [asked.headers["idempotency-key"] for asked in api.asked]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("status", "change", "kind", "after"),
    [
        (429, {}, "retry 429", 7.0),
        (500, {}, "retry 500", 7.0),
        (501, {}, "discarded 501", None),
        (404, {}, "discarded 404", None),
        (404, {"success_statuses": "200-299, 404"}, "delivered", None),
        (202, {"success_statuses": "200"}, "discarded 202", None),
        (409, {"retry_statuses": "409"}, "retry 409", 7.0),
        (500, {"retry_statuses": "409"}, "discarded 500", None),
        (200, {"success_statuses": "2xx"}, "discarded MESSAGE_REJECTED", None),
        (200, {"results_path": "a["}, "discarded MESSAGE_REJECTED", None),
    ],
)
async def test_statuses_mean_what_the_mapping_says(api, call, status, change, kind, after):
    api.answer("POST /v1", status, {"said": "so"}, Retry_After="7")
    payloads = [{"data": {"n": n}, "enable_batching": True, **change} for n in range(3)]
    outcomes = await perform(call, payloads)
    assert kinds(outcomes) == [kind] * 3
    assert outcomes[0].retry_after == after


async def test_an_answer_may_tell_of_each_event(api, call):
    api.answers = {"results": [{"status": status} for status in (201, 400, 503, 200)]}
    payloads = [
        {"data": {"n": n}, "enable_batching": True, "results_path": "results[*].status"}
        for n in (0, 2**70, 1, 2, 3)
    ]
    assert kinds(await perform(call, payloads)) == [
        "delivered",
        "discarded MESSAGE_REJECTED",
        "discarded 400",
        "retry 503",
        "delivered",
    ]


async def test_long_answers_are_read_whole(api, call):
    api.answers = {"pad": "x" * 200_000, "errors": [None] * 999 + ["bad"]}
    payloads = [
        {"data": {}, "enable_batching": True, "results_path": "errors[*]", "results_kind": "error"}
    ] * 1000
    outcomes = await perform(call, payloads)
    assert [each.kind for each in outcomes] == ["delivered"] * 999 + ["discarded"]


async def test_a_refused_connection_is_retried(call):
    (outcome,) = await perform(call, [{"data": {}}], settings={"base_url": "http://127.0.0.1:1"})
    assert (outcome.kind, outcome.code) == ("retry", "ECONNREFUSED")


async def test_the_connection_is_tested(api, call):
    def with_(**settings):
        return msgspec.structs.replace(call, settings=SETTINGS | settings)

    assert await DEFINITION.test(with_()) is None
    assert await DEFINITION.test(with_(test_path="/me")) is None
    assert [asked.path for asked in api.asked] == ["/v1", "/v1/me"]
    assert {asked.method for asked in api.asked} == {"GET"}
    api.answer("GET /v1", 404)
    assert await DEFINITION.test(with_()) is None
    api.answer("GET /v1/me", 404)
    assert await DEFINITION.test(with_(test_path="/me")) == "/me was answered 404"
    api.wanted = {"authorization": "Bearer T"}
    assert await DEFINITION.test(with_(auth="bearer", token="T")) is None
    assert "refuses the credentials" in await DEFINITION.test(with_(auth="bearer", token="X"))
    assert (await DEFINITION.test(with_(base_url="x"))).startswith("INVALID_SETTINGS: base_url")
    assert (await DEFINITION.test(with_(auth="bearer"))).startswith("INVALID_SETTINGS: token is empty")
    assert (await DEFINITION.test(with_(test_path="/{id}"))).startswith("the path needs id")
    assert (await DEFINITION.test(with_(base_url="http://127.0.0.1:1"))).startswith("ECONNREFUSED")


async def test_the_preset_sends_whole_events(api, call):
    compiled, check = mappings.compile(DEFINITION.presets[0].mapping), compile_fields(SEND.fields)
    event = {"type": "track", "event": "x", "messageId": "m", "properties": {"n": 1}}
    payload, problem = check(compiled(event))
    assert problem is None
    assert kinds(await perform(call, [payload], events=[event])) == ["delivered"]
    assert api.asked[0].json == event
    assert orjson.loads(api.asked[0].body) == event
