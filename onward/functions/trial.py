"""Test runs: a function's code with an event, in a fresh process that is thrown away afterwards.

So globals and `cache` are empty, as Segment documents for its editor, and a trial disturbs nothing that runs.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from onward.egress.http import Client
from onward.egress.masking import Masking
from onward.egress.record import Exchange
from onward.functions.errors import Ending, Kind
from onward.functions.process import Invocation, Limits, LoadError, Lost, Runner
from onward.functions.sandbox import Confinement
from onward.functions.source import HANDLER, sent

HANDLERS = {
    "identify": "onIdentify",
    "track": "onTrack",
    "page": "onPage",
    "screen": "onScreen",
    "group": "onGroup",
    "alias": "onAlias",
    "delete": "onDelete",
}
"""By the event's type."""
BATCH = "onBatch"
Keep = Callable[[Any], None]
"""Is given what a handler returned, secrets and all; None if that is no JSON or too long."""
MOST_SHOWN = 4096
"""Characters of the log that a test run shows (spec §10.5)."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log."""

    at: float
    """Milliseconds since the epoch."""
    level: str
    text: str


class Trial(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a person sees of a test run. Secret settings are masked wherever they turned up."""

    handler: str
    ok: bool
    kind: Kind
    action: str
    """delivered, retry, discarded, filtered."""
    message: str
    line: int | None
    """In the code, where it failed."""
    stack: str | None
    value: Any
    items: list[dict[str, Any]] | None
    """Of a batch: `{kind, action, message}` for each event; of an insert function also `event`, what became
    of it."""
    events: list[dict[str, Any]] | None
    """Of a source function: what it sent."""
    logs: list[Line]
    lost_logs: int
    """Lines that were too many to show."""
    uncaught: list[str]
    """Errors that nothing in the function waited for."""
    requests: list[Exchange]
    load_ms: float
    wall_ms: float
    cpu_ms: float


def handler_for(event: Any) -> str:
    """Of an event, or of a list of events. Raises ValueError."""
    if isinstance(event, list):
        return BATCH
    kind = event.get("type") if isinstance(event, dict) else None
    if not isinstance(kind, str) or kind not in HANDLERS:
        raise ValueError(f"the event's type is {kind!r}; it must be one of: {', '.join(HANDLERS)}")
    return HANDLERS[kind]


async def strip_types(confinement: Confinement, code: str) -> str:
    """TypeScript as JavaScript, line for line where that can be. Raises `LoadError` or `Lost`."""
    runner = await Runner.start(confinement)
    try:
        return await runner.strip(code)
    except TimeoutError:
        raise Lost("removing its types took too long", own_doing=True) from None
    finally:
        await runner.close()


async def try_out(
    confinement: Confinement,
    code: str,
    payload: Any,
    settings: Mapping[str, Any],
    http: Client,
    *,
    handler: str | None = None,
    typescript: bool = False,
    inserted: bool = False,
    secrets: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
    keep: Keep = lambda value: None,
) -> Trial:
    """Run `code` with an event, or a list of them for onBatch, or the frame of a `Request` for onRequest;
    `secrets` are the settings that must not show. `inserted`: it is an insert function, and what it returns
    counts; `keep` is given it as it is. Raises ValueError if no handler is named and the event's type tells
    none.
    """
    name = handler or handler_for(payload)
    masking = Masking((settings if secrets is None else secrets).values())
    load_ms = cpu_ms = 0.0
    runner: Runner | None = None
    try:
        runner = await Runner.start(confinement, limits)
        began = runner.elapsed()
        if typescript:
            code = await runner.strip(code)
        await runner.load(code)
        load_ms = (runner.elapsed() - began) * 1000
        before = runner.cpu_seconds()
        made = await runner.invoke(name, payload, settings, http, masking)
        cpu_ms = max(0.0, runner.cpu_seconds() - before) * 1000
    except LoadError as error:
        thrown = error.thrown
        message = f"the code can't be loaded: {thrown.name}: {thrown.message}"
        made = Invocation(ending=Ending(Kind.INVALID_SETTINGS, message), error=thrown)
    except Lost as lost:
        kind = Kind.INVALID_SETTINGS if lost.own_doing else Kind.RETRY
        made = Invocation(ending=Ending(kind, f"the code can't be loaded: {lost}"))
    except TimeoutError:
        made = Invocation(ending=Ending(Kind.TIMEOUT, "the code did not load in time"))
    finally:
        if runner is not None:
            await runner.close()
    try:
        value = msgspec.json.decode(made.value)
    except msgspec.MsgspecError:
        value = None
    keep(value)
    return _shown(made, value, name, payload, masking, load_ms, cpu_ms, inserted)


def _shown(
    made: Invocation,
    value: Any,
    handler: str,
    payload: Any,
    masking: Masking,
    load_ms: float,
    cpu_ms: float,
    inserted: bool,
) -> Trial:
    items = events = None
    ending = made.ending
    if handler == HANDLER:
        came = sent(made)
        ending, value, events = came.ending, None, [masking.json(each) for each in came.events]
        if came.objects:
            events += [masking.json(each) for each in came.objects]
    elif inserted and handler != BATCH:
        ending = returned(ending, value)
    elif handler == BATCH and isinstance(payload, list):
        items = _items(made, value, payload, masking, inserted)
        if inserted:
            value = None
    lines, lost = _lines(made, masking)
    error = made.error
    return Trial(
        handler=handler,
        ok=ending.kind is Kind.OK,
        kind=ending.kind,
        action=ending.action,
        message=masking.text(ending.message),
        line=error.line if error else None,
        stack=masking.text(error.stack) if error and error.stack else None,
        value=masking.json(value),
        items=items,
        events=events,
        logs=lines,
        lost_logs=lost,
        uncaught=[masking.text(f"{each.name}: {each.message}") for each in made.uncaught],
        requests=made.record.exchanges() if made.record else [],
        load_ms=round(load_ms, 2),
        wall_ms=round(made.wall_ms, 2),
        cpu_ms=round(cpu_ms, 2),
    )


def returned(ending: Ending, value: Any) -> Ending:
    """Of one event and what an insert function returned for it: nothing blocks the event (spec §10.8)."""
    if ending.kind is Kind.OK and not isinstance(value, dict):
        return Ending(Kind.DROPPED, "the function returned no event")
    return ending


def _items(
    made: Invocation, value: Any, payload: list[Any], masking: Masking, inserted: bool
) -> list[dict[str, Any]]:
    if not inserted or made.ending.kind is not Kind.OK:
        return [_item(each, masking) for each in made.endings(len(payload))]
    found = aligned(value, payload)
    return [_item(returned(made.ending, each), masking) | {"event": masking.json(each)} for each in found]


def aligned(value: Any, payload: list[Any]) -> list[Any]:
    """What an insert function's onBatch returned for each event, None for what it left out: by place, or by
    messageId if there are fewer (spec §22.10)."""
    found = value if isinstance(value, list) else []
    if len(found) == len(payload):
        return found
    by_id = {each.get("messageId"): each for each in found if isinstance(each, dict)}
    return [by_id.get(each.get("messageId")) if isinstance(each, dict) else None for each in payload]


def _item(ending: Ending, masking: Masking) -> dict[str, Any]:
    return {"kind": ending.kind.value, "action": ending.action, "message": masking.text(ending.message)}


def _lines(made: Invocation, masking: Masking) -> tuple[list[Line], int]:
    lines: list[Line] = []
    left = MOST_SHOWN
    for at, level, text in made.logs:
        if left <= 0:
            break
        shown = masking.text(text)
        lines.append(Line(at=at, level=level, text=shown if len(shown) <= left else f"{shown[:left]}…"))
        left -= len(shown)
    return lines, made.lost_logs + len(made.logs) - len(lines)
