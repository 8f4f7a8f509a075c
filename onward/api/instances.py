"""What testers work on: a destination as the data plane has it, and the event that the caller means."""

import time
from typing import Any

import msgspec

from onward.api.bodies import GivenEvent
from onward.api.context import Context
from onward.destinations.tester import Instance
from onward.pipeline.normalise import Undecodable, normalise
from onward.pipeline.types import Envelope, Event
from onward.pipeline.validate import discard_code
from onward.workspace import ids
from onward.workspace.compile import current_snapshot
from onward.workspace.destinations import get_destination
from onward.workspace.errors import Invalid, NotFound, Unavailable
from onward.workspace.function_catalogue import is_function
from onward.workspace.roles import Permission
from onward.workspace.snapshot import Subscription

RING = 500


def find_instance(context: Context, destination_id: str) -> Instance:
    """Raises `NotFound`, or `Invalid` if this catalogue has no such kind of destination."""
    with context.reading() as session:
        stored = get_destination(session, context.workspace_id, destination_id)
        if is_function(stored.definition):
            raise Unavailable("a destination that is a function is tried by testing the function")
        if stored.definition not in context.store.catalogue:
            raise Invalid(
                f"the catalogue has no destination {stored.definition}: `onward catalog update` installs "
                "Segment's open-source ones, for the next start"
            )
        definition = context.metadata.definition(stored.definition)
        snapshot = current_snapshot(session, context.store.cipher)
    destination = snapshot.destination_by_id[destination_id]
    source = snapshot.source_by_id.get(destination.source_id)
    return Instance(
        destination=destination,
        definition=definition,
        http=context.http,
        runtime=context.runtime,
        write_keys=source.write_keys if source else (),
    )


def find_subscription(instance: Instance, id: str) -> Subscription:
    """Raises `NotFound`."""
    for each in instance.destination.subscriptions:
        if each.id == id:
            return each
    raise NotFound(f"the destination {instance.destination.name} has no subscription {id}")


def find_event(context: Context, source_id: str, given: GivenEvent) -> Event:
    """The event as destinations would get it: given as JSON, or by its messageId from the source's debugger.

    Raises `Invalid`.
    """
    if (given.payload is None) == (given.message_id is None):
        raise Invalid(
            "give either payload, an event, or messageId, of one in the source's debugger", "payload"
        )
    if given.message_id is not None:
        return _from_debugger(context, source_id, given.message_id)
    assert given.payload is not None
    return complete(dict(given.payload), int(time.time() * 1000), "payload")


def complete(event: dict[str, Any], received_at: int, field: str) -> Event:
    """What the front door and the log's readers would make of an event; raises `Invalid`."""
    code = discard_code(event)
    if code is not None:
        raise Invalid(f"the event would not be accepted: {code}", field=field)
    if not isinstance(event.get("messageId"), str):
        event["messageId"] = f"test-{ids.resource_id()}"
    try:
        (completed,) = normalise(Envelope(received_at, batch=False), msgspec.json.encode(event))
    except (RecursionError, msgspec.EncodeError):
        raise Invalid("the event is nested too deeply", field=field) from None
    if isinstance(completed, Undecodable):
        raise Invalid(f"the event can't be read: {completed.reason}", field=field)
    return completed


def _from_debugger(context: Context, source_id: str, message_id: str) -> Event:
    """Only for those who may see the source's events, unmasked."""
    context.access.require(Permission.DEBUGGER_READ, source_id)
    context.access.require(Permission.PII_READ, source_id)
    for line in context.recent(source_id, RING):
        if line.message_id == message_id:
            break
    else:
        raise Invalid(
            f"the source's debugger, which keeps the last {RING} events, has none with the messageId "
            f"{message_id}",
            field="messageId",
        )
    try:
        event = msgspec.json.decode(line.payload, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise Invalid("the debugger has kept this event only in part", field="messageId") from None
    event["messageId"] = message_id
    event.setdefault("type", line.type)
    return complete(event, line.received_at, "messageId")
