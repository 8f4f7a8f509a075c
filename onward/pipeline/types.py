"""The values that travel the road, from the front door to the last outcome.

`Envelope` is what the door adds to an accepted request; `Event` is one normalised Segment call.
"""

from typing import Any, Literal

import msgspec

Json = dict[str, Any]

Event = dict[str, Any]
"""One normalised Segment call (spec §4): a JSON object with `type`, `messageId`, `timestamp`, … set."""

EventType = Literal["identify", "track", "page", "screen", "group", "alias", "delete"]
EVENT_TYPES: tuple[str, ...] = ("identify", "track", "page", "screen", "group", "alias", "delete")


class Envelope(msgspec.Struct, array_like=True, frozen=True):
    """What the front door knows of an accepted request and its body does not say.

    The body itself is kept as it came (`{"batch": […], "sentAt", "context", "integrations"}` or one
    event), so the hot path never serialises an event. `skip` and `ids` turn it into the events that
    were accepted; `onward.pipeline.normalise` does that, once per process, for all destinations.
    """

    received_at: int
    """Server clock at acceptance, milliseconds since the epoch."""
    batch: bool
    """True if the body is a `batch`/`import` call, False if it is a single event."""
    type: str | None = None
    """The type that the path implies (`/v1/track` → `track`); None for batches."""
    ip: str | None = None
    user_agent: str | None = None
    skip: tuple[int, ...] = ()
    """Positions in the batch that were not accepted: duplicates and discards."""
    ids: dict[int, str] = msgspec.field(default_factory=dict)
    """messageIds that the door assigned, by position in the batch (0 for a single event)."""
    direct: bool = False
    """Whether the user's own device called, whatever the event says of its library: the pixel (spec §3.6)."""
    complete: bool = False
    """Whether the body is a batch of events that the door completed itself, because rules of the source
    changed one of them (`onward.pipeline.governance`): nothing is added to them any more."""
