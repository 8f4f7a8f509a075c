"""From the first owner's invitation to the first event delivered, as a person walks it in a fresh browser."""

import json
import subprocess
import time

import pytest
from harness import wait_until
from playwright.sync_api import expect

from .conftest import OWNER, Place, accessible

pytestmark = pytest.mark.browser


def test_the_road_from_an_invitation_to_a_delivered_event(new_place: Place) -> None:
    place = new_place
    began = time.monotonic()
    page = place.join()
    page.get_by_role("link", name="Connect a source").click()
    page.get_by_label("Name", exact=True).fill("Corner shop")
    page.get_by_role("combobox", name="Sends with").click()
    page.get_by_role("option", name="Node.js").click()
    page.get_by_role("button", name="Create source").click()

    page.get_by_text("Waiting for the first event").wait_for()
    assert "@segment/analytics-node" in page.locator("pre").inner_text()
    page.get_by_text("curl", exact=True).click()
    command = page.locator("pre").inner_text()
    assert place.onward.url in command
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == {"success": True}
    expect(page.get_by_text("Order Completed")).to_be_visible()

    add = page.get_by_role("link", name="Add destination")
    source_id = page.url.rpartition("source=")[2]
    assert add.get_attribute("href") == f"/destinations/add?source={source_id}"
    source = next(each for each in place.onward.api("GET", "/sources")["sources"] if each["id"] == source_id)
    connect_webhook(place, source_id)
    page.get_by_role("link", name="Shop webhook").wait_for()
    wait_until(
        lambda: (
            place.onward.post(
                "/v1/track", {"userId": "ada", "event": "Order Completed"}, source["writeKeys"][0]
            ).status
            == 200
            and place.sink.requests()
        ),
        what="an event arrives at the sink",
    )
    page.get_by_text("1 delivered").or_(page.get_by_text(" delivered")).first.wait_for()
    assert time.monotonic() - began < 180, "under three minutes, even on a slow machine"
    page.get_by_role("link", name="See all connections").click()
    page.get_by_role("link", name="Corner shop").wait_for()
    page.get_by_role("link", name="Shop webhook").wait_for()
    accessible(page)


def test_an_owner_signs_out_and_in_again(place: Place) -> None:
    page = place.new_page(signed_in=False)
    page.goto("/settings/people")
    page.get_by_role("textbox", name="Password").fill("not the password")
    page.get_by_label("Email").fill(OWNER["email"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("E-mail address or password is wrong")
    accessible(page)
    page.get_by_role("textbox", name="Password").fill(OWNER["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/settings/people")
    page.get_by_role("table", name="People").wait_for()
    page.get_by_role("button", name="Account: Ada Lovelace").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.goto("/sources")
    page.wait_for_url("**/sign-in?next=*")


def test_a_link_that_is_not_whole_says_so(place: Place) -> None:
    page = place.new_page(signed_in=False)
    page.goto("/invite")
    expect(page.get_by_role("heading", name="This link is not whole")).to_be_visible()


def test_a_page_that_does_not_exist_says_so(place: Place) -> None:
    page = place.new_page()
    page.goto("/no/such/page")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()


def test_the_palette_finds_what_is_there(place: Place) -> None:
    place.onward.create_source("needle", name="Needle in a haystack")
    page = place.visit("/")
    page.keyboard.press("Control+k")
    page.get_by_placeholder("Source, destination, page, messageId").fill("needle")
    page.get_by_role("button", name="Needle in a haystack").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sources/*/overview")
    expect(page.get_by_role("heading", name="Needle in a haystack")).to_be_visible()


def test_the_dot_tells_of_each_part(place: Place) -> None:
    page = place.visit("/")
    page.get_by_role("button", name="Health: Every part works").click()
    parts = page.get_by_role("dialog").get_by_role("listitem")
    expect(parts.filter(has_text="delivery-0")).to_be_visible()
    expect(parts.filter(has_text="log")).to_be_visible()


def test_light_and_dark_are_a_choice_that_stays(place: Place) -> None:
    page = place.visit("/")
    scheme = page.locator("html")
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "light")
    page.get_by_role("button", name="Account: Ada Lovelace").click()
    page.get_by_text("Dark", exact=True).click()
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "dark")
    page.reload()
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "dark")


def connect_webhook(place: Place, source_id: str) -> None:
    body = {
        "sourceId": source_id,
        "metadataId": "actions-webhook",
        "name": "Shop webhook",
        "enabled": True,
    }
    made = place.onward.api("POST", "/destinations", body)["destination"]["id"]
    subscription = {
        "name": "Everything",
        "actionId": "send",
        "trigger": 'type = "track"',
        "enabled": True,
        "settings": {"url": place.sink.url, "method": "POST", "data": {"@path": "$."}},
    }
    place.onward.api("POST", f"/destinations/{made}/subscriptions", subscription)
