"""Failures are kept with what was sent and answered; what arrives leaves nothing behind."""

import sqlite3
import time

import pytest
from rig import BATCHED, QUICK, Rig

from onward.delivery.item import Item, Labels, Target
from onward.delivery.plan import REMOVED
from onward.delivery.samples import AT_ONCE, Sampler
from onward.delivery.state import failures
from onward.delivery.state.protocol import Changes
from onward.delivery.state.sqlite import SqliteStateStore
from onward.destinations.outcome import DELIVERED, discarded, from_response, retry
from onward.egress.http import Request, Response
from onward.egress.masking import Masking
from onward.egress.record import Recorder
from onward.eventlog.protocol import Position
from onward.metering.fates import SAMPLES_KEPT, Sample


class Tool:
    """A client that answers every request alike."""

    def __init__(self, status, body):
        self.response = Response(status=status, headers={}, body=body)

    async def send(self, request):
        return self.response


def rows(rig, table):
    with sqlite3.connect(rig.path / "state.db") as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()


def samples(rig, **wanted):
    asked = {"code": None, "outcome": None, "subscription_id": None, "start": 0, "end": 1 << 60, "limit": 99}
    with sqlite3.connect(rig.path / "state.db") as db:
        return failures.samples(db, "d", **(asked | wanted))


def calling(rig, secret=""):
    """Make the rig's action send a request."""
    plain = rig.targets[0].action.perform

    async def perform(call, payloads):
        url = f"https://tool.example/in?key={secret}"
        response = await call.http.send(Request(url=url, body=f"{secret}{payloads}".encode()))
        await plain(call, payloads)
        return from_response(response, time.time())

    object.__setattr__(rig.targets[0].action, "perform", perform)


@pytest.mark.parametrize("batching", [{}, BATCHED])
async def test_a_message_that_is_kept_has_no_secret_in_it(tmp_path, batching):
    rig = Rig(tmp_path, batching)
    rig.answer = lambda ids: [
        discarded("401", "the key hush-hush is not known") if id.endswith("1") else retry("503", "hush-hush")
        for id in ids
    ]
    object.__setattr__(rig.plan, "masking", Masking(["hush-hush"]))
    rig.append(10)
    async with rig.running() as loop:
        await rig.until(lambda: rig.store.discards("d") and rig.books.parked)
        await loop.stop()
    assert rig.store.discards("d")[0].message == "the key ••• is not known"
    assert "hush-hush" not in str([rows(rig, table) for table in ("sample", "attempt", "discard", "parked")])


async def test_what_arrives_leaves_nothing_behind(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    rig.append(100)
    async with rig.running():
        await rig.settled()
    assert [rows(rig, table) for table in ("sample", "attempt", "discard", "parked")] == [[], [], [], []]


async def test_a_failure_is_kept_with_request_and_answer_and_without_secrets(tmp_path, monkeypatch):
    monkeypatch.setattr("onward.delivery.samples.EVERY", 3600.0)  # However slow the machine is.
    rig = Rig(tmp_path)
    rig.http = Tool(400, b'{"error": "no such field", "token": "hush-hush"}')
    calling(rig, "hush-hush")
    object.__setattr__(rig.plan, "masking", Masking(["hush-hush"]))
    rig.append(40)
    async with rig.running() as loop:
        await rig.settled()
        await loop.stop()
    kept = samples(rig, code="400")
    assert len(kept) == AT_ONCE
    one = kept[-1]
    assert (one.outcome, one.attempt, one.payload) == (
        "discarded",
        1,
        {"id": one.message_id, "n": one.event["properties"]["n"]},
    )
    ((exchange),) = one.exchanges
    assert exchange["response"]["status"] == 400 and "no such field" in exchange["response"]["body"]
    assert "hush" not in str(kept) and one.message_id in exchange["request"]["body"]


async def test_samples_that_are_made_side_by_side_are_each_kept_once():
    taken = []
    sampler = Sampler(lambda: taken.extend(sampler.take()))
    for number in range(AT_ONCE):
        label = Labels().of("s", {"type": "track"})
        items = [Item(Target("s", REMOVED), label, {}, {}, f"m{number}", 1, None)]
        sampler.look(items, [retry("503", "")], Recorder(Tool(503, b""), Masking([]), 0), Masking([]), 1.0)
    await sampler.finish()
    assert sorted(sample.message_id for sample in taken) == ["m0", "m1", "m2"]


async def test_a_sample_says_who_was_in_its_request(monkeypatch):
    monkeypatch.setattr("onward.delivery.samples.PEOPLE", 2)
    sampler = Sampler(lambda: None)

    async def sample(*events):
        label = Labels().of("s", {"type": "track"})
        items = [Item(Target("s", REMOVED), label, {}, event, "m", at, None) for event, at in events]
        outcomes = [discarded("400", "")] * len(items)
        sampler.look(items, outcomes, Recorder(Tool(400, b""), Masking([]), 0), Masking([]), time.time())
        await sampler.finish()
        (made,) = sampler.take()
        return made.people

    carol, dave, erin = ({"userId": user} for user in ("carol", "dave", "erin"))
    nobody = {"anonymousId": "a"}
    assert await sample((carol, 5), (nobody, 1), (dave, 3), (carol, 4)) == [("carol", 4), ("dave", 3)]
    assert await sample((nobody, 1)) == []
    assert await sample((carol, 1), (dave, 1), (erin, 1)) is None  # Too many: whoever is deleted takes it.


async def test_attempts_tell_of_what_did_not_arrive_at_once(tmp_path):
    rig = Rig(tmp_path, policy=QUICK)
    seen = []

    def answer(ids):
        seen.extend(ids)
        return retry("503", "ask ada@example.com") if ids == ["m3"] and seen.count("m3") < 3 else DELIVERED

    rig.answer = answer
    rig.append(10)
    async with rig.running():
        await rig.settled()
    with sqlite3.connect(tmp_path / "state.db") as db:
        found = failures.attempts(db, "m3")
        assert failures.attempts(db, "m4") == []
    assert [(id, each.attempt, each.outcome, each.code) for id, each in found] == [
        ("d", 1, "retry", "503"),
        ("d", 2, "retry", "503"),
        ("d", 3, "delivered", ""),
    ]
    assert "ada@" not in found[0][1].message and found[0][1].due_at > 0


async def test_what_json_can_not_hold_does_not_keep_the_books_from_being_written(tmp_path):
    rig = Rig(tmp_path)
    rig.answer = lambda ids: discarded("400", "half a pair: \ud800")
    rig.append(2)
    async with rig.running() as loop:
        assert (await rig.settled()).discarded == 2
        await loop.stop()
    assert samples(rig)[0].message == "half a pair: ?"


async def test_the_version_that_routed_a_record_is_written_down(tmp_path):
    rig = Rig(tmp_path)
    object.__setattr__(rig.plan, "version", 7)
    rig.append(30)
    async with rig.running():
        await rig.settled()
    ((destination, first, version),) = rows(rig, "passage")
    assert (destination, version) == ("d", 7) and first >= 1


def test_latencies_of_an_earlier_version_are_kept(tmp_path):
    SqliteStateStore(tmp_path).close()
    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("DROP TABLE latency")
        db.execute(
            "CREATE TABLE latency (destination_id TEXT, minute INTEGER, bucket INTEGER, count INTEGER)"
        )
        db.execute("INSERT INTO latency VALUES ('d', 5, 3, 11)")
    for _ in range(2):
        SqliteStateStore(tmp_path).close()
    with sqlite3.connect(tmp_path / "state.db") as db:
        assert db.execute("SELECT * FROM latency").fetchall() == [("d", 5, "", 3, 11)]


@pytest.mark.parametrize("outcome", ["retry", "discarded"])
async def test_only_the_newest_samples_of_a_kind_are_kept(tmp_path, outcome):
    store = SqliteStateStore(tmp_path)
    store.open_destination("d", Position())
    changes = Changes()
    changes.samples = [
        Sample(
            subscription_id="s", outcome=outcome, code=code, at=n, received_at=0, message_id=f"m{n}",
            attempt=1, message="", event={}, payload={}, exchanges=[],
        )
        for n in range(25)
        for code in ("400", "404")
    ]  # fmt: skip
    store.commit([("d", changes)], 1.0)
    store.close()
    with sqlite3.connect(tmp_path / "state.db") as db:
        kept = db.execute("SELECT message_id FROM sample WHERE code = '404' ORDER BY id DESC").fetchall()
    assert kept == [(f"m{n}",) for n in range(24, 24 - SAMPLES_KEPT, -1)]
