"""Where functions are tried before they run: checks of code, and test runs, few at a time.

For the web process. A test run is a fresh process that is thrown away; it does not run where the sandbox does
not hold, unless the operator trusts the code (`gate.py`). State: none but what the self-test found.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from onward.egress.http import Client
from onward.functions.checking import CodeChecker
from onward.functions.gate import Gate
from onward.functions.process import Limits
from onward.functions.sandbox import Confinement, libraries_folder
from onward.functions.trial import Keep, Trial, try_out

AT_ONCE = 2
"""Test runs at a time."""
WAITING = 8
"""Test runs that wait; more are refused."""
OF_ONE = 4
"""Of one workspace that run or wait."""


class Busy(Exception):
    """Too many test runs are waiting."""


class Workshop:
    """For one event loop; `check_code` may be called in any thread."""

    def __init__(
        self,
        http: Client,
        *,
        trusted: bool = False,
        confinement: Confinement | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`trusted`: run code although the sandbox does not hold."""
        self.confinement = confinement or Confinement(libraries=libraries_folder())
        self.gate = Gate(self.confinement, trusted=trusted)
        self.check_code = CodeChecker(self.confinement, trusted=trusted, limits=limits)
        self._http = http
        self._limits = limits
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._of: Counter[str] = Counter()

    async def try_out(
        self,
        code: str,
        payload: Any,
        settings: Mapping[str, Any],
        *,
        workspace_id: str = "",
        handler: str | None = None,
        inserted: bool = False,
        secrets: Mapping[str, Any] | None = None,
        keep: Keep = lambda value: None,
    ) -> Trial:
        """As `onward.functions.trial.try_out`. Also raises `NoBoundary`, and `Busy`."""
        if self._waiting >= WAITING or self._of[workspace_id] >= OF_ONE:
            raise Busy
        self._of[workspace_id] += 1
        self._waiting += 1
        try:
            await self._slots.acquire()
        except BaseException:
            self._done(workspace_id)
            raise
        finally:
            self._waiting -= 1
        try:
            await self.gate.require()
            return await try_out(
                self.confinement,
                code,
                payload,
                settings,
                self._http,
                handler=handler,
                inserted=inserted,
                secrets=secrets,
                limits=self._limits,
                keep=keep,
            )
        finally:
            self._slots.release()
            self._done(workspace_id)

    def _done(self, workspace_id: str) -> None:
        self._of[workspace_id] -= 1
        if not self._of[workspace_id]:
            del self._of[workspace_id]
