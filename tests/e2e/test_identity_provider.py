"""Signing in by an identity provider in a browser; who is not let in is told what to do."""

from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from playwright.sync_api import Page, expect

from .conftest import Place, accessible
from .provider import CLIENT, Provider

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def onward_settings(running_provider: Provider) -> dict[str, Any]:
    return {"oidc_issuer": running_provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": "s3cret"}


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    """As it is at first."""
    running_provider.signing, running_provider.refusal = running_provider.key, None
    return running_provider


def refused(page: Page) -> str:
    """What a page of the app says of it."""
    page.wait_for_url("**/sign-in?refused=*")
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    return page.get_by_role("alert").inner_text()


def test_who_is_invited_comes_in_and_sees_the_page_they_asked_for(place: Place, provider: Provider) -> None:
    body = {"invites": [{"email": "bob@example.com", "permissions": [{"roleId": "source-read-only"}]}]}
    invitation = place.onward.api("POST", "/invites", body)["invitations"][0]["link"]
    page = place.new_page(signed_in=False)
    page.goto(invitation)
    expect(page.get_by_text("bob@example.com")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name=f"Join with {provider.host}").click()
    page.get_by_role("navigation", name="Main").wait_for()
    page.get_by_role("button", name="Account: Bob").wait_for()

    again = place.new_page(signed_in=False)
    again.goto("/delivery/health?window=1h")
    again.wait_for_url("**/sign-in?next=*")
    again.get_by_role("link", name=f"Sign in with {provider.host}").click()
    again.wait_for_url("**/delivery/health?window=1h")
    again.get_by_role("button", name="Account: Bob").wait_for()


def test_a_stranger_is_told_to_ask_for_an_invitation(place: Place, provider: Provider) -> None:
    provider.person |= {"sub": "43", "email": "eve@example.com"}
    page = place.new_page(signed_in=False)
    page.goto("/sign-in")
    page.get_by_role("link", name=f"Sign in with {provider.host}").click()
    assert "Ask an owner of the workspace to invite your email address" in refused(page)
    accessible(page)


def test_who_is_refused_there_is_told_to_ask_there(place: Place, provider: Provider) -> None:
    provider.refusal = "access_denied"
    page = place.new_page(signed_in=False)
    page.goto("/sign-in")
    page.get_by_role("link", name=f"Sign in with {provider.host}").click()
    assert "ask who runs it to give you access" in refused(page)


def test_an_answer_to_another_sign_in_is_not_taken(place: Place, provider: Provider) -> None:
    page = place.new_page(signed_in=False)
    page.goto("/api/oidc/callback?code=code-0&state=forged")
    assert "not begun in this browser" in refused(page)
    page.goto("/sign-in?refused=Call+555-1234")
    expect(page.get_by_role("heading", name="Sign in to Onward")).to_be_visible()
    assert "555" not in page.inner_text("body"), "nobody can put words on this page"


def test_a_token_that_is_not_good_is_the_provider_s_trouble(place: Place, provider: Provider) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256"})
    page = place.new_page(signed_in=False)
    page.goto("/sign-in")
    page.get_by_role("link", name=f"Sign in with {provider.host}").click()
    assert "no answer that can be trusted" in refused(page)
