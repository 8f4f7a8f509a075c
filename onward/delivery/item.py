"""One payload on its way to one destination."""

from typing import Any

import msgspec

from onward.delivery.ledger import OpenRecord
from onward.destinations.definition import Action, Payload
from onward.pipeline.types import Event


class Label(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an event is counted under (spec §12.3)."""

    subscription_id: str
    event_type: str
    event_name: str
    app_version: str


class Target(msgspec.Struct, frozen=True):
    """A subscription made ready to run: which action its payloads go to."""

    subscription_id: str
    action: Action


class Item(msgspec.Struct, gc=False):
    target: Target
    label: Label
    payload: Payload
    event: Event
    message_id: str
    received_at: int
    record: OpenRecord | None
    """The record that waits for this item; None once the item is parked."""
    size: int = 0
    """Bytes of the payload as JSON; 0 where no batch needs to know."""
    parked_id: int = 0
    attempt: int = 0
    """Attempts made so far."""
    first_attempt_at: float = 0.0
    deadline: float = 0.0


class Batch(msgspec.Struct, gc=False):
    """Items that go out in one request."""

    items: list[Item]
    bulk_id: int = 0
    """Set for a bulk batch that has been persisted: its composition does not change any more."""
    bulk: bool = False


def batch_key(item: Item) -> tuple[Any, ...]:
    """What items must have in common to share a batch: the mapping and its `batch_keys` (spec §9.7)."""
    keys = item.payload.get("batch_keys")
    if not keys:
        return (item.target.subscription_id,)
    payload = item.payload
    return (item.target.subscription_id, *[_hashable(payload.get(key)) for key in keys])


def _hashable(value: Any) -> Any:
    return (
        value
        if isinstance(value, str | int | float | bool | None)
        else msgspec.json.encode(value, order="sorted")
    )
