"""Makes the screenshots of the documentation, `docs/screens/*.webp`, from a server of its own.

    python docs/screens.py [NAME …]

Starts the shop of `shop.py`, lets it sell for a while, and walks through its pages in Chromium. Wants the
test group installed, the catalogue, and Chromium, as the browser tests do.
"""

import base64
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from shop import Shop

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser import running_chromium

FOLDER = Path(__file__).parent / "screens"
SELLING = 75
"""Seconds of traffic before the first picture, so that plots have a course."""
LOOK, LIVE = 2_500, 7_000
"""Milliseconds that a page is given, and one that shows rates."""
QUALITY = 88

PAGES = {
    "home": ("/", "light"),
    "home-dark": ("/", "dark"),
    "start": ("/start?source={web}", "light"),
    "source": ("/sources/{web}/overview", "light"),
    "debugger": ("/sources/{ios}/debugger", "light"),
    "schema": ("/sources/{web}/schema?window=1h", "light"),
    "catalogue": ("/catalogue", "light"),
    "add": ("/destinations/add?kind=actions-hubspot-cloud&source={web}&step=name", "light"),
    "destination": ("/destinations/{Amplitude}/overview", "light"),
    "mapping": ("/destinations/{Amplitude}/mappings/{mapping}", "light"),
    "delivery": ("/delivery/overview?source={ios}&destination={Mixpanel}&window=1h", "light"),
    "destination-delivery": ("/destinations/{Customer.io}/delivery?window=10m", "light"),
    "destination-delivery-dark": ("/destinations/{Mixpanel}/delivery?window=10m", "dark"),
    "deliverability": ("/delivery/deliverability?window=1h", "light"),
    "discards": ("/delivery/discards?destination={Mixpanel}", "light"),
    "trace": ("/delivery/trace?messageId={message}", "light"),
    "alerts": ("/delivery/alerts", "light"),
    "function": ("/functions/{Loyalty points}", "light"),
    "function-dark": ("/functions/{Loyalty points}", "dark"),
    "people": ("/settings/people", "light"),
    "roles": ("/settings/roles", "light"),
    "audit": ("/settings/audit", "light"),
}


def main(wanted: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, Shop(Path(scratch)) as shop, running_chromium() as browser:
        state = join(browser, shop)
        time.sleep(SELLING)
        shop.wait_for_failures()
        names = places(shop)
        for name, (path, theme) in PAGES.items():
            if wanted and name not in wanted:
                continue
            context = browser.new_context(
                viewport={"width": 1280, "height": 800}, color_scheme=theme, storage_state=state
            )
            page = context.new_page()
            page.goto(shop.onward.url + filled(path, names))
            page.get_by_role("heading", level=1).wait_for()
            page.wait_for_timeout(LIVE if name.startswith(("home", "source", "debugger")) else LOOK)
            picture = context.new_cdp_session(page).send(
                "Page.captureScreenshot", {"format": "webp", "quality": QUALITY}
            )
            (FOLDER / f"{name}.webp").write_bytes(base64.b64decode(picture["data"]))
            context.close()
            print(f"docs/screens/{name}.webp")


def places(shop: Shop) -> dict[str, str]:
    """What stands in braces in the paths of pages."""
    api = shop.onward.api
    amplitude, mixpanel = shop.destinations["Amplitude"], shop.destinations["Mixpanel"]
    mappings = api("GET", f"/destinations/{amplitude}/subscriptions?pagination[count]=50")["subscriptions"]
    return {
        **{each.slug: each.id for each in shop.sources.values()},
        **shop.destinations,
        **shop.functions,
        "mapping": next(each["id"] for each in mappings if each["name"] == "Order Completed Calls"),
        "message": api("GET", f"/destinations/{mixpanel}/discards")["discards"][0]["messageId"],
    }


def filled(path: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def join(browser: Any, shop: Shop) -> Any:
    """Become the owner; the browser's cookies."""
    log = shop.onward.log.read_text()
    link = next(word for word in log.split() if word.startswith(f"{shop.onward.url}/invite#"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Email").fill("ada@shop.example")
    page.get_by_role("textbox", name="Password").fill("correct horse battery")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("navigation", name="Main").wait_for()
    state = context.storage_state()
    context.close()
    return state


if __name__ == "__main__":
    main(sys.argv[1:])
