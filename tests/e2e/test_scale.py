"""A thousand destinations of fifty sources: what a page costs does not grow with what there is.

Counted are requests, elements, and the time that the page's own thread works, not the time that passes: that
depends on what else the machine does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from browser import running_chromium
from harness import TOKEN, Onward, Sink
from playwright.sync_api import Page, expect

from onward.destinations.catalog import open_catalogue
from onward.settings import Settings
from onward.workspace import destinations, sources
from onward.workspace.bootstrap import bootstrap
from onward.workspace.store import Actor, Store

from .conftest import Place

pytestmark = pytest.mark.browser

SOURCES, DESTINATIONS = 50, 1_000
REQUESTS, ELEMENTS, WORK = 5, 3_000, 2.0
"""At most, for a page that opens; seconds of work, of which it takes a quarter."""


@pytest.fixture(scope="module")
def large_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("large")
    onward, sink = Onward(folder / "onward"), Sink(folder / "sink")
    fill(Settings(data=onward.data, token=TOKEN))
    try:
        onward.start()
        with running_chromium() as browser:
            place = Place(onward, sink, browser)
            place.join()
            yield place
            errors = place.close_pages()
            assert not errors, errors
    finally:
        onward.close()


def fill(settings: Settings) -> None:
    store = Store.open(settings, open_catalogue(settings.catalog_folder))
    try:
        with store.changing(bootstrap(settings).workspace_id, Actor(id="test")) as editor:
            made = [
                sources.create_source(editor, slug=f"s{at:02}", kind="http-api", name=f"Source {at:02}")
                for at in range(SOURCES)
            ]
            for at in range(DESTINATIONS):
                destinations.create_destination(
                    editor, made[at % SOURCES], definition="actions-webhook", name=f"Tool {at:04}"
                )
    finally:
        store.engine.dispose()


@dataclass
class Cost:
    requests: list[str]
    elements: int
    work: float
    """Seconds."""


def opened(place: Place, path: str, ready: str) -> tuple[Page, Cost]:
    """A page in a browser that has nothing of it yet, until what it is about is in sight."""
    page = place.new_page()
    asked: list[str] = []
    page.on("request", lambda each: asked.append(urlsplit(each.url).path))
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(path)
    page.locator(ready).first.wait_for()
    place.settle(page)
    measured = session.send("Performance.getMetrics")["metrics"]
    (work,) = (each["value"] for each in measured if each["name"] == "TaskDuration")
    elements = page.evaluate("document.querySelectorAll('*').length")
    return page, Cost([each for each in asked if each.startswith("/api/")], elements, work)


@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/", "main a[href^='/destinations/']"),
        ("/sources", "[role=row][aria-rowindex='2']"),
        ("/destinations", "[role=row][aria-rowindex='2']"),
        ("/catalogue", "main a[href^='/catalogue/']"),
        ("/delivery/overview", "[role=row][aria-rowindex='2']"),
        ("/delivery/health", "[role=row][aria-rowindex='2']"),
    ],
    ids=["home", "sources", "destinations", "catalogue", "delivery", "health"],
)
def test_a_page_costs_no_more_with_a_thousand_destinations(large_place: Place, path: str, ready: str) -> None:
    _, cost = opened(large_place, path, ready)
    assert len(cost.requests) <= REQUESTS, cost.requests
    assert cost.elements <= ELEMENTS
    assert cost.work <= WORK


def test_a_long_list_has_all_and_draws_what_is_in_sight(large_place: Place) -> None:
    page, _ = opened(large_place, "/destinations", "[role=row][aria-rowindex='2']")
    table = page.get_by_role("table", name="Destinations")
    expect(table).to_have_attribute("aria-rowcount", str(DESTINATIONS + 1))
    assert table.get_by_role("row").count() < 80
    page.keyboard.press("End")
    expect(table.get_by_text(f"Tool {DESTINATIONS - 1:04}")).to_be_visible()
    assert table.get_by_role("row").count() < 80


def test_anything_is_found_by_its_name(large_place: Place) -> None:
    page, _ = opened(large_place, "/settings/account", "h1")
    page.keyboard.press("Control+k")
    page.get_by_role("textbox", name="Search").fill("tool 0777")
    page.get_by_role("button", name="Tool 0777").click()
    expect(page.get_by_role("heading", name="Tool 0777")).to_be_visible()
