"""The web app in Chromium, against a real server: `place` has one of each, and its owner signed in.

    def test_a_page(place):
        page = place.visit("/sources")
        page.get_by_role("link", name="Add source").click()

One server, sink and browser for all tests of a module, so each makes what it needs under names of its own.
A page that logs an error, or breaks the content security policy, fails its test.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from browser import running_chromium
from harness import Onward, Sink
from playwright.sync_api import Browser, BrowserContext, Page, Request

from onward.webapp import WebApp

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
OWNER = {"name": "Ada Lovelace", "email": "ada@example.com", "password": "correct horse battery"}
SERIOUS = ("serious", "critical")
COLOURS = ("color-contrast", "link-in-text-block")
"""Rules of axe that a theme can break."""
WIDE, NARROW, HEIGHT = 1440, 390, 900
UNREAD = ("Failed to load resource",)
"""What the browser logs of answers that are no 2xx; pages say those themselves."""


@dataclass
class Place:
    onward: Onward
    sink: Sink
    browser: Browser
    state: dict[str, Any] | None = None
    """Cookies of the signed-in owner."""
    tab: Page | None = None
    """Where the owner goes from test to test: a tab that knows the app shows it in a third of the time."""
    in_use: bool = False
    """Whether this test is in the tab."""
    errors: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)
    """Those of one test, which begin with nothing but the cookies."""
    asked: set[Request] = field(default_factory=set)
    """Requests without an answer yet, but for live streams."""

    def new_page(self, width: int = WIDE, theme: str = "light", *, signed_in: bool = True) -> Page:
        page = self._new_context(width, theme, signed_in=signed_in).new_page()
        self.contexts.append(page.context)
        return self._watched(page)

    def _new_context(self, width: int, theme: str, *, signed_in: bool) -> BrowserContext:
        return self.browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme=theme,  # type: ignore[arg-type]
            storage_state=self.state if signed_in else None,  # type: ignore[arg-type]
            base_url=self.onward.url,
        )

    def _watched(self, page: Page) -> Page:
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("request", lambda each: self.asked.add(each) if "/api/live/" not in each.url else None)
        page.on("requestfinished", lambda each: self.asked.discard(each))
        page.on("requestfailed", lambda each: self.asked.discard(each))
        return page

    def owners_page(self, width: int = WIDE, theme: str = "light") -> Page:
        """For the signed-in owner, nowhere yet."""
        if self.in_use:
            return self.new_page(width, theme)
        if self.tab is None:
            self.tab = self._watched(self._new_context(width, theme, signed_in=True).new_page())
        self.in_use = True
        self.tab.set_viewport_size({"width": width, "height": HEIGHT})
        self.tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        return self.tab

    def visit(self, path: str, width: int = WIDE, theme: str = "light") -> Page:
        """A page of the signed-in owner."""
        page = self.owners_page(width, theme)
        page.goto(path)
        page.get_by_role("navigation", name="Main").wait_for(state="attached")
        return page

    def invitation(self) -> str:
        """The first owner's link, as the server has logged it."""
        found = re.search(r"Become the owner here.*: (\S+/invite#\S+)", self.onward.log.read_text())
        assert found is not None, self.onward.tail()
        return found[1]

    def join(self, page: Page | None = None) -> Page:
        """Become the owner in a fresh browser; the page that one lands on."""
        page = page or self.new_page(signed_in=False)
        page.goto(self.invitation())
        page.get_by_label("Your name").fill(OWNER["name"])
        page.get_by_label("Email").fill(OWNER["email"])
        page.get_by_role("textbox", name="Password").fill(OWNER["password"])
        page.get_by_role("button", name="Join").click()
        page.get_by_role("navigation", name="Main").wait_for()
        self.state = page.context.storage_state()  # type: ignore[assignment]
        return page

    def settle(self, page: Page) -> None:
        """Wait until all that the page has asked for is there; live streams never end."""
        quiet = 0
        while quiet < 3:
            page.wait_for_timeout(50)
            quiet = 0 if self.asked else quiet + 1

    def close_pages(self) -> list[str]:
        """Leave nothing for the next test; the errors that pages have logged in this one."""
        if self.in_use:
            assert self.tab is not None and self.state is not None
            self.tab.unroute_all()
            self.tab.evaluate("localStorage.clear(); sessionStorage.clear()")
            self.tab.context.clear_cookies()
            self.tab.context.add_cookies(self.state["cookies"])
        for context in self.contexts:
            context.close()
        self.contexts.clear()
        errors, self.errors = self.errors, []
        if self.in_use:  # What the app says of being left in the middle of something is nobody's error.
            self.tab.goto("/healthz")
            self.errors.clear()
        self.in_use = False
        self.asked.clear()
        return errors

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and not text.startswith(UNREAD):
            self.errors.append(text)


@pytest.fixture(scope="module")
def onward_settings() -> dict[str, Any]:
    """What a module's server is started with; a module that needs more has a fixture of this name."""
    return {}


@pytest.fixture(scope="module")
def empty_place(tmp_path_factory: pytest.TempPathFactory, onward_settings: dict[str, Any]) -> Iterator[Place]:
    assert WebApp.open() is not None, "the web app was not built: make setup"
    folder = tmp_path_factory.mktemp("place")
    onward, sink = Onward(folder / "onward", **onward_settings), Sink(folder / "sink")
    try:
        onward.start()
        sink.start()
        with running_chromium() as browser:
            yield Place(onward, sink, browser)
    finally:
        onward.close()
        sink.close()


@pytest.fixture
def new_place(empty_place: Place) -> Iterator[Place]:
    """A fresh server to which nobody has come yet, for the first test of a module."""
    assert empty_place.state is None
    yield empty_place
    errors = empty_place.close_pages()
    assert not errors, errors


@pytest.fixture(scope="module")
def joined_place(empty_place: Place) -> Place:
    """A server whose owner has come, for what a module makes once."""
    if empty_place.state is None:
        empty_place.join()
        empty_place.close_pages()
    return empty_place


@pytest.fixture
def place(joined_place: Place) -> Iterator[Place]:
    """The same, for one test."""
    yield joined_place
    errors = joined_place.close_pages()
    assert not errors, errors


def accessible(page: Page, **options: Any) -> None:
    """axe finds nothing serious; `options` are those of `axe.run`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    options = {"resultTypes": ["violations"], **options}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    serious = [
        f"{each['id']}: {each['help']}\n  " + "\n  ".join(node["html"][:200] for node in each["nodes"][:5])
        for each in found
        if each["impact"] in SERIOUS
    ]
    assert not serious, "\n".join([page.url, *serious])


def fits(page: Page) -> None:
    """Nothing reaches out of the window's width."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def switch_theme(page: Page, theme: Literal["light", "dark"]) -> None:
    """What the system prefers, which the app follows; colours have faded over."""
    page.emulate_media(color_scheme=theme)
    page.locator(f"html[data-mantine-color-scheme={theme}]").wait_for(state="attached")
    page.evaluate(
        "Promise.allSettled(document.getAnimations()"
        ".filter(each => each.effect.getComputedTiming().endTime !== Infinity).map(each => each.finished))"
    )


def look_at(place: Place, paths: Iterable[str]) -> None:
    """Each page has its heading, fits on a telephone, and is accessible, in light and dark."""
    page = place.owners_page(NARROW)
    for path in paths:
        page.set_viewport_size({"width": NARROW, "height": HEIGHT})
        page.goto(path)
        page.get_by_role("heading", level=1).wait_for()
        place.settle(page)
        fits(page)
        page.set_viewport_size({"width": WIDE, "height": HEIGHT})
        place.settle(page)
        accessible(page)
        switch_theme(page, "dark")
        accessible(page, runOnly=COLOURS)
        switch_theme(page, "light")
