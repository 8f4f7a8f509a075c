"""What could make a loop stand still, lose its place, or keep its neighbours waiting."""

import asyncio
import sqlite3
import time
from dataclasses import replace

import msgspec
import orjson
import pytest
from rig import BATCHED, QUICK, Rig

from onward.delivery.limiter import RateLimiter
from onward.destinations.outcome import DELIVERED, retry
from onward.eventlog.protocol import Draft
from onward.eventlog.record import encode
from onward.pipeline import triggers
from onward.pipeline.types import Envelope
from onward.workspace.snapshot import DeliveryPolicy

HASTY = DeliveryPolicy(max_retries=3, backoff_base=0.01, backoff_cap=0.01, concurrency=1, batch_wait=0.02)


def quick_probes(monkeypatch):
    monkeypatch.setattr("onward.delivery.breaker.FIRST_PROBE", 0.02)
    monkeypatch.setattr("onward.delivery.breaker.LAST_PROBE", 0.05)


async def test_events_that_always_fail_do_not_keep_the_others_from_going_out(tmp_path, monkeypatch):
    quick_probes(monkeypatch)
    rig = Rig(tmp_path, policy=HASTY)
    rig.answer = lambda ids: retry("500", "never") if int(ids[0][1:]) < 30 else DELIVERED
    rig.append(30, per_record=1)
    async with rig.running():
        await rig.until(lambda: rig.books.breaker_opened_at is not None)
        rig.append(50)
        await rig.until(lambda: rig.books.delivered == 50)
        while rig.books.discarded < 30:  # Each that arrives is a sign of life.
            rig.append(1)
            await rig.until(lambda: rig.books.delivered == rig.made - 30)
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (rig.made - 30, 30)


async def test_a_kind_of_event_that_always_fails_is_soon_passed_by(tmp_path, monkeypatch):
    quick_probes(monkeypatch)
    rig = Rig(tmp_path, policy=HASTY)
    rig.answer = lambda ids: retry("500", "never") if int(ids[0][1:]) < 300 else DELIVERED
    rig.append(300, per_record=10, name="Poison")
    rig.append(20)
    async with rig.running() as loop:
        await rig.until(lambda: "m310" in rig.sent)
        assert loop._ledger.open_events <= 400
    assert min(at for at, id in enumerate(rig.sent) if int(id[1:]) >= 300) < 30


async def test_an_outage_in_which_little_happens_costs_no_event(tmp_path, monkeypatch):
    quick_probes(monkeypatch)
    rig = Rig(tmp_path, policy=HASTY)
    down = True
    rig.answer = lambda ids: retry("503", "down") if down else DELIVERED
    rig.append(12, per_record=3)
    async with rig.running():
        await rig.until(lambda: len(rig.requests) >= 60)
        assert rig.books.discarded == 0
        down = False
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (12, 0)


async def test_a_store_that_fails_for_once_during_a_probe_ends_no_probing(tmp_path, monkeypatch):
    quick_probes(monkeypatch)
    rig = Rig(tmp_path, policy=HASTY)
    down, due, failures = True, rig.store.due, 0
    rig.answer = lambda ids: retry("503", "down") if down else DELIVERED

    def broken(*args):
        nonlocal failures
        failures += 1
        raise sqlite3.OperationalError("disk I/O error")

    rig.append(50)
    async with rig.running():
        await rig.until(lambda: rig.books.breaker_opened_at is not None)
        rig.store.due = broken
        await rig.until(lambda: failures > 0)
        rig.store.due, down = due, False
        books = await rig.settled()
    assert books.delivered == 50


async def test_a_store_that_fails_for_once_forgets_no_retry(tmp_path):
    rig = Rig(tmp_path)
    failed, failures, due = set(), 0, rig.store.due

    def answer(ids):
        if ids[0] in failed:
            return DELIVERED
        failed.add(ids[0])
        return retry("503", "x") if ids == ["m3"] else DELIVERED

    def broken(*args):
        nonlocal failures
        failures += 1
        rig.store.due = due
        raise sqlite3.OperationalError("database is locked")

    rig.answer, rig.store.due = answer, broken
    rig.append(10)
    async with rig.running():
        books = await rig.settled()
    assert (failures, books.delivered) == (1, 10)


async def test_bulk_batches_are_put_together_no_faster_than_they_leave(tmp_path, monkeypatch):
    monkeypatch.setattr("onward.delivery.parking.CLAIM", 30)
    policy = DeliveryPolicy(concurrency=1, bulk_wait=0.05)
    rig = Rig(tmp_path, {"enable_batching": True, "batch_size": 30}, policy, bulk_from=30)
    gate = asyncio.Event()
    rig.pace = gate.wait
    rig.append(3_000)
    async with rig.running():
        await rig.until(lambda: rig.books.parked >= 60)
        await asyncio.sleep(0.2)
        assert rig.books.parked <= 600
        gate.set()
        books = await rig.settled()
    assert books.delivered == 3_000


class Crowd:
    """Counts the requests under way."""

    def __init__(self, rig):
        self.seen = []
        self.open = asyncio.Event()
        """Until it is set, no request is answered."""
        self._now = 0
        rig.pace = self._pace

    async def _pace(self):
        self._now += 1
        self.seen.append(self._now)
        await self.open.wait()
        await asyncio.sleep(0.005)
        self._now -= 1


@pytest.mark.parametrize("bulk_from", [None, 50])
async def test_a_batch_that_fills_slowly_holds_up_nothing_that_it_is_not_of(tmp_path, monkeypatch, bulk_from):
    """Few of a source's events are for the mapping. Bulk batches go on filling all the same."""
    monkeypatch.setattr("onward.delivery.loop.WINDOW", 200)
    policy = msgspec.structs.replace(QUICK, batch_wait=3600.0, bulk_wait=3600.0)
    rig = Rig(tmp_path, {**BATCHED, "batch_size": bulk_from or 25}, policy=policy, bulk_from=bulk_from)
    rig.plan.route.triggers[:] = [(0, triggers.compile('event = "Rare"'))]
    for _ in range(10):
        rig.append(1, name="Rare")
        rig.append(100)
    rig.append(300)
    async with rig.running():
        await rig.until(lambda: rig.books.filtered >= 1_000)
        if bulk_from is None:
            await rig.until(lambda: len(rig.sent) == 10)
        else:
            assert rig.requests == []
            rig.append(40, name="Rare")
            await rig.until(lambda: rig.requests)
            assert [len(ids) for ids in rig.requests] == [50]
        await rig.settled()


async def test_several_bulk_batches_are_sent_at_once(tmp_path):
    policy = DeliveryPolicy(concurrency=3, bulk_wait=0.05)
    rig = Rig(tmp_path, {"enable_batching": True, "batch_size": 1_500}, policy, bulk_from=1_000)
    crowd = Crowd(rig)
    rig.append(9_000, per_record=100)
    async with rig.running():
        await rig.until(lambda: len(crowd.seen) == 3)
        crowd.open.set()
        books = await rig.settled()
    assert books.delivered == 9_000
    assert max(crowd.seen) == 3


async def test_a_bulk_item_that_failed_alone_in_a_probe_comes_again(tmp_path, monkeypatch):
    quick_probes(monkeypatch)
    rig = Rig(tmp_path, {"enable_batching": True, "batch_size": 2}, HASTY, bulk_from=2)
    failures = 0

    def answer(ids):
        nonlocal failures
        failures += 1
        return retry("503", "down") if failures < 25 else DELIVERED

    rig.answer = answer
    rig.append(50)
    async with rig.running():
        books = await rig.settled()
    assert books.delivered == 50


def changed(rig, **fields):
    """The plan after a change of configuration."""
    return replace(rig.plan, destination=msgspec.structs.replace(rig.plan.destination, **fields))


async def test_a_lower_concurrency_is_kept_to_at_once(tmp_path):
    rig = Rig(tmp_path, policy=DeliveryPolicy(concurrency=8))
    crowd = Crowd(rig)
    crowd.open.set()
    rig.append(400, per_record=100)
    async with rig.running() as loop:
        await rig.until(lambda: len(crowd.seen) > 50)
        loop.update(changed(rig, policy=DeliveryPolicy(concurrency=2)))
        before = len(crowd.seen)
        await rig.settled()
    assert max(crowd.seen) == 8
    assert max(crowd.seen[before + 8 :]) <= 2


async def test_a_new_configuration_is_tried_at_once(tmp_path):
    rig = Rig(tmp_path, policy=HASTY)
    rig.answer = lambda ids: retry("503", "down", 600.0) if ids == ["m0"] else DELIVERED
    rig.append(20)
    async with rig.running() as loop:
        await rig.until(lambda: rig.requests)
        loop.update(changed(rig, settings={"url": "another"}))
        await rig.until(lambda: rig.books.delivered == 19)
    assert rig.books.parked == 1


async def test_an_event_that_a_route_stumbles_over_costs_itself_alone(tmp_path):
    rig = Rig(tmp_path)
    route = rig.plan.route

    def stumbling(event, dice):
        if event["messageId"] == "m4":
            raise RecursionError("too deep")
        return route(event, dice)

    stumbling.filters = None
    rig.plan = replace(rig.plan, route=stumbling)
    rig.append(10)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (9, 1)
    assert rig.store.discards("d")[0].message_id == "m4"


@pytest.mark.parametrize(
    "batching",
    [
        {},
        {"enable_batching": True, "batch_size": 1_000},
        {"enable_batching": True, "batch_size": 1_000, "batch_keys": ["huge"]},
        {"enable_batching": True, "batch_size": 10, "batch_keys": ["huge"]},
    ],
)
async def test_what_can_not_be_written_as_json_is_discarded_and_nothing_else(tmp_path, batching):
    rig = Rig(
        tmp_path, {**batching, "huge": {"@json": {"mode": "decode", "value": {"@path": "$.properties.text"}}}}
    )
    deep = "[" * 300 + "]" * 300
    batch = [
        {"type": "track", "event": "E", "userId": "u", "messageId": id, "properties": {"text": text}}
        for id, text in (("a", deep), ("b", "1" * 100), ("c", '"\\ud800"'), ("d", "7"))
    ]
    body = orjson.dumps({"batch": batch})
    rig.log.append([Draft("s", 1_000, len(batch), encode(Envelope(1_000, True), body))])
    rig.answer = lambda ids: [retry("500", "x") if id in "abc" else DELIVERED for id in ids]
    async with rig.running():
        await rig.until(lambda: rig.books.delivered + rig.books.discarded + rig.books.parked >= 4)
        await rig.until(lambda: rig.books.delivered == 1)
    assert rig.books.cursor == rig.head


def test_a_clock_that_is_set_back_does_not_stop_a_rate_limit():
    limiter = RateLimiter(100.0)
    assert max(limiter.take(1_000.0) for _ in range(100)) == 0.0
    assert max(limiter.take(500.0 + n / 100) for n in range(100)) <= 0.011


async def test_many_batches_at_once_do_not_slow_each_other_down(tmp_path):
    """Batches open by key: an address of its own for every event."""
    rig = Rig(
        tmp_path,
        {**BATCHED, "batch_keys": ["n"]},
        DeliveryPolicy(batch_wait=3600.0, concurrency=4),
    )
    rig.append(9_000, per_record=1)
    async with rig.running() as loop:
        began = time.monotonic()
        await rig.until(lambda: loop._batcher.waiting == 9_000, 60)
    assert time.monotonic() - began < 30
