"""Signing in by an identity provider, against a stand-in that speaks OpenID Connect."""

import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from litestar import Litestar

from onward.egress.http import Request, Response

from .conftest import Call

ISSUER = "https://id.example.com"
KEY = RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256", "use": "sig"})


class IdentityProvider:
    """An egress client whose other end is the provider."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.challenge = ""
        self.signing = KEY
        self.issuer = ISSUER
        self.keys: dict[str, Any] = {"keys": [KEY.as_dict(private=False)]}

    async def send(self, request: Request) -> Response:
        if request.url.endswith("/.well-known/openid-configuration"):
            return self._answer(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{ISSUER}/authorize",
                    "token_endpoint": f"{ISSUER}/token",
                    "jwks_uri": f"{ISSUER}/keys",
                }
            )
        if request.url == f"{ISSUER}/keys":
            return self._answer(self.keys)
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        verifier = sha256(form["code_verifier"].encode()).digest()
        good = (
            form["code"] == "the-code"
            and form["client_secret"] == "s3cret"
            and form["redirect_uri"] == "http://onward/api/oidc/callback"
            and urlsafe_b64encode(verifier).decode().rstrip("=") == self.challenge
        )
        if not good:
            return self._answer({"error": "invalid_grant"}, 400)
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, self.claims, self.signing)
        return self._answer({"id_token": token, "access_token": "x"})

    async def resolve(self, host: str) -> list[str]:
        return []

    async def close(self) -> None: ...

    def _answer(self, body: Any, status: int = 200) -> Response:
        return Response(status=status, headers={}, body=msgspec.json.encode(body))


@pytest.fixture
def provider(app: Litestar) -> IdentityProvider:
    made = IdentityProvider()
    app.state.http = made
    app.state.settings = msgspec.structs.replace(
        app.state.settings, oidc_issuer=ISSUER, oidc_client_id="onward", oidc_client_secret="s3cret"
    )
    return made


@pytest.fixture
async def browser(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward") as browser:
        yield browser


async def sign_in(
    browser: httpx.AsyncClient, provider: IdentityProvider, wanted: str = "", **claims: Any
) -> httpx.Response:
    """From the start, where the page `wanted` is asked for, to the provider, and back with a code."""
    away = await browser.get("/api/oidc/start", params={"next": wanted} if wanted else {})
    assert away.status_code == 302, away.text
    asked = {name: values[0] for name, values in parse_qs(urlsplit(away.headers["location"]).query).items()}
    assert asked["scope"] == "openid email profile" and asked["code_challenge_method"] == "S256"
    provider.challenge = asked["code_challenge"]
    provider.claims = {
        "iss": ISSUER,
        "aud": "onward",
        "sub": "42",
        "nonce": asked["nonce"],
        "exp": int(time.time()) + 300,
        "email": "ada@example.com",
        "email_verified": True,
        "name": "Ada",
    } | claims
    return await browser.get(f"/api/oidc/callback?code=the-code&state={asked['state']}")


@pytest.fixture
async def invited(call: Call) -> None:
    body = {"invites": [{"email": "ada@example.com", "permissions": [{"roleId": "source-admin"}]}]}
    await call("POST", "/invites", body, status=201)


async def test_who_is_invited_comes_in_and_is_known_from_then_on(
    browser: httpx.AsyncClient, provider: IdentityProvider, invited: None
) -> None:
    back = await sign_in(browser, provider)
    assert (back.status_code, back.headers["location"]) == (302, "/"), back.text
    session = (await browser.get("/api/session")).json()["data"]["session"]
    assert (session["email"], session["name"]) == ("ada@example.com", "Ada")
    assert session["hasPassword"] is False
    assert "source:write" in session["permissions"] and "people:write" not in session["permissions"]
    moved = await sign_in(browser, provider, email="ada@elsewhere.example")
    assert moved.status_code == 302
    assert (await browser.get("/api/session")).json()["data"]["session"]["email"] == "ada@example.com"


@pytest.mark.parametrize("name", [None, 7, "", " ", "Ada\x1b[2J", "Ada\nEve"])
async def test_who_has_no_name_that_can_be_shown_is_called_by_their_address(
    browser: httpx.AsyncClient, provider: IdentityProvider, invited: None, name: Any
) -> None:
    assert (await sign_in(browser, provider, name=name)).status_code == 302
    assert (await browser.get("/api/session")).json()["data"]["session"]["name"] == "ada@example.com"


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("/sources/x/debugger?event=1", "/sources/x/debugger?event=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nset-cookie: a=b", "/"),
    ],
)
async def test_the_page_that_was_asked_for_is_shown_if_it_is_ours(
    browser: httpx.AsyncClient, provider: IdentityProvider, invited: None, wanted: str, shown: str
) -> None:
    back = await sign_in(browser, provider, wanted)
    assert (back.status_code, back.headers["location"]) == (302, shown)


async def test_a_browser_is_told_of_a_refusal_by_a_page(
    browser: httpx.AsyncClient, provider: IdentityProvider
) -> None:
    browser.headers["accept"] = "text/html,application/xhtml+xml,*/*;q=0.8"
    refused = await sign_in(browser, provider)
    assert (refused.status_code, refused.headers["location"]) == (302, "/sign-in?refused=stranger")
    assert "onward_oidc" not in browser.cookies, "what was begun is over"
    for query, why in (
        ("error=access_denied&error_description=Call+555-1234", "other-browser"),
        ("code=the-code&state=forged", "other-browser"),
    ):
        refused = await browser.get(f"/api/oidc/callback?{query}")
        assert refused.headers["location"] == f"/sign-in?refused={why}"
    await browser.get("/api/oidc/start")
    refused = await browser.get("/api/oidc/callback?error=access_denied&error_description=Call+555-1234")
    assert refused.headers["location"] == "/sign-in?refused=denied"
    provider.issuer = "https://other.example"
    refused = await browser.get("/api/oidc/start")
    assert refused.headers["location"] == "/sign-in?refused=provider"


async def test_strangers_stay_outside(browser: httpx.AsyncClient, provider: IdentityProvider) -> None:
    refused = await sign_in(browser, provider)
    assert refused.status_code == 403
    assert "not a user here, nor invited" in refused.json()["errors"][0]["message"]
    assert (await browser.get("/api/session")).status_code == 401


async def test_another_person_of_the_same_address_is_not_let_in(
    browser: httpx.AsyncClient, provider: IdentityProvider, invited: None
) -> None:
    assert (await sign_in(browser, provider)).status_code == 302
    assert (await sign_in(browser, provider, sub="43")).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"nonce": "replayed"},
        {"exp": 1},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
    ],
)
async def test_a_token_that_is_not_good_lets_nobody_in(
    browser: httpx.AsyncClient, provider: IdentityProvider, invited: None, claims: dict[str, Any]
) -> None:
    assert (await sign_in(browser, provider, **claims)).status_code in (401, 403)
    assert (await browser.get("/api/session")).status_code == 401


async def test_a_token_of_another_key_lets_nobody_in(
    browser: httpx.AsyncClient, provider: IdentityProvider, invited: None
) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256"})
    assert (await sign_in(browser, provider)).status_code == 401


async def test_an_answer_that_this_browser_did_not_ask_for_is_refused(
    browser: httpx.AsyncClient, provider: IdentityProvider, invited: None
) -> None:
    await browser.get("/api/oidc/start")
    for query in ("code=the-code&state=forged", "code=the-code", "error=access_denied"):
        assert (await browser.get(f"/api/oidc/callback?{query}")).status_code == 401
    browser.cookies.clear()
    assert (await browser.get("/api/oidc/callback?code=the-code&state=x")).status_code == 401


async def test_a_provider_that_says_it_is_another_is_refused(
    browser: httpx.AsyncClient, provider: IdentityProvider
) -> None:
    provider.issuer = "https://other.example"
    assert (await browser.get("/api/oidc/start")).status_code == 401


async def test_the_sign_in_page_learns_of_the_provider(
    browser: httpx.AsyncClient, provider: IdentityProvider, app: Litestar
) -> None:
    there = await browser.get("/api/session/methods")
    methods = {"password": True, "oidc": True, "provider": "id.example.com"}
    assert there.json() == {"data": {"methods": methods}}
    app.state.settings = msgspec.structs.replace(app.state.settings, oidc_issuer=None)
    without = await browser.get("/api/session/methods")
    assert without.json()["data"]["methods"] == {"password": True, "oidc": False, "provider": None}


async def test_without_a_provider_there_is_nothing(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/oidc/start")).status_code == 404


@pytest.mark.parametrize(
    "keys", [{}, {"keys": None}, {"keys": [{}]}, {"keys": [{"kty": "RSA"}]}, {"keys": ["x"]}]
)
async def test_keys_that_are_none_let_nobody_in(
    browser: httpx.AsyncClient, provider: IdentityProvider, invited: None, keys: dict[str, Any]
) -> None:
    provider.keys = keys
    assert (await sign_in(browser, provider)).status_code == 401


async def test_who_is_known_accepts_what_is_for_their_new_address(
    browser: httpx.AsyncClient,
    client: httpx.AsyncClient,
    provider: IdentityProvider,
    invited: None,
    call: Call,
) -> None:
    await sign_in(browser, provider)
    token = (await call("POST", "/workspaces", {"slug": "other"}, status=201))["token"]
    owner = {"authorization": f"Bearer {token}"}
    group = (await client.post("/groups", json={"name": "All"}, headers=owner)).json()["data"]["userGroup"]
    new = "ada@elsewhere.example"
    body = {"invites": [{"email": new, "groupIds": [group["id"]]}]}
    await client.post("/invites", json=body, headers=owner)
    await call("POST", "/invites", {"invites": [{"email": new}]}, status=201)
    assert (await sign_in(browser, provider, email=new)).status_code == 302
    session = (await browser.get("/api/session")).json()["data"]["session"]
    assert session["email"] == "ada@example.com"
    assert [each["slug"] for each in session["workspaces"]] == ["default", "other"]
    members = (await client.get(f"/groups/{group['id']}/users", headers=owner)).json()["data"]["users"]
    assert [each["email"] for each in members] == ["ada@example.com"]


async def test_a_password_of_before_does_not_come_along_to_where_one_is_invited(
    browser: httpx.AsyncClient,
    app: Litestar,
    client: httpx.AsyncClient,
    provider: IdentityProvider,
    call: Call,
) -> None:
    token = (await call("POST", "/workspaces", {"slug": "other"}, status=201))["token"]
    ada = {"email": "ada@example.com"}
    owner = {"authorization": f"Bearer {token}"}
    made = await client.post("/invites", json={"invites": [ada]}, headers=owner)
    link = made.json()["data"]["invitations"][0]["link"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward") as other:
        password = {"password": "correct horse battery"}
        joining = {"token": link.partition("#")[2], "name": "Not Ada", **password}
        assert (await other.post("/api/invites/accept", json=joining)).status_code == 200
        await call("POST", "/invites", {"invites": [ada]}, status=201)
        assert (await sign_in(browser, provider)).status_code == 302
        assert (await other.get("/api/session")).status_code == 401
        assert (await other.post("/api/session", json=ada | password)).status_code == 401
    session = (await browser.get("/api/session")).json()["data"]["session"]
    assert len(session["workspaces"]) == 2 and session["hasPassword"] is False
