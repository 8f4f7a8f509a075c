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
import math
import secrets
import time
from collections import deque
from collections.abc import Callable
from random import Random

import structlog

from onward.delivery.batcher import Batcher
from onward.delivery.breaker import Breaker
from onward.delivery.item import Batch, Item, Labels
from onward.delivery.ledger import Ledger, OpenRecord, untouched
from onward.delivery.limiter import RateLimiter
from onward.delivery.plan import Plan
from onward.delivery.sender import each, send
from onward.delivery.settle import Settler
from onward.delivery.state.protocol import Changes, Count, DestinationState, Parked, StateStore
from onward.destinations.definition import Call
from onward.destinations.outcome import Outcome
from onward.egress.http import Client
from onward.eventlog.cache import DecodeCache, Decoded
from onward.eventlog.protocol import Position
from onward.eventlog.record import CorruptRecord
from onward.pipeline.normalise import Undecodable
from onward.pipeline.types import Event

log = structlog.get_logger()

READ = 4
"""Records read at a time: few decoded records alive keep memory flat and the caches warm."""
CLAIM = 500
"""Parked payloads taken up at a time."""
WINDOW = 10_000
"""Open events of a destination at most, or three of its batches."""
LONGEST_PAUSE = 3600.0
"""Seconds; a Retry-After beyond it only holds back its own payloads."""
EXPIRED = "EXPIRED_IN_LOG"
"""Discard code of events that retention deleted before the destination could take them."""
UNDECODABLE = "BAD_REQUEST"
"""Discard code of an event in the log that no longer decodes."""


class DestinationLoop:
    def __init__(
        self,
        plan: Plan,
        state: DestinationState,
        cache: DecodeCache[list[Event | Undecodable]],
        store: StateStore,
        http: Client,
        head: Callable[[], Position],
        seek: Callable[[int], Position],
        changed: Callable[[], None],
        dice: Random,
    ) -> None:
        """`head` tells the end of the source's log as last seen, `seek` its position at a time (ms);
        `changed` is called when there is something to commit."""
        self.plan = plan
        self._cache = cache
        self._store = store
        self._http = http
        self._head = head
        self._seek = seek
        self._changed = changed
        self._dice = dice
        self._ledger = Ledger(state.cursor)
        self._read_to = state.cursor
        self._settler = Settler(plan.destination.policy, dice)
        self._labels = Labels()
        self._batcher = Batcher(plan.destination.policy)
        self._limiter = RateLimiter(plan.destination.policy.rate_limit)
        self._breaker = Breaker(dice, state.breaker_opened_at)
        self._ready: deque[Batch] = deque()
        self._held: list[Item] = []
        """Unsent items that outlast a pause: other items of their records have had their outcome."""
        self._workers: set[asyncio.Task[None]] = set()
        self._claimed: set[int] = set()
        """Parked payloads that are in memory, until what became of them is committed."""
        self._next_due = state.next_due
        self._resume_at = 0.0
        """Not before this: the destination asked to be left alone (Retry-After)."""
        self._wake = asyncio.Event()
        self._stopping = False
        self._largest_batch = 1

    # What the process calls

    def wake(self) -> None:
        """There may be something to do: records were appended, or changes were committed."""
        self._wake.set()

    def update(self, plan: Plan) -> None:
        """Go on with a new configuration. Payloads that are already mapped stay as they are (spec §2)."""
        policy = plan.destination.policy
        if policy.rate_limit != self.plan.destination.policy.rate_limit:
            self._limiter = RateLimiter(policy.rate_limit)
        self.plan = plan
        self._settler.policy = self._batcher.policy = policy
        self.wake()

    def take_changes(self) -> Changes | None:
        """What to commit now; `committed` must be called once that is durable."""
        changes = self._settler.changes
        self._ledger.advance(changes)
        if not changes:
            return None
        self._settler.changes = Changes()
        return changes

    def committed(self, changes: Changes) -> None:
        self._claimed.difference_update(changes.unpark)
        for repark in changes.repark:
            self._claimed.discard(repark.id)
        dues = [parked.due_at for parked in changes.park] + [repark.due_at for repark in changes.repark]
        if dues:
            self._next_due = min(dues) if self._next_due is None else min(self._next_due, *dues)
        self.wake()

    async def stop(self) -> None:
        """Begin nothing more; wait for the requests in flight."""
        self._stopping = True
        self.wake()
        if self._workers:
            await asyncio.gather(*self._workers, return_exceptions=True)

    # The road

    async def run(self) -> None:
        while not self._stopping:
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
        for item in self._take_held():
            for batch in self._batcher.add(item, now):
                self._enqueue(batch, now)
        busy = False
        if self._next_due is not None and self._next_due <= now:
            busy = await self._take_up_parked(now)
        if self._ledger.open_events < max(WINDOW, 3 * self._largest_batch):
            busy = self._read(now, READ) or busy
        for batch in self._batcher.due(now):
            self._enqueue(batch, now)
        self._hire(len(self._ready))  # Workers may have left at a pause that is over.
        return busy

    async def _rest(self, now: float) -> None:
        """Until woken, or until the next thing is due."""
        breaker = self._breaker
        times = [
            self._batcher.next_due,
            None if breaker.open else self._next_due,
            breaker.probe_at if breaker.open and not breaker.probing else None,
            self._resume_at if self._resume_at > now else None,
        ]
        first = min((at for at in times if at is not None), default=None)
        delay = None if first is None else max(0.001, first - now)
        if not self.plan.destination.enabled:
            delay = None
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _read(self, now: float, limit: int) -> bool:
        records = self._cache.read(self.plan.destination.source_id, self._read_to.offset, limit)
        for record in records:
            if record.offset > self._read_to.offset:  # It may have been passed over just now.
                self._take(record, now)
        head = self._head()
        if not records and head.offset > self._read_to.offset:
            # Seen in the log and there no more: retention took all that was left to read.
            self._skip_to(self._ledger.open(head, 0), head, head.seq)
            self._changed()
        return bool(records)

    def _skip_to(self, record: OpenRecord, end: Position, first_seq: int) -> None:
        """Read on at `end`; count what retention deleted before `first_seq`."""
        gap = first_seq - self._read_to.seq
        if gap > 0:
            record.own.count(Count("discarded", EXPIRED, "", "", "", ""), gap)
            log.warning("events expired in the log", destination=self.plan.destination.id, events=gap)
        self._read_to = end

    def _take(self, record: Decoded[list[Event | Undecodable]], now: float) -> None:
        """Route one record's events: each becomes items, or a count of why not."""
        begin = self.plan.active_from(record.received_at)
        if begin is None or begin > record.received_at:
            self._pass_over(record, begin)
            return
        open_record = self._ledger.open(record.end, record.count)
        self._skip_to(open_record, record.end, record.first_seq)
        for event in self._events(record):
            self._route(event, open_record, record.received_at, now)
        if open_record.pending == 0:
            self._changed()

    def _pass_over(self, record: Decoded[list[Event | Undecodable]], begin: int | None) -> None:
        """Go on where the destination was enabled again; what is in between is not for it."""
        end = record.end if begin is None else max(record.end, self._seek(begin))
        open_record = self._ledger.open(end, end.seq - record.first_seq)
        self._skip_to(open_record, end, record.first_seq)
        open_record.own.skipped += end.seq - record.first_seq
        self._changed()

    @staticmethod
    def _events(record: Decoded[list[Event | Undecodable]]) -> list[Event | Undecodable]:
        if isinstance(record.value, CorruptRecord):
            return [Undecodable(position, str(record.value)) for position in range(record.count)]
        return record.value

    def _route(self, event: Event | Undecodable, record: OpenRecord, received_at: int, now: float) -> None:
        if isinstance(event, Undecodable):
            label = self._labels.unknown
            self._settler.refuse(record, label, UNDECODABLE, event.reason, {}, received_at, now)
            return
        plan = self.plan
        routed = plan.route(event, self._dice)
        if isinstance(routed, str):
            record.own.count(self._labels.of("", event).count("filtered", routed))
            return
        if len(routed) > 1:
            record.own.fanned_out += len(routed) - 1
        for mapped in routed:
            target = plan.targets[mapped.subscription]
            label = self._labels.of(target.subscription_id, event)
            if mapped.problem is not None:
                self._settler.refuse(record, label, *mapped.problem, mapped.event, received_at, now)
                continue
            record.pending += 1
            message_id = event["messageId"]
            item = Item(target, label, mapped.payload, mapped.event, message_id, received_at, record)
            for batch in self._batcher.add(item, now):
                self._enqueue(batch, now)

    async def _take_up_parked(self, now: float) -> bool:
        if len(self._claimed) >= 2 * CLAIM:
            return False
        destination_id, claimed = self.plan.destination.id, set(self._claimed)
        self._next_due = None
        parked = await asyncio.to_thread(self._store.due, destination_id, now, CLAIM, claimed)
        claimed.update(each.id for each in parked)
        next_due = await asyncio.to_thread(self._store.next_due, destination_id, claimed)
        if next_due is not None:
            # A commit may have set a sooner one in the meantime.
            self._next_due = next_due if self._next_due is None else min(self._next_due, next_due)
        for batch in self._from_parked(parked):
            if batch.bulk_id:
                self._enqueue(batch, now)
            else:
                for full in self._batcher.add(batch.items[0], now):
                    self._enqueue(full, now)
        return bool(parked)

    def _from_parked(self, parked: list[Parked]) -> list[Batch]:
        """Bulk batches as they were put together, all others one by one."""
        batches: dict[int, Batch] = {}
        for held in parked:
            self._claimed.add(held.id)
            item = Item(
                target=self.plan.target(held.subscription_id),
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
            )
            batch = batches.setdefault(held.bulk_id or -held.id, Batch([], held.bulk_id, bool(held.bulk_id)))
            batch.items.append(item)
        return list(batches.values())

    def _enqueue(self, batch: Batch, now: float) -> None:
        self._largest_batch = max(self._largest_batch, len(batch.items))
        if batch.bulk and not batch.bulk_id:
            self._settler.hold_bulk(batch.items, secrets.randbits(62), now)
            self._changed()
            return
        self._ready.append(batch)
        self._hire(1)

    def _hire(self, batches: int) -> None:
        """Workers for so many more batches, up to the concurrency; they leave when nothing is ready."""
        for _ in range(min(batches, self.plan.destination.policy.concurrency - len(self._workers))):
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        """Send what is ready, as long as the destination takes it."""
        while self._ready and not self._stopping and not self._breaker.open:
            batch = self._ready.popleft()
            wait = self._limiter.take(time.time())
            if wait:
                await asyncio.sleep(wait)
            if time.time() < self._resume_at or self._breaker.open or self._stopping:
                self._ready.appendleft(batch)
                break
            await self._deliver(batch)
        if not self._stopping:
            self.wake()

    async def _deliver(self, batch: Batch) -> None:
        outcome = await send(batch, self._call(batch))
        now = time.time()
        failed = self._judge(outcome, now)
        if failed and self._breaker.open:
            # The destination is down as a whole: this was no attempt of the payloads' own.
            self._ready.appendleft(batch)
            return
        finished = False
        for item, of_item in zip(batch.items, each(len(batch.items), outcome), strict=True):
            finished = self._settler.settle(item, of_item, now) or finished or item.record is None
        if finished:
            self._changed()

    def _call(self, batch: Batch) -> Call:
        destination = self.plan.destination
        return Call(
            settings=destination.settings,
            http=self._http,
            timeout=destination.policy.timeout,
            workspace_id=destination.workspace_id,
            source_id=destination.source_id,
            destination_id=destination.id,
            write_keys=self.plan.write_keys,
            events=[item.event for item in batch.items],
        )

    # Pausing

    def _judge(self, outcome: Outcome | list[Outcome], now: float) -> bool:
        """Tell the breaker what the answer says of the destination as a whole; True if it is a failure."""
        if isinstance(outcome, list):
            failure = outcome[0] if all(each.kind == "retry" for each in outcome) else None
        else:
            failure = outcome if outcome.kind == "retry" else None
        if failure is None:
            opened_at = self._breaker.opened_at
            if self._breaker.succeeded() and opened_at is not None:
                self._settler.changes.breaker = 0.0
                self._settler.changes.shift_deadlines += now - opened_at
                self._changed()
                log.info("destination is back", destination=self.plan.destination.id, after=now - opened_at)
            return False
        if failure.retry_after:
            self._resume_at = max(self._resume_at, now + min(failure.retry_after, LONGEST_PAUSE))
        if self._breaker.failed(now, failure.retry_after):
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
        self._read_to, dropped = self._ledger.rewind(untouched(items))
        for item in items:
            if item.record is None:
                self._claimed.discard(item.parked_id)
                self._next_due = 0.0
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
        """One request, to see whether the destination is back: of a parked payload if there is one."""
        self._breaker.begin_probe()
        batch = await self._probe_batch(now)
        if batch is None:
            self._breaker.abandon_probe(now)
            return
        await self._deliver(batch)
        if self._breaker.open:
            self._retreat()

    async def _probe_batch(self, now: float) -> Batch | None:
        claimed = set(self._claimed)
        parked = await asyncio.to_thread(self._store.due, self.plan.destination.id, math.inf, 1, claimed)
        if parked:
            return self._from_parked(parked)[0]
        if not self._held:
            self._read(now, 1)
            self._held = self._take_unsent()
        return Batch([self._held.pop(0)]) if self._held else None
