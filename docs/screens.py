"""Makes the screenshots of the documentation, `docs/screens/*.png`, from a server of its own.

    python docs/screens.py [NAME …]

Starts Onward and a sink on free ports with a small shop, sends it events for some seconds, and walks through
the pages in Chromium. Wants the test group installed, and Chromium, as the browser tests do.
"""

import random
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser import running_chromium
from harness import Onward, Sink, Source, free_port

FOLDER = Path(__file__).parent / "screens"
EVENTS = ("Order Completed", "Product Viewed", "Cart Opened", "Checkout Started", "Coupon Used")
LOOK = 6_000
"""Milliseconds that a page is given to show rates."""

PAGES = {
    "home": ("/", "light"),
    "home-dark": ("/", "dark"),
    "source": ("/sources/{web}/overview", "light"),
    "debugger": ("/sources/{web}/debugger", "light"),
    "schema": ("/sources/{web}/schema", "light"),
    "start": ("/start?source={web}", "light"),
    "delivery": ("/delivery/overview?source={web}&destination={orders}&window=1h", "light"),
    "destination-delivery": ("/destinations/{orders}/delivery?window=10m", "light"),
    "function": ("/functions/{function}", "light"),
    "people": ("/settings/people", "light"),
    "audit": ("/settings/audit", "light"),
}


def main(wanted: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        onward, sink = Onward(Path(scratch) / "onward"), Sink(Path(scratch) / "sink")
        stop = threading.Event()
        try:
            onward.start()
            sink.start()
            sources, names = shop(onward, sink)
            traffic = threading.Thread(target=send, args=(onward, sources, stop))
            traffic.start()
            with running_chromium() as browser:
                state = join(browser, onward)
                for name, (path, theme) in PAGES.items():
                    if wanted and name not in wanted:
                        continue
                    context = browser.new_context(
                        viewport={"width": 1280, "height": 800}, color_scheme=theme, storage_state=state
                    )
                    page = context.new_page()
                    page.goto(onward.url + path.format(**names))
                    page.get_by_role("heading", level=1).wait_for()
                    page.wait_for_timeout(LOOK)
                    page.screenshot(path=FOLDER / f"{name}.png")
                    context.close()
                    print(f"docs/screens/{name}.png")
            stop.set()
            traffic.join()
        finally:
            stop.set()
            onward.close()
            sink.close()


def shop(onward: Onward, sink: Sink) -> tuple[list[Source], dict[str, str]]:
    """Three sources, one of whose destinations is down, and a function; ids by the names that pages have."""
    web = onward.create_source("web", name="Shop, website", metadataId="javascript")
    ios = onward.create_source("ios", name="Shop for iOS", metadataId="apple")
    billing = onward.create_source("billing", name="Billing", metadataId="python")
    orders = onward.create_webhook(web, sink.url, name="Orders", drop='event = "Cart Opened"')
    onward.create_webhook(web, f"http://127.0.0.1:{free_port()}/", name="Old CRM")
    onward.create_webhook(ios, sink.url, name="Push messages")
    onward.create_webhook(billing, sink.url, name="Accounting")
    template = next(
        each
        for each in onward.api("GET", "/functions/templates")["templates"]
        if each["slug"] == "webhook-forwarder"
    )
    body = {
        "displayName": "Forward orders",
        "resourceType": template["resourceType"],
        "code": template["code"],
        "settings": template["settings"],
    }
    function = onward.api("POST", "/functions", body)["function"]["id"]
    sources = [web, ios, billing]
    return sources, {each.slug: each.id for each in sources} | {"orders": orders, "function": function}


def send(onward: Onward, sources: list[Source], stop: threading.Event) -> None:
    chance = random.Random(7)  # noqa: S311  (for a picture)
    while not stop.wait(0.1):
        for source, number in zip(sources, (8, 3, 1), strict=True):
            onward.send(source, [event(chance) for _ in range(number)])


def event(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.02:
        return {"type": "track", "event": "Without a user"}
    user = f"u{chance.randint(1, 400)}"
    if chance.random() < 0.1:
        return {"type": "page", "userId": user, "name": "Pricing", "properties": {"path": "/pricing"}}
    properties = {"total": round(chance.random() * 90, 2), "currency": "EUR"}
    return {"type": "track", "userId": user, "event": chance.choice(EVENTS), "properties": properties}


def join(browser: Any, onward: Onward) -> Any:
    """Become the owner; the browser's cookies."""
    link = next(word for word in onward.log.read_text().split() if word.startswith(f"{onward.url}/invite#"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_role("textbox", name="Password").fill("correct horse battery")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("navigation", name="Main").wait_for()
    state = context.storage_state()
    context.close()
    return state


if __name__ == "__main__":
    main(sys.argv[1:])
