"""Test runs: a function's code with an event, in a fresh process that is thrown away afterwards.

So globals and `cache` are empty, as Segment documents for its editor, and a trial disturbs nothing that runs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from onward.egress.http import Client
from onward.egress.masking import Masking
from onward.egress.record import Exchange
from onward.functions.errors import OK, Ending, Kind
from onward.functions.inserted import Came, of_event, of_events
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
Keep = Callable[[list[Came]], None]
"""Is given what an insert function made of each event, secrets and all."""
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
    keep: Keep = lambda came: None,
) -> Trial:
    """Run `code` with an event, or a list of them for onBatch, or the frame of a `Request` for onRequest;
    `secrets` are the settings that must not show. `inserted`: it is an insert function, and what it returns
    counts; `keep` is given that. Raises ValueError if no handler is named and the event's type tells
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
    came = None
    if inserted:
        came = of_events(made, payload) if isinstance(payload, list) else [of_event(made)]
        keep(came)
    return _shown(made, name, payload, came, masking, load_ms, cpu_ms)


def _shown(
    made: Invocation,
    handler: str,
    payload: Any,
    came: Sequence[Came] | None,
    masking: Masking,
    load_ms: float,
    cpu_ms: float,
) -> Trial:
    """`came`: what an insert function made of each event."""
    items = events = None
    ending, value = made.ending, _value(made)
    if handler == HANDLER:
        request = sent(made)
        ending, value = request.ending, None
        events = [masking.json(each) for each in (*request.events, *request.objects)]
    elif came is not None and isinstance(payload, list):
        items, value = [_inserted(each, masking) for each in came], None
    elif came is not None:
        [one] = came
        ending = one if isinstance(one, Ending) else ending
    elif isinstance(payload, list):
        items = [_item(each, masking) for each in made.endings(len(payload))]
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


def _value(made: Invocation) -> Any:
    """What the handler returned; None if that is no JSON, too long, or nested too deeply to be shown."""
    try:
        value = orjson.loads(bytes(made.value))
        orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return value


def _inserted(came: Came, masking: Masking) -> dict[str, Any]:
    if isinstance(came, Ending):
        return _item(came, masking) | {"event": None}
    return _item(OK, masking) | {"event": masking.json(came)}


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
