"""Home with its graph, and the pages of sources: list, overview, write keys, debugger, schema, settings."""

import pytest
from harness import wait_until
from playwright.sync_api import expect

from .conftest import Place, accessible, look_at

pytestmark = pytest.mark.browser


def track(event: str, number: int = 1, **more: object) -> list[dict[str, object]]:
    return [{"type": "track", "userId": f"u{each}", "event": event, **more} for each in range(number)]


def test_home_shows_what_flows_and_what_needs_attention(place: Place) -> None:
    good, lonely = (
        place.onward.create_source("home-good", name="Good"),
        place.onward.create_source("home-lonely"),
    )
    place.onward.create_webhook(good, place.sink.url, name="Sink of home")
    broken = place.onward.create_webhook(good, "http://127.0.0.1:9/", name="Broken tool")
    place.onward.send(good, track("Seen at home", 5))
    place.onward.send(lonely, [{"type": "track", "event": "Nobody did this"}])
    wait_until(
        lambda: place.onward.api("GET", f"/destinations/{broken}/delivery")["delivery"]["retrying"],
        what="the broken destination retries",
    )
    page = place.visit("/")
    attention = page.get_by_role("listitem")
    expect(attention.filter(has_text="Broken tool").first).to_be_visible()
    expect(attention.filter(has_text="discarded on arrival").first).to_be_visible()
    expect(page.get_by_role("link", name="Sink of home")).to_be_visible()
    accessible(page)
    attention.filter(has_text="discarded on arrival").get_by_role("link", name="See them").click()
    page.wait_for_url("**/debugger?verdict=discarded")
    page.get_by_role("button", name="Nobody did this").wait_for()


def test_the_debugger_follows_and_holds_still(place: Place) -> None:
    source = place.onward.create_source("tail", name="Tail")
    page = place.visit(f"/sources/{source.id}/debugger")
    expect(page.get_by_role("heading", name="No events yet")).to_be_visible()
    place.onward.send(source, track("First", properties={"coupon": "SPRING-42", "total": 42}))
    first = page.get_by_role("button", name="First")
    first.wait_for()

    page.get_by_role("button", name="Pause").click()
    place.onward.send(source, track("Second"))
    page.get_by_role("button", name="Go on (1 new)").wait_for()
    expect(page.get_by_role("button", name="Second")).to_have_count(0)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Second").wait_for()

    page.get_by_label("Find in events").fill("spring-42")
    expect(page.get_by_role("button", name="Second")).to_have_count(0)
    first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("Accepted")).to_be_visible()
    expect(drawer.get_by_role("tree")).to_contain_text("SPRING-42")
    accessible(page)
    drawer.get_by_text("Raw", exact=True).click()
    expect(drawer.locator("pre")).to_contain_text('"total": 42')
    address = page.url
    assert "search=spring-42" in address and "event=" in address
    other = place.new_page()
    other.goto(address)
    expect(other.get_by_role("dialog")).to_contain_text("SPRING-42")


def test_events_of_the_debugger_open_in_place_by_the_keyboard(place: Place) -> None:
    source = place.onward.create_source("arrows", name="Arrows")
    hook = place.onward.create_webhook(source, place.sink.url, name="Key sink")
    place.onward.send(source, [*track("Oldest"), *track("Middle"), {"type": "track", "event": "Nobody's"}])
    wait_until(
        lambda: place.onward.api("GET", f"/destinations/{hook}/delivery")["delivery"]["delivered"] == 2,
        what="both are delivered",
    )
    page = place.visit(f"/sources/{source.id}/debugger")
    rows = page.get_by_role("list", name="Latest events").get_by_role("button")
    expect(rows).to_have_count(3)
    rows.nth(0).focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Nobody's")
    expect(drawer).to_contain_text("Discarded")
    expect(drawer).to_contain_text("userId")
    expect(drawer.get_by_role("tab")).to_have_count(0)

    page.keyboard.press("ArrowDown")
    drawer = page.get_by_role("dialog", name="Middle")
    drawer.get_by_role("tab", name="Journey").click()
    expect(drawer).to_contain_text("Key sink")
    expect(drawer).to_contain_text("Delivered")
    accessible(page)
    place.onward.send(source, track("Newest"))
    page.keyboard.press("ArrowDown")
    drawer = page.get_by_role("dialog", name="Oldest")
    expect(drawer).to_contain_text("Delivered")
    expect(page.get_by_role("button", name="The one below")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    oldest = rows.filter(has_text="Oldest")
    expect(oldest).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(rows.filter(has_text="Middle")).to_be_focused()
    expect(rows.filter(has_text="Newest")).to_be_visible()

    oldest.click()
    page.get_by_role("link", name="Open its trace").click()
    page.wait_for_url("**/delivery/trace?messageId=*")
    expect(page.get_by_role("heading", name="Oldest")).to_be_visible()


def test_the_debugger_goes_from_source_to_source(place: Place) -> None:
    one, two = (
        place.onward.create_source("tail-1", name="One"),
        place.onward.create_source("tail-2", name="Two"),
    )
    place.onward.send(one, track("Of one"))
    place.onward.send(two, track("Of two"))
    page = place.visit(f"/debugger?source={one.id}")
    page.get_by_role("button", name="Of one").wait_for()
    page.get_by_role("combobox", name="Source").click()
    page.get_by_role("option", name="Two", exact=True).click()
    page.get_by_role("button", name="Of two").wait_for()
    expect(page.get_by_role("button", name="Of one")).to_have_count(0)
    assert f"source={two.id}" in page.url


def test_what_comes_too_fast_is_shown_in_part(place: Place) -> None:
    source = place.onward.create_source("fast")
    page = place.visit(f"/sources/{source.id}/debugger")
    page.get_by_role("heading", name="No events yet").wait_for()
    place.onward.send(source, track("Fast", 2000), size=500)
    page.get_by_text("of the last second's not shown").wait_for()
    lines = page.get_by_role("list", name="Latest events").get_by_role("listitem")
    assert 0 < lines.count() <= 200
    lines.first.get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("Fast")


def test_who_reads_further_down_is_not_moved(place: Place) -> None:
    source = place.onward.create_source("scroll")
    place.onward.send(source, track("Old", 60))
    page = place.visit(f"/sources/{source.id}/debugger")
    lines = page.get_by_role("list", name="Latest events").get_by_role("listitem")
    expect(lines).to_have_count(60)
    page.mouse.wheel(0, 700)
    page.wait_for_function("scrollY > 500")
    place.onward.send(source, track("New", 3))
    more = page.get_by_role("button", name="3 new")
    more.wait_for()
    expect(lines).to_have_count(60)
    more.click()
    page.get_by_role("button", name="New", exact=False).first.wait_for()
    expect(lines).to_have_count(63)


def test_write_keys_are_added_and_removed(place: Place) -> None:
    source = place.onward.create_source("keys", name="Keys")
    page = place.visit(f"/sources/{source.id}/overview")
    page.get_by_role("button", name="Add write key").click()
    old = page.get_by_role("button", name=f"Remove {source.write_key}")
    old.click()
    confirm = page.get_by_role("dialog").get_by_role("button", name="Remove write key")
    expect(confirm).to_be_disabled()
    page.get_by_role("dialog").get_by_role("textbox").fill(source.write_key)
    confirm.click()
    expect(old).to_have_count(0)
    (left,) = place.onward.api("GET", f"/sources/{source.id}")["source"]["writeKeys"]
    assert left != source.write_key
    expect(page.locator("pre")).to_contain_text(left)


def test_an_event_is_blocked_by_its_switch(place: Place) -> None:
    source = place.onward.create_source("schema", name="Schema")
    place.onward.send(source, [*track("Wanted", 3), *track("Unwanted", 2)])
    page = place.visit(f"/sources/{source.id}/schema")
    row = page.get_by_role("row").filter(has_text="Unwanted")

    def counted() -> bool:
        page.reload()
        page.get_by_label("Find an event").wait_for()
        return row.filter(has_text="2").count() == 1

    wait_until(counted, what="the counters know of the events")
    accessible(page)
    row.get_by_role("switch").press("Space")
    wait_until(
        lambda: (
            [
                each["name"]
                for each in place.onward.api("GET", f"/sources/{source.id}/schema/events")["events"]
                if not each["enabled"]
            ]
            == ["Unwanted"]
        ),
        what="the switch is saved",
    )
    page.goto(f"/sources/{source.id}/debugger?verdict=filtered")

    def blocked() -> bool:
        place.onward.send(source, track("Unwanted"))
        return page.get_by_role("button", name="Unwanted").count() > 0

    wait_until(blocked, what="the event is blocked")


def test_a_source_is_renamed_disabled_and_deleted(place: Place) -> None:
    source = place.onward.create_source("passing", name="Passing")
    page = place.visit(f"/sources/{source.id}/settings")
    page.get_by_label("Name").fill("Renamed")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Renamed", level=1)).to_be_visible()
    page.get_by_label("Slug").fill("Not a slug!")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Slug")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("switch", name="Events are accepted").press("Space")
    page.get_by_text("Disabled", exact=True).wait_for()
    page.get_by_role("button", name="Delete source…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("passing")
    dialog.get_by_role("button", name="Delete source").click()
    page.wait_for_url("**/sources")
    page.goto(f"/sources/{source.id}/overview")
    expect(page.get_by_role("heading", name="There is no such source")).to_be_visible()


def test_every_page_is_accessible_and_fits(place: Place) -> None:
    source = place.onward.create_source("look", name="Looked at")
    place.onward.send(source, track("Looked at", 3))
    parts = [f"/sources/{source.id}/{each}" for each in ("overview", "debugger", "schema", "settings")]
    look_at(place, ["/", "/sources", "/start", "/debugger", *parts])
