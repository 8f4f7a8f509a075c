"""Besides what the tests of `google` prove of keeping, sharing and replacing tokens."""

import base64
from urllib.parse import parse_qsl

import orjson
import pytest

from onward.destinations.definition import Call
from onward.destinations.oauth import Application, TokenError, access_token, authorized
from onward.egress.http import Request

TOKEN_URI = "https://login.example/oauth/token"
REQUEST = Request(url="https://api.example/things")


def application(**change):
    given = {"issuer": "Example", "token_uri": TOKEN_URI, "client_id": "id", "client_secret": "hush"}
    return Application(**(given | change))


@pytest.fixture
def call(http) -> Call:
    return Call(settings={}, http=http, timeout=5.0, workspace_id="w", source_id="s", destination_id="d")


def grant(http, text, **members):
    members = {"access_token": text, "expires_in": 3600, "token_type": "bearer"} | members
    http.answer(200, orjson.dumps({key: value for key, value in members.items() if value is not None}))


def form(request):
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))


async def test_an_application_shows_its_secret_in_the_basic_header(http, call):
    grant(http, "T")
    assert await access_token(call, application(client_id="a b", client_secret="c:ü"), ["one", "two"]) == "T"
    (request,) = http.requests
    assert form(request) == {"grant_type": "client_credentials", "scope": "one two"}
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"a+b:c%3A%C3%BC"


async def test_or_in_the_form_with_what_the_server_wants_besides(http, call):
    grant(http, "T")
    app = application(in_body=True, parameters=(("audience", "x"),), extra_headers=(("x-tenant", "9"),))
    assert await access_token(call, app) == "T"
    (request,) = http.requests
    assert form(request) == {
        "grant_type": "client_credentials",
        "client_id": "id",
        "client_secret": "hush",
        "audience": "x",
    }
    assert request.headers["x-tenant"] == "9"
    assert "authorization" not in request.headers


async def test_the_newest_refresh_token_is_used(http, call):
    app = application(refresh_token="first")
    grant(http, "T1", refresh_token="second", expires_in=0)
    grant(http, "T2")
    assert [await access_token(call, app), await access_token(call, app)] == ["T1", "T2"]
    assert [form(request)["refresh_token"] for request in http.requests] == ["first", "second"]


async def test_and_that_of_the_settings_again_when_the_newest_is_refused(http, call):
    app = application(refresh_token="first")
    grant(http, "T1", refresh_token="second", expires_in=0)
    http.answer(400, b'{"error": "invalid_grant"}')
    grant(http, "T2")
    assert [await access_token(call, app), await access_token(call, app)] == ["T1", "T2"]
    assert [form(request)["refresh_token"] for request in http.requests] == ["first", "second", "first"]


async def test_trouble_of_the_server_does_not_lose_the_newest_refresh_token(http, call):
    app = application(refresh_token="first")
    grant(http, "T1", refresh_token="second", expires_in=0)
    http.answer(503)
    grant(http, "T2")
    await access_token(call, app)
    with pytest.raises(TokenError):
        await access_token(call, app)
    assert await access_token(call, app) == "T2"
    assert [form(request)["refresh_token"] for request in http.requests] == ["first", "second", "second"]


@pytest.mark.parametrize("expires_in", [None, "3600", "soon"])
async def test_a_lifetime_that_is_not_told_is_an_hour(http, call, expires_in):
    grant(http, "T1", expires_in=expires_in)
    grant(http, "T2")
    app = application()
    assert [await access_token(call, app), await access_token(call, app)] == ["T1", "T1"]


async def test_a_scheme_other_than_bearer(http, call):
    grant(http, "T")
    await authorized(call, application(), (), REQUEST, scheme="Token")
    assert http.requests[-1].headers["authorization"] == "Token T"


async def test_refused_credentials_name_who_refuses(http, call):
    http.answer(401, b'{"error": "invalid_client", "error_description": "who?"}')
    with pytest.raises(TokenError) as raised:
        await authorized(call, application(), (), REQUEST)
    outcome = raised.value.outcome
    assert (outcome.kind, outcome.code) == ("discarded", "401")
    assert outcome.message == "Example refuses the credentials: invalid_client: who?"
    assert len(http.requests) == 1


def test_secrets_do_not_show():
    shown = repr(application(refresh_token="quiet", extra_headers=(("x-key", "still"),)))
    assert "hush" not in shown and "quiet" not in shown and "still" not in shown
