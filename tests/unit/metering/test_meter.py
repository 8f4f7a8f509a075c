"""Counting the event log: exact over any crash, and each id once."""

import sqlite3
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.eventlog.cache import DecodeCache
from onward.eventlog.memory import MemoryLog
from onward.eventlog.protocol import Draft, Position
from onward.eventlog.record import decode, encode
from onward.metering.meter import NAMES, OTHER, Meter
from onward.metering.query import Question
from onward.metering.store import Calls, UsageStore, day_of, last_day_of, month_of
from onward.pipeline.normalise import normalise
from onward.pipeline.types import Envelope

MARCH = int(datetime(2026, 3, 30, 12, tzinfo=UTC).timestamp() * 1000)
DAY = 86_400_000
ALWAYS = {"start": 0, "end": MARCH + 400 * DAY, "bucket": 1440}


class Counting:
    """A log, and a meter of it that may die at any time."""

    def __init__(self, folder):
        self.folder = folder
        self.log = MemoryLog()
        self.begin()

    def begin(self):
        self.store = UsageStore(self.folder)
        self.decoded = 0
        self.cache = DecodeCache(self.log, self.decode)
        self.meter = Meter(self.store, self.cache, lambda source_id: source_id != "another's")
        self.meter.open("s")
        self.read_to = Position()

    def decode(self, record):
        self.decoded += 1
        return normalise(*decode(record.body), record.count)

    def send(self, events, at=MARCH, source="s"):
        body = orjson.dumps({"batch": [{"type": "track", "messageId": "m", **each} for each in events]})
        envelope = Envelope(received_at=at, batch=True)
        self.log.append([Draft(source, at, len(events), encode(envelope, body))])

    def count(self):
        self.cache.changed()
        while self.meter.count(self.log.heads()):
            pass

    def see(self):
        """A destination reads on."""
        self.cache.changed()
        records = self.cache.read("s", self.read_to.offset, 2)
        if records:
            self.meter.see("s", self.read_to, records)
            self.read_to = records[-1].end

    def commit(self):
        self.store.commit({id: ("w", counted) for id, counted in self.meter.take().items()})

    def die(self):
        self.store.close()
        self.begin()


@pytest.fixture
def counting(tmp_path):
    return Counting(tmp_path)


def users(number, **more):
    return [{"userId": f"u{n}", **more} for n in range(number)]


def test_events_are_counted_by_what_they_are(counting):
    version = {"context": {"app": {"version": "1.2"}}}
    counting.send([{"event": "A", **version}, {"event": "A", **version}, {"event": "B"}])
    counting.send([{"type": "page", "name": "Home", "event": "not its name"}], MARCH + 60_000)
    counting.send([{"event": "A"}], source="another's")
    counting.count()
    counting.commit()
    question = Question(
        start=MARCH, end=MARCH + 120_000, bucket=1, groups=("eventType", "eventName", "appVersion")
    )
    found = counting.store.volume(["s", "another's"], question)
    assert [(*series.group.values(), series.total) for series in found.series] == [
        ("track", "A", "1.2", 2),
        ("page", "Home", "", 1),
        ("track", "B", "", 1),
    ]
    assert [point.at for point in found.series[1].points] == [MARCH + 60_000]
    assert counting.store.volume([], question).total == 0
    day = day_of(MARCH)
    assert counting.store.calls(["s", "w", "x"], day, day) == {
        "s": [Calls(day, 4)],
        "w": [Calls(day, 4)],
        "x": [],
    }


def test_people_are_counted_once_a_month(counting):
    counting.send(users(10))
    counting.send([{"anonymousId": "a1"}, {"anonymousId": "a2"}, {"anonymousId": "a1", "userId": "u1"}])
    counting.count()
    counting.commit()
    counting.send(users(12), MARCH + DAY)
    counting.send(users(3), MARCH + 2 * DAY)  # in April
    counting.send(users(5), MARCH + 2 * DAY, source="t")
    counting.send([{"userId": "only in t"}], MARCH + 2 * DAY, source="t")
    counting.count()
    counting.commit()
    first = day_of(MARCH)
    found = counting.store.people(["s", "t", "w"], first, first + 2)

    def rows(scope):
        return [(p.day - first, p.identified, p.anonymous, p.anonymous_identified) for p in found[scope]]

    # The day before is that on which someone came; counted together, the later day has it.
    assert rows("s") == [(0, 10, 2, 1), (1, 12, 2, 1), (2, 3, 0, 0)]
    assert rows("t") == [(2, 6, 0, 0)]
    assert rows("w")[-1] == (2, 6, 0, 0)  # the workspace's: who is in both counts once
    assert month_of(first) == day_of(int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000))
    assert last_day_of(month_of(first)) == first + 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["send", "see", "count", "commit", "die", "fail"]), max_size=25))
def test_whatever_dies_each_event_is_counted_once(tmp_path_factory, monkeypatch, steps):
    monkeypatch.setattr("onward.metering.meter.PATIENCE", 0.0)
    counting = Counting(tmp_path_factory.mktemp("usage"))
    sent = 0
    for step in [*steps, "count", "commit"]:
        if step == "send":
            counting.send(users(3, event=f"E{sent % 2}"))
            sent += 3
        elif step == "fail":  # what was taken could not be stored
            counting.meter.take()
            counting.meter.forget()
        else:
            getattr(counting, step)()
    assert counting.store.volume(["s"], Question(**ALWAYS)).total == sent
    day = day_of(MARCH)
    assert [each.count for each in counting.store.calls(["s"], day, day)["s"]] == ([sent] if sent else [])
    people = counting.store.people(["s"], day, day)["s"]
    assert [each.identified for each in people] == ([3] if sent else [])
    counting.store.close()


def test_what_a_destination_reads_is_counted_without_reading_it_again(counting):
    for _ in range(40):
        counting.send(users(5))
    counting.cache.max_bytes = 1  # so that whoever reads again decodes again
    while counting.read_to.offset < counting.log.heads()["s"].offset:
        counting.see()
        counting.count()
    assert counting.decoded == 40
    counting.commit()
    assert counting.store.volume(["s"], Question(**ALWAYS)).total == 200
    counting.send(users(5))
    counting.count()  # The destination may yet come.
    assert counting.decoded == 40


def test_what_no_destination_comes_to_see_is_counted(counting, monkeypatch):
    counting.send(users(5))
    counting.see()
    counting.send(users(5))
    monkeypatch.setattr("onward.metering.meter.PATIENCE", 0.0)
    counting.count()
    counting.see()  # Too late: it counts nothing twice.
    counting.commit()
    assert counting.store.volume(["s"], Question(**ALWAYS)).total == 10


def test_counting_does_not_stand_in_the_way_of_a_delivery(counting, monkeypatch):
    counting.send(users(5))
    monkeypatch.setattr(counting.store, "sketches", None)
    counting.see()
    monkeypatch.undo()
    counting.count()
    counting.commit()
    assert counting.store.volume(["s"], Question(**ALWAYS)).total == 5


def test_what_breaks_off_while_a_commit_is_under_way_is_counted_once(counting, monkeypatch):
    counting.send(users(5))
    counting.see()
    taken = {id: ("w", counted) for id, counted in counting.meter.take().items()}
    counting.send(users(5), MARCH + 2 * DAY)  # in April, whose sketches are to be read
    monkeypatch.setattr(counting.store, "sketches", None)
    counting.see()
    monkeypatch.undo()
    counting.send(users(5), MARCH + 2 * DAY)
    counting.see()  # It waits until the commit is done.
    counting.store.commit(taken)
    assert counting.meter.take() == {}
    counting.count()
    counting.commit()
    assert counting.store.volume(["s"], Question(**ALWAYS)).total == 15


def test_names_without_end_are_bounded(counting):
    counting.send([{"event": f"E{number}"} for number in range(2_400)])
    counting.count()
    counting.commit()
    found = counting.store.volume(["s"], Question(**ALWAYS, groups=("eventName",), limit=5_000))
    assert found.total == 2_400 and found.groups == NAMES + 1
    assert found.series[0].group == {"eventName": OTHER} and found.series[0].total == 400


def test_old_volume_becomes_hours_then_days_then_nothing(counting):
    for minutes in range(0, 180, 7):
        counting.send(users(1), MARCH + minutes * 60_000)
    counting.count()
    counting.commit()

    def points(bucket):
        found = counting.store.volume(["s"], Question(**{**ALWAYS, "bucket": bucket}))
        return [(point.at, point.count) for series in found.series for point in series.points]

    hours, days = points(60), points(1440)
    counting.store.prune(MARCH + 2 * DAY)
    assert len(points(1)) == 26
    counting.store.prune(MARCH + 5 * DAY)
    assert points(1) == hours and points(1440) == days
    counting.store.prune(MARCH + 40 * DAY)
    assert points(1) == days
    counting.store.prune(MARCH + 402 * DAY)
    assert points(1) == []


def test_a_commit_is_all_or_nothing(counting):
    counting.send(users(2))
    counting.count()
    taken = counting.meter.take()
    taken["s"].people = {day_of(MARCH): {"identified": None}}
    with pytest.raises((AttributeError, sqlite3.Error)):
        counting.store.commit({"s": ("w", taken["s"])})
    assert counting.store.cursor("s").offset == 0
    assert counting.store.volume(["s"], Question(**ALWAYS)).total == 0
