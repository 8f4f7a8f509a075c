"""The public status page (spec §12.7): how well deliveries succeed now, by kind of destination.

No sign-in, so it tells no more than rates: no volumes, and no names but those of the catalogue. What it says
is worked out at most every `FRESH` seconds, however many ask. `status_page = false` switches it off.
"""

import html
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from threading import Lock
from typing import Literal

import msgspec

from onward.destinations.definition import Definition
from onward.metering.asking import Questions
from onward.metering.outcomes import Tally
from onward.pipeline import timestamps
from onward.workspace.function_catalogue import is_function
from onward.workspace.snapshot import Snapshot

FRESH = 15.0
"""Seconds."""
HOUR, DAY = 60, 24 * 60
"""Minutes."""
DEGRADED, DOWN = 0.99, 0.5
"""Of final deliveries of the last hour: below the first, a kind is degraded, below the second it is down."""

FUNCTIONS = "functions"
"""All destinations that are functions: what people call theirs is nobody else's business."""

State = Literal["operational", "degraded", "down", "noData"]
WORDS: dict[State, str] = {
    "operational": "Operational",
    "degraded": "Degraded",
    "down": "Down",
    "noData": "No deliveries",
}


class Rates(msgspec.Struct, frozen=True, rename="camel"):
    api_success: float | None
    """Of the events that came to an end: the share that the tool took at the first attempt."""
    final_delivery: float | None
    """The share that it took in the end."""


class Kind(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    slug: str
    status: State
    last_hour: Rates
    last_day: Rates


class Status(msgspec.Struct, frozen=True, rename="camel"):
    status: State
    """The worst of all kinds."""
    updated_at: str
    destinations: list[Kind]


class StatusPage:
    """`json` and `page` may block for some milliseconds, and may be called from any thread."""

    def __init__(
        self, ask: Questions, snapshot: Callable[[], Snapshot], catalogue: Mapping[str, Definition]
    ) -> None:
        self._ask = ask
        self._snapshot = snapshot
        self._catalogue = catalogue
        self._lock = Lock()
        self._status: Status | None = None
        self._made_at = 0.0

    def status(self) -> Status:
        with self._lock:
            if self._status is None or time.monotonic() - self._made_at > FRESH:
                self._status = self._make(time.time())
                self._made_at = time.monotonic()
            return self._status

    def json(self) -> bytes:
        return msgspec.json.encode(self.status())

    def page(self) -> bytes:
        status = self.status()
        rows = "".join(_row(kind) for kind in status.destinations)
        text = files("onward").joinpath("status.html").read_text()
        for name, value in (
            ("HEADLINE", WORDS[status.status]),
            ("STATE", status.status),
            ("ROWS", rows or '<tr><td colspan="4">No destination is connected.</td></tr>'),
            ("UPDATED", status.updated_at),
        ):
            text = text.replace(f"{{{{{name}}}}}", value)
        return text.encode()

    def _make(self, now: float) -> Status:
        minute = int(now // 60)
        kinds: dict[str, list[str]] = {}
        for destination in self._snapshot().destinations:
            if destination.enabled:
                slug = FUNCTIONS if is_function(destination.definition) else destination.definition
                kinds.setdefault(slug, []).append(destination.id)
        hour = self._ask.tallies(minute - HOUR, minute + 1)
        day = self._ask.tallies(minute - DAY, minute + 1)
        shown = sorted(
            (self._kind(slug, ids, hour, day) for slug, ids in kinds.items()),
            key=lambda kind: kind.name.lower(),
        )
        worst: State = "noData" if all(kind.status == "noData" for kind in shown) else "operational"
        for state in ("degraded", "down"):
            if any(kind.status == state for kind in shown):
                worst = state
        return Status(worst, timestamps.render(int(now * 1000)), shown)

    def _kind(self, slug: str, ids: list[str], hour: Mapping[str, Tally], day: Mapping[str, Tally]) -> Kind:
        lately, today = _sum(ids, hour), _sum(ids, day)
        rate = lately.success_rate if lately.success_rate is not None else today.success_rate
        state: State = "operational"
        if rate is None:
            state = "noData"
        elif rate < DOWN:
            state = "down"
        elif rate < DEGRADED:
            state = "degraded"
        definition = self._catalogue.get(slug)
        name = "Functions" if slug == FUNCTIONS else definition.name if definition else slug
        return Kind(name, slug, state, _rates(lately), _rates(today))


def _sum(ids: list[str], tallies: Mapping[str, Tally]) -> Tally:
    total = Tally()
    for id in ids:
        if (each := tallies.get(id)) is not None:
            total.delivered += each.delivered
            total.at_once += each.at_once
            total.discarded += each.discarded
    return total


def _rates(tally: Tally) -> Rates:
    return Rates(tally.first_attempt_rate, tally.success_rate)


def _row(kind: Kind) -> str:
    return (
        f"<tr><td>{html.escape(kind.name)}</td><td>{_percent(kind.last_day.api_success)}</td>"
        f"<td>{_percent(kind.last_day.final_delivery)}</td>"
        f'<td><span class="{kind.status}">{WORDS[kind.status]}</span></td></tr>'
    )


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.2f} %"
