"""What was given up on is sent again when people ask for it, and the books balance all the while."""

import time

from msgspec.structs import replace
from rig import BATCHED, QUICK, Rig

from onward.delivery import redrive
from onward.destinations.outcome import DELIVERED, discarded, retry
from onward.metering.fates import Redrive


def balanced(rig):
    books = rig.books
    ended = books.delivered + books.filtered + books.discarded
    return books.received(rig.head) == ended + books.pending(rig.head)


async def ask(rig, **wanted):
    """Have discards sent again, and wait until the request is done."""
    id = rig.store.ask_redrive("d", Redrive(**wanted), time.time())
    while not rig.store.redrives("d")[0].finished_at:
        await redrive.once(rig.store, {"d": rig.loop})
        assert balanced(rig)
        await rig.until(lambda: True)
    assert rig.store.redrives("d")[0].id == id
    await rig.settled()
    return rig.store.redrives("d")[0].done


async def test_all_that_was_given_up_on(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    rig.answer = lambda ids: discarded("400", "no")
    rig.append(450)
    async with rig.running():
        assert (await rig.settled()).discarded == 450
        rig.answer = lambda ids: DELIVERED
        rig.requests.clear()
        assert await ask(rig) == 450
        assert (rig.books.delivered, rig.books.discarded) == (450, 0)
        assert sorted(rig.sent) == sorted(f"m{n}" for n in range(450))
        assert rig.store.discards("d") == []


async def test_bulk_batches_are_formed_of_more_than_are_taken_at_once(tmp_path):
    policy = replace(QUICK, bulk_wait=3600.0)
    rig = Rig(tmp_path, {**BATCHED, "batch_size": 60}, policy=policy, bulk_from=60)
    rig.answer = lambda ids: discarded("400", "no")
    rig.append(480)
    async with rig.running():
        assert (await rig.settled()).discarded == 480
        rig.answer = lambda ids: DELIVERED
        rig.requests.clear()
        assert await ask(rig) == 480
        assert [len(ids) for ids in rig.requests] == [60] * 8


async def test_those_that_match_and_no_others(tmp_path):
    rig = Rig(tmp_path)
    rig.answer = lambda ids: discarded("400" if int(ids[0][1:]) % 2 else "404", "no")
    rig.append(10)
    async with rig.running():
        await rig.settled()
        rig.answer = lambda ids: DELIVERED
        assert await ask(rig, code="404") == 5
        assert await ask(rig, message_id="m3") == 1
        one = rig.store.discards("d")[0]
        assert await ask(rig, discard_id=one.id) == 1
        assert await ask(rig, start=int(time.time() * 1000) + 60_000) == 0
        assert (rig.books.delivered, rig.books.discarded) == (7, 3)


async def test_what_fails_again_is_a_new_discard_or_waits(tmp_path):
    rig = Rig(tmp_path)
    rig.answer = lambda ids: discarded("400", "no")
    rig.append(4)
    async with rig.running():
        await rig.settled()
        tried = []

        def answer(ids):
            tried.extend(ids)
            if ids == ["m1"] and tried.count("m1") == 1:
                return retry("503", "busy")
            return discarded("401", "who?") if ids == ["m2"] else DELIVERED

        rig.answer = answer
        assert await ask(rig) == 4
        assert (rig.books.delivered, rig.books.discarded) == (3, 1)
        (left,) = rig.store.discards("d")
        assert (left.code, left.message_id) == ("401", "m2")


async def test_events_are_mapped_anew_unless_asked_for_otherwise(tmp_path):
    rig = Rig(tmp_path)
    rig.answer = lambda ids: discarded("400", "no")
    rig.append(2)
    async with rig.running():
        await rig.settled()
        rig.answer = lambda ids: DELIVERED
        rig.requests.clear()
        builders = rig.plan.route._builders
        builders[0] = lambda event: {"id": f"new {event['messageId']}"}
        assert await ask(rig, message_id="m0") == 1
        assert await ask(rig, as_it_was=True) == 1
        assert rig.sent == ["new m0", "m1"]


async def test_a_mapping_that_is_gone_filters_them(tmp_path):
    rig = Rig(tmp_path)
    rig.answer = lambda ids: discarded("400", "no")
    rig.append(2)
    async with rig.running():
        await rig.settled()
        rig.plan.route.triggers.clear()
        assert await ask(rig) == 2
        assert (rig.books.filtered, rig.books.discarded) == (2, 0)


async def test_other_mappings_are_left_alone(tmp_path):
    rig = Rig(tmp_path, subscriptions=2)
    first = [True]

    def answer(ids):
        if first:
            first.clear()
            return discarded("400", "no")
        return DELIVERED

    rig.answer = answer
    rig.append(1)
    async with rig.running():
        books = await rig.settled()
        assert (books.delivered, books.discarded) == (1, 1)
        assert await ask(rig) == 1
        assert (rig.books.delivered, rig.books.discarded, len(rig.requests)) == (2, 0, 3)


async def test_a_destination_that_is_down_leaves_them_where_they_are(tmp_path):
    rig = Rig(tmp_path)
    rig.answer = lambda ids: discarded("400", "no")
    rig.append(5)
    async with rig.running() as loop:
        await rig.settled()
        rig.answer = lambda ids: retry("503", "down")
        rig.append(40)
        await rig.until(lambda: loop._breaker.open)
        rig.store.ask_redrive("d", Redrive(), time.time())
        await redrive.once(rig.store, {"d": loop})
        assert rig.books.discarded == 5 and balanced(rig)
        rig.answer = lambda ids: DELIVERED
        loop._breaker.probe_now()
        loop.wake()
        await rig.settled()
        while not rig.store.redrives("d")[0].finished_at:
            await redrive.once(rig.store, {"d": loop})
            await rig.until(lambda: True)
        await rig.settled()
        assert (rig.books.delivered, rig.books.discarded) == (45, 0)
