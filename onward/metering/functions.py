"""What functions use: invocations, wall and processor time, by function and month; quotas (spec §10.12).

In DATA/functions.db, written by every process that runs functions, each adding what its pool has used since
the last time. A quota is wall time a month (UTC), of a workspace or of a function. Whoever's addition reaches
75, 90 or 100 % of one writes that down in the same transaction, so that it is noticed once, by whichever
process; so is what a lowered quota makes of what was used before. `untold` is what is to be told to people.
At 100 % functions are locked out, as soon as a process looks, which it does at each addition.

What if the process dies here? What it has not added yet, some seconds' use, is not counted.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from onward.metering.database import open_database
from onward.metering.store import day_of, month_of
from onward.settings import Settings
from onward.workspace.snapshot import Snapshot

THRESHOLDS = (75, 90, 100)
"""Per cent of a quota that people are told of."""
MONTHS_KEPT = 13
HOUR = 3_600_000.0

Scope = tuple[str, str]
"""Workspace and function; '' for all of a workspace."""


class Used(Protocol):
    """What a pool says (`onward.functions.pool.Usage`)."""

    @property
    def invocations(self) -> int: ...
    @property
    def wall_ms(self) -> float: ...
    @property
    def cpu_ms(self) -> float: ...


class Spent(msgspec.Struct):
    invocations: int = 0
    wall_ms: float = 0.0
    cpu_ms: float = 0.0

    def add(self, other: Used) -> None:
        self.invocations += other.invocations
        self.wall_ms += other.wall_ms
        self.cpu_ms += other.cpu_ms


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds of wall time a month."""

    workspace: float | None = None
    """Of each workspace; None for no limit."""
    functions: Mapping[str, float] = {}
    """Of functions that have one of their own."""

    def of(self, function_id: str) -> float | None:
        return self.functions.get(function_id) if function_id else self.workspace


def quotas_of(settings: Settings, snapshot: Snapshot) -> Quotas:
    """What functions may use in a month, as it is configured now."""
    return Quotas(
        workspace=None if settings.function_hours is None else settings.function_hours * HOUR,
        functions={id: hours * HOUR for id, hours in snapshot.function_hours.items()},
    )


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """A share of a quota was reached."""

    id: int
    workspace_id: str
    function_id: str
    """'' if it is the workspace's quota."""
    month: int
    percent: int
    limit_ms: float
    used_ms: float
    at: int
    """Milliseconds since the epoch."""


class FunctionStore:
    def __init__(self, data: Path) -> None:
        self._lock = threading.Lock()
        self._db = open_database(data, "functions.db", "functions.sql")

    def add(self, spent: Mapping[Scope, Used], at: int, quotas: Quotas) -> None:
        """Count it to the month of `at` (ms), and write down what was reached by it."""
        month = month_of(day_of(at))
        with self._transaction() as db:
            for (workspace_id, function_id), used in spent.items():
                db.execute(
                    "INSERT INTO spent VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                    " invocations = invocations + excluded.invocations,"
                    " wall_ms = wall_ms + excluded.wall_ms, cpu_ms = cpu_ms + excluded.cpu_ms",
                    (workspace_id, function_id, month, used.invocations, used.wall_ms, used.cpu_ms),
                )
            for workspace_id in {scope[0] for scope in spent}:
                totals = self._totals(month, workspace_id)
                totals[workspace_id, ""] = _sum(totals.values())
                for (_, function_id), total in totals.items():
                    limit = quotas.of(function_id)
                    if limit is not None:
                        self._reach(workspace_id, function_id, month, total.wall_ms, limit, at)

    def notice(self, reached: Iterable[tuple[Scope, float, float]], month: int, at: int) -> None:
        """Write down what is reached of limits: `(scope, used, limit)` in ms. What is there already stays."""
        with self._transaction():
            for (workspace_id, function_id), used, limit in reached:
                self._reach(workspace_id, function_id, month, used, limit, at)

    def totals(self, month: int, workspace_id: str | None = None) -> dict[Scope, Spent]:
        """By workspace and function, of those that have used anything."""
        with self._lock:
            return self._totals(month, workspace_id)

    def overall(self) -> dict[str, Spent]:
        """By function, of all months that are kept."""
        with self._lock:
            rows = self._db.execute(
                "SELECT function_id, sum(invocations), sum(wall_ms), sum(cpu_ms) FROM spent GROUP BY 1"
            )
            return {id: Spent(*numbers) for id, *numbers in rows}

    def crossings(self, workspace_id: str, month: int) -> list[Crossing]:
        """Oldest first."""
        return self._crossings("workspace_id = ? AND month = ?", (workspace_id, month))

    def untold(self) -> list[Crossing]:
        """What nobody was told of yet, oldest first."""
        return self._crossings("told = 0", ())

    def told(self, crossings: Iterable[Crossing]) -> None:
        with self._transaction() as db:
            db.executemany("UPDATE crossing SET told = 1 WHERE id = ?", [(each.id,) for each in crossings])

    def prune(self, now: int) -> None:
        """Forget what is older than a year. `now` in ms."""
        oldest = month_of(day_of(now) - 31 * MONTHS_KEPT)
        with self._transaction() as db:
            for table in ("spent", "crossing"):
                db.execute(f"DELETE FROM {table} WHERE month < ?", (oldest,))

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _totals(self, month: int, workspace_id: str | None) -> dict[Scope, Spent]:
        rows = self._db.execute(
            "SELECT workspace_id, function_id, invocations, wall_ms, cpu_ms FROM spent"
            " WHERE month = ?1 AND (?2 IS NULL OR workspace_id = ?2)",
            (month, workspace_id),
        )
        return {(workspace, function): Spent(*numbers) for workspace, function, *numbers in rows}

    def _reach(
        self, workspace_id: str, function_id: str, month: int, used: float, limit: float, at: int
    ) -> None:
        for percent in THRESHOLDS:
            if used >= limit * percent / 100:
                self._db.execute(
                    "INSERT OR IGNORE INTO crossing"
                    " (workspace_id, function_id, month, percent, limit_ms, used_ms, at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (workspace_id, function_id, month, percent, limit, used, at),
                )

    def _crossings(self, condition: str, values: tuple[str | int, ...]) -> list[Crossing]:
        names = ", ".join(Crossing.__struct_fields__)
        with self._lock:
            rows = self._db.execute(f"SELECT {names} FROM crossing WHERE {condition} ORDER BY id", values)
            return [
                Crossing(**dict(zip(Crossing.__struct_fields__, row, strict=True))) for row in rows.fetchall()
            ]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise


class FunctionMeter:
    """Of one process that runs functions: `take` on its event loop, then `flush` in any thread, again and
    again. `locked_out` is as of the last flush, on the event loop."""

    def __init__(self, store: FunctionStore, quotas: Callable[[], Quotas]) -> None:
        self._store = store
        self._quotas = quotas
        self._pending: dict[Scope, Spent] = {}
        self._totals: dict[Scope, Spent] = {}
        self._noticed: set[tuple[Scope, int, float, int]] = set()
        """Scope, month, limit, and how many of `THRESHOLDS` are reached."""

    def take(self, used: Iterable[tuple[Scope, Used]]) -> None:
        """Remember what was used: `((workspace, function), numbers)`."""
        for scope, numbers in used:
            self._pending.setdefault(scope, Spent()).add(numbers)

    def flush(self, at: int) -> None:
        """Store what was taken, and learn what all processes have used. Raises `sqlite3.Error`, and keeps
        what it has then. `at` in ms."""
        pending, self._pending = self._pending, {}
        try:
            if pending:
                self._store.add(pending, at, self._quotas())
            totals = self._store.totals(month_of(day_of(at)))
        except BaseException:
            for scope, spent in pending.items():
                self._pending.setdefault(scope, Spent()).add(spent)
            raise
        for workspace_id in {scope[0] for scope in totals}:
            own = [spent for scope, spent in totals.items() if scope[0] == workspace_id]
            totals[workspace_id, ""] = _sum(own)
        self._totals = totals
        self._notice(at)

    def _notice(self, at: int) -> None:
        """See to what quotas that were lowered make of what was used before them."""
        quotas, month = self._quotas(), month_of(day_of(at))
        reached = {}
        for scope, spent in self._totals.items():
            limit = quotas.of(scope[1])
            if limit is not None:
                steps = sum(spent.wall_ms >= limit * percent / 100 for percent in THRESHOLDS)
                if steps:
                    reached[scope, month, limit, steps] = (scope, spent.wall_ms, limit)
        if news := reached.keys() - self._noticed:
            self._store.notice([reached[each] for each in news], month, at)
            self._noticed |= news

    def locked_out(self, workspace_id: str, function_id: str) -> bool:
        """Whether a quota is used up: the workspace's, or the function's own."""
        quotas = self._quotas()
        for scope in ((workspace_id, ""), (workspace_id, function_id)):
            limit = quotas.of(scope[1])
            if limit is not None and self._totals.get(scope, Spent()).wall_ms >= limit:
                return True
        return False


def _sum(spent: Iterable[Spent]) -> Spent:
    total = Spent()
    for each in spent:
        total.add(each)
    return total
