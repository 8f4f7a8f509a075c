"""One loop over an in-memory log and a real state store, with a destination made to misbehave."""

import contextlib
import time

import pytest
from msgspec.structs import replace
from rig import BATCHED, QUICK, Rig

from onward.delivery.breaker import FAILURES
from onward.delivery.follower import EXPIRED
from onward.destinations.outcome import DELIVERED, discarded, retry
from onward.workspace.snapshot import DeliveryPolicy


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


async def test_everything_arrives_once_and_the_books_balance(rig):
    rig.append(100)
    async with rig.running():
        rig.append(7, per_record=1)
        books = await rig.settled()
    assert sorted(rig.sent) == sorted(f"m{n}" for n in range(107))
    assert all(len(ids) == 1 for ids in rig.requests)
    assert books.delivered == 107
    assert books.cursor == rig.head


async def test_batches_fill_up_to_their_size_over_records(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    rig.append(100, per_record=7)
    async with rig.running():
        await rig.settled()
    assert sorted(map(len, rig.requests)) == [25, 25, 25, 25]


async def test_events_for_no_mapping_are_filtered_with_their_code(rig):
    rig.append(10, type="page")
    rig.append(5)
    async with rig.running():
        books = await rig.settled()
    assert (books.filtered, books.delivered) == (10, 5)


async def test_several_mappings_make_several_deliveries(tmp_path):
    rig = Rig(tmp_path, subscriptions=3)
    rig.append(10)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.fanned_out, books.received(rig.head)) == (30, 20, 30)


async def test_a_failure_is_parked_and_comes_again(rig):
    failed = set()

    def answer(ids):
        if ids[0] in failed or int(ids[0][1:]) % 3:
            return DELIVERED
        failed.add(ids[0])
        return retry("503", "busy")

    rig.answer = answer
    rig.append(30)
    async with rig.running():
        books = await rig.settled()
    assert books.delivered == 30
    assert len(rig.sent) == 40


async def test_a_refusal_is_kept_with_payload_and_reason(rig):
    rig.answer = lambda ids: discarded("400", "no such field") if ids[0] == "m3" else DELIVERED
    rig.append(10)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (9, 1)
    (kept,) = rig.store.discards("d")
    assert (kept.message_id, kept.code, kept.message) == ("m3", "400", "no such field")
    assert kept.payload == {"id": "m3", "n": 3}
    assert kept.event["event"] == "E"


async def test_retries_end_in_a_discard(tmp_path):
    rig = Rig(tmp_path, policy=DeliveryPolicy(max_retries=2, backoff_base=0.01, backoff_cap=0.01))
    rig.answer = lambda ids: retry("500", "never") if ids[0] == "m1" else DELIVERED
    rig.append(20)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (19, 1)
    assert rig.sent.count("m1") == 3
    assert rig.store.discards("d")[0].attempts == 3


async def test_one_outcome_for_each_of_a_batch(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    seen = set()

    def answer(ids):
        outcomes = []
        for id in ids:
            if id == "m4":
                outcomes.append(discarded("400", "bad"))
            elif id == "m7" and id not in seen:
                outcomes.append(retry("429", "slow down"))
            else:
                outcomes.append(DELIVERED)
            seen.add(id)
        return outcomes

    rig.answer = answer
    rig.append(25)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (24, 1)
    assert rig.sent.count("m7") == 2
    assert len(rig.sent) == 26


async def test_a_payload_that_breaks_the_action_costs_itself_alone(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    rig.answer = lambda ids: KeyError("boom") if "m11" in ids else DELIVERED
    rig.append(50)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (49, 1)
    assert rig.store.discards("d")[0].code == "INTERNAL"


async def test_an_outage_parks_next_to_nothing_holds_no_memory_and_costs_no_event(tmp_path):
    rig = Rig(
        tmp_path, policy=DeliveryPolicy(max_retries=3, backoff_base=0.01, backoff_cap=0.01, concurrency=4)
    )
    down = True
    rig.answer = lambda ids: retry("ECONNREFUSED", "down") if down else DELIVERED
    rig.append(2_000, per_record=1)
    async with rig.running() as loop:
        await rig.until(lambda: rig.books.breaker_opened_at is not None)
        requests = len(rig.requests)
        await rig.until(lambda: len(rig.requests) >= requests + 1)
        assert rig.books.parked <= FAILURES + 4
        assert loop._ledger.open_events <= FAILURES + 4
        assert len(loop._ready) == 0
        down = False
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (2_000, 0)
    assert books.breaker_opened_at is None


async def test_an_outage_does_not_use_up_the_window_of_what_was_parked(tmp_path):
    policy = DeliveryPolicy(
        max_retries=3, retry_window=1.0, backoff_base=0.01, backoff_cap=0.01, concurrency=1
    )
    rig = Rig(tmp_path, policy=policy)
    began, down = time.monotonic(), 2.0
    rig.answer = lambda ids: retry("503", "x") if time.monotonic() < began + down else DELIVERED
    rig.append(50, per_record=1)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (50, 0)


async def test_an_outage_in_batches_keeps_what_its_records_half_delivered(tmp_path):
    rig = Rig(tmp_path, {**BATCHED, "batch_size": 3})
    down = False
    delivered = 0

    def answer(ids):
        nonlocal down, delivered
        if down:
            return retry("503", "x")
        delivered += 1
        down = delivered == 5
        return DELIVERED

    rig.answer = answer
    rig.append(400, per_record=8)
    async with rig.running():
        await rig.until(lambda: rig.books.breaker_opened_at is not None)
        down, delivered = False, 100
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (400, 0)


async def test_a_retry_after_pauses_the_destination(rig):
    times = []

    def answer(ids):
        times.append(time.monotonic())
        return retry("429", "wait", 0.5) if len(times) == 1 else DELIVERED

    rig.answer = answer
    rig.append(1)
    async with rig.running():
        await rig.until(lambda: len(times) == 1)
        rig.append(20)
        await rig.settled()
    assert times[1] - times[0] >= 0.45


async def test_a_retry_after_of_one_event_alone_does_not_keep_the_others_waiting(rig):
    rig.answer = lambda ids: retry("503", "not this one", 3600.0) if ids == ["m3"] else DELIVERED
    rig.append(20, per_record=1)
    async with rig.running():
        await rig.until(lambda: rig.books.delivered == 19)
    assert rig.books.parked == 1


async def test_a_retry_after_of_all_pauses_the_destination(rig):
    rig.answer = lambda ids: retry("503", "down", 3600.0)
    rig.append(20, per_record=1)
    async with rig.running() as loop:
        await rig.until(lambda: loop._resume_at > time.time() + 3000)
    assert len(rig.requests) <= 2 + rig.plan.destination.policy.concurrency


async def test_bulk_batches_keep_their_composition_over_attempts_and_restarts(tmp_path):
    patient = replace(QUICK, bulk_wait=3600.0)  # they are full, however slow the machine
    rig = Rig(tmp_path, {"enable_batching": True, "batch_size": 30}, policy=patient, bulk_from=30)
    rig.answer = lambda ids: retry("500", "later")
    rig.append(60)
    async with rig.running():
        await rig.until(lambda: len(rig.requests) >= 4)
    assert rig.books.parked == 60
    rig.answer = lambda ids: DELIVERED
    async with rig.running():
        books = await rig.settled()
    assert books.delivered == 60
    compositions = {tuple(ids) for ids in rig.requests}
    assert len(compositions) == 2
    assert {len(ids) for ids in compositions} == {30}


async def test_a_crash_repeats_what_was_not_committed_and_counts_it_once(rig):
    rig.append(500)
    async with rig.running():
        await rig.until(lambda: rig.books.delivered > 100)
        rig.commit = lambda: None
        await rig.until(lambda: len(rig.sent) > 200)
        rig.killed = True
    del rig.commit
    rig.killed = False
    async with rig.running():
        books = await rig.settled()
    assert set(rig.sent) == {f"m{n}" for n in range(500)}
    assert books.delivered == 500


async def test_what_retention_deleted_is_counted_and_named(rig, monkeypatch):
    rig.append(50)
    kept = rig.log.read("s", 0, 100)[3:]
    monkeypatch.setattr(
        rig.log, "read", lambda s, after, limit: [r for r in kept if r.offset > after][:limit]
    )
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (20, 30)


async def test_when_retention_deleted_all_the_books_still_balance(rig, monkeypatch):
    rig.append(50)
    monkeypatch.setattr(rig.log, "read", lambda source, after, limit: [])
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (0, 50)
    with contextlib.closing(rig.store._connect()) as db:
        assert db.execute("SELECT code, sum(count) FROM counter").fetchall() == [(EXPIRED, 50)]


async def test_events_received_while_it_was_disabled_are_not_for_it(tmp_path):
    rig = Rig(tmp_path, active=((0, 2_000), (5_000, None)))
    rig.append(10, received_at=1_000)
    rig.append(70, received_at=3_000)
    rig.append(20, received_at=5_000)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.skipped, books.received(rig.head)) == (30, 70, 30)
    assert set(rig.sent) == {f"m{n}" for n in range(100) if not 10 <= n < 80}


async def test_a_full_window_waits_for_the_slow_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("onward.delivery.loop.WINDOW", 40)
    rig = Rig(tmp_path)
    rig.append(1_000)
    async with rig.running() as loop:
        most = 0

        def watch(ids):
            nonlocal most
            most = max(most, loop._ledger.open_events)
            return DELIVERED

        rig.answer = watch
        books = await rig.settled()
    assert books.delivered == 1_000
    assert most <= 40 + 4 * 10
