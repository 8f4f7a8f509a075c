"""The schema configuration of a source, and the toggles of single events on its schema (spec §5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace.entities import SchemaEvent, SchemaSettings, Source, same_json
from onward.workspace.errors import Conflict, Invalid
from onward.workspace.schema_controls import DEFAULTS
from onward.workspace.store import Editor

Json = dict[str, Any]
EventType = Literal["TRACK", "IDENTIFY", "GROUP", "PAGE", "SCREEN"]

MAX_EVENTS_AT_ONCE = 200
MAX_EVENTS = 4_000
"""Events with toggles, of one source."""
MAX_NAME = 255
MAX_MEMBERS = 1_000
"""Destinations, or left out properties, of one event."""


@dataclass(frozen=True, kw_only=True)
class Toggles:
    """What is set for one event; None stays as it is."""

    type: EventType
    name: str
    enabled: bool | None = None
    integrations: dict[str, bool] | None = None
    omitted: list[str] | None = None


def settings_of(session: Session, source: Source) -> Json:
    """The configuration as the Public API shows it, defaults included."""
    stored = session.get(SchemaSettings, source.id)
    controls = stored.controls if stored is not None else {}
    shown: Json = {type: {**defaults, **controls.get(type, {})} for type, defaults in DEFAULTS.items()}
    if stored is not None and stored.violations_to is not None:
        shown["forwardingViolationsTo"] = stored.violations_to
    if stored is not None and stored.blocked_to is not None:
        shown["forwardingBlockedEventsTo"] = stored.blocked_to
    return shown


def update_settings(
    editor: Editor, source: Source, controls: Mapping[str, Json], forwarding: Mapping[str, str | None]
) -> None:
    """Change what is given of `track`, `identify`, `group`, and where `violations` and `blocked` events go.

    Raises `Invalid` for a source to forward to that is not there, or is this one.
    """
    session = editor.session
    before = settings_of(session, source)
    stored = session.get(SchemaSettings, source.id)
    if stored is None:
        stored = SchemaSettings(source_id=source.id, controls={})
        session.add(stored)
    stored.controls = {
        type: merged
        for type in DEFAULTS
        if (merged := {**stored.controls.get(type, {}), **controls.get(type, {})})
    }
    if "violations" in forwarding:
        stored.violations_to = _target(editor, source, forwarding["violations"], "forwardingViolationsTo")
    if "blocked" in forwarding:
        stored.blocked_to = _target(editor, source, forwarding["blocked"], "forwardingBlockedEventsTo")
    session.flush()
    after = settings_of(session, source)
    if not same_json(before, after):
        editor.record(source, "Source Settings Modified", {"schema": before}, {"schema": after})


def events_of(session: Session, source: Source) -> Sequence[SchemaEvent]:
    query = select(SchemaEvent).where(SchemaEvent.source_id == source.id)
    return session.scalars(query.order_by(SchemaEvent.type, SchemaEvent.name)).all()


def update_events(editor: Editor, source: Source, given: Sequence[Toggles]) -> None:
    """Set toggles; an event whose toggles are all as they are by default is forgotten."""
    if len(given) > MAX_EVENTS_AT_ONCE:
        raise Invalid(f"at most {MAX_EVENTS_AT_ONCE} events at once; do it in portions", field="events")
    session = editor.session
    stored = {(event.type, event.name): event for event in events_of(session, source)}
    before: Json = {}
    after: Json = {}
    for at, each in enumerate(given):
        _check(each, f"events[{at}]")
        key = (each.type, each.name)
        event = stored.get(key)
        if event is None:
            event = stored[key] = SchemaEvent(
                source_id=source.id, type=each.type, name=each.name, enabled=True, integrations={}, omitted=[]
            )
            session.add(event)
        label = " ".join(filter(None, key))
        before.setdefault(label, _state(event))
        if each.enabled is not None:
            event.enabled = each.enabled
        if each.integrations is not None:
            event.integrations = each.integrations
        if each.omitted is not None:
            event.omitted = each.omitted
        after[label] = _state(event)
    for event in stored.values():
        if event.enabled and not event.omitted and all(event.integrations.values()):
            if event in session.new:
                session.expunge(event)
            else:
                session.delete(event)
    session.flush()
    if len(events_of(session, source)) > MAX_EVENTS:
        raise Conflict(f"a source may have toggles for {MAX_EVENTS} events", field="events")
    if not same_json(before, after):
        editor.record(source, "Source Settings Modified", {"events": before}, {"events": after})


def _state(event: SchemaEvent) -> Json:
    return {"enabled": event.enabled, "integrations": event.integrations, "omitted": event.omitted}


def _check(given: Toggles, place: str) -> None:
    if given.type == "TRACK" and not given.name:
        raise Invalid("the event's name is needed", f"{place}.name")
    if given.type != "TRACK" and given.name:
        raise Invalid(
            f"the toggles of {given.type} are for all such calls: leave the name out", f"{place}.name"
        )
    if len(given.name) > MAX_NAME:
        raise Invalid(f"a name may have {MAX_NAME} characters", f"{place}.name")
    if given.integrations is not None:
        if len(given.integrations) > MAX_MEMBERS:
            raise Invalid(f"at most {MAX_MEMBERS} destinations are possible", f"{place}.integrations")
        for name in ("All", "Segment.io", ""):
            if name in given.integrations:
                raise Invalid("the names of destinations belong here, one by one", f"{place}.integrations")
    if given.omitted is not None and (len(given.omitted) > MAX_MEMBERS or not all(given.omitted)):
        raise Invalid(f"at most {MAX_MEMBERS} names, none of them empty, are possible", f"{place}.omitted")


def _target(editor: Editor, source: Source, id: str | None, field: str) -> str | None:
    if not id:
        return None
    target = editor.session.get(Source, id)
    if target is None or target.workspace_id != source.workspace_id:
        raise Invalid(f"there is no source {id}", field=field)
    if target.id == source.id:
        raise Invalid("a source can't forward to itself", field=field)
    return target.id
