"""The debugger of a source that sends more than one can read: it shows a part, says so, and stays quick."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from harness import Source
from playwright.sync_api import CDPSession, expect

from .conftest import Place

pytestmark = pytest.mark.browser

BURST = 300
"""Events that are sent at once, again and again; a page shows 100 in a second."""
SHOWN, ELEMENTS = 200, 3_500
WORK = 0.5
"""Of the time, the share that the page's own thread may work; it takes about a tenth."""

FIVE_CHANGES = """() => new Promise((done) => {
  let seen = 0;
  const watch = new MutationObserver(() => ++seen === 5 && (watch.disconnect(), done()));
  watch.observe(document.querySelector('[aria-label="Latest events"]'), {childList: true});
})"""
"""Waits in the page: asking it again and again would be work of its own."""


@contextmanager
def flood(place: Place, source: Source) -> Iterator[None]:
    stop = threading.Event()

    def send() -> None:
        number = 0
        while not stop.is_set():
            events = [
                {"type": "track", "userId": "u", "event": f"Event {number + at}"} for at in range(BURST)
            ]
            place.onward.send(source, events)
            number += BURST
            stop.wait(0.1)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        stop.set()
        sending.join()


def work(session: CDPSession) -> float:
    """Seconds that the page's thread has worked."""
    measured = session.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in measured if each["name"] == "TaskDuration"))


def test_a_flood_is_shown_in_part_and_the_page_stays_quick(place: Place) -> None:
    source = place.onward.create_source("flood", name="Flood")
    page = place.visit(f"/sources/{source.id}/debugger")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    lines = page.get_by_role("list", name="Latest events").get_by_role("listitem")
    with flood(place, source):
        expect(page.get_by_text(re.compile(r"\d of the last second's not shown"))).to_be_visible()
        expect(lines).to_have_count(SHOWN)
        began, worked = time.monotonic(), work(session)
        page.evaluate(FIVE_CHANGES)
        assert work(session) - worked < WORK * (time.monotonic() - began)
        assert lines.count() == SHOWN
        assert page.evaluate("document.querySelectorAll('*').length") < ELEMENTS

        page.get_by_label("Find in events").fill("no such event")
        expect(page.get_by_text("No event matches")).to_be_visible()
        page.get_by_label("Find in events").fill("")
        page.get_by_role("button", name="Pause").click()
        held = lines.first.inner_text()
        expect(page.get_by_role("button", name=re.compile(r"Go on \([\d,]+ new\)"))).to_be_visible()
        assert lines.first.inner_text() == held
