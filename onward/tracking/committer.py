"""The one writer: many requests, one group commit.

Invariants

* A request's future is resolved only after `EventLog.append` has returned: a 200 means on disk.
* One thread does everything, group after group: look up the messageIds, append, record the ids, tell
  the ledger. So a duplicate is judged only against events that are on disk (or stand earlier in the
  same group, and are appended with it or fail with it).
* A group that can't be written fails alone; the next one tries again, so room on the disk is all the
  recovery there is. If the ids of an appended group could not be recorded, the index is brought up to
  the log again before the next group is judged.
* What waits is bounded in requests and bytes; beyond that, `submit` refuses.

What if the process dies here? Before `append` has returned, nobody was told anything. After it, the
events are on disk; the client may not have heard and sends again, and the ids, re-read from the log at
the next start, make it a duplicate.

A group takes what waits, up to `GROUP_BYTES`: under load that is more requests for one fsync.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from onward.eventlog import record
from onward.eventlog.protocol import Draft, EventLog, LogFull
from onward.pipeline.types import Envelope
from onward.tracking.answers import DISK_FULL, OK, UNAVAILABLE, Answer
from onward.tracking.dedupe import DedupeIndex
from onward.tracking.intake import Intake
from onward.tracking.ledger import Ledger, Report

log_ = logging.getLogger(__name__)

GROUP_BYTES = 4 << 20
QUEUE_BYTES = 64 << 20
QUEUE_REQUESTS = 10_000
GATHER_SECONDS = 0.0003
"""What a group waits for more requests while there are many: as many a second, for a tenth less CPU."""
FLUSH_SECONDS = 15.0
"""How often the dedupe index is persisted: bounds what a start after a crash reads again."""


class Job:
    """An accepted request on its way to the disk."""

    __slots__ = ("answered", "direct", "intake", "ip", "keys", "received_at", "source_id", "user_agent")

    def __init__(
        self,
        intake: Intake,
        source_id: str,
        keys: list[bytes],
        received_at: int,
        ip: str | None,
        user_agent: str | None,
        direct: bool,
        answered: "asyncio.Future[Answer]",
    ) -> None:
        self.intake = intake
        self.source_id = source_id
        self.keys = keys
        self.received_at = received_at
        self.ip = ip
        self.user_agent = user_agent
        self.direct = direct
        self.answered = answered

    def report(self, duplicates: set[int], *, sampled: bool) -> Report:
        """The verdicts, with the events only where the ledger looks at them."""
        taken = self.intake
        plain = not duplicates and not taken.discards
        return Report(
            self.source_id,
            self.received_at,
            taken.type,
            () if plain and not sampled else taken.load(),
            taken.discards,
            duplicates,
            taken.ids,
            taken.types if plain else None,
        )

    def kept(self, duplicates: set[int]) -> tuple[int, Envelope]:
        """How many events are kept, and the envelope that says which."""
        intake = self.intake
        skip = tuple(sorted({*intake.discards, *duplicates})) if duplicates or intake.discards else ()
        if intake.stored is not None:
            return intake.count - len(skip), Envelope(self.received_at, True, skip=skip, complete=True)
        envelope = Envelope(
            received_at=self.received_at,
            batch=intake.batch,
            type=intake.type,
            ip=self.ip,
            user_agent=self.user_agent,
            skip=skip,
            ids=intake.ids,
            direct=self.direct,
        )
        return intake.count - len(skip), envelope

    def positions(self) -> list[int]:
        """The position in the batch of each of `keys`."""
        return self.intake.standing()


class Committer:
    """`start` it, `submit` to it from the event loop, `stop` it; `catch_up` re-reads the log."""

    def __init__(
        self,
        log: EventLog,
        index: DedupeIndex,
        ledger: Ledger,
        catch_up: Callable[[], object],
        window: float,
    ) -> None:
        self._log = log
        self._index = index
        self._ledger = ledger
        self._catch_up = catch_up
        self._window = window
        """Seconds within which a repeated id is a duplicate."""
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._behind = False
        self._unflushed = False
        self._crowded = False
        """Whether the last group had company: then the next will, if it waits a moment."""
        self._next_flush = 0.0
        self.waiting_requests = 0
        self.waiting_bytes = 0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread.start()

    async def stop(self) -> None:
        """Commit what waits, then end the thread. What is submitted from now on is refused."""
        self._stopping = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, job: Job) -> bool:
        """Queue a job; False if too much waits already. Only from the event loop's thread."""
        size = len(job.intake.body)
        if (
            self._stopping
            or self.waiting_requests >= QUEUE_REQUESTS
            or self.waiting_bytes + size > QUEUE_BYTES
        ):
            return False
        self.waiting_requests += 1
        self.waiting_bytes += size
        self._queue.put(job)
        return True

    def _run(self) -> None:
        running = True
        while running:
            group, running = self._take()
            if group:
                self._crowded = len(group) > 1
                answer = self._commit(group)
                assert self._loop is not None
                self._loop.call_soon_threadsafe(self._resolve, group, answer)
            self._flush()

    def _take(self) -> tuple[list[Job], bool]:
        """The next group (empty if nothing comes for a while), and False with the last."""
        group: list[Job] = []
        size = 0
        try:
            job = self._queue.get(timeout=FLUSH_SECONDS)
            if self._crowded:
                time.sleep(GATHER_SECONDS)
            while job is not None:
                group.append(job)
                size += len(job.intake.body)
                if size >= GROUP_BYTES:
                    return group, True
                job = self._queue.get_nowait()
        except Empty:
            return group, True
        return group, False

    def _resolve(self, group: list[Job], answer: Answer) -> None:
        for job in group:
            self.waiting_requests -= 1
            self.waiting_bytes -= len(job.intake.body)
            if not job.answered.done():
                job.answered.set_result(answer)

    def _commit(self, group: list[Job]) -> Answer:
        try:
            if self._behind:
                self._catch_up()
                self._behind = False
            return self._append(group)
        except LogFull as error:
            log_.warning("%d requests were answered 503: %s", len(group), error)
            return DISK_FULL
        except OSError as error:
            log_.error("%d requests were answered 503, the event log can't be written: %s", len(group), error)
            return UNAVAILABLE
        except Exception:
            log_.exception("%d requests were answered 503", len(group))
            return UNAVAILABLE

    def _append(self, group: list[Job]) -> Answer:
        now = int(time.time())
        keys = group[0].keys if len(group) == 1 else [key for job in group for key in job.keys]
        repeated = self._repeated(keys, now)
        kept: list[tuple[Job, int, Envelope]] = []
        reports: list[Report] = []
        start = 0
        for job in group:
            end = start + len(job.keys)
            duplicates: set[int] = set()
            if repeated:
                positions = job.positions()
                duplicates = {positions[at - start] for at in repeated if start <= at < end}
            if len(duplicates) < len(job.keys):
                kept.append((job, *job.kept(duplicates)))
            reports.append(job.report(duplicates, sampled=self._ledger.samples(job.source_id)))
            start = end
        if not kept:
            for report in reports:
                self._ledger.discarded(report)
            return OK
        bodies = record.encode_all(
            [(envelope, job.intake.stored or job.intake.body) for job, _, envelope in kept]
        )
        drafts = [
            Draft(job.source_id, job.received_at, count, body)
            for (job, count, _), body in zip(kept, bodies, strict=True)
        ]
        offset = max(position.offset for position in self._log.append(drafts))
        fresh = [key for at, key in enumerate(keys) if at not in repeated] if repeated else keys
        try:
            self._index.record(fresh, now, offset)
        except Exception:  # the events are on disk, so the answer is 200 all the same
            log_.exception("the dedupe index could not be written; it will be read again from the event log")
            self._behind = True
        self._unflushed = True
        self._ledger.committed(reports, offset)
        return OK

    def _repeated(self, keys: list[bytes], now: int) -> set[int]:
        """Positions of the keys that were seen before, in the index or earlier in this group."""
        repeated = self._index.seen(keys, int(now - self._window))
        if len(set(keys)) < len(keys):
            met: set[bytes] = set()
            for at, key in enumerate(keys):
                if key in met:
                    repeated.add(at)
                met.add(key)
        return repeated

    def _flush(self) -> None:
        now = time.monotonic()
        if not self._unflushed or now < self._next_flush:
            return
        self._next_flush = now + FLUSH_SECONDS
        self._unflushed = False
        try:
            self._index.flush()
        except Exception:
            log_.exception("the dedupe index could not be flushed; a restart reads more of the event log")
