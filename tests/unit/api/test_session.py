"""Signing in: passwords, cookies, what a session may be made to do, and what slows a guesser down."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from onward.api.throttle import FIRST, FORGOTTEN, Throttle
from onward.settings import Settings
from onward.workspace import passwords
from onward.workspace.bootstrap import bootstrap
from onward.workspace.database import FILE
from onward.workspace.entities import Session, User
from onward.workspace.store import Store

from .conftest import Call

PASSWORD = "correct horse battery"


@pytest.fixture
async def browser(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Keeps cookies, knows no token."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward/api") as browser:
        yield browser


@pytest.fixture
def link(settings: Settings) -> str:
    """Of the first start, for whoever becomes the owner."""
    token = bootstrap(settings, invite=True).owner_link
    assert token is not None
    return token


@pytest.fixture
async def owner(browser: httpx.AsyncClient, link: str) -> dict[str, Any]:
    """The session of the owner, who is signed in in `browser`."""
    body = {"token": link, "name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    response = await browser.post("/invites/accept", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json()["data"]["session"])


async def sign_in(browser: httpx.AsyncClient, password: str = PASSWORD) -> httpx.Response:
    return await browser.post("/session", json={"email": "Ada@example.com ", "password": password})


async def test_the_first_start_makes_an_owner_once(
    browser: httpx.AsyncClient, link: str, owner: dict[str, Any], settings: Settings
) -> None:
    assert owner["email"] == "ada@example.com" and "people:write" in owner["permissions"]
    assert owner["hasPassword"] is True
    assert (await browser.get("/session")).json()["data"]["session"] == owner
    again = {"token": link, "name": "Eve", "email": "eve@example.com", "password": PASSWORD}
    assert (await browser.post("/invites/accept", json=again)).status_code == 404
    assert bootstrap(settings, invite=True).owner_link is None


async def test_a_link_tells_what_it_is_for(
    browser: httpx.AsyncClient, link: str, owner: dict[str, Any], settings: Settings, call: Call
) -> None:
    async def read(token: str) -> httpx.Response:
        return await browser.post("/invites/read", json={"token": token})

    assert (await read(link)).status_code == 404, "it has been used"
    people = [{"email": "bob@example.com"}]
    made = (await call("POST", "/invites", {"invites": people}, status=201))["invitations"][0]["link"]
    found = (await read(made.partition("#")[2])).json()["data"]["invitation"]
    assert found == {"email": "bob@example.com", "workspace": "Default", "hasAccount": False}


async def test_the_first_link_is_nobodys_yet(browser: httpx.AsyncClient, link: str) -> None:
    found = (await browser.post("/invites/read", json={"token": link})).json()["data"]["invitation"]
    assert found == {"email": None, "workspace": "Default", "hasAccount": False}


async def test_a_link_of_a_former_start_is_not_good_any_more(
    browser: httpx.AsyncClient, link: str, settings: Settings
) -> None:
    newer = bootstrap(settings, invite=True).owner_link
    body = {"token": link, "name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    assert (await browser.post("/invites/accept", json=body)).status_code == 404
    assert (await browser.post("/invites/accept", json=body | {"token": newer})).status_code == 200


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    browser: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    response = await sign_in(browser)
    cookie = response.headers["set-cookie"].lower()
    assert cookie.startswith("onward_session=")
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie
    assert "secure" not in cookie
    behind_tls = {"x-forwarded-proto": "https"}
    response = await browser.post(
        "/session", json={"email": "ada@example.com", "password": PASSWORD}, headers=behind_tls
    )
    cookie = response.headers["set-cookie"].lower()
    assert cookie.startswith("__host-onward_session=") and "secure" in cookie


async def test_over_https_only_a_cookie_of_this_very_host_counts(
    app: Litestar, browser: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    """Another host of the domain could have set one with a session of its own."""
    over_tls = {"x-forwarded-proto": "https"}
    assert (await browser.get("/session")).status_code == 200
    assert (await browser.get("/session", headers=over_tls)).status_code == 401
    body = {"email": "ada@example.com", "password": PASSWORD}
    own, _, _ = (
        (await browser.post("/session", json=body, headers=over_tls)).headers["set-cookie"].partition(";")
    )
    both = over_tls | {"cookie": f"onward_session=another; {own}"}
    assert (await browser.get("/session", headers=both)).status_code == 200


async def test_another_site_can_not_make_a_session_change_anything(
    browser: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    body = {"slug": "web", "metadataId": "python"}
    for csrf in ("", "wrong", owner["csrf"][:-1]):
        refused = await browser.post("/sources", json=body, headers={"x-onward-csrf": csrf})
        assert refused.status_code == 403
    assert (await browser.get("/sources")).json()["data"]["sources"] == []
    allowed = await browser.post("/sources", json=body, headers={"x-onward-csrf": owner["csrf"]})
    assert allowed.status_code == 201


async def test_signing_in_makes_a_new_session_and_ends_the_one_before(
    app: Litestar, browser: httpx.AsyncClient, owner: dict[str, Any], store: Store
) -> None:
    before = dict(browser.cookies)
    assert (await sign_in(browser)).status_code == 200
    assert dict(browser.cookies) != before
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://onward/api", cookies=before
    ) as fixed:
        assert (await fixed.get("/session")).status_code == 401
    with store.reading() as session:
        assert len(session.scalars(select(Session)).all()) == 1


async def test_signing_out_here_and_everywhere(
    app: Litestar, browser: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward/api") as second:
        csrf = (await sign_in(second)).json()["data"]["session"]["csrf"]
        kept = dict(second.cookies)
        await second.delete("/session?everywhere=true", headers={"x-onward-csrf": csrf})
        assert (await second.get("/session", cookies=kept)).status_code == 401
    assert (await browser.get("/session")).status_code == 401


async def test_a_changed_password_ends_all_other_sessions(
    app: Litestar, browser: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward/api") as second:
        await sign_in(second)
        header = {"x-onward-csrf": owner["csrf"]}
        wrong = {"current": "not it at all", "password": "another password 1"}
        assert (await browser.put("/session/password", json=wrong, headers=header)).status_code == 422
        weak = {"current": PASSWORD, "password": "short"}
        assert (await browser.put("/session/password", json=weak, headers=header)).status_code == 422
        good = {"current": PASSWORD, "password": "another password 1"}
        assert (await browser.put("/session/password", json=good, headers=header)).status_code == 200
        assert (await second.get("/session")).status_code == 401
    assert (await browser.get("/session")).status_code == 200
    assert (await sign_in(browser)).status_code == 401
    assert (await sign_in(browser, "another password 1")).status_code == 200


async def test_guessing_is_slowed_down_and_tells_nothing(
    app: Litestar, browser: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    now = [0.0]
    app.state.throttle = Throttle(lambda: now[0])
    answers = [(await sign_in(browser, f"guess number {n}")).status_code for n in range(8)]
    assert answers == [401] * 5 + [429] * 3
    right = await sign_in(browser)
    assert right.status_code == 429 and float(right.headers["retry-after"]) >= 1
    unknown = await browser.post("/session", json={"email": "no@example.com", "password": "guess number"})
    assert unknown.status_code == 429  # by address
    now[0] += 2.0
    unknown = await browser.post("/session", json={"email": "no@example.com", "password": "guess number"})
    assert unknown.json()["errors"][0]["message"] == "e-mail address or password is wrong"
    now[0] += 1000.0
    assert (await sign_in(browser)).status_code == 200


async def test_a_session_that_is_over_lets_nobody_in(
    browser: httpx.AsyncClient, owner: dict[str, Any], store: Store
) -> None:
    with store.plainly() as session:
        session.scalars(select(Session)).one().expires_at = store.now() - 1
    assert (await browser.get("/sources")).status_code == 401


async def test_who_looks_waits_for_no_change(
    app: Litestar, browser: httpx.AsyncClient, owner: dict[str, Any], settings: Settings
) -> None:
    change = sqlite3.connect(settings.data / FILE, isolation_level=None)
    change.execute("BEGIN IMMEDIATE")
    app.state.store._clock = lambda: time.time() + 3600.0
    assert (await browser.get("/sources")).status_code == 200
    change.close()


async def test_only_hashes_are_kept(
    browser: httpx.AsyncClient, owner: Any, store: Store, settings: Settings
) -> None:
    token = next(iter(dict(browser.cookies).values()))
    with store.reading() as session:
        user = session.scalars(select(User)).one()
        assert user.password_hash is not None and user.password_hash.startswith("$argon2id$")
    for file in settings.data.glob("config.db*"):
        assert token.encode() not in file.read_bytes() and PASSWORD.encode() not in file.read_bytes()


async def test_who_is_in_no_workspace_any_more_may_nothing(
    browser: httpx.AsyncClient, owner: dict[str, Any], call: Call
) -> None:
    body = {"invites": [{"email": "bob@example.com", "permissions": [{"roleId": "owner"}]}]}
    link = (await call("POST", "/invites", body, status=201))["invitations"][0]["link"]
    accepted = {"token": link.partition("#")[2], "name": "Bob", "password": PASSWORD}
    bob = (await browser.post("/invites/accept", json=accepted)).json()["data"]["session"]
    assert (await browser.get("/sources")).status_code == 200
    await call("DELETE", f"/users?userIds[0]={bob['userId']}")
    assert (await browser.get("/sources")).status_code == 401


async def test_guesses_made_at_once_are_slowed_down_too(
    browser: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    answers = await asyncio.gather(*(sign_in(browser, f"guess number {n}") for n in range(8)))
    assert sorted(each.status_code for each in answers) == [401] * 5 + [429] * 3


async def test_an_invitation_is_no_way_to_guess_a_password(
    browser: httpx.AsyncClient, owner: dict[str, Any], call: Call, client: httpx.AsyncClient
) -> None:
    token = (await call("POST", "/workspaces", {"slug": "other"}, status=201))["token"]
    body = {"invites": [{"email": "ada@example.com"}]}
    invited = await client.post("/invites", json=body, headers={"authorization": f"Bearer {token}"})
    link = invited.json()["data"]["invitations"][0]["link"].partition("#")[2]
    guesses = [{"token": link, "name": "Eve", "password": f"guess number {n}"} for n in range(7)]
    answers = [(await browser.post("/invites/accept", json=each)).status_code for each in guesses]
    assert answers == [422] * 5 + [429] * 2
    assert (await sign_in(browser)).status_code == 429, "it is the same account"


def fail(throttle: Throttle, *keys: str) -> None:
    with throttle.attempt(*keys) as attempt:
        attempt.right = False


def test_a_throttle_forgets_what_succeeded_and_in_time_what_failed() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(20):
        now[0] += throttle.wait("a", "office")
        fail(throttle, "a", "office")
    assert throttle.wait("a") == 900.0 and throttle.wait("office") == 900.0
    assert throttle.wait("b") == 0.0
    now[0] += 900.0
    with throttle.attempt("a", "office") as attempt:
        assert throttle.wait("a") == FIRST, "one after the other"
        attempt.right = True
    assert throttle.wait("a", "b") == 0.0
    fail(throttle, "b", "office")
    assert throttle.wait("office") == 900.0, "an account of one's own does not help to guess another's"
    now[0] += FORGOTTEN + 1
    fail(throttle, "b", "office")
    assert throttle.wait("b", "office") == 0.0


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "ada@example.com", "x" * 300])
def test_passwords_that_are_easy_to_guess_are_refused(password: str) -> None:
    with pytest.raises(Exception, match="password"):
        passwords.check(password, "ada@example.com")


async def test_signing_in_and_out_is_in_the_audit_trail(
    browser: httpx.AsyncClient, owner: dict[str, Any], call: Call
) -> None:
    for _ in range(6):
        await sign_in(browser, "wrong")
    changed = {"current": PASSWORD, "password": PASSWORD + "!"}
    csrf = {"x-onward-csrf": owner["csrf"]}
    answered = await browser.put("/session/password", json=changed, headers=csrf)
    assert answered.status_code == 429, "who guesses is slowed down"
    await browser.delete("/session?everywhere=true", headers=csrf)
    events = (await call("GET", "/audit-events?actor=ada@example.com"))["events"]
    assert [event["type"] for event in events] == [
        "User Signed Out",
        "User Sign-in Failed",
        "User Signed In",
        "User Added",
    ]
    assert events[0]["after"] == {"everywhere": True}
    assert events[2]["after"]["method"] == "invitation" and events[2]["after"]["address"]
    assert events[2]["resourceId"] == events[2]["actor"] == owner["userId"]
