"""What the snapshot says of functions, and what older ones did not."""

import msgspec

from onward.settings import Settings
from onward.workspace import compile
from onward.workspace.bootstrap import bootstrap
from onward.workspace.delivery import Delivery, merge, policy_of, shown
from onward.workspace.entities import StoredSnapshot
from onward.workspace.snapshot import DeliveryPolicy, Snapshot

from .conftest import Workspace

DOCUMENT = """
functions: [{name: Send, type: DESTINATION, code: //, deployed: true}]
sources: [{slug: web, type: javascript, writeKeys: [aaaaaaaa]}]
destinations:
  - {name: Send, source: web, function: Send, enabled: true, delivery: {batchWait: 4, rateLimit: 5}}
"""


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


def test_an_upgrade_compiles_what_is_configured_anew(workspace: Workspace, settings: Settings) -> None:
    workspace.apply(DOCUMENT)
    whole = workspace.snapshot()
    assert whole.destinations[0].function is not None
    bootstrap(settings)
    assert workspace.snapshot().version == whole.version, "another start changes nothing"
    # What a version wrote that knew no functions.
    (destination,) = whole.destinations
    before = msgspec.structs.replace(
        whole, destinations=(msgspec.structs.replace(destination, function=None),)
    )
    with workspace.store.plainly() as session:
        stored = session.get_one(StoredSnapshot, whole.version)
        stored.body = compile.encode(before, workspace.store.cipher)
    bootstrap(settings)
    assert workspace.snapshot() == msgspec.structs.replace(whole, version=whole.version + 1)
