"""Deletions at this process's destinations (spec §16.1): forget what is kept for them, then tell the tools.

For each destination in turn: payloads that wait for a retry, discards and samples are removed from the store,
then the tool is told of one person after the other, several at a time, and what fails is tried again by the
destination's own policy of retries. Which part is done stands in the configuration's database
(`onward.workspace.erasure`), and moves on after each answer.

What if the process dies here? What was answered and not yet written down is asked of the tool again, which
forgets nobody twice; everything else goes on where it was.
"""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from random import Random
from typing import Any, NamedTuple

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from onward.delivery.deletion_steps import Attempt, Key, Steps, Work
from onward.delivery.erase_log import LogErasure
from onward.delivery.erasures import Erasures
from onward.delivery.functions.host import Functions
from onward.delivery.loop import DestinationLoop
from onward.delivery.plan import find_definition
from onward.delivery.retry import next_attempt
from onward.delivery.state.protocol import StateStore
from onward.destinations.catalog import Catalogue, UnknownDestinationError
from onward.destinations.definition import Call, Definition, Runtime
from onward.destinations.outcome import Outcome, discarded, retry
from onward.egress.http import Client
from onward.eventlog.protocol import LogEraser
from onward.pipeline import timestamps
from onward.pipeline.types import Event
from onward.workspace.erasure import Erasure
from onward.workspace.snapshot import Destination, Snapshot

log = structlog.get_logger()

LOOK_EVERY = 0.5
CONCURRENCY = 8
"""People that one tool is told of at a time."""
AT_A_TIME = 16
"""Destinations that are worked on at once."""
GRACE = 5.0
"""Seconds beyond the policy's timeout."""


class Surroundings(NamedTuple):
    """What the process has that deletions work with."""

    snapshot: Callable[[], Snapshot]
    owns: Callable[[str], bool]
    loops: Mapping[str, DestinationLoop]
    store: StateStore
    catalogue: Catalogue
    http: Client
    runtime: Runtime | None
    dice: Random
    cleared: Callable[[], None]
    """Called when more people are being deleted: what is decoded may hold them."""
    commit: Callable[[], Awaitable[None]]
    """Write down what has happened at destinations up to now; returns when that is durable."""
    functions: Functions | None = None


class Deletions:
    def __init__(
        self, engine: Engine, erasures: Erasures, process: Surroundings, eraser: LogEraser | None
    ) -> None:
        """`eraser` is for one process of all: the one that rewrites the log."""
        self._steps = Steps(engine)
        self._erasures = erasures
        self._process = process
        self._log = (
            LogErasure(eraser, self._steps.log_is_erased, process.store.erase_attempts) if eraser else None
        )
        self._tasks: dict[Key | None, asyncio.Task[None]] = {}
        """By target; None is the log's."""

    async def run(self) -> None:
        try:
            while True:
                try:
                    await self.step()
                except (SQLAlchemyError, sqlite3.Error) as error:
                    log.error("deletions can't be read; trying again", error=str(error))
                await asyncio.sleep(LOOK_EVERY)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def look(self) -> Work:
        """What there is to do. From now on, no event of anybody who is being deleted is read."""
        work = await asyncio.to_thread(self._steps.look, _now())
        if self._erasures.update(work.erasures, work.workspaces):
            self._process.cleared()
        return work

    async def step(self) -> None:
        """Look what there is to do, and have it begun."""
        work = await self.look()
        self._begin_log(work)
        by_id = {each.id: each for each in work.erasures}
        for key in work.targets:
            if len(self._tasks) > AT_A_TIME:
                break
            if key not in self._tasks and self._process.owns(key.destination_id):
                self._begin(key, self._target(key, by_id[key.regulation_id]))

    def _begin_log(self, work: Work) -> None:
        due = [each for each in work.erasures if not each.log_erased]
        if self._log is not None and due and None not in self._tasks:
            self._begin(None, self._log.run(due, work.workspaces))

    def _begin(self, key: Key | None, work: Coroutine[Any, Any, None]) -> None:
        async def reported() -> None:
            try:
                await work
            except Exception:
                log.exception("deletion goes on later", target=key)
            finally:
                self._tasks.pop(key, None)

        self._tasks[key] = asyncio.get_running_loop().create_task(reported())

    # One destination

    async def _target(self, key: Key, erasure: Erasure) -> None:
        state = await asyncio.to_thread(self._steps.start, key)
        if state is None:
            return
        if not state.purged:
            if not await self._purge(key.destination_id, erasure):
                return  # the rest is with a destination or a function, and will be back soon
            await asyncio.to_thread(self._steps.purged, key, _now())
        if not state.forwards:
            return
        destination = self._process.snapshot().destination_by_id.get(key.destination_id)
        refusal = self._refusal(destination)
        if refusal is not None:
            await asyncio.to_thread(self._steps.refused, key, *refusal, _now())
            return
        assert destination is not None
        while attempts := await asyncio.to_thread(self._steps.next, key, _now(), CONCURRENCY):
            outcomes = await asyncio.gather(*(self._tell(destination, each) for each in attempts))
            now = time.time()
            results = [
                self._settled(destination, attempt, outcome, now)
                for attempt, outcome in zip(attempts, outcomes, strict=True)
            ]
            await asyncio.to_thread(self._steps.told, key, results, int(now * 1000))
        await asyncio.to_thread(self._steps.end, key, _now())

    async def _purge(self, destination_id: str, erasure: Erasure) -> bool:
        """Forget what is kept for a destination; False if there may be more, so this is to be done again.

        First what is in memory; then what was there is committed, or has been; then what is in the store.
        In this order nothing can come into a place that was looked through before.
        """

        def is_of(user_id: Any, received_at: int) -> bool:
            return type(user_id) is str and user_id in erasure.users and received_at <= erasure.before

        store, loop = self._process.store, self._process.loops.get(destination_id)
        gone = loop is None or await loop.let_go()
        await self._process.commit()
        held = await asyncio.to_thread(store.held, destination_id, is_of)
        if held and loop is not None:
            return await loop.erase(held) and gone
        if held:
            await asyncio.to_thread(store.erase, destination_id, held, time.time())
        return gone

    def _refusal(self, destination: Destination | None) -> tuple[str, str] | None:
        """Status and reason, if a tool can't be told of anybody."""
        if destination is None:
            return "FAILED", "the destination was deleted before its tool was told"
        definition = self._definition(destination)
        if definition is None:
            return "FAILED", f"the catalogue has no {destination.definition} any more"
        if definition.on_delete is None:
            return "NOT_SUPPORTED", f"{definition.name} has no way to delete people; delete them there"
        return None

    def _definition(self, destination: Destination) -> Definition | None:
        try:
            return find_definition(destination, self._process.catalogue, self._process.functions)
        except UnknownDestinationError:
            return None

    async def _tell(self, destination: Destination, attempt: Attempt) -> Outcome:
        """Never raises."""
        definition = self._definition(destination)
        assert definition is not None and definition.on_delete is not None
        timeout = destination.policy.timeout
        call = Call(
            settings=destination.settings,
            http=self._process.http,
            timeout=timeout,
            workspace_id=destination.workspace_id,
            source_id=destination.source_id,
            destination_id=destination.id,
            events=[delete_event(destination, attempt.user_id, attempt.asked_at)],
            runtime=self._process.runtime,
            subscriptions=[each for each in destination.subscriptions if each.enabled],
        )
        try:
            async with asyncio.timeout(timeout + GRACE):
                return await definition.on_delete(call, attempt.user_id, None)
        except TimeoutError:
            return retry("ETIMEDOUT", f"no answer within {timeout:g} s")
        except Exception as error:
            log.exception("deletion failed", destination=destination.id)
            return discarded("INTERNAL", f"{type(error).__name__}: {error}")

    def _settled(
        self, destination: Destination, attempt: Attempt, outcome: Outcome, now: float
    ) -> tuple[Attempt, Outcome]:
        """The attempt as it now stands, with the time of the next; a final outcome if there is none."""
        made = msgspec.structs.replace(
            attempt,
            attempt=attempt.attempt + 1,
            deadline=attempt.deadline or now + destination.policy.retry_window,
        )
        if outcome.kind != "retry":
            return made, outcome
        luck = self._process.dice.random()
        due = next_attempt(destination.policy, made.attempt, made.deadline, now, outcome.retry_after, luck)
        if due is None:
            why = f"given up after {made.attempt} attempts: {outcome.message}"
            return made, discarded(outcome.code, why)
        return msgspec.structs.replace(made, due_at=due), outcome


def delete_event(destination: Destination, user_id: str, at: int) -> Event:
    """What Segment makes of a deletion (spec §4.4)."""
    time = timestamps.render(at)
    id = uuid.uuid5(uuid.NAMESPACE_OID, f"{destination.id}/{user_id}/{at}")  # the same for each attempt
    return {
        "type": "delete",
        "channel": "server",
        "messageId": f"delete-{id}",
        "projectId": destination.source_id,
        "userId": user_id,
        "context": {},
        "integrations": {},
        "receivedAt": time,
        "sentAt": time,
        "originalTimestamp": time,
        "timestamp": time,
        "version": 2,
    }


def _now() -> int:
    return int(time.time() * 1000)
