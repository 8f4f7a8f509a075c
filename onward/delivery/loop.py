"""One destination: read its source's log, route, batch, send, settle.

One task reads and decides (`run`); requests go out from up to `policy.concurrency` workers. What is in
memory is bounded by a window of open events, and let go of when the destination is paused: the log still
has it.

What if the process dies here? Everything since the last commit of `Changes` is forgotten and read again
from the stored cursor (`ledger.py`), and the payloads in the store are due again. Requests that were
answered but not yet committed are repeated: never more than the window, in practice what was answered in
the last few milliseconds.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import chain
from random import Random

import msgspec
import structlog

from onward.delivery.batcher import Batcher
from onward.delivery.breaker import Breaker
from onward.delivery.follower import Follower, SourceLog
from onward.delivery.functions.host import Functions
from onward.delivery.functions.stage import pass_through
from onward.delivery.item import Batch, Item, Label, Labels
from onward.delivery.ledger import Ledger, untouched
from onward.delivery.limiter import RateLimiter
from onward.delivery.parking import Parking
from onward.delivery.plan import Plan
from onward.delivery.samples import EXCHANGES, Sampler
from onward.delivery.sender import each, send, without_secrets
from onward.delivery.settle import Settler, nobody
from onward.delivery.state.protocol import (
    Changes,
    DestinationState,
    Discard,
    Held,
    Parked,
    StateStore,
    Whose,
)
from onward.destinations.definition import Call, Runtime
from onward.destinations.outcome import DELIVERED, Outcome
from onward.egress.http import Client
from onward.egress.record import Recorder
from onward.metering.fates import Redrive

log = structlog.get_logger()

READ = 4
"""Records read at a time: few decoded records alive keep memory flat and the caches warm."""
PROBE_RECORDS = 50
PROBE_EVENTS = 500
"""How far ahead an event to probe with is looked for."""
INSERTED = 64
"""Events that go to the insert function together."""
WINDOW = 10_000
"""Open events of a destination at most, or three of its batches."""
JOINING = 5.0
"""Seconds after which a bulk batch goes out whose last items should have joined it, as they make it due."""
TOO_MANY = "429"
"""The code of who sends too much, whatever it is: its Retry-After holds for all that the destination gets."""
NOT_ALONE = 3
"""Failures in a row from which any other Retry-After does, too. Fewer may be of one event or address, which
must not keep the others waiting."""
LONGEST_PAUSE = 3600.0
"""Seconds; a Retry-After beyond it only holds back its own payloads."""


MENDS = ("settings", "subscriptions", "function", "inserted")
"""What of a destination may bring it back when it is changed."""


class DestinationLoop:
    def __init__(
        self,
        plan: Plan,
        state: DestinationState,
        source: SourceLog,
        store: StateStore,
        http: Client,
        changed: Callable[[], None],
        dice: Random,
        runtime: Runtime | None = None,
        forgotten: Whose = nobody,
        functions: Functions | None = None,
    ) -> None:
        """`changed` is called when there may be something to commit; `forgotten` tells who is being
        deleted; `functions` has the insert function."""
        policy = plan.destination.policy
        self.plan = plan
        self._store = store
        self._http = http
        self._runtime = runtime
        self._functions = functions
        self._dice = dice
        self._changed = changed
        self._labels = Labels()
        self._ledger = Ledger(state.cursor)
        self._settler = Settler(policy, forgotten)
        self._follower = Follower(source, self._ledger, self._settler, self._labels)
        self._parking = Parking(store, plan.destination.id, state.next_due)
        self._batcher = Batcher(policy)
        self._limiter = RateLimiter(policy.rate_limit)
        self._breaker = Breaker(dice, state.breaker_opened_at)
        self._sampler = Sampler(changed)
        self._redriving: set[int] = set()
        """Discards that are sent again, until what became of them is committed."""
        self._ready: deque[Batch] = deque()
        self._held: list[Item] = []
        """Unsent items that outlast a pause: other items of their records have had their outcome."""
        self._under_way: dict[int, list[Item]] = {}
        """Items that a destination or the insert function has been given, by the id of what holds them."""
        self._workers: set[asyncio.Task[None]] = set()
        self._resume_at = 0.0
        """Not before this: the destination asked to be left alone (Retry-After)."""
        self._largest_batch = 1
        self._probe_parked = False
        """Whether the last probe was of a parked payload."""
        self._probed: set[Label] = set()
        """Kinds of events that were probed with since the breaker opened."""
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    # What the process calls

    def wake(self) -> None:
        """There may be something to do: records were appended, or changes were committed."""
        self._wake.set()

    def update(self, plan: Plan) -> None:
        """Go on with a new configuration. Payloads that are already mapped stay as they are (spec §2)."""
        before, after = self.plan.destination, plan.destination
        policy = after.policy
        if policy.rate_limit != before.policy.rate_limit:
            self._limiter = RateLimiter(policy.rate_limit)
        if any(getattr(after, name) != getattr(before, name) for name in MENDS):
            self._resume_at = 0.0  # What asked for the pause, or failed, may be no more.
            self._breaker.probe_now()
        self.plan = plan
        self._settler.policy = self._batcher.policy = policy
        self.wake()

    def take_changes(self) -> Changes | None:
        """What to commit now; `committed` must be called once that is durable."""
        changes = self._settler.changes
        self._ledger.advance(changes)
        changes.samples += self._sampler.take()
        if not changes:
            return None
        self._settler.changes = Changes()
        return changes

    def committed(self, changes: Changes) -> None:
        self._parking.committed(changes)
        self._redriving.difference_update(id for _, id in changes.redriven)
        self.wake()

    @property
    def may_redrive(self) -> bool:
        """Not while the destination takes nothing, nor before what became of the last ones is committed."""
        return self.plan.destination.enabled and not self._breaker.open and not self._redriving

    def redrive(self, wanted: Redrive, discards: Iterable[Discard]) -> None:
        """Send discards again, which were read while that might be."""
        now = time.time()
        for discard in discards:
            if self._settler.is_forgotten(discard):
                continue  # it is being erased
            if wanted.as_it_was and discard.payload and discard.subscription_id:
                items = self._follower.redrive_as_it_was(self.plan, wanted.id, discard)
            else:
                items = self._follower.redrive(self.plan, wanted.id, discard, now)
            self._redriving.add(discard.id)
            self._send_on(items, now)
        self._make_room(now)  # Until these are written down no more are given: a batch would wait in vain.
        self._changed()
        self.wake()

    async def let_go(self) -> bool:
        """Let go of all in memory that is of people who are being deleted; False if some of it is under way.

        What the log or the store still has goes back there, and comes from there without them. If this is
        True, nothing of them is in memory but what is committed next.
        """
        self._retreat()
        self._held, held = [], self._held
        for item in held:
            if self._settler.is_forgotten(item):
                self._settler.let_go(item)
            else:
                self._held.append(item)
        for changes in (self._settler.changes, *self._ledger.unsettled()):
            self._settler.clear(changes)
        self._changed()
        self.wake()
        under_way = any(self._settler.is_forgotten(item) for item in chain(*self._under_way.values()))
        await self._sampler.finish()
        return not under_way

    async def erase(self, found: Held) -> bool:
        """Take out of the store what was found in it; False if some of it is in memory, on its way out."""
        async with self._parking.alone() as claimed:
            free = Held(found.discards, found.parked - claimed, found.samples)
            await asyncio.to_thread(self._store.erase, self.plan.destination.id, free, time.time())
        return not found.parked & claimed

    async def stop(self) -> None:
        """Begin nothing more; wait for the requests in flight."""
        self._stopping.set()
        self.wake()
        if self._workers:
            await asyncio.gather(*self._workers, return_exceptions=True)
        await self._sampler.finish()

    # The road

    async def run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            now = time.time()
            try:
                busy = await self._step(now)
            except Exception:
                log.exception("destination loop", destination=self.plan.destination.id)
                await asyncio.sleep(1.0)
                continue
            if busy:
                await asyncio.sleep(0)
            else:
                await self._rest(now)

    async def _step(self, now: float) -> bool:
        """Do what there is to do now; whether there may be more at once."""
        enabled = self.plan.destination.enabled
        if not enabled or self._breaker.open or now < self._resume_at:
            self._retreat()
            if enabled and now >= self._resume_at and self._breaker.probe_is_due(now):
                await self._probe(now)
            return False
        self._send_on(self._take_held(), now)
        parked = await self._parking.take_due(now)
        for batch in self._batches_of(parked):
            if batch.bulk:
                self._enqueue(batch, now)
            else:
                self._send_on(batch.items, now)
        busy = self._read(now, READ) or bool(parked)
        for batch in self._batcher.due(now):
            self._enqueue(batch, now)
        self._hire(len(self._ready))  # Workers may have left at a pause that is over.
        return busy

    async def _rest(self, now: float) -> None:
        """Until woken, or until the next thing is due."""
        delay = None
        if self.plan.destination.enabled:
            times = [self._resume_at if self._resume_at > now else None]
            if self._breaker.open:
                times.append(None if self._breaker.probing else self._breaker.probe_at)
            else:
                times += [self._batcher.next_due, self._parking.next_due if self._parking.has_room else None]
            first = min((at for at in times if at is not None), default=None)
            delay = None if first is None else max(0.001, first - now)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wake.wait()

    def _read(self, now: float, limit: int) -> bool:
        """Take up to `limit` records from the log; False if there are none, or enough is in memory.

        Nothing is read while something waits for a worker: what is decoded early only crowds the caches.
        Bulk batches leave the window for the store, so no more are made than memory has room for.
        """
        if self._ready or not self._parking.has_room:
            return False
        if self._ledger.open_events >= max(WINDOW, 3 * self._largest_batch):
            if self._ledger.blocked and not self._under_way:
                # By what waits for its batch to fill: that may take long, where few of the events are for it.
                self._make_room(now)
            return False
        items = self._follower.read(self.plan, now, limit)
        if items is None:
            return False
        self._send_on(items, now)
        self._changed()
        return True

    def _make_room(self, now: float) -> None:
        """Let no record wait for a batch to fill."""
        for batch in self._batcher.make_room():
            self._enqueue(batch, now)

    def _send_on(self, items: Iterable[Item], now: float) -> None:
        add = self._batcher.add
        to_insert: list[Item] = []
        for item in items:
            if item.to_insert:
                to_insert.append(item)
                continue
            for batch in add(item, now):
                self._enqueue(batch, now)
        for start in range(0, len(to_insert), INSERTED):
            self._enqueue(Batch(to_insert[start : start + INSERTED], to_insert=True), now)

    def _batches_of(self, parked: list[Parked]) -> list[Batch]:
        """Bulk batches as they were put together, all others one by one; without who is being deleted."""
        batches: dict[int, Batch] = {}
        for held in parked:
            item = Item(
                target=self.plan.target_of(held),
                label=self._labels.get(
                    held.subscription_id, held.event_type, held.event_name, held.app_version
                ),
                payload=held.payload,
                event=held.event,
                message_id=held.message_id,
                received_at=held.received_at,
                record=None,
                parked_id=held.id,
                attempt=held.attempt,
                first_attempt_at=held.first_attempt_at,
                deadline=held.deadline,
                to_insert=held.to_insert,
                inserted=held.inserted,
            )
            if self._settler.is_forgotten(item):
                self._settler.let_go(item)
                self._changed()
                continue
            bulk = bool(held.bulk_id)
            batch = batches.setdefault(held.bulk_id or -held.id, Batch([], bulk, held.bulk_id, complete=bulk))
            batch.items.append(item)
        return list(batches.values())

    def _enqueue(self, batch: Batch, now: float) -> None:
        self._largest_batch = self._parking.largest_batch = max(self._largest_batch, len(batch.items))
        if batch.bulk and not batch.complete:
            due_at = batch.until + JOINING if batch.until else now
            self._settler.hold_bulk(batch.items, batch.bulk_id or secrets.randbits(62), now, due_at)
            self._changed()
            return
        self._ready.append(batch)
        self._hire(1)

    def _hire(self, batches: int) -> None:
        """Workers for so many more batches, up to the concurrency; they leave when nothing is ready."""
        for _ in range(min(batches, self._concurrency - len(self._workers))):
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._left)

    def _left(self, worker: "asyncio.Task[None]") -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            log.error("worker failed", destination=self.plan.destination.id, exc_info=error)
        self.wake()  # Not sooner: whoever wakes has to find the place free.

    async def _work(self) -> None:
        """Send what is ready, as long as the destination takes it."""
        while self._ready and self._may_send() and len(self._workers) <= self._concurrency:
            if self._ready[0].to_insert:
                await self._insert(self._ready.popleft())
                continue
            wait = self._limiter.take(time.time())
            if wait:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._stopping.wait()
                if not self._ready or not self._may_send():
                    break
            await self._deliver(self._ready.popleft())
            if not self._ready:
                self.wake()

    @property
    def _concurrency(self) -> int:
        return self.plan.destination.policy.concurrency

    def _may_send(self) -> bool:
        return not self._stopping.is_set() and not self._breaker.open and time.time() >= self._resume_at

    async def _insert(self, batch: Batch) -> None:
        """Have the insert function called, and send on what it makes of the events."""
        made = await self._inserted(batch.items)
        now = time.time()
        self._send_on(made, now)
        for each_batch in self._batcher.due(now):
            self._enqueue(each_batch, now)
        self.wake()

    async def _inserted(self, items: list[Item]) -> list[Item]:
        """The items that go on. Others have had their outcome, or wait."""
        self._under_way[id(items)] = items
        try:
            passed = await pass_through(self._functions, self.plan, items)
        finally:
            del self._under_way[id(items)]
        now = time.time()
        if passed.waits is not None:
            self._pause(passed.waits, now)
            self._ready.appendleft(Batch(passed.waiting, to_insert=True))
        if passed.ended:
            ended, outcomes = zip(*passed.ended, strict=True)
            masking = self.plan.masking
            self._sampler.look(ended, outcomes, Recorder(self._http, masking, 0), masking, now)
            self._settle(passed.ended, now)
        return passed.made

    def _settle(self, outcomes: Iterable[tuple[Item, Outcome]], now: float) -> None:
        """Of items that were sent together. What of them failed comes again together: a batch that fell
        apart into requests of its own would make an overload worse, and a bulk batch is taken up whole when
        the first of it is due.
        """
        finished = False
        luck = self._dice.random()
        for item, outcome in outcomes:
            finished = self._settler.settle(item, outcome, now, luck) or finished or item.record is None
        if finished:
            self._changed()

    async def _deliver(self, batch: Batch, *, probe: bool = False) -> None:
        recorder = Recorder(self._http, self.plan.masking, EXCHANGES)
        self._under_way[id(batch)] = batch.items
        try:
            outcome = await send(batch, self._call(batch, recorder))
        finally:
            del self._under_way[id(batch)]
        if outcome is not DELIVERED:
            outcome = without_secrets(outcome, self.plan.masking)
        now = time.time()
        opened_at = self._breaker.opened_at
        failed = self._judge(outcome, now)
        if outcome is not DELIVERED:
            outcomes = each(len(batch.items), outcome)
            self._sampler.look(batch.items, outcomes, recorder, self.plan.masking, now)
        if failed and self._breaker.open and not (probe and batch.items[0].record):
            # The destination is down as a whole: this was no attempt of the payloads' own. A new event that
            # was probed with has had its first, though, or it would stand before all others for ever.
            self._ready.appendleft(batch)
            return
        if opened_at is not None and not self._breaker.open:
            for item in batch.items:
                item.deadline += now - opened_at
        settled = []
        held = []
        for item, of_item in zip(batch.items, each(len(batch.items), outcome), strict=True):
            if of_item.kind == "waits":
                self._pause(of_item, now)
                held.append(item)
            else:
                settled.append((item, of_item))
        if held:
            self._ready.appendleft(msgspec.structs.replace(batch, items=held))
        self._settle(settled, now)

    def _pause(self, waits: Outcome, now: float) -> None:
        """Nothing was attempted: all that is for the destination waits, and no attempt is counted."""
        pause = max(0.05, min(waits.retry_after or 1.0, LONGEST_PAUSE))
        if now + pause > self._resume_at:
            self._resume_at = now + pause
            destination = self.plan.destination
            log.info("destination waits", destination=destination.id, seconds=pause, why=waits.message)

    def _call(self, batch: Batch, http: Client) -> Call:
        destination = self.plan.destination
        target = batch.items[0].target
        return Call(
            settings=destination.settings,
            http=http,
            timeout=destination.policy.timeout,
            workspace_id=destination.workspace_id,
            source_id=destination.source_id,
            destination_id=destination.id,
            write_keys=self.plan.write_keys,
            events=[item.seen for item in batch.items],
            subscription_id=target.subscription_id,
            mapping=target.mapping,
            runtime=self._runtime,
        )

    # Pausing

    def _judge(self, outcome: Outcome | list[Outcome], now: float) -> bool:
        """Tell the breaker what the answer says of the destination as a whole; True if it is a failure."""
        tried = [each for each in outcome if each.kind != "waits"] if isinstance(outcome, list) else [outcome]
        if not tried or tried[0].kind == "waits":
            if self._breaker.probing:
                self._breaker.abandon_probe(now)
            return False  # it says nothing
        failure = tried[0] if all(each.kind == "retry" for each in tried) else None
        if failure is None:
            opened_at = self._breaker.opened_at
            if self._breaker.succeeded() and opened_at is not None:
                self._probed.clear()
                self._settler.changes.breaker = 0.0
                self._settler.changes.shift_deadlines += now - opened_at
                self._changed()
                log.info("destination is back", destination=self.plan.destination.id, after=now - opened_at)
            return False
        opened = self._breaker.failed(now, failure.retry_after)
        if failure.retry_after and (failure.code == TOO_MANY or self._breaker.in_a_row >= NOT_ALONE):
            self._resume_at = max(self._resume_at, now + min(failure.retry_after, LONGEST_PAUSE))
        if opened:
            self._settler.changes.breaker = now
            self._changed()
            log.warning(
                "destination fails as a whole: pausing",
                destination=self.plan.destination.id,
                code=failure.code,
            )
        return True

    def _retreat(self) -> None:
        """Let go of everything unsent that the log or the store still has."""
        items = self._take_held() + self._take_unsent()
        if not items:
            return
        self._follower.read_to, dropped = self._ledger.rewind(untouched(items))
        for record in dropped:
            if record.changes is not None:
                self._redriving.difference_update(id for _, id in record.changes.redriven)
        for item in items:
            if item.record is None:
                self._parking.release(item.parked_id)
            elif item.record not in dropped:
                self._held.append(item)

    def _take_held(self) -> list[Item]:
        held, self._held = self._held, []
        return held

    def _take_unsent(self) -> list[Item]:
        items = [item for batch in self._ready for item in batch.items]
        self._ready.clear()
        return items + self._batcher.take_all()

    async def _probe(self, now: float) -> None:
        """One request, to see whether the destination is back.

        Of a parked payload and of a new event by turns, and never of the same one again before the others:
        what fails by itself must not make a destination look dead that takes everything else.
        """
        self._breaker.begin_probe()
        batch = None
        try:
            self._probe_parked = not self._probe_parked
            if self._probe_parked:
                batch = await self._parked_probe() or self._new_probe(now)
            else:
                batch = self._new_probe(now) or await self._parked_probe()
        finally:
            if batch is None:
                self._breaker.abandon_probe(now)
        if batch is not None and batch.items[0].to_insert:
            made = await self._inserted(batch.items)
            batch = Batch(made) if made else None
            if batch is None:
                self._breaker.abandon_probe(now)
        if batch is not None:
            await self._deliver(batch, probe=True)
            if self._breaker.open:
                self._retreat()

    async def _parked_probe(self) -> Batch | None:
        parked = await self._parking.take_another()
        return next(iter(self._batches_of(parked)), None)

    def _new_probe(self, now: float) -> Batch | None:
        """Of an event of a kind that no probe has had yet, as far as one is near; else of any one that is."""
        at = self._untried()
        for _ in range(PROBE_RECORDS):  # Those before may hold nothing for this destination.
            if at is not None or len(self._held) >= PROBE_EVENTS or not self._read(now, 1):
                break
            self._held += self._take_unsent()
            at = self._untried()
        if not self._held:
            return None
        item = self._held.pop(self._dice.randrange(len(self._held)) if at is None else at)
        self._probed.add(item.label)
        return Batch([item])

    def _untried(self) -> int | None:
        return next((at for at, item in enumerate(self._held) if item.label not in self._probed), None)
