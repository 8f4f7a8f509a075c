"""The delivery process: a share of the destinations, each with its loop, over one log, store and client.

Which process owns a destination is a function of its id alone, so processes need not talk; the supervisor
sees to it that two of the same index never run at once. What if it dies: see `loop.py` for what is in
flight; everything else is in the store or the log.

The cyclic garbage collector would walk every decoded event again and again (two thirds of the time of a
busy process), and nothing on the road makes cycles: it is off, and run by hand when there is little to do.
"""

import asyncio
import gc
import random
import signal
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import structlog
import uvloop

from onward import eventlog
from onward.delivery import redrive
from onward.delivery.deletions import Deletions, Surroundings
from onward.delivery.erasures import Erasures
from onward.delivery.follower import SourceLog
from onward.delivery.functions.host import Functions
from onward.delivery.loop import DestinationLoop
from onward.delivery.plan import Plan
from onward.delivery.state.protocol import Changes
from onward.delivery.state.sqlite import SqliteStateStore
from onward.destinations.bridge.host import Bridge
from onward.destinations.catalog import UnknownDestinationError, open_catalogue
from onward.egress.client import HttpClient
from onward.eventlog.cache import DecodeCache
from onward.eventlog.protocol import Position, Record
from onward.eventlog.record import decode
from onward.metering.counting import Counting
from onward.metering.functions import FunctionMeter, FunctionStore, quotas_of
from onward.metering.meter import Meter
from onward.metering.store import UsageStore
from onward.pipeline.normalise import Undecodable, normalise
from onward.pipeline.types import Event
from onward.roles import Heartbeat, role_of
from onward.settings import Settings
from onward.workspace.database import open_engine
from onward.workspace.function_code import DeployedCode
from onward.workspace.snapshot import Destination, Source
from onward.workspace.watch import SnapshotWatcher

log = structlog.get_logger()

TAIL_EVERY = 0.005
"""Seconds between looks at the log's tail."""
CONFIGURATION_EVERY = 0.25
COMMIT_EVERY = 0.02
"""Seconds between commits of the state: what may be repeated after a crash was answered within these."""
HEARTBEAT_EVERY = 5.0
DOWN = 60.0
"""Seconds without a heartbeat from which deadlines are moved: our own absence is no destination's fault."""
CONNECTIONS = 10_000
"""To one origin: the highest concurrency that a destination may have."""
PRUNE_EVERY = 600.0
CACHE_EACH = 64 << 10
"""Bytes of decoded records kept for each destination, up to `CACHE_MOST`: what is kept longer than the
processor's caches hold it costs a third of the time to let go of."""
CACHE_MOST = 2 << 20
COUNTERS_KEPT = 31 * 24 * 3600.0


def run(settings: Settings, index: int, count: int) -> None:
    """Deliver to the destinations of share `index` of `count`, until SIGTERM or SIGINT."""
    gc.disable()
    uvloop.run(DeliveryProcess(settings, index, count).run())


def owner(destination_id: str, count: int) -> int:
    """The index of the process that owns a destination."""
    return zlib.crc32(destination_id.encode()) % count


def read_events(record: Record) -> list[Event | Undecodable]:
    """Raises `CorruptRecord`."""
    return normalise(*decode(record.body), record.count)


class DeliveryProcess:
    def __init__(self, settings: Settings, index: int, count: int) -> None:
        self._settings = settings
        self._index = index
        self._count = count
        self._reader = eventlog.open_reader(settings.data)
        self._erasures = Erasures()
        self._cache = DecodeCache(self._reader, self._read_events)
        self._store = SqliteStateStore(settings.data)
        self._snapshots = SnapshotWatcher.open(settings)
        self._catalogue = open_catalogue(settings.catalog_folder)
        # Every destination has a concurrency of its own: one must not use up another's on the same host.
        self._http = HttpClient.of(settings, per_origin=CONNECTIONS)
        self._bridge = Bridge.of(settings)
        self._loops: dict[str, DestinationLoop] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        """Loops of deleted destinations that wait for their last requests."""
        self._unknown: set[str] = set()
        """Destinations without a loop, as the catalogue has not what they are."""
        self._committing = asyncio.Lock()
        self._dirty: set[str] = set()
        self._has_dirty = asyncio.Event()
        self._heads: dict[str, Position] = {}
        self._dice = random.SystemRandom()
        self._function_books = FunctionStore(settings.data)
        self._function_meter = FunctionMeter(
            self._function_books, lambda: quotas_of(settings, self._snapshots.current)
        )
        self._functions = Functions(
            DeployedCode(open_engine(settings)),
            self._http,
            trusted=settings.functions_trusted,
            locked_out=self._function_meter.locked_out,
        )
        self._usage = UsageStore(settings.data)
        self._meter = Meter(self._usage, self._cache, lambda source_id: owner(source_id, count) == index)
        self._counting = Counting(
            self._meter, self._usage, lambda: self._heads, lambda: self._snapshots.current
        )
        self._deletions = Deletions(
            open_engine(settings),
            self._erasures,
            Surroundings(
                snapshot=lambda: self._snapshots.current,
                owns=lambda destination_id: owner(destination_id, count) == index,
                loops=self._loops,
                store=self._store,
                catalogue=self._catalogue,
                http=self._http,
                runtime=self._bridge,
                dice=self._dice,
                cleared=self._cache.clear,
                commit=lambda: asyncio.shield(self._commit()),
                functions=self._functions,
            ),
            eventlog.open_eraser(settings.data) if index == 0 else None,
        )

    def _read_events(self, record: Record) -> list[Event | Undecodable]:
        """Raises `CorruptRecord`."""
        events = read_events(record)
        return self._erasures.apply(record.source_id, record.received_at, events)

    async def run(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stop.set)
        heartbeat = Heartbeat(self._settings.data, role_of(self._index), loop)
        heartbeat.functions = self._functions.report
        heartbeat.start()
        self._forget_deleted()
        self._count_downtime()
        await self._deletions.look()  # Before anything is read from the log.
        await self._configure()
        chores = [
            loop.create_task(chore)
            for chore in (
                self._tail(),
                self._watch(),
                self._commit_forever(),
                self._keep_house(heartbeat),
                self._deletions.run(),
                redrive.forever(self._store, self._loops),
                self._counting.run(),
            )
        ]
        log.info("delivering", index=self._index, of=self._count, destinations=len(self._loops))
        gc.collect()
        gc.freeze()
        stopped = loop.create_task(stop.wait())
        done, _ = await asyncio.wait([stopped, *chores], return_when=asyncio.FIRST_COMPLETED)
        await self._drain(chores)
        heartbeat.stop()
        for task in done - {stopped}:
            task.result()  # A chore never ends by itself: say why it did, and let the supervisor restart us.

    async def _drain(self, chores: list[asyncio.Task[None]]) -> None:
        """Finish what is in flight, write it down, and go."""
        self._functions.stop()
        await asyncio.gather(*(loop.stop() for loop in self._loops.values()))
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, *self._tasks.values(), *self._ending, return_exceptions=True)
        self._dirty.update(self._loops)
        await self._commit()
        await self._functions.close()
        await self._bridge.close()
        await self._http.close()
        self._store.heartbeat(time.time())
        with _reported("counting what functions used"):
            self._function_meter.take(self._functions.take_used())
            self._function_meter.flush(int(time.time() * 1000))
        self._function_books.close()
        with _reported("counting"):
            await self._counting.commit()
        self._usage.close()
        self._store.close()
        self._reader.close()

    def _forget_deleted(self) -> None:
        """What was deleted while nobody delivered, or shortly before a crash, leaves nothing behind."""
        kept = self._snapshots.current.destination_by_id
        for id in self._store.totals():
            if id not in kept and owner(id, self._count) == self._index:
                self._store.forget(id)
                self._bridge.forget(id)

    def _count_downtime(self) -> None:
        shifted = self._store.shift_for_downtime(
            [
                destination.id
                for destination in self._snapshots.current.destinations
                if owner(destination.id, self._count) == self._index
            ],
            time.time(),
            DOWN,
        )
        if shifted:
            log.info("was away: deadlines of retries moved", seconds=shifted)

    # Configuration

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CONFIGURATION_EVERY)
            try:
                changed = self._snapshots.refresh()
            except Exception:
                log.exception("the new configuration can't be read; going on with the one at hand")
                continue
            if changed or self._functions.take_news():
                await self._configure()

    async def _configure(self) -> None:
        """Start, update and end loops, so that they are those of the snapshot."""
        snapshot = self._snapshots.current
        mine = {
            destination.id: self._functions.completed(destination)
            for destination in snapshot.destinations
            if owner(destination.id, self._count) == self._index
        }
        self._functions.configure(mine.values())
        for gone in self._loops.keys() - mine.keys():
            end = self._end(gone, self._loops.pop(gone), self._tasks.pop(gone))
            ending = asyncio.get_running_loop().create_task(end)
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        for gone in self._unknown - mine.keys():
            await self._forget(gone)
        self._unknown &= mine.keys()
        for destination in mine.values():
            with _named(destination, self._unknown):
                self._begin_or_update(destination)
        self._cache.max_bytes = min(CACHE_MOST, CACHE_EACH * (1 + len(self._loops)))
        log.debug("configured", version=snapshot.version, destinations=len(self._loops))

    def _begin_or_update(self, destination: Destination) -> None:
        source = self._snapshots.current.source_by_id.get(destination.source_id)
        running = self._loops.get(destination.id)
        if running is not None:
            if not running.plan.is_of(destination, source):
                running.update(self._plan(destination, source))
            return
        if not destination.active:
            return
        start = self._reader.seek(destination.source_id, destination.active[0][0])
        state = self._store.open_destination(destination.id, start)
        with _reported("counting"):
            self._meter.open(destination.source_id)
        source_log = SourceLog(
            destination.source_id,
            self._cache,
            lambda: self._heads.get(destination.source_id, Position()),
            lambda received_at: self._reader.seek(destination.source_id, received_at),
            self._meter.see,
        )
        loop = DestinationLoop(
            self._plan(destination, source),
            state,
            source_log,
            self._store,
            self._http,
            lambda: self._changed(destination.id),
            self._dice,
            self._bridge,
            partial(self._erasures.covers, destination.source_id),
            self._functions,
        )
        self._loops[destination.id] = loop
        self._tasks[destination.id] = asyncio.get_running_loop().create_task(loop.run())

    def _plan(self, destination: Destination, source: Source | None) -> Plan:
        return Plan.of(destination, source, self._catalogue, self._snapshots.current.version, self._functions)

    async def _end(self, destination_id: str, loop: DestinationLoop, task: "asyncio.Task[None]") -> None:
        """A destination was deleted: with it goes all that is known of it.

        Its requests under way may take their time; nobody else waits for them.
        """
        await loop.stop()
        await task
        await self._forget(destination_id)

    async def _forget(self, destination_id: str) -> None:
        with _reported("forgetting a deleted destination"):  # the next start does, if this fails
            async with self._committing:
                await asyncio.to_thread(self._store.forget, destination_id)
                self._bridge.forget(destination_id)

    # The log's tail

    async def _tail(self) -> None:
        while True:
            if self._cache.changed():
                heads = self._reader.heads()
                moved = {source for source, head in heads.items() if self._heads.get(source) != head}
                self._heads = heads
                for loop in self._loops.values():
                    if loop.plan.destination.source_id in moved:
                        loop.wake()
            await asyncio.sleep(TAIL_EVERY)

    # The state

    def _changed(self, destination_id: str) -> None:
        self._dirty.add(destination_id)
        self._has_dirty.set()

    async def _commit_forever(self) -> None:
        while True:
            await self._has_dirty.wait()
            await asyncio.sleep(COMMIT_EVERY)
            self._has_dirty.clear()
            # A stop must not cut a commit off: what it holds would be missing below the cursor of the next.
            await asyncio.shield(self._commit())

    async def _commit(self) -> None:
        async with self._committing:
            await self._commit_changes()

    async def _commit_changes(self) -> None:
        loops = [self._loops[id] for id in self._dirty if id in self._loops]
        self._dirty.clear()
        taken: list[tuple[DestinationLoop, Changes]] = []
        for loop in loops:
            changes = loop.take_changes()
            if changes is not None:
                taken.append((loop, changes))
        if not taken:
            return
        rows = [(loop.plan.destination.id, changes) for loop, changes in taken]
        while True:
            try:
                await asyncio.to_thread(self._store.commit, rows, time.time())
                break
            except sqlite3.Error as error:
                # A full disk, say. Nothing is lost meanwhile: the windows fill up, and reading stops.
                log.error("state can't be written; trying again", error=str(error))
                await asyncio.sleep(1.0)
        for loop, changes in taken:
            loop.committed(changes)

    async def _keep_house(self, heart: Heartbeat) -> None:
        pruned_at = 0.0
        while True:
            now = time.time()
            heart.catalogue_deaths = self._bridge.deaths
            if self._functions.report() is not None:
                self._function_meter.take(self._functions.take_used())
                with _reported("counting what functions used"):
                    await asyncio.to_thread(self._function_meter.flush, int(now * 1000))
            with _reported("heartbeat"):
                await asyncio.to_thread(self._store.heartbeat, now)
            if self._index == 0 and now - pruned_at > PRUNE_EVERY:
                pruned_at = now
                discards_before = int((now - self._settings.discard_retention_hours * 3600) * 1000)
                with _reported("pruning"):
                    await asyncio.to_thread(
                        self._store.prune, discards_before, int((now - COUNTERS_KEPT) * 1000)
                    )
                    await asyncio.to_thread(self._usage.prune, int(now * 1000))
            gc.collect(1)
            await asyncio.sleep(HEARTBEAT_EVERY)


@contextmanager
def _named(destination: Destination, unknown: set[str]) -> Iterator[None]:
    """One destination that can't be set up must not keep the others from running.

    If the catalogue has not what it is, it is one of the `unknown`, and its cursor stays where it is: its
    events are pending until there is.
    """
    try:
        yield
    except UnknownDestinationError as error:
        if destination.id in unknown:
            return  # as was said before
        unknown.add(destination.id)
        log.warning(
            "destination waits, its events are pending",
            destination=destination.id,
            name=destination.name,
            reason=str(error),
        )
    except Exception:
        log.exception("destination can't be set up", destination=destination.id, name=destination.name)


@contextmanager
def _reported(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        log.error(f"{what} failed", error=str(error))
