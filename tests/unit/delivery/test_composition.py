"""What shares a request, and what becomes of it when a part of it or all of it fails (spec §11.4, §11.5)."""

import sqlite3

import msgspec
import pytest
from rig import BATCHED, QUICK, Rig

from onward.delivery.item import Item, Target, batch_key
from onward.destinations.definition import Action
from onward.destinations.outcome import DELIVERED, discarded, retry


async def test_a_failure_of_the_whole_batch_is_a_failure_of_each(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    rig.answer = lambda ids: retry("429", "slow down") if len(rig.requests) == 1 else DELIVERED
    rig.append(25)
    async with rig.running():
        books = await rig.settled()
    with sqlite3.connect(tmp_path / "state.db") as db:
        retried = dict(
            db.execute("SELECT code, sum(count) FROM counter WHERE outcome = 'retried' GROUP BY 1")
        )
    db.close()
    assert (books.delivered, retried) == (25, {"429": 25})
    assert sorted(rig.sent) == sorted([f"m{n}" for n in range(25)] * 2)


async def test_a_batch_that_is_too_large_for_the_tool_is_sent_in_parts(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    rig.answer = lambda ids: discarded("413", "too large") if len(ids) > 10 or "m3" in ids else DELIVERED
    rig.append(25)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (24, 1)
    assert rig.store.discards("d")[0].message_id == "m3"


async def test_a_stream_batch_is_formed_anew_of_those_that_failed(tmp_path):
    rig = Rig(tmp_path, BATCHED)
    failing = {"m3", "m7", "m30"}

    def answer(ids):
        if len(rig.requests) > 2:
            return DELIVERED
        return [retry("503", "busy") if id in failing else DELIVERED for id in ids]

    rig.answer = answer
    rig.append(50)
    async with rig.running():
        books = await rig.settled()
    assert books.delivered == 50
    again = [id for ids in rig.requests[2:] for id in ids]
    assert sorted(again) == ["m3", "m30", "m7"]


@pytest.mark.parametrize("bulk_from", [None, 1500])
async def test_what_failed_together_comes_again_together(tmp_path, bulk_from):
    """Else one request would become as many as it had events, at the worst time."""
    policy = msgspec.structs.replace(QUICK, batch_wait=3600.0, bulk_wait=3600.0)
    rig = Rig(tmp_path, {**BATCHED, "batch_size": 1500}, policy=policy, bulk_from=bulk_from)
    rig.answer = lambda ids: retry("503", "busy") if len(rig.requests) == 1 else DELIVERED
    rig.append(1500, per_record=100)
    async with rig.running():
        await rig.settled()
    with sqlite3.connect(tmp_path / "state.db") as db:
        due = db.execute("SELECT DISTINCT due_at FROM attempt WHERE outcome = 'retry'").fetchall()
    db.close()
    assert len(due) == 1
    assert [len(ids) for ids in rig.requests] == [1500, 1500]


async def test_of_a_bulk_batch_only_what_failed_comes_again_and_together(tmp_path):
    rig = Rig(tmp_path, {"enable_batching": True, "batch_size": 30}, bulk_from=30)

    def answer(ids):
        if len(rig.requests) > 3:
            return DELIVERED
        return [
            discarded("400", "bad")
            if id == "m3"
            else retry("503", "busy")
            if id in ("m7", "m8")
            else DELIVERED
            for id in ids
        ]

    rig.answer = answer
    rig.append(30)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (29, 1)
    assert [sorted(ids) for ids in rig.requests[1:]] == [["m7", "m8"]] * (len(rig.requests) - 1)
    assert len(rig.requests[0]) == 30


MAPPING = {}


def item(by_audience, personas, payload=None):
    action = Action(
        slug="sync", title="Sync", description="", perform=None, batches=True, by_audience=by_audience
    )
    event = {"type": "identify", "context": {"personas": personas} if personas is not None else {}}
    return Item(Target("s", action, MAPPING), None, payload or {}, event, "m", 0, None)


def test_audiences_share_no_batch_where_the_action_treats_them_apart():
    first = {"computation_id": "a", "audience_settings": {"x": 1}}
    same = {**first, "namespace": "whatever"}
    other = {**first, "audience_settings": {"x": 2}}
    keys = [batch_key(item(True, personas)) for personas in (first, same, other, None)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert batch_key(item(False, first)) == batch_key(item(False, other))


def test_batch_keys_and_audience_split_together():
    keys = {
        batch_key(item(True, {"computation_id": audience}, {"batch_keys": ["list"], "list": name}))
        for audience in ("a", "b")
        for name in ("x", "y")
    }
    assert len(keys) == 4
