"""Alerts in a document: what they are about by slug and name, addresses that are secrets as variables."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import alerts as edits
from onward.workspace.alerts import SECRET_CHANNELS, Channel, ChannelType, KindName
from onward.workspace.entities import Alert, Destination, Source
from onward.workspace.errors import Conflict, Invalid, at
from onward.workspace.parts.base import Options, Part, canonical, only, paired, resolved, variable
from onward.workspace.secrets import MASK
from onward.workspace.store import Editor

Sources = Mapping[str, Source]
"""By slug."""


class ChannelPart(Part):
    type: ChannelType
    address: str | None = None


class AlertPart(Part):
    name: str
    type: KindName
    source: str | None = None
    """Slug."""
    destination: str | None = None
    """Name; with the source, if several sources have one of that name."""
    threshold: float | UnsetType = UNSET
    minutes: int | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    channels: list[ChannelPart] = msgspec.field(default_factory=list)


def alert_parts(session: Session, workspace_id: str) -> list[AlertPart]:
    found = (_part(session, each) for each in _alerts(session, workspace_id))
    return sorted(found, key=canonical(lambda part: part.name))


def converge_alerts(editor: Editor, parts: Sequence[AlertPart], sources: Sources, options: Options) -> None:
    there = [(_part(editor.session, each), each) for each in _alerts(editor.session, editor.workspace.id)]
    found, rest = paired(parts, there, lambda part: part.name)
    if options.prune:
        for leftover in rest:
            edits.delete_alert(editor, leftover)
    for index, (part, alert) in enumerate(zip(parts, found, strict=True)):
        with at(f"alerts[{index}]"):
            _alert(editor, part, alert, sources, options)


def _alert(editor: Editor, part: AlertPart, alert: Alert | None, sources: Sources, options: Options) -> None:
    if part.source is not None and part.source not in sources:
        raise Invalid(f"there is no source {part.source}", field="source")
    source_id = sources[part.source].id if part.source is not None else None
    destination_id = _destination(editor, part, source_id)
    secrets = alert.secrets if alert is not None else {}
    given = {str(place): channel.address for place, channel in enumerate(part.channels)}
    addresses = resolved(given, secrets, options, "alert", part.name)
    channels = []
    for place, channel in enumerate(part.channels):
        address = addresses[str(place)]
        channels.append(Channel(type=channel.type, address=edits.mask(place) if address == MASK else address))
    if alert is None:
        edits.create_alert(
            editor,
            name=part.name,
            kind=part.type,
            channels=channels,
            source_id=source_id,
            destination_id=destination_id,
            threshold=part.threshold,
            minutes=part.minutes,
            enabled=True if part.enabled is UNSET else part.enabled,
        )
        return
    if alert.kind != part.type:
        raise Conflict(
            f"the alert {part.name} is of the type {alert.kind}, which can't be changed", field="type"
        )
    known = edits.KINDS[part.type]
    edits.update_alert(
        editor,
        alert,
        channels=channels,
        source_id=source_id,
        destination_id=destination_id,
        threshold=known.threshold if part.threshold is UNSET else part.threshold,
        minutes=known.minutes if part.minutes is UNSET else part.minutes,
        enabled=part.enabled,
    )


def _destination(editor: Editor, part: AlertPart, source_id: str | None) -> str | None:
    if part.destination is None:
        return None
    query = (
        select(Destination)
        .join(Source, Source.id == Destination.source_id)
        .where(Source.workspace_id == editor.workspace.id, Destination.name == part.destination)
    )
    if source_id is not None:
        query = query.where(Destination.source_id == source_id)
    found = editor.session.scalars(query).all()
    return only(found, "destination", part.destination, "destination").id


def _part(session: Session, alert: Alert) -> AlertPart:
    destination = session.get(Destination, alert.destination_id) if alert.destination_id else None
    source_id = alert.source_id or (destination.source_id if destination else None)
    return AlertPart(
        name=alert.name,
        type=alert.kind,  # type: ignore[arg-type]  # checked when it was made
        source=session.get_one(Source, source_id).slug if source_id else None,
        destination=destination.name if destination else None,
        threshold=alert.threshold,
        minutes=alert.minutes,
        enabled=alert.enabled,
        channels=[
            ChannelPart(
                type=each["type"],
                address=variable("alert", alert.name, str(place))
                if each["type"] in SECRET_CHANNELS
                else each["address"],
            )
            for place, each in enumerate(alert.channels)
        ],
    )


def _alerts(session: Session, workspace_id: str) -> Sequence[Alert]:
    query = select(Alert).where(Alert.workspace_id == workspace_id)
    return session.scalars(query.order_by(Alert.created_at, Alert.id)).all()
