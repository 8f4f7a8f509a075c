"""Users' JavaScript in the web process: what source functions and insert functions of sources share.

State: what was used since it was asked last, and whose it was.
"""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from onward.egress.masking import Masking
from onward.functions.gate import Gate
from onward.functions.pool import Key, Pool, Usage
from onward.roles import FunctionsReport
from onward.workspace.function_code import DeployedCode
from onward.workspace.snapshot import DeployedFunction, SourceFunction

log = structlog.get_logger("onward.tracking")

Runs = SourceFunction | DeployedFunction


class DoorFunctions:
    """For the event loop of the web process. `close` ends its processes."""

    def __init__(
        self,
        pool: Pool,
        gate: Gate,
        code: DeployedCode,
        locked_out: Callable[[str, str], bool] = lambda workspace_id, function_id: False,
    ) -> None:
        """`locked_out` tells whose quota is used up: `(workspace, function)`."""
        self.pool = pool
        self.locked_out = locked_out
        self._gate = gate
        self._code = code
        self._owners: dict[str, tuple[str, str]] = {}
        """By instance."""

    async def code(self, workspace_id: str, instance: str, function: Runs) -> str | None:
        """The JavaScript to run, whose use is then the workspace's; None if it can't run now, of which the
        log tells."""
        if await self._gate.refusal():
            return None
        self._owners[instance] = (workspace_id, function.id)
        code = self._code.known(function.version)
        if code is not None:
            return code
        try:
            # None: deployed anew or deleted, which the next snapshot says.
            return await asyncio.to_thread(self._code.read, function.version)
        except SQLAlchemyError as error:
            log.error("code of a function can't be read", version=function.version, error=str(error))
            return None

    def used(self) -> list[tuple[tuple[str, str], Usage]]:
        """What each function has used since this was asked last, by workspace and function."""
        return [(self._owners[key.instance], usage) for key, usage in self.pool.used().items()]

    def report(self) -> FunctionsReport | None:
        """For `/readyz`."""
        return self._gate.report(self.pool.processes)

    async def close(self) -> None:
        await self._gate.close()
        await self.pool.close()


def key(instance: str, function: Runs) -> Key:
    return Key.of(function.version, instance, function.settings)


def masking(function: Runs) -> Masking:
    """Hides the settings that must not show."""
    return Masking(function.settings[name] for name in function.sensitive if name in function.settings)
