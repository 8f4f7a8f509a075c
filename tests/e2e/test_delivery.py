"""Delivery pages with real events: the funnel adds up, failures are explained, traced and sent again."""

import re
from dataclasses import dataclass

import pytest
from harness import Source, wait_until
from playwright.sync_api import expect

from .conftest import Place, accessible, look_at

pytestmark = pytest.mark.browser

ORDERS, VIEWS, LOGINS = 7, 4, 2
BAD, UNTRACKABLE = 3, 2


@dataclass
class Shop:
    source: Source
    webhook: str
    """Takes everything but views, which a filter drops; refuses the first orders."""
    narrow: str
    """Takes nothing but refunds."""


@pytest.fixture(scope="module")
def shop(empty_place: Place) -> Shop:
    """Orders that the sink refused with 400, and events that it took; a duplicate, and bad events."""
    onward, sink = empty_place.onward, empty_place.sink
    source = onward.create_source("delivery", name="Delivery shop")
    webhook = onward.create_webhook(source, sink.url, name="Order desk", drop='event = "Product Viewed"')
    narrow = onward.create_webhook(source, sink.url, name="Refund desk", trigger='event = "Order Refunded"')
    sink.behave(status=400)
    onward.send(source, [order(at) for at in range(BAD)])
    wait_until(lambda: delivery(empty_place, webhook)["discarded"] == BAD, what="the sink refuses orders")
    sink.behave(status=None)
    onward.send(source, [order(at) for at in range(BAD, ORDERS)])
    onward.send(source, [track("Product Viewed", f"view-{at}") for at in range(VIEWS)])
    onward.send(source, [track("Logged In", f"login-{at}") for at in range(LOGINS)])
    onward.send(source, [track("Logged In", "login-0")])
    for _ in range(UNTRACKABLE):
        onward.post("/v1/track", {"userId": "ada"}, source.write_key)
    accepted = ORDERS + VIEWS + LOGINS

    def counted() -> bool:
        steps = onward.api("GET", f"/delivery-overview/funnel?sourceId={source.id}")["funnel"]["source"]
        return (steps["accepted"], steps["duplicates"], steps["failedOnIngest"]) == (accepted, 1, UNTRACKABLE)

    wait_until(counted, what="the front door's numbers are there")
    wait_until(lambda: delivery(empty_place, webhook)["pending"] == 0, what="all has come to an end")
    return Shop(source, webhook, narrow)


def test_the_funnel_adds_up_and_leads_to_the_events(place: Place, shop: Shop) -> None:
    page = place.visit(f"/delivery/overview?source={shop.source.id}&window=1h")
    table = page.get_by_role("table", name="Destinations of this source")
    expect(table.get_by_role("row").filter(has_text="Order desk")).to_contain_text(str(BAD))
    table.get_by_text("Order desk").click()
    road = page.get_by_role("list", name="From receipt to delivery")
    expect(road).to_contain_text("Delivered")
    stages = [stage.inner_text().splitlines() for stage in road.locator("> li").all()]
    counts = {stage[0]: int(stage[1].replace(",", "")) for stage in stages}
    accounted = ORDERS + VIEWS + LOGINS
    assert counts == {
        "Received": accounted + 1 + UNTRACKABLE,
        "Accepted": accounted,
        "To be sent": accounted - VIEWS,
        "Delivered": accounted - VIEWS - BAD,
    }
    expect(road).to_contain_text("Filtered by a destination filter")
    expect(road).to_contain_text("400 Bad Request")

    road.get_by_role("button", name="failed delivery").click()
    assert "step=failedDelivery" in page.url
    broken_down = page.get_by_role("region", name="Failed delivery, broken down")
    broken_down.get_by_text("Event", exact=True).click()
    expect(broken_down.get_by_role("link", name="Order Completed")).to_be_visible()
    page.reload()
    expect(broken_down.get_by_role("row").filter(has_text="Order Completed")).to_contain_text(str(BAD))
    accessible(page)
    broken_down.get_by_text("Reason", exact=True).first.click()
    broken_down.get_by_role("link", name="400 Bad Request").click()
    expect(page.get_by_role("table", name="Discards").get_by_role("row")).to_have_count(BAD + 1)


def test_a_destination_says_why_events_failed_and_shows_samples(place: Place, shop: Shop) -> None:
    page = place.visit(f"/destinations/{shop.webhook}/delivery?window=1h")
    errors = page.get_by_role("list", name="Errors")
    expect(errors).to_contain_text("3 discarded")
    expect(errors).to_contain_text("Change the mapping")
    expect(page.get_by_role("list", name="Filtered", exact=True)).to_contain_text("FILTERED_BY_RULES")
    chart = page.get_by_role("slider", name="Outcomes over time")
    chart.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("delivered"))
    accessible(page)
    errors.get_by_role("button", name="See samples").click()
    sample = page.get_by_role("dialog", name="400 Bad Request")
    expect(sample).to_contain_text(place.sink.url)
    expect(sample).to_contain_text("Order Completed")
    accessible(page)
    address = page.url
    assert "sample=discarded%3A400" in address
    sample.get_by_role("link", name="Trace").first.click()
    expect(page.get_by_role("heading", name="Order Completed")).to_be_visible()


def test_a_trace_tells_each_step_to_each_destination(place: Place, shop: Shop) -> None:
    page = place.visit("/trace")
    page.get_by_role("textbox", name="messageId").fill("view-1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/delivery/trace?messageId=view-1")
    expect(page.get_by_role("heading", name="Product Viewed")).to_be_visible()
    for name, words in (("Order desk", "Filter Drop"), ("Refund desk", "Trigger of Everything")):
        journey = page.locator("details").filter(has_text=name).first
        journey.locator("summary").first.click()
        expect(journey).to_contain_text(words)
    accessible(page)
    page.get_by_text("User", exact=True).click()
    page.get_by_role("textbox", name="userId or anonymousId").fill("user-1")
    page.keyboard.press("Enter")
    rows = page.get_by_role("list", name="Events found").get_by_role("listitem")
    expect(rows.first).to_contain_text("Order desk: ")
    rows.filter(has_text="Order Completed").first.click()
    drawer = page.get_by_role("dialog", name="Order Completed")
    drawer.get_by_role("tab", name="Request and answer").click()
    expect(drawer).to_contain_text("400")
    assert "event=order-1" in page.url and "part=requests" in page.url
    accessible(page)


def test_discards_are_sent_again_one_and_all(place: Place, shop: Shop) -> None:
    page = place.visit(f"/delivery/discards?destination={shop.webhook}&code=400")
    rows = page.get_by_role("table", name="Discards").get_by_role("row")
    expect(rows).to_have_count(BAD + 1)
    rows.nth(1).click()
    panel = page.get_by_role("dialog", name="Order Completed")
    expect(panel).to_contain_text("The tool could not use the request")
    expect(panel).to_contain_text("total")
    panel.get_by_role("button", name="Send again").click()
    page.get_by_role("dialog", name="Send this event again?").get_by_role("button", name="Send again").click()
    expect(rows).to_have_count(BAD)
    page.get_by_role("button", name="Re-drive all of this reason").click()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()
    expect(page.get_by_role("heading", name="No discard matches")).to_be_visible()
    wait_until(
        lambda: delivery(place, shop.webhook)["delivered"] == ORDERS + LOGINS,
        what="all orders arrive after all",
    )
    sent = {event["messageId"] for event in place.sink.events()}
    assert {f"order-{at}" for at in range(ORDERS)} <= sent


def test_deliverability_and_health_are_told(place: Place, shop: Shop) -> None:
    page = place.visit("/delivery/deliverability?window=1h")
    table = page.get_by_role("table", name="Deliverability by destination")
    expect(table.get_by_role("row").filter(has_text="Order desk")).to_contain_text("%")
    expect(page.get_by_role("img", name="First-attempt success and final delivery")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Health").click()
    health = page.get_by_role("table", name="Health of destinations")
    expect(health.get_by_role("row").filter(has_text="Order desk")).to_be_visible()
    accessible(page)


def test_an_alert_is_made_and_says_what_is_wrong(place: Place, shop: Shop) -> None:
    enough = 20
    place.onward.send(shop.source, [track("Seen", f"seen-{at}") for at in range(enough)])
    page = place.visit("/delivery/alerts")
    page.get_by_role("button", name="New alert").click()
    form = page.get_by_role("dialog", name="New alert")
    form.get_by_label("Delivered, at least").fill("100")
    form.get_by_label("Of destination").first.click()
    page.get_by_role("option", name="Order desk").click()
    form.get_by_role("textbox", name="Name").fill("Orders arrive")
    accessible(page)
    form.get_by_role("button", name="Create alert").click()
    row = page.get_by_role("table", name="Alerts").get_by_role("row").filter(has_text="Orders arrive")
    expect(row).to_contain_text("below 100 % over 24 h")
    said = page.get_by_role("list", name="Notifications").get_by_role("listitem")
    expect(said.filter(has_text="Orders arrive").first).to_contain_text("Triggered", timeout=60_000)
    accessible(page)


def test_delivery_pages_fit_a_phone(place: Place, shop: Shop) -> None:
    paths = (
        f"/delivery/overview?destination={shop.webhook}&window=1h&step=delivered",
        f"/destinations/{shop.webhook}/delivery?window=1h",
        "/delivery/trace?messageId=order-1",
        f"/delivery/discards?destination={shop.narrow}",
    )
    look_at(place, paths)


def order(at: int) -> dict[str, object]:
    return track("Order Completed", f"order-{at}", total=10 + at)


def track(name: str, id: str, **properties: object) -> dict[str, object]:
    return {
        "type": "track",
        "event": name,
        "userId": f"user-{id[-1]}",
        "messageId": id,
        "properties": properties,
    }


def delivery(place: Place, destination_id: str) -> dict[str, int]:
    found: dict[str, int] = place.onward.api("GET", f"/destinations/{destination_id}/delivery")["delivery"]
    return found
