"""The audit trail being written, and what of it is to be forwarded (spec §17.2).

    a change, or somebody signing in  →  an audit event, and where the workspace forwards its trail a place in
    the outbox, in one transaction  →  `onward.tracking.audit` hands it to the source, then clears the place

What if the process dies? An event that is written is in the outbox with it, and stays there until the source
has it on disk. One that dies between these two hands the event over again; its id is the messageId, so it
is a duplicate there (within `dedupe_hours`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from onward.workspace import ids
from onward.workspace.entities import (
    AuditEvent,
    AuditForwarding,
    AuditOutbox,
    Membership,
    Revision,
    User,
)

Event = dict[str, Any]

AT_ONCE = 100
"""Events handed over in one request."""
EVENT_BYTES = 30_000
"""A forwarded event that is larger says only that the thing changed: sources take 32 KB."""
CHANNEL = "server"


@dataclass(frozen=True)
class Portion:
    """What is next to be forwarded, all of it to one source."""

    source_id: str
    events: Sequence[Event]
    places: Sequence[int]
    """In the outbox."""


def write(session: Session, event: AuditEvent) -> None:
    """In the transaction of what the event tells."""
    session.add(event)
    forwarding = session.get(AuditForwarding, event.workspace_id)
    if forwarding is not None:
        session.flush()  # the place refers to the event
        session.add(AuditOutbox(event_id=event.id, source_id=forwarding.source_id))


def write_of_user(
    session: Session,
    user: User,
    type: str,
    now: int,
    after: Mapping[str, Any] | None = None,
    *,
    actor: str | None = None,
) -> None:
    """What a user, or the command `actor`, did about the user's own account: in the trail of every workspace
    that the user belongs to."""
    version = session.get_one(Revision, 1).version
    of_user = select(Membership.workspace_id).where(Membership.user_id == user.id)
    for workspace_id in session.scalars(of_user.order_by(Membership.workspace_id)).all():
        event = AuditEvent(
            id=ids.resource_id(),
            workspace_id=workspace_id,
            timestamp=now,
            type=type,
            actor=actor or user.id,
            actor_email=None if actor else user.email,
            resource_id=user.id,
            resource_type=user.resource_type,
            resource_name=user.name,
            before=None,
            after=dict(after) if after is not None else None,
            version=version,
        )
        write(session, event)


def next_portion(session: Session) -> Portion | None:
    """The oldest events that wait; None if none does."""
    query = (
        select(AuditOutbox.id, AuditOutbox.source_id, AuditEvent)
        .join(AuditEvent, AuditEvent.id == AuditOutbox.event_id)
        .order_by(AuditOutbox.id)
        .limit(AT_ONCE)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    source_id = rows[0][1]
    own = [(place, track_event(event)) for place, source, event in rows if source == source_id]
    return Portion(source_id, [event for _, event in own], [place for place, _ in own])


def clear(session: Session, places: Sequence[int]) -> None:
    """These were forwarded."""
    session.execute(delete(AuditOutbox).where(AuditOutbox.id.in_(places)))


def track_event(event: AuditEvent) -> Event:
    """An audit event as a track call: named after its type, by who did it. Secrets are masked already."""
    said: dict[str, Any] = {
        "id": event.id,
        "actor": event.actor,
        "actorEmail": event.actor_email,
        "resourceId": event.resource_id,
        "resourceType": event.resource_type,
        "resourceName": event.resource_name,
        "workspaceId": event.workspace_id,
        "version": event.version,
    }
    properties = said | {"before": event.before, "after": event.after}
    if len(msgspec.json.encode(properties)) > EVENT_BYTES:
        properties = said | {"before": None, "after": None, "truncated": True}
    return {
        "type": "track",
        "event": event.type,
        "messageId": event.id,
        "userId": event.actor,
        "timestamp": _iso(event.timestamp),
        "properties": properties,
        "context": {"library": {"name": "onward-audit"}},
        "channel": CHANNEL,
    }


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
