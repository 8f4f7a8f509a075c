"""`Bridge`: the `Runtime` of the catalogue's destinations, on one worker that is replaced when it fails.

Invariants:
- All calls run in one worker, next to each other. Where that ends by a fault of its own, or is ended because
  it no longer answers, the calls that were under way run again, each alone in a worker (`trials.py`): they
  end there with their results, except the one that does it. So a poison event costs itself only.
- A call takes as long as its action may, and no longer; then, or when whoever waits for it goes away, it ends
  here, and it can make no more requests.
- A worker that has grown gets no more calls, and ends when those under way have; a new one takes over.
- A worker is started when there is a call for it; one that dies again and again, after a growing pause.

What if this process dies here? The workers die with it. Nothing of theirs is needed again but OAuth tokens,
which are in a file (`tokens.py`); calls under way are the engine's to repeat.
"""

import asyncio
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from onward.destinations.bridge.credentials import Credentials
from onward.destinations.bridge.errors import (
    ActionFailed,
    BridgeError,
    CallTimedOut,
    WorkerLost,
    is_unauthorized,
)
from onward.destinations.bridge.install import cache_folder
from onward.destinations.bridge.sandbox import Limits
from onward.destinations.bridge.secrets import worker_environment
from onward.destinations.bridge.tokens import TokenStore
from onward.destinations.bridge.trials import Trials
from onward.destinations.bridge.worker import Answer, Configuration, Worker
from onward.destinations.definition import Call, Json
from onward.settings import Settings
from onward.workspace.keyring import load_cipher

log = structlog.get_logger("onward.catalogue")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 15.0
"""Seconds before a worker is started after one has died: doubled with every death in a row."""
GOOD_LIFE = 10.0
"""Seconds after which a death is no longer one in a row."""
UNAUTHORIZED = 401


class Bridge:
    """For one event loop. `close` it."""

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str] = os.environ,
        tokens: TokenStore | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`folder`: where the catalogue is installed. `environment`: Onward's own, for partner secrets.
        Without `tokens`, access tokens that were refreshed are kept in memory only."""
        self.limits = limits or Limits()
        self.deaths = 0
        """Workers that ended without being asked to."""
        self._folder = folder.absolute()
        self._environment = worker_environment(environment, cache_folder(self._folder))
        self._credentials = Credentials(tokens, self._refresh)
        self._trials = Trials(lambda: self._start(self._forget))
        self._worker: Worker | None = None
        self._workers: set[Worker] = set()
        self._starting = asyncio.Lock()
        self._pause = 0.0
        self._closed = False

    @classmethod
    def of(cls, settings: Settings) -> "Bridge":
        """On the catalogue and the data folder that the settings name. Raises `SecretError`."""
        return cls(settings.catalog_folder, tokens=TokenStore(settings.data, load_cipher(settings)))

    @property
    def pid(self) -> int | None:
        """Of the worker, while there is one."""
        return self._worker.pid if self._worker else None

    async def run(self, operation: str, destination: str, arguments: Json, call: Call) -> Answer:
        """`arguments` are those of the worker's operation, with `limit` (seconds for all of it), `oauth` and
        `refreshes` (see `actions.Bridged`). Raises `BridgeError`, or `Unencodable`."""
        arguments = {**arguments, "directory": destination}
        limit: float = arguments.pop("limit")
        oauth, refreshes = arguments.pop("oauth"), arguments.pop("refreshes")
        try:
            async with asyncio.timeout(limit):
                if not oauth:
                    return await self._run(operation, self._credentials.plain(call), arguments, call)
                return await self._run_signed(operation, arguments, call, refreshes)
        except TimeoutError:
            raise CallTimedOut(f"{destination} did not finish within {limit:g} s") from None

    async def close(self) -> None:
        """End the workers; calls under way end with `WorkerLost`."""
        self._closed = True
        await self._trials.close()
        await asyncio.gather(*(worker.close() for worker in list(self._workers)))
        self._credentials.close()

    def forget(self, destination_id: str) -> None:
        """A destination was deleted: with it go its tokens."""
        self._credentials.forget(destination_id)

    # Signed in

    async def _run_signed(self, operation: str, arguments: Json, call: Call, refreshes: bool) -> Answer:
        """A call with an access token; with a new one, once, if the tool refuses that."""
        configuration = self._credentials.signed(call)
        failed: list[int] = []
        try:
            answer = await self._run(operation, configuration, arguments, call)
            refused = operation == "choices" and _is_refused_page(answer.result)
            if operation == "perform" and isinstance(answer.result, list):
                failed = [place for place, node in enumerate(answer.result) if _is_refused(node)]
            if not (failed or refused) or not refreshes:
                return answer
        except ActionFailed as error:
            if not (refreshes and is_unauthorized(error.failure)):
                raise
        directory = arguments["directory"]
        configuration = await self._credentials.renewed(directory, call, configuration)
        payloads = arguments.get("payloads", ())
        if not failed or len(failed) == len(payloads) or len(answer.result) == 1:
            return await self._run(operation, configuration, arguments, call)
        # Only those that were refused: the others have been delivered.
        again = {key: [arguments[key][place] for place in failed] for key in ("payloads", "events")}
        second = await self._run(operation, configuration, {**arguments, **again}, call)
        nodes = list(answer.result)
        repeated = second.result * len(failed) if len(second.result) == 1 else second.result
        for place, node in zip(failed, repeated, strict=True):
            nodes[place] = node
        return Answer(nodes, True, second.after)

    async def _refresh(self, directory: str, configuration: Configuration, call: Call) -> Any:
        return (await self._run("refresh", configuration, {"directory": directory}, call)).result

    # Workers

    async def _run(self, operation: str, configuration: Configuration, arguments: Json, call: Call) -> Answer:
        if self._trials.wanted(arguments, call):
            return await self._trials.run(operation, configuration, arguments, call)
        worker = self._worker
        if worker is None or worker.retired or not worker.alive:
            worker = await self._main()
        try:
            return await worker.call(operation, configuration, arguments, call)
        except WorkerLost as lost:
            if self._closed or not lost.own_doing or operation != "perform":
                raise
            return await self._trials.run(operation, configuration, arguments, call)

    async def _main(self) -> Worker:
        """The worker for new calls. Raises `WorkerLost` if there can be none."""
        async with self._starting:
            worker = self._worker
            if worker is not None and worker.alive and not worker.retired:
                return worker
            if self._pause:
                await asyncio.sleep(self._pause * random.uniform(0.5, 1))  # noqa: S311
            try:
                began = asyncio.get_running_loop().time()
                worker = await self._start(lambda lost: self._main_lost(lost, began))
            except WorkerLost:
                self._lengthen_pause()
                raise
            self._worker = worker
            return worker

    async def _start(self, lost: Callable[[Worker], None]) -> Worker:
        if self._closed:
            raise WorkerLost("Onward is stopping", own_doing=False)
        worker = await Worker.start(self._folder, self._environment, self.limits, lost, self._grown)
        self._workers.add(worker)
        if not worker.alive:
            self._workers.discard(worker)
        return worker

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        if not (self._closed or worker.left):
            self.deaths += 1

    def _main_lost(self, worker: Worker, began: float) -> None:
        self._forget(worker)
        if worker is self._worker:
            self._worker = None
        if self._closed or worker.left:
            return
        if asyncio.get_running_loop().time() - began > GOOD_LIFE:
            self._pause = 0.0
        self._lengthen_pause()

    def _lengthen_pause(self) -> None:
        self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * self._pause))

    def _grown(self, worker: Worker) -> None:
        log.info("catalogue worker has grown: another takes over", pid=worker.pid)
        if worker is self._worker:
            self._worker = None
        worker.retire()


def _is_refused(node: Any) -> bool:
    """Whether it is a node that says 401."""
    if not isinstance(node, dict):
        return False
    error = node.get("error")
    return (error if isinstance(error, dict) else node).get("status") == UNAUTHORIZED


def _is_refused_page(result: Any) -> bool:
    """Whether it is a page of choices that came to nothing by a 401."""
    error = result.get("error") if isinstance(result, dict) else None
    return isinstance(error, dict) and str(error.get("code")) == str(UNAUTHORIZED)


__all__ = ["Bridge", "BridgeError", "Limits"]
