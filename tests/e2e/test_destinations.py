"""From the catalogue to a destination that delivers, and its pages."""

import json
import re
from typing import Any

import pytest
from harness import Source, wait_until
from playwright.sync_api import Route, expect

from .conftest import Place, accessible, look_at

pytestmark = pytest.mark.browser


def track(event: str, **more: object) -> dict[str, object]:
    return {"type": "track", "userId": "ada", "event": event, **more}


def shown_in_debugger(place: Place, source: Source, *events: dict[str, object]) -> None:
    """Send events and wait until the source's debugger has them."""
    place.onward.send(source, list(events))
    path = f"/sources/{source.id}/debugger?count=50"
    wait_until(
        lambda: len(place.onward.api("GET", path)["events"]) >= len(events),
        what="the debugger has the events",
    )


def settings_of(place: Place, destination: str) -> Any:
    (found,) = place.onward.api("GET", f"/destinations/{destination}/subscriptions")["subscriptions"]
    return found


def test_a_destination_is_added_in_eight_steps_and_delivers(place: Place) -> None:
    source = place.onward.create_source("adding", name="Adding")
    page = place.visit("/destinations")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Catalogue").click()
    page.get_by_label("Find a destination").fill("webhook")
    page.get_by_role("link", name=re.compile("^Webhook")).first.click()
    expect(page.get_by_role("complementary", name="Quick info")).to_contain_text("identify")
    accessible(page)
    page.get_by_role("link", name="Configure").click()
    page.get_by_role("radio", name="Adding").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Name", exact=True).fill("My webhook")
    accessible(page)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/destinations/*/settings")
    destination = page.url.split("/")[-2]
    page.get_by_label("Shared secret", exact=True).fill("hush-hush")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved. It takes effect within 2 s.").wait_for()
    page.reload()
    expect(page.get_by_placeholder("Set; type to replace it")).to_have_value("")

    page.get_by_role("navigation", name="Parts of this page").get_by_role("link", name="Mappings").click()
    switch = page.get_by_label("Enable Send all events")
    switch.click(force=True)
    expect(page.get_by_role("alert")).to_contain_text("needs the field url")
    page.get_by_role("row").filter(has_text="Send all events").click()
    page.get_by_role("textbox", name="URL", exact=True).fill(place.sink.url)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved. It takes effect within 2 s.").wait_for()
    page.get_by_label("Enabled").click(force=True)
    page.get_by_text("Enabled, within 2 s.").wait_for()
    page.get_by_role("button", name="Enable destination").click()
    page.wait_for_url("**/overview")
    expect(page.get_by_text("Healthy")).to_be_visible()

    def arrived() -> bool:
        place.onward.send(source, [track("Bought in the browser test")])
        return "Bought in the browser test" in place.sink.out.read_text()

    wait_until(arrived, what="an event arrives at the sink")
    assert place.onward.api("GET", f"/destinations/{destination}")["destination"]["enabled"] is True


def test_a_destination_that_lacks_a_setting_says_so_at_the_field(place: Place) -> None:
    source = place.onward.create_source("lacking")
    body = {"sourceId": source.id, "metadataId": "actions-mixpanel", "name": "Lacking"}
    made = place.onward.api("POST", "/destinations", body)["destination"]["id"]
    page = place.visit(f"/destinations/{made}/settings")
    set_up = page.get_by_role("region", name="Set up")
    expect(set_up).to_contain_text("Project token, Secret key missing")
    set_up.get_by_role("button", name="Enable destination").click()
    expect(set_up.get_by_role("alert")).to_contain_text("needs the setting projectToken")
    page.get_by_label("Rate limit").fill("0")
    page.get_by_role("button", name="Save delivery").click()
    expect(page.get_by_label("Rate limit")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Delete destination…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("Lacking")
    dialog.get_by_role("button", name="Delete destination").click()
    page.wait_for_url("**/destinations")
    place.onward.api("GET", f"/destinations/{made}", expect=404)


def test_a_mapping_is_made_of_a_real_event_and_tried(place: Place) -> None:
    source = place.onward.create_source("mapping", name="Mapping")
    destination = place.onward.create_webhook(
        source, place.sink.url, name="Mapped", trigger='type = "track"', data={"user": {"@path": "$.userId"}}
    )
    shown_in_debugger(
        place,
        source,
        track("Looked"),
        track("Order Completed", properties={"total": 27.5, "currency": "EUR"}),
        {"type": "identify", "userId": "ada"},
    )
    mapping = settings_of(place, destination)["id"]
    page = place.visit(f"/destinations/{destination}/mappings/{mapping}")
    preview = page.get_by_role("region", name="Live preview")
    expect(preview, "the newest that meets it").to_contain_text("Order Completed")
    expect(preview).to_contain_text("Meets the trigger, valid")
    text = page.get_by_label("Trigger as FQL")
    expect(text).to_have_value('type = "track"')

    # Conditions become text, and text becomes conditions.
    page.get_by_role("button", name="Add condition").click()
    page.get_by_role("combobox", name="With what").last.fill("Order Completed")
    expect(text).to_have_value('type = "track" and event = "Order Completed"')
    text.fill('type = "track" and properties.total > 10')
    expect(page.get_by_role("combobox", name="Which property")).to_have_value("total")
    expect(page.get_by_role("textbox", name="With what").last).to_have_value("10")
    text.fill('type = "track" and properties.total >')
    expect(page.get_by_text("at character")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    text.fill('type = "track" and properties.total > 10')

    # A key of the payload from a variable that is picked in the event.
    page.get_by_role("button", name="Add key").last.click()
    page.get_by_label("Data: key 2").fill("revenue")
    page.get_by_role("combobox", name="Data.revenue").click()
    preview.get_by_role("button", name="total:").click()
    expect(page.get_by_role("combobox", name="Data.revenue")).to_have_value("properties.total")
    expect(preview.get_by_label("What would be sent")).to_contain_text("27.5")
    page.get_by_role("button", name=re.compile("Data.user: Event variable")).click()
    page.get_by_role("menuitem", name="First that exists").click()
    page.get_by_role("combobox", name="Data.user, or else").fill("anonymousId")
    accessible(page)

    # The event before it does not meet the trigger.
    preview.get_by_role("button", name="Older event").click()
    expect(preview).to_contain_text("does not meet the trigger")
    preview.get_by_role("button", name="Newer event").click()
    preview.get_by_text("Request", exact=True).click()
    expect(preview.get_by_label("What would be sent")).to_contain_text(f"POST {place.sink.url}")

    before = len(place.sink.requests())
    preview.get_by_role("button", name="Send test").click()
    preview.get_by_text("Delivered").wait_for()
    sent = place.sink.requests()[before]
    assert json.loads(sent["body"]) == {"user": "ada", "revenue": 27.5}
    assert settings_of(place, destination)["trigger"] == 'type = "track"', "nothing is saved yet"

    # What is wrong is said at its field.
    page.get_by_role("textbox", name="URL", exact=True).fill("")
    url = page.locator("[data-field=url]")
    expect(url.get_by_role("alert")).to_be_visible()
    page.get_by_role("textbox", name="URL", exact=True).fill(place.sink.url)
    expect(url.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Not saved")).to_have_count(0)
    saved = settings_of(place, destination)
    assert saved["trigger"] == 'type = "track" and properties.total > 10'
    user = {"@path": "$.userId"}
    assert saved["settings"]["data"] == {
        "user": {"@if": {"exists": user, "then": user, "else": {"@path": "$.anonymousId"}}},
        "revenue": {"@path": "$.properties.total"},
    }

    # The same as JSON.
    page.get_by_text("JSON", exact=True).first.click()
    editor = page.get_by_role("textbox", name="Mapping as JSON")
    expect(editor).to_contain_text("$.properties.total")
    accessible(page)


def test_mappings_are_begun_duplicated_renamed_and_deleted(place: Place) -> None:
    source = place.onward.create_source("mappings")
    destination = place.onward.create_webhook(source, place.sink.url, name="Several")
    page = place.visit(f"/destinations/{destination}/mappings")
    page.get_by_role("button", name="More for Everything").click()
    page.get_by_role("menuitem", name="Duplicate").click()
    page.get_by_role("button", name="More for Everything (Copy)").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Another")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    page.get_by_role("button", name="More for Another").click()
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Another")
    page.get_by_role("dialog").get_by_role("button", name="Delete mapping").click()
    expect(page.get_by_role("button", name="More for Another")).to_have_count(0)
    page.get_by_role("button", name="Add mapping").click()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Send all events").click()
    page.wait_for_url("**/mappings/*")
    page.get_by_role("heading", name="Send all events").wait_for()
    found = place.onward.api("GET", f"/destinations/{destination}/subscriptions")["subscriptions"]
    assert sorted((each["name"], each["enabled"]) for each in found) == [
        ("Everything", True),
        ("Send all events", False),
    ]


def test_a_filter_shows_what_it_leaves_of_a_real_event(place: Place) -> None:
    source = place.onward.create_source("filters", name="Filters")
    destination = place.onward.create_webhook(source, place.sink.url, name="Filtered")
    shown_in_debugger(place, source, track("Kept"), track("Secret", properties={"card": "4242", "total": 1}))
    page = place.visit(f"/destinations/{destination}/filters")
    page.get_by_role("button", name="Add filter").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("No secrets")
    dialog.get_by_role("combobox", name="With what").last.fill("Secret")
    dialog.get_by_text("This event is dropped").wait_for()
    dialog.get_by_role("button", name="Older event").click()
    dialog.get_by_text("This event goes through as it is").wait_for()
    accessible(page)
    dialog.get_by_role("button", name="Add filter").click()
    row = page.get_by_role("row").filter(has_text="No secrets")
    expect(row).to_contain_text("Drops events")
    (made,) = place.onward.api("GET", f"/destination/{destination}/filters")["filters"]
    assert made["if"] == 'type = "track" and event = "Secret"' and made["enabled"] is True

    row.click()
    dialog.get_by_role("combobox", name="What it does").click()
    page.get_by_role("option", name="Leave properties out").click()
    dialog.get_by_role("button", name="Newer event").click()
    dialog.get_by_label("Properties").fill("properties.card")
    page.keyboard.press("Enter")
    dialog.get_by_text("This event goes through, changed").wait_for()
    expect(dialog.get_by_role("tree")).not_to_contain_text("4242")
    dialog.get_by_role("button", name="Save filter").click()
    expect(row).to_contain_text("Leaves out properties.card")
    (made,) = place.onward.api("GET", f"/destination/{destination}/filters")["filters"]
    assert made["actions"] == [{"type": "DROP_PROPERTIES", "fields": {"properties": ["card"]}}]


def test_an_insert_function_is_connected_and_disconnected(place: Place) -> None:
    source = place.onward.create_source("inserting")
    destination = place.onward.create_webhook(source, place.sink.url, name="Inserted into")
    page = place.visit(f"/destinations/{destination}/insert-function")
    page.get_by_role("link", name="Write an insert function").wait_for()
    body = {
        "displayName": "Hash emails",
        "resourceType": "INSERT_DESTINATION",
        "code": "async function onTrack(event) { return event }",
        "settings": [
            {"name": "salt", "label": "Salt", "type": "STRING", "sensitive": True, "required": True}
        ],
    }
    place.onward.api("POST", "/functions", body)
    page.reload()
    page.get_by_role("button", name="Connect a function").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Salt").fill("s4lt")
    accessible(page)
    dialog.get_by_role("button", name="Connect", exact=True).click()
    switch = page.get_by_label("Enable Hash emails")
    expect(switch).to_be_checked()
    (made,) = place.onward.api("GET", "/insert-function-instances")["instances"]
    assert made["integrationId"] == destination and made["enabled"] is True
    assert "s4lt" not in json.dumps(made)
    page.get_by_role("button", name="More for Hash emails").click()
    page.get_by_role("menuitem", name="Disconnect…").click()
    dialog.get_by_role("textbox").fill("Hash emails (Default)")
    dialog.get_by_role("button", name="Disconnect function").click()
    page.get_by_role("heading", name="No insert function").wait_for()


def test_the_event_tester_shows_what_the_insert_function_did(place: Place) -> None:
    source = place.onward.create_source("enriched", name="Enriched")
    destination = place.onward.create_webhook(source, place.sink.url, name="Enriching")
    code = "async function onTrack(event) { console.log('seen by it'); event.tier = 'gold'; return event }"
    body = {"displayName": "Enrich", "resourceType": "INSERT_DESTINATION", "code": code, "settings": []}
    function = place.onward.api("POST", "/functions", body)["function"]
    instance = {"functionId": function["id"], "integrationId": destination, "name": "Enrich", "settings": {}}
    place.onward.api("POST", "/insert-function-instances", instance | {"enabled": True})
    shown_in_debugger(place, source, track("Enriched"))
    page = place.visit(f"/destinations/{destination}/tester")
    page.get_by_role("button", name="Send event").click()
    panel = page.get_by_role("group").filter(has_text="Let the event through")
    panel.get_by_text("Insert function Enrich").click()
    expect(panel).to_contain_text("seen by it")
    expect(panel).to_contain_text("gold")
    accessible(page)


def test_the_event_tester_sends_for_real(place: Place) -> None:
    source = place.onward.create_source("testing", name="Testing")
    destination = place.onward.create_webhook(
        source, place.sink.url, name="Tested", drop='event = "Really tested"', trigger='type = "track"'
    )
    shown_in_debugger(place, source, track("Really tested"))
    page = place.visit(f"/destinations/{destination}/tester")
    before = len(place.sink.requests())
    page.get_by_role("button", name="Send event").click()
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("1 of 1 matching mappings delivered")
    expect(result).to_contain_text("would have ended before")
    expect(result).to_contain_text(place.sink.url)
    assert json.loads(place.sink.requests()[before]["body"])["event"] == "Really tested"
    accessible(page)
    page.get_by_role("combobox", name="Event to try it on").click()
    page.get_by_role("option", name="A made-up identify event").click()
    page.get_by_role("button", name="Send event").click()
    expect(result).to_contain_text("may not have any subscriptions that match")
    assert "event=sample" in page.url


def test_a_thousand_destinations_are_as_quick_as_ten(place: Place) -> None:
    source = place.onward.create_source("many")
    place.onward.create_webhook(source, place.sink.url, name="One of many")

    def many(route: Route) -> None:
        answer = route.fetch()
        data = answer.json()
        (one,) = [
            each for each in data["data"]["connections"]["destinations"] if each["name"] == "One of many"
        ]
        data["data"]["connections"]["destinations"] = [
            {**one, "id": f"d{number}", "name": f"Destination {number}"} for number in range(1000)
        ]
        route.fulfill(response=answer, json=data)

    page = place.new_page()
    page.route("**/api/connections", many)
    page.goto("/destinations")
    table = page.get_by_role("table", name="Destinations")
    table.get_by_text("Destination 0", exact=True).wait_for()
    assert table.get_by_role("row").count() < 60, "only rows in sight are in the page"
    page.get_by_label("Find destinations").fill("destination 987")
    table.get_by_text("Destination 987").wait_for()
    assert table.get_by_role("row").count() == 2
    assert "search=destination" in page.url


def test_the_catalogue_compares_and_narrows_down(place: Place) -> None:
    page = place.visit("/catalogue")
    total = page.get_by_text(re.compile(r"^\d+ destinations$"))
    everything = int(total.inner_text().split()[0])
    page.get_by_role("combobox", name="Category").click()
    page.get_by_role("option", name=re.compile("^Analytics")).click()
    page.wait_for_url("**category=Analytics*")
    wait_until(lambda: int(total.inner_text().split()[0]) < everything, what="fewer are left")
    for view, head in (("Methods", "Identify"), ("Connection modes", "Cloud: server")):
        page.get_by_text(view, exact=True).click()
        expect(page.get_by_role("columnheader", name=head)).to_be_visible()
        accessible(page)
    page.get_by_text("Categories", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("^Analytics"))).to_be_visible()
    page.get_by_text("Storage", exact=True).click()
    expect(page.get_by_role("heading", name="Warehouses")).to_be_visible()
    page.goto("/catalogue?search=no+such+thing")
    page.get_by_role("button", name="Show all").click()
    expect(total).to_be_visible()


def test_every_page_is_accessible_and_fits(place: Place) -> None:
    source = place.onward.create_source("dest-look", name="Looked at")
    destination = place.onward.create_webhook(source, place.sink.url, name="Looked at")
    shown_in_debugger(place, source, track("Looked at", properties={"total": 3}))
    mapping = settings_of(place, destination)["id"]
    own = [
        f"/destinations/{destination}/{each}"
        for each in (
            *("overview", "settings", "mappings", f"mappings/{mapping}", "filters?filter=new"),
            *("insert-function", "tester"),
        )
    ]
    look_at(
        place,
        (
            *("/destinations", "/destinations/add", "/destinations/add?kind=actions-webhook"),
            *("/catalogue", "/catalogue?view=methods", "/catalogue?tab=functions", "/catalogue?tab=storage"),
            *("/catalogue/actions-webhook", *own),
        ),
    )
