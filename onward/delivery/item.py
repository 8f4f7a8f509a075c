"""One payload on its way to one destination."""

from collections.abc import Mapping
from typing import Any

import msgspec

from onward.delivery.ledger import OpenRecord
from onward.delivery.state.protocol import DELIVERED, Count
from onward.destinations.definition import Action, Payload
from onward.pipeline.types import Event

AUDIENCE = ("computation_id", "computation_key", "external_audience_id", "audience_settings")
"""What of `context.personas` tells audiences apart, each of which an action may treat otherwise."""
PLAIN = frozenset({str, int, float, bool, type(None)})


class Label(msgspec.Struct, frozen=True, gc=False):
    """What an event is counted under (spec §12.3), shared by all events alike."""

    subscription_id: str
    event_type: str
    event_name: str
    app_version: str
    delivered_at_once: Count
    """The counter of nearly every delivery, made once."""

    def count(self, outcome: str, code: str) -> Count:
        return Count(outcome, code, self.subscription_id, self.event_type, self.event_name, self.app_version)


class Labels:
    """The labels of one destination: each made once, and bounded, as event names may be dynamic."""

    MOST = 2_000
    OTHER = "(other)"

    def __init__(self) -> None:
        self._labels: dict[tuple[str, str, str, str], Label] = {}
        self.unknown = self.get("", "", "", "")
        """Of what can't be read."""

    def of(self, subscription_id: str, event: Event) -> Label:
        event_type = event["type"]
        name = event.get("event" if event_type == "track" else "name")
        context = event.get("context")
        app = context.get("app") if type(context) is dict else None
        version = app.get("version") if type(app) is dict else None
        return self.get(
            subscription_id,
            event_type,
            name if type(name) is str else "",
            version if type(version) is str else "",
        )

    def get(self, subscription_id: str, event_type: str, name: str, version: str) -> Label:
        key = (subscription_id, event_type, name, version)
        label = self._labels.get(key)
        if label is None:
            if len(self._labels) >= self.MOST and name != self.OTHER:
                return self.get(subscription_id, event_type, self.OTHER, "")
            first = Count("delivered", f"{DELIVERED}1", subscription_id, event_type, name[:200], version[:50])
            label = self._labels[key] = Label(subscription_id, event_type, name[:200], version[:50], first)
        return label


class Target(msgspec.Struct, frozen=True):
    """A subscription made ready to run: which action its payloads go to."""

    subscription_id: str
    action: Action
    mapping: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The subscription's, for actions that need more than the payload."""


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
    to_insert: bool = False
    """Whether the insert function has still to be called; the payload is made of what it returns."""
    remade: bool = False
    """Whether the payload is another than what is parked."""
    inserted: Event | None = None
    """What the insert function made of the event, for actions to see in its place. What is kept for people,
    and for deletions to find, is the event as it came."""

    @property
    def seen(self) -> Event:
        return self.event if self.inserted is None else self.inserted


class Batch(msgspec.Struct, gc=False):
    """Items that go out in one request."""

    items: list[Item]
    bulk: bool = False
    bulk_id: int = 0
    """What a bulk batch is persisted under; 0 if nothing of it has been yet."""
    complete: bool = False
    """Whether it has been persisted as a whole: its composition does not change any more."""
    until: float = 0.0
    """Of a bulk batch that more items may still join: how long."""
    to_insert: bool = False
    """Its items go to the insert function, and on from there."""


def batch_key(item: Item) -> tuple[Any, ...]:
    """What items must have in common to share a batch: mapping, `batch_keys` and audience (spec §9.7).

    A mapping that is edited is another from then on: its action, or what it says besides the fields, such as
    the sync mode, goes for the whole of a request.
    """
    target = item.target
    common = (target.subscription_id, target.action.slug, id(target.mapping))  # which the items keep alive
    keys = None if target.action.batches_all else item.payload.get("batch_keys")
    if not keys and not target.action.by_audience:
        return common
    payload = item.payload
    audience = _audience(item.seen) if target.action.by_audience else None
    return (*common, audience, *[_hashable(payload.get(key)) for key in keys or ()])


def _audience(event: Event) -> Any:
    context = event.get("context")
    personas = context.get("personas") if type(context) is dict else None
    if type(personas) is not dict:
        return None
    return _hashable([personas.get(key) for key in AUDIENCE])


def _hashable(value: Any) -> Any:
    return value if type(value) in PLAIN else msgspec.json.encode(value, order="sorted")
