"""The state store in SQLite: one `state.db`, shared by all delivery processes of a machine.

WAL and `synchronous=FULL`: a commit is on disk when it returns. Each process writes only the rows of the
destinations it owns, in one short `BEGIN IMMEDIATE` at a time, so processes wait for each other for a
commit at most. What if the process dies inside `commit`: SQLite rolls the transaction back, and the loop
starts again from the cursor, counters and parked payloads of the commit before, which belong together.

Connections are used by one thread at a time; `commit` runs in a thread of its own and so has its own.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import orjson
import zstandard

from onward.delivery.state import failures, redrives, upgrade
from onward.delivery.state.protocol import (
    DELIVERED,
    Changes,
    Count,
    DestinationState,
    Discard,
    Held,
    Parked,
    Totals,
    Whose,
)
from onward.delivery.state.questions import SqliteQuestions
from onward.eventlog.protocol import Position
from onward.metering import query
from onward.metering.fates import Redrive
from onward.metering.query import Question
from onward.pipeline.normalise import USER_DELETED

PARKED = (
    *("id", "subscription_id", "bulk_id", "message_id", "event_type", "event_name", "app_version"),
    *("received_at", "due_at", "attempt", "first_attempt_at", "deadline", "code", "message", "body"),
)
DISCARD = (
    *("id", "destination_id", "at", "subscription_id", "message_id", "event_type", "event_name"),
    *("received_at", "attempts", "code", "message", "body"),
)
IN_BODY = ("payload", "event", "action", "to_insert", "inserted")
"""Of payloads that are held, what nobody searches by."""
COUNTER = (
    *("destination_id", "outcome", "code", "subscription_id"),
    *("event_type", "event_name", "app_version"),
)
LATENCY = ("destination_id", "subscription_id", "bucket")
OF_DESTINATION = ("parked", "discard", "counter", "latency", "attempt", "sample", "passage", "redrive")
"""Tables with rows of destinations."""
SKIPPED = Count("skipped", "DISABLED", "", "", "", "")
"""Counts events that the cursor passed over, as they came while the destination was off."""
FANNED_OUT = Count("fanned_out", "", "", "", "", "")
"""Counts deliveries beyond the first of events that matched several mappings."""
REDRIVEN = Count("redriven", "", "", "", "", "")
"""Counts discards that were sent again."""
MINUTES_KEPT = 3 * 24 * 60
"""Then counters stand for hours."""
PAGE = 500
"""Rows read, or erased in one transaction."""


class SqliteStateStore:
    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._path = data / "state.db"
        self._reading = Lock()
        self._asking = Lock()
        """Questions about counters may take a second; nobody else should wait for them."""
        self._writing = Lock()
        self._rolled: dict[str, int] = {}
        """By destination, the minute up to which counters stand for whole hours."""
        self._questions: SqliteQuestions | None = None
        self._read = self._connect()
        self._ask = self._connect()
        self._write = self._connect()
        with self._transaction() as db:
            upgrade.run(db)
        schema = files(__package__).joinpath("schema.sql").read_text()
        self._write.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")  # one fsync, not one for each table

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def open_destination(self, destination_id: str, start: Position) -> DestinationState:
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO destination (id, start_offset, start_seq, cursor_offset, cursor_seq)"
                " VALUES (?1, ?2, ?3, ?2, ?3)",
                (destination_id, start.offset, start.seq),
            )
        with self._reading:
            offset, seq, opened_at = self._read.execute(
                "SELECT cursor_offset, cursor_seq, breaker_opened_at FROM destination WHERE id = ?",
                (destination_id,),
            ).fetchone()
        return DestinationState(Position(offset, seq), opened_at, self.next_due(destination_id, set()))

    def commit(self, changes: Iterable[tuple[str, Changes]], now: float) -> None:
        with self._transaction() as db:
            for destination_id, change in changes:
                self._apply(db, destination_id, change, now)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._write.execute("BEGIN IMMEDIATE")
            try:
                yield self._write
                self._write.execute("COMMIT")
            except BaseException:
                self._write.execute("ROLLBACK")
                raise

    def _apply(self, db: sqlite3.Connection, destination_id: str, change: Changes, now: float) -> None:
        minute = int(now // 60)
        totals = {"delivered": 0, "filtered": 0, "discarded": 0, "retried": 0}
        for key, number in change.counts.items():
            totals[key.outcome] += number
        counts = list(change.counts.items())
        counts += [
            (key, number)
            for key, number in (
                (SKIPPED, change.skipped),
                (FANNED_OUT, change.fanned_out),
                (REDRIVEN, len(change.redriven)),
            )
            if number
        ]
        db.executemany(
            "INSERT INTO counter VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(destination_id, minute, *msgspec.structs.astuple(key), number) for key, number in counts],
        )
        db.executemany(
            "INSERT INTO latency VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(destination_id, minute, *place, number) for place, number in change.latency.items()],
        )
        db.executemany(
            "INSERT OR REPLACE INTO passage VALUES (?, ?, ?)",
            [(destination_id, *passage) for passage in change.passages],
        )
        failures.write(db, destination_id, change)
        redrives.move(db, destination_id, change.redriven)
        cursor = change.cursor
        db.execute(
            "UPDATE destination SET cursor_offset = coalesce(?, cursor_offset),"
            " cursor_seq = coalesce(?, cursor_seq), skipped = skipped + ?, fanned_out = fanned_out + ?,"
            " delivered = delivered + ?, filtered = filtered + ?, discarded = discarded + ?,"
            " breaker_opened_at = CASE WHEN ? IS NULL THEN breaker_opened_at ELSE nullif(?, 0.0) END"
            " WHERE id = ?",
            (
                cursor and cursor.offset,
                cursor and cursor.seq,
                change.skipped,
                change.fanned_out,
                totals["delivered"],
                totals["filtered"],
                totals["discarded"] - len(change.redriven),
                change.breaker,
                change.breaker,
                destination_id,
            ),
        )
        if change.shift_deadlines:
            db.execute(
                "UPDATE parked SET deadline = deadline + ? WHERE destination_id = ? AND deadline > 0",
                (change.shift_deadlines, destination_id),
            )
        db.executemany("DELETE FROM parked WHERE id = ?", [(id,) for id in change.unpark])
        db.executemany(
            "UPDATE parked SET due_at = :due_at, attempt = :attempt, first_attempt_at = :first_attempt_at,"
            " deadline = :deadline, code = :code, message = :message WHERE id = :id",
            [msgspec.structs.asdict(repark) for repark in change.repark],
        )
        for parked in change.park:
            parked.id = _insert(db, "parked", destination_id, parked)
        for discard in change.discards:
            discard.id = _insert(db, "discard", destination_id, discard)

    def due(self, destination_id: str, now: float, limit: int, besides: set[int]) -> list[Parked]:
        with self._reading:
            found = self._read.execute(
                "SELECT id, bulk_id FROM parked WHERE destination_id = ? AND due_at <= ?"
                " ORDER BY due_at LIMIT ?",
                (destination_id, now, limit + len(besides)),
            ).fetchall()
            fresh = [(id, bulk_id) for id, bulk_id in found if id not in besides]
            rows: list[Any] = []
            # One by one, so that the bodies of those besides, which may be very many, are not read.
            for id in (id for id, bulk_id in fresh if not bulk_id):
                rows += self._read.execute(
                    f"SELECT {', '.join(PARKED)} FROM parked WHERE id = ?", (id,)
                ).fetchall()
            for bulk_id in sorted({bulk_id for _, bulk_id in fresh if bulk_id}):
                rows += self._read.execute(
                    f"SELECT {', '.join(PARKED)} FROM parked"
                    " WHERE bulk_id = ? AND bulk_id <> 0 AND destination_id = ? ORDER BY id",
                    (bulk_id, destination_id),
                ).fetchall()
        return [_parked(row) for row in rows if row[0] not in besides]

    def next_due(self, destination_id: str, besides: set[int]) -> float | None:
        with self._reading:
            rows = self._read.execute(
                "SELECT id, due_at FROM parked WHERE destination_id = ? ORDER BY due_at LIMIT ?",
                (destination_id, len(besides) + 1),
            ).fetchall()
        return next((due_at for id, due_at in rows if id not in besides), None)

    def forget(self, destination_id: str) -> None:
        with self._transaction() as db:
            for table in OF_DESTINATION:
                db.execute(f"DELETE FROM {table} WHERE destination_id = ?", (destination_id,))
            db.execute("DELETE FROM destination WHERE id = ?", (destination_id,))

    def heartbeat(self, now: float) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO heartbeat VALUES (1, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
                (now,),
            )

    def shift_for_downtime(self, destination_ids: Sequence[str], now: float, least: float) -> float:
        with self._reading:
            row = self._read.execute("SELECT at FROM heartbeat").fetchone()
        gap: float = now - row[0] if row else 0.0
        if gap < least:
            return 0.0
        with self._transaction() as db:
            db.executemany(
                "UPDATE parked SET deadline = deadline + ? WHERE destination_id = ? AND deadline > 0",
                [(gap, id) for id in destination_ids],
            )
        return gap

    def totals(self, destination_id: str | None = None) -> dict[str, Totals]:
        with self._reading:
            rows = self._read.execute(
                "SELECT d.id, start_offset, start_seq, cursor_offset, cursor_seq, skipped, fanned_out,"
                " delivered, filtered, discarded,"
                " (SELECT count(*) FROM parked p WHERE p.destination_id = d.id),"
                " (SELECT count(*) FROM parked p WHERE p.destination_id = d.id AND attempt = 0),"
                " breaker_opened_at"
                " FROM destination d WHERE ?1 IS NULL OR d.id = ?1",
                (destination_id,),
            ).fetchall()
        return {id: Totals(Position(so, ss), Position(co, cs), *rest) for id, so, ss, co, cs, *rest in rows}

    def discards(
        self,
        destination_id: str,
        limit: int = 100,
        before: int | None = None,
        code: str | None = None,
        message_id: str | None = None,
    ) -> list[Discard]:
        with self._reading:
            rows = self._read.execute(
                f"SELECT {', '.join(DISCARD)} FROM discard"
                " WHERE destination_id = ?1 AND (?2 IS NULL OR id < ?2)"
                " AND (?3 IS NULL OR code = ?3) AND (?4 IS NULL OR message_id = ?4)"
                " ORDER BY id DESC LIMIT ?5",
                (destination_id, before, code, message_id, limit),
            ).fetchall()
        return [_discard(row) for row in rows]

    def ask_redrive(self, destination_id: str, wanted: Redrive, now: float) -> int:
        with self._transaction() as db:
            return redrives.ask(db, destination_id, wanted, now)

    def redrives(self, destination_id: str, limit: int = 20) -> list[Redrive]:
        with self._reading:
            return redrives.listed(self._read, destination_id, limit)

    def redriving(self) -> list[str]:
        with self._reading:
            rows = self._read.execute(
                "SELECT DISTINCT destination_id FROM redrive WHERE finished_at IS NULL"
            ).fetchall()
        return [id for (id,) in rows]

    def next_redrive(self, destination_id: str, limit: int) -> tuple[Redrive, list[Discard]] | None:
        with self._reading:
            wanted = redrives.listed(self._read, destination_id, 1, open_only=True)
            if not wanted:
                return None
            rows = self._read.execute(
                f"SELECT {', '.join(DISCARD)} FROM discard WHERE {redrives.MATCHES} ORDER BY id LIMIT ?10",
                (*redrives.values(destination_id, wanted[0]), limit),
            ).fetchall()
        return wanted[0], [_discard(row) for row in rows]

    def end_redrive(self, id: int, now: float) -> None:
        with self._transaction() as db:
            db.execute("UPDATE redrive SET finished_at = ? WHERE id = ?", (int(now * 1000), id))

    def held(self, destination_id: str, is_of: Whose) -> Held:
        def has_one(body: bytes, received_at: int) -> bool:
            return is_of(_read(body)["event"].get("userId"), received_at)

        def may_show_one(body: bytes, _received_at: int) -> bool:
            people = _read(body).get("people")
            return people is None or any(is_of(*each) for each in people)

        return Held(
            frozenset(self._held("discard", destination_id, has_one)),
            frozenset(self._held("parked", destination_id, has_one)),
            frozenset(self._held("sample", destination_id, may_show_one)),
        )

    def _held(self, table: str, destination_id: str, matches: Callable[[bytes, int], bool]) -> Iterator[int]:
        """Rows whose body and time of receipt match."""
        after = 0
        while True:
            with self._reading:
                rows = self._read.execute(
                    f"SELECT id, received_at, body FROM {table} WHERE destination_id = ? AND id > ?"
                    " ORDER BY id LIMIT ?",
                    (destination_id, after, PAGE),
                ).fetchall()
            if not rows:
                return
            yield from (id for id, received_at, body in rows if matches(body, received_at))
            after = rows[-1][0]

    def erase(self, destination_id: str, rows: Held, now: float) -> None:
        with self._overwriting():
            self._erase(destination_id, rows, int(now // 60))

    def erase_attempts(self, message_ids: Sequence[str]) -> None:
        asked = "SELECT 1 FROM attempt WHERE message_id = ?"
        with self._reading:
            tried = [(id,) for id in message_ids if self._read.execute(asked, (id,)).fetchone()]
        if tried:  # few events are
            with self._overwriting(), self._transaction() as db:
                db.executemany("DELETE FROM attempt WHERE message_id = ?", tried)

    @contextmanager
    def _overwriting(self) -> Iterator[None]:
        """What is deleted within is overwritten, and does not stay in free pages."""
        with self._writing:
            self._write.execute("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            with self._writing:
                self._write.execute("PRAGMA secure_delete = OFF")
            self._empty_wal()

    def _empty_wal(self) -> None:
        """As far as no reader is in the way for long; else later commits overwrite it."""
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=0.2)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()

    def _erase(self, destination_id: str, rows: Held, minute: int) -> None:
        for table, gone in (("discard", rows.discards), ("sample", rows.samples)):
            for ids in _chunks(sorted(gone)):
                with self._transaction() as db:
                    if table == "discard":
                        _erase_attempts(db, destination_id, table, ids)
                    db.executemany(f"DELETE FROM {table} WHERE id = ?", ids)
        for ids in _chunks(sorted(rows.parked)):
            with self._transaction() as db:
                _erase_attempts(db, destination_id, "parked", ids)
                filtered = 0
                for (id,) in ids:
                    about = db.execute(
                        "SELECT subscription_id, event_type, event_name, app_version FROM parked"
                        " WHERE id = ? AND destination_id = ?",
                        (id, destination_id),
                    ).fetchone()
                    if about is None:
                        continue
                    db.execute("DELETE FROM parked WHERE id = ?", (id,))
                    db.execute(
                        "INSERT INTO counter VALUES (?, ?, 'filtered', ?, ?, ?, ?, ?, 1)"
                        " ON CONFLICT DO UPDATE SET count = count + 1",
                        (destination_id, minute, USER_DELETED, *about),
                    )
                    filtered += 1
                db.execute(
                    "UPDATE destination SET filtered = filtered + ? WHERE id = ?", (filtered, destination_id)
                )

    def counters(self, destination_id: str, outcome: str, question: Question) -> query.Totals:
        with self._asking:
            return query.ask(
                self._ask,
                "counter",
                question,
                "destination_id = ? AND outcome = ?",
                (destination_id, outcome),
                retried=f"code <> '{DELIVERED}1'" if outcome == "delivered" else "0",
            )

    def questions(self) -> SqliteQuestions:
        if self._questions is None:
            self._questions = SqliteQuestions(self._path)
        return self._questions

    def prune(self, discards_before: int, counters_before: int) -> None:
        minute = counters_before // 60_000
        with self._transaction() as db:
            for table in ("discard", "sample", "attempt"):
                db.execute(f"DELETE FROM {table} WHERE at < ?", (discards_before,))
            db.execute("DELETE FROM counter WHERE minute < ?", (minute,))
            db.execute("DELETE FROM latency WHERE minute < ?", (minute,))
        edge = (int(time.time() // 60) - MINUTES_KEPT) // 60 * 60
        for destination_id in self.totals():
            self._roll_up(destination_id, edge)

    def _roll_up(self, destination_id: str, edge: int) -> None:
        """Hour by hour, so that no commit of anybody else waits for long."""
        hour = self._rolled.get(destination_id)
        if hour is None:
            with self._reading:
                (first,) = self._read.execute(
                    "SELECT min(minute) FROM counter WHERE destination_id = ?", (destination_id,)
                ).fetchone()
            hour = edge if first is None else min(first // 60 * 60, edge)
        while hour < edge:
            mine = (destination_id, hour + 1, hour + 60)
            with self._reading:
                found = self._read.execute(
                    "SELECT 1 FROM counter WHERE destination_id = ? AND minute >= ? AND minute < ? LIMIT 1",
                    mine,
                ).fetchone()
            if found:
                with self._transaction() as db:
                    for table, columns in (("counter", COUNTER), ("latency", LATENCY)):
                        query.roll_up(
                            db, table, columns, hour, hour + 60, 60, "destination_id = ?", (destination_id,)
                        )
            hour += 60
        self._rolled[destination_id] = hour

    def close(self) -> None:
        if self._questions is not None:
            self._questions.close()
        self._read.close()
        self._ask.close()
        self._write.close()


def _erase_attempts(db: sqlite3.Connection, destination_id: str, table: str, ids: list[tuple[int]]) -> None:
    """What is told of attempts at the events of these rows, which a tool's answer may name people in."""
    db.executemany(
        "DELETE FROM attempt WHERE destination_id = ? AND message_id ="
        f" (SELECT message_id FROM {table} WHERE id = ?)",
        [(destination_id, id) for (id,) in ids],
    )


def _chunks(ids: list[int]) -> Iterator[list[tuple[int]]]:
    for start in range(0, len(ids), PAGE):
        yield [(id,) for id in ids[start : start + PAGE]]


def _insert(db: sqlite3.Connection, table: str, destination_id: str, held: Parked | Discard) -> int:
    """The id of the new row, whose columns are the struct's fields of the same name."""
    row = msgspec.structs.asdict(held)
    body = _pack({name: row.pop(name) for name in IN_BODY if name in row})
    row |= {"id": None, "destination_id": destination_id, "body": body}
    done = db.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})",
        row,
    )
    return done.lastrowid or 0


def _pack(held: dict[str, Any]) -> bytes:
    """A webhook's payload mostly repeats its event, which costs next to nothing once compressed."""
    told = {name: value for name, value in held.items() if value not in (None, "", False)}
    return zstandard.compress(orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS), 1)


def _read(body: bytes) -> dict[str, Any]:
    held: dict[str, Any] = orjson.loads(zstandard.decompress(body))
    return held


def _parked(row: Sequence[Any]) -> Parked:
    values = dict(zip(PARKED, row, strict=True))
    values |= _read(values.pop("body"))
    return Parked(**values)


def _discard(row: Sequence[Any]) -> Discard:
    values = dict(zip(DISCARD, row, strict=True))
    values |= _read(values.pop("body"))
    return Discard(**values)
