"""What a destination's loop has of people who are being deleted, and how it lets go of it."""

import asyncio

from rig import BATCHED, Rig

from onward.destinations.outcome import DELIVERED, discarded, retry
from onward.workspace.snapshot import DeliveryPolicy


def kept(rig):
    """All rows of hers."""
    rig.commit()
    return rig.store.held("d", lambda user_id, received_at: user_id == "her")


async def erase(rig):
    """What a deletion does (`onward.delivery.deletions`); whether it has found all."""
    gone = await rig.loop.let_go()
    found = kept(rig)
    return await rig.loop.erase(found) and gone


async def erased(rig):
    while not await erase(rig):
        await asyncio.sleep(0.001)


async def test_a_request_that_is_under_way_is_waited_for_and_leaves_nothing(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    rig.answer = lambda ids: discarded("400", "no")
    opened = asyncio.Event()
    rig.pace = opened.wait
    rig.append(20, users=("her", "him"))
    async with rig.running() as loop:
        await rig.until(lambda: rig.requests)
        assert await loop.let_go()
        rig.delete("her")
        assert not await erase(rig)
        opened.set()
        await erased(rig)
        books = await rig.settled()
        assert (books.discarded, books.filtered) == (10, 10)
        assert {each.event["userId"] for each in rig.store.discards("d")} == {"him"}
        assert not kept(rig)  # Neither as the one that a sample is of, nor in the request that it shows.


async def test_samples_from_before_go_with_whoever_was_in_their_requests(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    rig.answer = lambda ids: discarded("400", "no")
    rig.append(20, users=("him", "her"))  # The sample is of his, the first.
    rig.append(10, users=("him",))
    async with rig.running():
        await rig.settled()
        await rig.until(lambda: kept(rig).samples)
        rig.delete("her")
        await erased(rig)
        assert not kept(rig)


async def test_what_waits_goes_back_to_the_log_or_ends(tmp_path):
    """Also what an open record would keep of her for as long as another of its events waits."""
    policy = DeliveryPolicy(concurrency=1, timeout=5.0)
    rig = Rig(tmp_path, policy=policy)
    rig.answer = lambda ids: discarded("400", "no") if ids == ["m0"] else retry("503", "later")
    rig.append(4, per_record=4, users=("her", "him"))
    rig.append(400, users=("her", "him"))
    opened = asyncio.Event()
    rig.pace = lambda: opened.wait() if len(rig.requests) == 2 else asyncio.sleep(0)
    async with rig.running():
        await rig.until(lambda: len(rig.requests) == 2)
        assert rig.books.discarded == 0  # m0 has its outcome, but its record is open.
        rig.delete("her")
        assert await erase(rig)  # m1, which is under way, is his.
        opened.set()
        rig.answer = lambda ids: DELIVERED
        books = await rig.settled()
        assert {f"m{n}" for n in range(2, 404, 2)}.isdisjoint(rig.sent)
        assert not kept(rig) and rig.store.discards("d") == []
        # m0 had been discarded, and is counted so; all others of hers are filtered.
        assert (books.delivered, books.discarded, books.filtered) == (202, 1, 201)


async def test_payloads_that_wait_for_a_retry_are_not_taken_up_any_more(tmp_path):
    rig = Rig(tmp_path)
    rig.answer = lambda ids: retry("503", "later")
    rig.append(6, users=("her", "him"))
    async with rig.running():
        await rig.until(lambda: rig.books.parked == 6)
        rig.delete("her")
        await rig.until(lambda: rig.books.filtered == 3)
        assert rig.books.parked == 3
        rig.answer = lambda ids: DELIVERED
        books = await rig.settled()
        assert (books.delivered, books.filtered) == (3, 3)
