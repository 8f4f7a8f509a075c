"""Code at the moment it is saved: types removed, loaded once in the sandbox, its handlers found.

Nothing outside this machine is needed for it: what code fetches while it loads is refused. A process of its
own for each check, thrown away. If none can be started, or the sandbox does not hold, JavaScript is kept
unchecked: saving must be possible where functions can't run.

State: the last few answers, so that a check can be made before a transaction and found within it.
"""

import asyncio
import math
import threading
import time
from collections import OrderedDict

import structlog

from onward.functions.process import Limits, LoadError, Lost, Runner
from onward.functions.sandbox import Confinement
from onward.functions.selftest import Boundary, examine
from onward.functions.wire import Thrown
from onward.workspace.errors import Invalid, Unavailable
from onward.workspace.function_code import Code, Language

log = structlog.get_logger("onward.functions")

AT_ONCE, WAITING = 2, 6
"""Checks that run at a time, and that wait; each holds a thread. More are refused."""
REMEMBERED = 32
EXAMINE_AGAIN = 60.0
"""Seconds after which a sandbox that did not hold is examined once more: the machine may have been busy."""


class CodeChecker:
    """A `CheckCode`. `trusted`: run code although the sandbox does not hold."""

    def __init__(
        self, confinement: Confinement, *, trusted: bool = False, limits: Limits | None = None
    ) -> None:
        self._confinement = confinement
        self._trusted = trusted
        self._limits = limits or Limits()
        self._boundary: Boundary | None = None
        self._examine_at = math.inf
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._under_way = 0
        self._examining = threading.Lock()
        self._known: OrderedDict[tuple[str, Language | None], Code] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, text: str, language: Language | None) -> Code:
        """Raises `Invalid`, or `Unavailable` for TypeScript where nothing can remove its types, and where too
        many checks are under way."""
        key = (text, language)
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
            if self._under_way >= AT_ONCE + WAITING:
                raise Unavailable("too many functions are being saved; try again in a moment", field="code")
            self._under_way += 1
        try:
            with self._slots:
                code = asyncio.run(self._check(text, language))
        finally:
            with self._lock:
                self._under_way -= 1
        with self._lock:
            self._known[key] = code
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return code

    async def _check(self, text: str, language: Language | None) -> Code:
        if not self._trusted and not (await self._examined()).holds:
            return _unchecked(text, language, "the sandbox does not hold here")
        try:
            return await check(self._confinement, text, language, self._limits)
        except Lost as lost:
            return _unchecked(text, language, str(lost))

    async def _examined(self) -> Boundary:
        with self._examining:  # in a thread of its own: nothing else is on this event loop
            found = self._boundary
            if found is None or (not found.holds and time.monotonic() >= self._examine_at):
                found = self._boundary = await examine(self._confinement)
                self._examine_at = time.monotonic() + EXAMINE_AGAIN
            return found


async def check(
    confinement: Confinement, text: str, language: Language | None = None, limits: Limits | None = None
) -> Code:
    """Raises `Invalid` for what can't be loaded, and `Lost` if no process can be had."""
    if language == "TYPESCRIPT":
        return await _typescript(confinement, text, limits)
    try:
        handlers = await _load(confinement, text, limits)
    except LoadError as error:
        if language is not None or error.thrown.name != "SyntaxError":
            raise _invalid(error.thrown) from None
        return await _perhaps_typescript(confinement, text, limits, error.thrown)
    return Code(text=text, handlers=handlers)


async def _perhaps_typescript(
    confinement: Confinement, text: str, limits: Limits | None, as_javascript: Thrown
) -> Code:
    """What is no JavaScript may be TypeScript. If it is neither, the one that got further tells what is
    wrong."""
    try:
        return await _typescript(confinement, text, limits)
    except _StripError as error:
        if (error.line or 0) > (as_javascript.line or 0):
            raise
        raise _invalid(as_javascript) from None


async def _typescript(confinement: Confinement, text: str, limits: Limits | None) -> Code:
    runner = await Runner.start(confinement, limits)
    try:
        compiled = await _strip(runner, text)
        handlers = _sorted(await runner.load(compiled))
    except LoadError as error:
        raise _invalid(error.thrown) from None
    except TimeoutError:
        raise _slow(limits) from None
    except Lost as lost:
        raise _lost(lost) from None
    finally:
        await runner.close()
    return Code(text=text, language="TYPESCRIPT", compiled=compiled, handlers=handlers)


async def _strip(runner: Runner, text: str) -> str:
    try:
        return await runner.strip(text)
    except LoadError as error:
        raise _StripError(error.thrown) from None


async def _load(confinement: Confinement, code: str, limits: Limits | None) -> tuple[str, ...]:
    runner = await Runner.start(confinement, limits)
    try:
        return _sorted(await runner.load(code))
    except TimeoutError:
        raise _slow(limits) from None
    except Lost as lost:
        raise _lost(lost) from None
    finally:
        await runner.close()


class CodeInvalid(Invalid):
    """Code that can't be loaded; `line` where that is known."""

    def __init__(self, thrown: Thrown) -> None:
        at = f"line {thrown.line}: " if thrown.line else ""
        super().__init__(f"the code can't be loaded: {at}{thrown.name}: {thrown.message}", field="code")
        self.line = thrown.line


class _StripError(CodeInvalid):
    """The types can't be removed."""


def _invalid(thrown: Thrown) -> CodeInvalid:
    return CodeInvalid(thrown)


def _slow(limits: Limits | None) -> Invalid:
    return Invalid(f"the code did not load within {(limits or Limits()).wall:g} s", field="code")


def _lost(lost: Lost) -> Exception:
    return Invalid(f"the code can't be loaded: {lost}", field="code") if lost.own_doing else lost


def _unchecked(text: str, language: Language | None, reason: str) -> Code:
    if language == "TYPESCRIPT":
        raise Unavailable(
            f"types can't be removed from the code ({reason}); save it as JavaScript", field="code"
        )
    log.warning("code saved unchecked", reason=reason)
    return Code(text=text)


def _sorted(handlers: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(handlers))
