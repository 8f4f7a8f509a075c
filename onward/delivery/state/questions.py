"""What people ask of `state.db`: what was counted over time, what waits, and single failures. Read only.

One connection under one lock, apart from those that deliveries wait for; in WAL a reader stops no writer.
Every answer comes of one transaction, so what it adds up belongs together.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from onward.delivery.state import failures
from onward.delivery.state.protocol import LATENCY_BOUNDS
from onward.metering import outcomes
from onward.metering.fates import Fates, GivenUp, Parked, Sample, Waiting
from onward.metering.outcomes import Flow, Group, Row, Series, Slot, Tally, Window

WINDOWED = "destination_id = ?1 AND minute >= ?2 AND minute < ?3 AND (?4 IS NULL OR subscription_id = ?4)"


class SqliteQuestions:
    def __init__(self, path: Path) -> None:
        """The tables must have been made (`SqliteStateStore`)."""
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA query_only = ON")
        self._lock = Lock()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("COMMIT")

    def series(self, destination_id: str, window: Window, subscription_id: str | None = None) -> Series:
        asked = (destination_id, window.start, window.end, subscription_id)
        with self._reading() as db:
            rows = db.execute(
                f"SELECT minute / ?5 * ?5 AS at, outcome, code, sum(count) FROM counter WHERE {WINDOWED}"
                " GROUP BY at, outcome, code",
                (*asked, window.bucket),
            ).fetchall()
            slots = db.execute(
                f"SELECT minute / ?5 * ?5 AS at, bucket, sum(count) FROM latency WHERE {WINDOWED}"
                " GROUP BY at, bucket",
                (*asked, window.bucket),
            ).fetchall()
        return outcomes.series(
            window, (Row(*row) for row in rows), (Slot(*slot) for slot in slots), LATENCY_BOUNDS
        )

    def groups(self, destination_id: str, window: Window, subscription_id: str | None = None) -> list[Group]:
        """What did not arrive, by reason and mapping, the most frequent first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT outcome, code, subscription_id, sum(count) AS number, max(minute) FROM counter"
                f" WHERE {WINDOWED} AND outcome IN ('discarded', 'retried', 'filtered')"
                " GROUP BY outcome, code, subscription_id ORDER BY number DESC, outcome, code",
                (destination_id, window.start, window.end, subscription_id),
            ).fetchall()
        return [Group(outcome, code, id, count, at * 60_000) for outcome, code, id, count, at in rows]

    def tallies(self, start: int, end: int) -> dict[str, Tally]:
        """Of all destinations at once, without latencies, over the minutes [start, end)."""
        found: dict[str, Tally] = {}
        with self._reading() as db:
            rows = db.execute(
                "SELECT destination_id, outcome, iif(outcome = 'delivered', code, '') AS which, sum(count)"
                " FROM destination CROSS JOIN counter ON destination_id = destination.id"
                " WHERE minute >= ? AND minute < ? GROUP BY destination_id, outcome, which",
                (start, end),
            ).fetchall()
        for destination_id, outcome, code, count in rows:
            found.setdefault(destination_id, Tally()).add(outcome, code, count)
        return found

    def trends(self, window: Window) -> dict[str, dict[int, Tally]]:
        """What came to an end (delivered or discarded) at each destination, by the minute where the bucket
        begins."""
        found: dict[str, dict[int, Tally]] = {}
        with self._reading() as db:
            rows = db.execute(
                "SELECT destination_id, minute / ?3 * ?3 AS at, outcome,"
                " iif(outcome = 'delivered', code, '') AS which, sum(count)"
                " FROM destination CROSS JOIN counter ON destination_id = destination.id"
                " WHERE minute >= ?1 AND minute < ?2 AND outcome IN ('delivered', 'discarded')"
                " GROUP BY destination_id, at, outcome, which",
                (window.start, window.end, window.bucket),
            ).fetchall()
        for destination_id, at, outcome, code, count in rows:
            found.setdefault(destination_id, {}).setdefault(at, Tally()).add(outcome, code, count)
        return found

    def latencies(self, start: int, end: int) -> dict[str, float]:
        """P95 in ms of the deliveries to each destination over the minutes [start, end)."""
        histograms: dict[str, dict[int, int]] = {}
        with self._reading() as db:
            rows = db.execute(
                "SELECT destination_id, bucket, sum(count)"
                " FROM destination CROSS JOIN latency ON destination_id = destination.id"
                " WHERE minute >= ? AND minute < ? GROUP BY destination_id, bucket",
                (start, end),
            ).fetchall()
        for destination_id, place, count in rows:
            histograms.setdefault(destination_id, {})[place] = count
        found = {id: outcomes.percentile(each, LATENCY_BOUNDS) for id, each in histograms.items()}
        return {id: p95 for id, p95 in found.items() if p95 is not None}

    def flow(self, destination_id: str, window: Window) -> Flow | None:
        """What came out within a window and since, and what is left; None for what was never enabled."""
        with self._reading() as db:
            row = db.execute(
                "SELECT cursor_seq, (SELECT count(*) FROM parked WHERE destination_id = d.id),"
                " (SELECT count(*) FROM parked WHERE destination_id = d.id AND attempt = 0)"
                " FROM destination d WHERE d.id = ?",
                (destination_id,),
            ).fetchone()
            if row is None:
                return None
            rows = db.execute(
                "SELECT minute >= ?3, outcome, iif(outcome = 'delivered', code, ''), sum(count)"
                " FROM counter WHERE destination_id = ?1 AND minute >= ?2 GROUP BY 1, 2, 3",
                (destination_id, window.start, window.end),
            ).fetchall()
        within, since = Tally(), Tally()
        for later, outcome, code, count in rows:
            (since if later else within).add(outcome, code, count)
        return Flow(within, since, *row)

    def waiting(self, destination_id: str) -> list[Waiting]:
        """Payloads that wait for a retry, or for their bulk batch to be sent."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT subscription_id, event_type, event_name, app_version, code, count(*) AS number"
                " FROM parked WHERE destination_id = ?"
                " GROUP BY subscription_id, event_type, event_name, app_version, code ORDER BY number DESC",
                (destination_id,),
            ).fetchall()
        return [Waiting(*row) for row in rows]

    def oldest_parked(self, destination_id: str) -> int | None:
        """When (ms) the event was received that has been parked longest."""
        with self._reading() as db:
            (oldest,) = db.execute(
                "SELECT min(received_at) FROM parked WHERE destination_id = ?", (destination_id,)
            ).fetchone()
        return None if oldest is None else int(oldest)

    def last_failures(self, outcome: str | None = None) -> dict[str, tuple[int, str, str]]:
        """By destination the newest sample's time (ms), code and message; with `outcome`, of those alone."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT destination_id, at, code, message FROM sample WHERE id IN (SELECT max(id) FROM sample"
                " WHERE ?1 IS NULL OR outcome = ?1 GROUP BY destination_id)",
                (outcome,),
            ).fetchall()
        return {id: (at, code, message) for id, at, code, message in rows}

    def samples(
        self,
        destination_id: str,
        start: int,
        end: int,
        *,
        code: str | None = None,
        outcome: str | None = None,
        subscription_id: str | None = None,
        limit: int = 10,
    ) -> list[Sample]:
        """Of the time [start, end) in ms, the newest first."""
        with self._reading() as db:
            return failures.samples(
                db,
                destination_id,
                code=code,
                outcome=outcome,
                subscription_id=subscription_id,
                start=start,
                end=end,
                limit=limit,
            )

    def fates(self, message_id: str) -> Fates:
        with self._reading() as db:
            parked = db.execute(
                "SELECT destination_id, subscription_id, received_at, attempt, due_at, deadline, code,"
                " message FROM parked WHERE message_id = ? ORDER BY id",
                (message_id,),
            ).fetchall()
            discarded = db.execute(
                "SELECT id, destination_id, subscription_id, received_at, at, attempts, code, message"
                " FROM discard WHERE message_id = ? ORDER BY id",
                (message_id,),
            ).fetchall()
            return Fates(
                [Parked(*row) for row in parked],
                [GivenUp(*row) for row in discarded],
                failures.attempts(db, message_id),
            )

    def routed_by(self, destination_id: str, offset: int) -> int | None:
        """The version of the configuration that routed the record at an offset; None if that was before
        versions were written down."""
        with self._reading() as db:
            row = db.execute(
                "SELECT version FROM passage WHERE destination_id = ? AND first_offset <= ?"
                " ORDER BY first_offset DESC LIMIT 1",
                (destination_id, offset),
            ).fetchone()
        return None if row is None else int(row[0])

    def close(self) -> None:
        self._db.close()
