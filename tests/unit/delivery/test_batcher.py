"""Batches keep to count, bytes, wait and keys, and hold every item exactly once."""

from math import inf, nan

import orjson
from hypothesis import given
from hypothesis import strategies as st

from onward.delivery.batcher import Batcher
from onward.delivery.item import Item, Labels, Target
from onward.destinations.definition import Action
from onward.destinations.outcome import DELIVERED
from onward.workspace.snapshot import DeliveryPolicy


async def perform(call, payloads):
    return DELIVERED


ACTION = Action(
    slug="send",
    title="Send",
    description="",
    perform=perform,
    batches=True,
    max_batch_size=50,
    default_batch_size=10,
    max_batch_bytes=2_000,
    bulk_from=40,
)
TARGET = Target("sub", ACTION)
LABEL = Labels().get("sub", "track", "Bought", "")
POLICY = DeliveryPolicy(batch_wait=1.0, bulk_wait=60.0)


def item(**payload):
    return Item(TARGET, LABEL, payload, {}, "m", 0, None)


payloads = st.fixed_dictionaries(
    {
        "enable_batching": st.booleans(),
        "batch_size": st.one_of(
            *(st.none(), st.integers(-5, 100), st.text(max_size=2), st.booleans()),
            st.sampled_from([inf, nan, 1.5]),
        ),
        "batch_bytes": st.one_of(st.none(), st.integers(1, 4_000), st.just(inf)),
        "batch_keys": st.sampled_from([None, ["url"], ["url", "headers"]]),
        "url": st.sampled_from(["a", "b", None, 3]),
        "headers": st.sampled_from([None, {"x": 1}, {"x": [2]}]),
        "data": st.text(max_size=300),
    }
)


@given(st.lists(st.tuples(payloads, st.floats(0, 0.7), st.integers(0, 9)), max_size=60))
def test_every_item_goes_out_once_within_the_limits(steps):
    batcher, now, out, taken = Batcher(POLICY), 0.0, [], []
    for payload, gap, dice in steps:
        now += gap
        out += batcher.due(now)
        if dice == 0:
            out += batcher.make_room()
            assert batcher.waiting == 0
        one = item(**payload)
        taken.append(one)
        out += batcher.add(one, now)
        assert batcher.waiting == len(taken) - sum(len(batch.items) for batch in out)
    assert batcher.next_due is None or batcher.next_due > now
    out += batcher.due(now + 61)
    assert batcher.waiting == 0
    sent = [each for batch in out for each in batch.items]
    assert sorted(map(id, sent)) == sorted(map(id, taken))
    for batch in [batch for batch in out if batch.bulk_id]:
        parts = [each for each in out if each.bulk_id == batch.bulk_id]
        assert sum(len(each.items) for each in parts) <= ACTION.max_batch_size
        assert all(each.until for each in parts[:-1])
    for batch in out:
        first = batch.items[0].payload
        assert len(batch.items) <= ACTION.max_batch_size
        if len(batch.items) > 1:
            assert all(each.payload["enable_batching"] is True for each in batch.items)
            assert len(orjson.dumps([each.payload for each in batch.items])) <= ACTION.max_batch_bytes + 2
            for key in first["batch_keys"] or ():
                assert all(each.payload[key] == first[key] for each in batch.items)


def test_an_open_batch_waits_no_longer_than_its_wait():
    batcher = Batcher(POLICY)
    assert batcher.add(item(enable_batching=True), 5.0) == []
    assert batcher.next_due == 6.0
    assert batcher.add(item(enable_batching=True), 5.9) == []
    assert batcher.due(5.99) == []
    (batch,) = batcher.due(6.0)
    assert len(batch.items) == 2


def test_a_size_of_bulk_makes_bulk_batches_that_wait_longer():
    batcher = Batcher(POLICY)
    for _ in range(39):
        assert batcher.add(item(enable_batching=True, batch_size=40), 0.0) == []
    assert batcher.due(59.0) == []
    (batch,) = batcher.add(item(enable_batching=True, batch_size=40), 59.5)
    assert batch.bulk
    assert len(batch.items) == 40


def test_a_payload_over_the_byte_limit_goes_alone():
    batcher = Batcher(POLICY)
    batcher.add(item(enable_batching=True, data="a"), 0.0)
    before = batcher.add(item(enable_batching=True, data="x" * 3_000), 0.0)
    after = batcher.add(item(enable_batching=True, data="b"), 0.0)
    assert [len(batch.items) for batch in before + after] == [1, 1]
