"""The functions of a delivery process: one pool, the sandbox examined before the first of them runs.

Invariants:
- No code runs before the sandbox has been attacked and has held, unless the operator trusts it. While it
  does not hold, and while code can't be read or too much waits, an invocation ends as Too Many Requests:
  nothing was attempted, and the event waits.
- What goes wrong here is a function's trouble alone: nothing is raised but cancellation.
- A call runs the version that is deployed when it begins. Calls under way end with theirs.
- Before the first call of a version that was saved where nothing could look into it, its code is loaded to
  see which handlers it has.

What if the process dies here? Runners die with it; their events have no outcome yet and are read again.
What was used and not yet handed over, some seconds' worth, is not counted.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import structlog
from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from onward.egress.http import Client
from onward.egress.masking import Masking
from onward.functions.errors import Ending, Kind
from onward.functions.gate import EXAMINE_AGAIN, Gate
from onward.functions.invocation import Invocation
from onward.functions.pool import Key, Pool, PoolLimits, Usage
from onward.functions.process import Call, Limits, Lost
from onward.functions.sandbox import Confinement, libraries_folder
from onward.roles import FunctionsReport
from onward.workspace.function_code import DeployedCode
from onward.workspace.snapshot import DeployedFunction, Destination

log = structlog.get_logger("onward.delivery")

AT_ONCE = 8
"""Calls of one instance that may wait for its processes; others wait before them, and may be called off."""
READ_AGAIN = 5.0
"""Seconds until code that can't be read is looked for again."""
BATCH = "onBatch"

Scope = tuple[str, str]
"""Workspace and function."""
LockedOut = Callable[[str, str], bool]


class Deployed(NamedTuple):
    """A function as one of its instances has it."""

    function: DeployedFunction
    workspace_id: str
    masking: Masking
    slots: asyncio.Semaphore

    def has(self, handler: str) -> bool | None:
        """None if nobody knows."""
        handlers = self.function.handlers
        return None if handlers is None else handler in handlers

    @property
    def batches(self) -> bool:
        return bool(self.has(BATCH))

    @property
    def key(self) -> Key:
        return Key.of(self.function.version, self.function.instance, self.function.settings)


class Functions:
    """For one event loop. `configure` says which there are, `stop` begins the end, `close` is it."""

    def __init__(
        self,
        code: DeployedCode,
        http: Client,
        *,
        trusted: bool = False,
        confinement: Confinement | None = None,
        limits: PoolLimits | None = None,
        process: Limits | None = None,
        locked_out: LockedOut = lambda workspace_id, function_id: False,
    ) -> None:
        """`trusted`: run code although the sandbox does not hold. `locked_out` tells whose quota is used up:
        `(workspace, function)`."""
        confinement = confinement or Confinement(libraries=libraries_folder())
        self._pool = Pool(confinement, http, limits, process)
        self._gate = Gate(confinement, trusted=trusted, opened=self._warm)
        self._code = code
        self._locked_out = locked_out
        self._deployed: dict[str, Deployed] = {}
        self._owners: dict[str, Scope] = {}
        """Also of instances that are gone: what they have used may not be handed over yet."""
        self._found: dict[str, tuple[str, ...]] = {}
        """Handlers of versions that were saved unseen."""
        self._finding: dict[str, asyncio.Task[None]] = {}
        """By version."""
        self._news = False
        self._stopping = False

    # What the process calls

    def configure(self, destinations: Iterable[Destination]) -> None:
        """The destinations of this process, as they are now."""
        deployed = {}
        for destination in destinations:
            for function in (destination.function, destination.inserted):
                if function is not None:
                    deployed[function.instance] = self._as_deployed(function, destination.workspace_id)
        self._deployed = deployed
        if deployed:
            self._gate.begin()
        for each in deployed.values():
            if each.function.handlers is None:
                self._find(each)

    def completed(self, destination: Destination) -> Destination:
        """With the handlers that were found since its functions were saved."""
        function, inserted = destination.function, destination.inserted
        if function is not None and function.handlers is None and function.version in self._found:
            return replace(destination, function=self._completed(function))
        if inserted is not None and inserted.handlers is None and inserted.version in self._found:
            return replace(destination, inserted=self._completed(inserted))
        return destination

    def take_news(self) -> bool:
        """Whether handlers were found since this was asked last, so that it is to be configured again."""
        news, self._news = self._news, False
        return news

    def report(self) -> FunctionsReport | None:
        """For `/readyz`; None while there are none."""
        return self._gate.report(self._pool.processes)

    def take_used(self) -> list[tuple[Scope, Usage]]:
        """What was used since this was called last."""
        return [
            (self._owners[key.instance], usage)
            for key, usage in self._pool.used().items()
            if key.instance in self._owners
        ]

    def stop(self) -> None:
        """Begin no further call."""
        self._stopping = True

    async def close(self) -> None:
        self.stop()
        await self._gate.close()
        for task in list(self._finding.values()):
            task.cancel()
        await self._pool.close()

    # What deliveries call

    async def deployed(self, instance: str) -> Deployed | None:
        """With its handlers, if they can be known."""
        deployed = self._deployed.get(instance)
        if deployed is not None and deployed.function.handlers is None:
            await asyncio.wait([self._find(deployed)])
            return self._deployed.get(instance)
        return deployed

    def locked_out(self, deployed: Deployed) -> bool:
        return self._locked_out(deployed.workspace_id, deployed.function.id)

    async def call_each(self, deployed: Deployed, calls: Sequence[Call]) -> list[Invocation]:
        """`(handler, event)` each: what came of them, in their order."""

        async def call(code: str) -> list[Invocation]:
            function = deployed.function
            return await self._pool.invoke_each(
                deployed.key, code, calls, function.settings, deployed.masking
            )

        return await self._call(deployed, len(calls), call)

    async def call_batch(self, deployed: Deployed, events: Sequence[Any]) -> Invocation:
        """`onBatch` with events."""

        async def call(code: str) -> list[Invocation]:
            settings, masking = deployed.function.settings, deployed.masking
            return [await self._pool.invoke(deployed.key, code, BATCH, list(events), settings, masking)]

        return (await self._call(deployed, 1, call))[0]

    async def _call(
        self,
        deployed: Deployed,
        count: int,
        call: Callable[[str], Coroutine[Any, Any, list[Invocation]]],
    ) -> list[Invocation]:
        if refusal := await self._gate.refusal():
            return [_waits(refusal, EXAMINE_AGAIN)] * count
        async with deployed.slots:
            if self._stopping:
                return [_waits("functions are being stopped", 1.0)] * count
            code = await self._read(deployed.function.version)
            if code is None:
                return [_waits("the function's code can't be read", READ_AGAIN)] * count
            made = await call(code)
        current = self._deployed.get(deployed.function.instance)
        if current is not None and current.key != deployed.key:
            for each in made:  # a pause of the version before, or of other settings, is not for those of now
                each.ending = replace(each.ending, retry_after=None)
        return made

    def _find(self, deployed: Deployed) -> asyncio.Task[None]:
        """Learn which handlers a version has."""
        version = deployed.function.version
        task = self._finding.get(version)
        if task is None:
            task = self._finding[version] = asyncio.get_running_loop().create_task(self._load(deployed))
            task.add_done_callback(lambda _: self._finding.pop(version, None))
        return task

    async def _load(self, deployed: Deployed) -> None:
        """What keeps it from being loaded its events will say."""
        function = deployed.function
        if self._stopping or await self._gate.refusal():
            return
        code = await self._read(function.version)
        if code is None:
            return
        lent = await self._pool.lend(deployed.key, code)
        if isinstance(lent, Invocation):
            return
        self._found[function.version] = tuple(sorted(lent.held.runner.handlers))
        self._pool.give_back(lent)
        self._news = True
        for instance, each in self._deployed.items():
            if each.function.version == function.version:
                self._deployed[instance] = each._replace(function=self._completed(each.function))

    def _completed(self, function: DeployedFunction) -> DeployedFunction:
        return replace(function, handlers=self._found[function.version])

    async def _read(self, version: str) -> str | None:
        """None if it can't be had now; a version that is gone with its function has no instances for long."""
        code = self._code.known(version)
        if code is not None:
            return code
        try:
            return await asyncio.to_thread(self._code.read, version)
        except SQLAlchemyError as error:
            log.error("code of a function can't be read", version=version, error=str(error))
            return None

    async def _warm(self) -> None:
        """Have a spare process."""
        with suppress(Lost):  # the first call will say what is wrong
            await self._pool.warm()

    def _as_deployed(self, function: DeployedFunction, workspace_id: str) -> Deployed:
        former = self._deployed.get(function.instance)
        if former is not None and former.function == function:
            return former
        self._owners[function.instance] = (workspace_id, function.id)
        secrets = [function.settings[name] for name in function.sensitive if name in function.settings]
        slots = asyncio.Semaphore(AT_ONCE) if former is None else former.slots
        return Deployed(function, workspace_id, Masking(secrets), slots)


def _waits(why: str, seconds: float) -> Invocation:
    return Invocation(ending=Ending(Kind.TOO_MANY_REQUESTS, why, seconds))
