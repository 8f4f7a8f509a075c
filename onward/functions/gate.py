"""Whether functions may run in this process: the sandbox is attacked before the first of them, and must hold.

Invariants:
- Nobody passes before the sandbox has held, unless the operator trusts the code.
- One that did not hold is examined again, for the machine may have been busy; the log is told what is new.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from onward.functions.sandbox import Confinement
from onward.functions.selftest import Boundary, NoBoundary, examine
from onward.roles import FunctionsReport

log = structlog.get_logger("onward.functions")

EXAMINE_AGAIN = 15.0
"""Seconds after which a sandbox that did not hold is examined once more."""


class Gate:
    """For one event loop. `close` it."""

    def __init__(
        self,
        confinement: Confinement,
        *,
        trusted: bool = False,
        opened: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`trusted`: let functions run although the sandbox does not hold. `opened` is called when they may,
        before the first of them."""
        self._confinement = confinement
        self._trusted = trusted
        self._opened = opened
        self._examining: asyncio.Task[None] | None = None
        self._examine_at = 0.0
        self._boundary: Boundary | None = None
        self._refusal = ""

    def begin(self) -> None:
        """Examine the sandbox, unless that has begun and nothing has been refused."""
        now = asyncio.get_running_loop().time()
        if self._examining is None or (self._refusal and now >= self._examine_at):
            self._examine_at = now + EXAMINE_AGAIN
            self._examining = asyncio.get_running_loop().create_task(self._examine())

    async def refusal(self) -> str:
        """Why no function may run now; empty if they may."""
        self.begin()
        assert self._examining is not None
        await asyncio.wait([self._examining])
        return "it is stopping" if self._examining.cancelled() else self._refusal

    async def require(self) -> None:
        """Raises `NoBoundary` if no function may run now."""
        if refusal := await self.refusal():
            raise NoBoundary(refusal)

    async def keep(self) -> None:
        """Examine it now, and again for as long as it does not hold. Until cancelled."""
        while True:
            await self.refusal()
            await asyncio.sleep(EXAMINE_AGAIN)

    def report(self, processes: int) -> FunctionsReport | None:
        """For `/readyz`; None before it has begun."""
        if self._examining is None:
            return None
        layers = {} if self._boundary is None else self._boundary.layers
        state = "refused" if self._refusal else "running" if self._examining.done() else "starting"
        return FunctionsReport(state, self._refusal, layers, processes)

    async def close(self) -> None:
        if self._examining is not None:
            self._examining.cancel()
            await asyncio.gather(self._examining, return_exceptions=True)

    async def _examine(self) -> None:
        before = self._boundary
        try:
            found = self._boundary = await examine(self._confinement)
            if found != before:
                found.tell()
            found.require()
        except NoBoundary as error:
            if not self._trusted:
                self._refuse(str(error))
                return
            log.warning("functions run without a sandbox, as the setting functions_trusted says")
        except Exception as error:
            self._refuse(f"the sandbox can't be examined: {type(error).__name__}: {error}")
            return
        self._refusal = ""
        if self._opened is not None:
            await self._opened()

    def _refuse(self, reason: str) -> None:
        if reason != self._refusal:
            log.error("functions are not run, what is for them waits", reason=reason)
        self._refusal = reason
