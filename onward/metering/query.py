"""Questions about counters by minute, and their answers: totals and series by group (spec §12.3).

Every table of counters that is asked so has `minute` (since the epoch), `count`, and some of the columns of
`COLUMNS`. Pure but for the one query that `ask` makes.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

COLUMNS = {
    "eventName": "event_name",
    "eventType": "event_type",
    "appVersion": "app_version",
    "discardReason": "code",
    "subscriptionId": "subscription_id",
    "source": "source_id",
}
"""Dimensions by the names that the Public API has for them."""
DAY = 24 * 60
"""Minutes."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    start: int
    """Milliseconds since the epoch; minutes that begin at it or later count."""
    end: int
    """Minutes that begin at it or later don't."""
    bucket: int
    """Minutes that a point of a series stands for."""
    groups: tuple[str, ...] = ()
    """Dimensions."""
    where: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict)
    """Values that are counted, by dimension."""
    offset: int = 0
    limit: int = 1000
    """Groups."""


class Point(msgspec.Struct, frozen=True):
    at: int
    """Milliseconds since the epoch: where the bucket begins."""
    count: int
    retried: int


class Series(msgspec.Struct, frozen=True):
    group: dict[str, str]
    """Value by dimension."""
    total: int
    retried: int
    points: list[Point]
    """Of the buckets in which something was counted, in order."""


class Totals(msgspec.Struct, frozen=True):
    total: int
    """Of all groups."""
    groups: int
    series: list[Series]
    """Of the groups asked for, the largest first."""


NONE = Totals(0, 0, [])


def ask(
    db: sqlite3.Connection,
    table: str,
    question: Question,
    condition: str,
    values: Sequence[Any],
    *,
    retried: str = "0",
) -> Totals:
    """The counters of `table` for which `condition`, SQL with `values`, holds. `retried` is an SQL condition
    too: those for which it holds are counted once more, apart."""
    columns = [COLUMNS[name] for name in question.groups]
    conditions, parameters = [condition, "minute >= ?", "minute < ?"], [*values]
    parameters += [-(-question.start // 60_000), -(-question.end // 60_000)]
    for name, wanted in question.where.items():
        conditions.append(f"{COLUMNS[name]} IN ({', '.join('?' * len(wanted))})")
        parameters += wanted
    keys = ", ".join(columns) or "'' AS everything"
    names = columns or ["everything"]
    by = ", ".join(names)
    rows = db.execute(
        f"WITH counted AS MATERIALIZED (SELECT {keys}, minute / ? * ? AS at, sum(count) AS number,"
        f" sum(iif({retried}, count, 0)) AS again FROM {table} WHERE {' AND '.join(conditions)}"
        f" GROUP BY {', '.join([*columns, 'at'])}),"
        f" page AS (SELECT {by}, sum(number) AS total, sum(again) AS total_again,"
        " count(*) OVER () AS groups, sum(sum(number)) OVER () AS everything_counted"
        f" FROM counted GROUP BY {by} ORDER BY total DESC, {by} LIMIT ? OFFSET ?)"
        f" SELECT {by}, at, number, again, total, total_again, groups, everything_counted"
        f" FROM page JOIN counted USING ({by}) ORDER BY total DESC, {by}, at",
        (question.bucket, question.bucket, *parameters, question.limit, question.offset),
    ).fetchall()
    if not rows:
        return NONE
    width = len(names)
    found: dict[tuple[str, ...], Series] = {}
    for row in rows:
        key = tuple(row[:width])
        at, number, again, total, total_again = row[width : width + 5]
        series = found.get(key)
        if series is None:
            group = dict(zip(question.groups, key, strict=False))
            series = found[key] = Series(group, total, total_again, [])
        series.points.append(Point(at * 60_000, number, again))
    groups, everything = rows[0][-2:]
    return Totals(everything, groups, list(found.values()))


def roll_up(
    db: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    start: int,
    end: int,
    size: int,
    condition: str = "1",
    values: Sequence[Any] = (),
) -> None:
    """Put counters of the minutes [start, end) together by buckets of `size` minutes.

    `columns` are all besides `minute` and `count`; `condition`, SQL with `values`, narrows it down. In a
    transaction of the caller's.
    """
    names = ", ".join(columns)
    where = f"{condition} AND minute >= ? AND minute < ? AND minute % ?"
    within = (*values, start, end, size)
    db.execute(
        f"INSERT INTO {table} ({names}, minute, count) SELECT {names}, minute / ? * ?, sum(count)"
        f" FROM {table} WHERE {where} GROUP BY {names}, minute / ?"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        (size, size, *within, size),
    )
    db.execute(f"DELETE FROM {table} WHERE {where}", within)
