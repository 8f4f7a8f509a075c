"""Questions about counters, compared with counting by hand."""

import sqlite3
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.metering.query import NONE, Question, ask, roll_up

TYPES, NAMES, CODES = ("track", "page"), ("A", "B", "it's; --"), ("", "x", "y")
ROW = st.tuples(
    st.sampled_from(("mine", "other")),
    st.integers(0, 3 * 1440),
    st.sampled_from(TYPES),
    st.sampled_from(NAMES),
    st.sampled_from(CODES),
    st.integers(1, 5),
)
GROUPS = ("eventType", "eventName", "discardReason")


def database(rows):
    db = sqlite3.connect(":memory:")
    db.execute(
        "CREATE TABLE c (owner, minute, event_type, event_name, code, count,"
        " PRIMARY KEY (owner, minute, event_type, event_name, code))"
    )
    db.executemany(
        "INSERT INTO c VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        rows,
    )
    return db


@given(
    rows=st.lists(ROW, max_size=60),
    start=st.integers(0, 3 * 1440 * 60_000),
    length=st.integers(1, 2 * 1440 * 60_000),
    bucket=st.sampled_from((1, 60, 1440)),
    groups=st.lists(st.sampled_from(GROUPS), unique=True),
    names=st.lists(st.sampled_from(NAMES), unique=True),
    limit=st.integers(1, 4),
    offset=st.integers(0, 3),
)
def test_it_counts_as_one_does_by_hand(rows, start, length, bucket, groups, names, limit, offset):
    question = Question(
        start=start,
        end=start + length,
        bucket=bucket,
        groups=tuple(groups),
        where={"eventName": names} if names else {},
        limit=limit,
        offset=offset,
    )
    found = ask(database(rows), "c", question, "owner = ?", ("mine",), retried="code = 'x'")
    totals, points = defaultdict(int), defaultdict(lambda: [0, 0])
    again = defaultdict(int)
    for owner, minute, kind, name, code, count in rows:
        if owner != "mine" or not start <= minute * 60_000 < start + length:
            continue
        if names and name not in names:
            continue
        values = {"eventType": kind, "eventName": name, "discardReason": code}
        key = tuple(values[group] for group in groups)
        retried = count if code == "x" else 0
        totals[key] += count
        again[key] += retried
        point = points[key, minute // bucket * bucket * 60_000]
        point[0] += count
        point[1] += retried
    order = sorted(totals, key=lambda key: (-totals[key], key))
    page = order[offset : offset + limit]
    assert [tuple(series.group.values()) for series in found.series] == page
    assert [(series.total, series.retried) for series in found.series] == [
        (totals[k], again[k]) for k in page
    ]
    for series, key in zip(found.series, page, strict=True):
        assert list(series.group) == groups
        assert [(p.at, p.count, p.retried) for p in series.points] == [
            (at, *points[key, at]) for of, at in sorted(points) if of == key
        ]
    if page:
        assert (found.total, found.groups) == (sum(totals.values()), len(totals))
    else:
        assert found == NONE


@given(rows=st.lists(ROW, max_size=60), edge=st.integers(0, 3 * 24))
def test_rolling_up_changes_no_total(rows, edge):
    db = database(rows)
    everything = Question(start=0, end=4 * 1440 * 60_000, bucket=60, groups=GROUPS)
    before = ask(db, "c", everything, "1", ())
    roll_up(db, "c", ("owner", "event_type", "event_name", "code"), 0, edge * 60, 60)
    assert ask(db, "c", everything, "1", ()) == before
    minutes = [minute for (minute,) in db.execute("SELECT minute FROM c")]
    assert all(minute % 60 == 0 for minute in minutes if minute < edge * 60)
    late = sorted({row[1] for row in rows if row[1] >= edge * 60})
    assert sorted({minute for minute in minutes if minute >= edge * 60}) == late


def test_nothing_can_be_asked_that_is_no_dimension():
    with pytest.raises(KeyError):
        ask(database([]), "c", Question(start=0, end=1, bucket=1, groups=("owner",)), "1", ())
