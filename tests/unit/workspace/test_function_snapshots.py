"""What the snapshot says of functions, and what older ones did not."""

import msgspec

from onward.workspace import compile
from onward.workspace.delivery import Delivery, merge, policy_of, shown
from onward.workspace.snapshot import DeliveryPolicy, Snapshot


def test_a_snapshot_of_before_functions_ran_can_be_read() -> None:
    destination = {"id": "d", "workspace_id": "w", "source_id": "s", "definition": "webhook", "name": "n"}
    old = {"version": 7, "sources": [], "destinations": [destination | {"enabled": True, "policy": {}}]}
    read = compile._decoder.decode(msgspec.msgpack.encode(old))
    assert isinstance(read, Snapshot)
    assert (read.destinations[0].function, read.destinations[0].inserted) == (None, None)
    assert read.destinations[0].policy == DeliveryPolicy()


def test_batches_of_functions_wait_for_ten_seconds_unless_something_else_is_said() -> None:
    assert policy_of("function-f", {}).batch_wait == 10.0
    assert policy_of("actions-webhook", {}).batch_wait == 1.0
    # What is no difference at a webhook is one at a function, and is kept.
    one = Delivery(batch_wait=1.0)
    assert merge("actions-webhook", {}, one) == {} and merge("function-f", {}, one) == {"batch_wait": 1.0}
    assert policy_of("function-f", merge("function-f", {}, one)).batch_wait == 1.0
    assert merge("function-f", {}, Delivery(batch_wait=10.0)) == {}
    assert shown({}, "function-f")["batchWait"] == 10.0 and shown({"batch_wait": 3.0}) == {"batchWait": 3.0}
