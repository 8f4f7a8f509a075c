"""A source's schema configuration, and the toggles of its events (spec §5)."""

from typing import Any, Literal, NotRequired, TypedDict

import msgspec
from litestar import get, patch
from litestar.params import RawBody
from msgspec import UNSET, UnsetType

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import Id, InContext
from onward.workspace import schema_settings as edit
from onward.workspace.entities import SchemaEvent
from onward.workspace.roles import Permission
from onward.workspace.schema_settings import EventType, Toggles
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source


class TrackControls(Body):
    allow_unplanned_events: bool | UnsetType = UNSET
    allow_unplanned_event_properties: bool | UnsetType = UNSET
    allow_event_on_violations: bool | UnsetType = UNSET
    allow_properties_on_violations: bool | UnsetType = UNSET
    common_event_on_violations: Literal["ALLOW", "BLOCK", "OMIT_PROPERTIES"] | UnsetType = UNSET


class TraitControls(Body):
    allow_unplanned_traits: bool | UnsetType = UNSET
    allow_traits_on_violations: bool | UnsetType = UNSET
    common_event_on_violations: Literal["ALLOW", "BLOCK", "OMIT_TRAITS"] | UnsetType = UNSET


class UpdateSchemaSettings(Body):
    track: TrackControls | UnsetType = UNSET
    identify: TraitControls | UnsetType = UNSET
    group: TraitControls | UnsetType = UNSET
    forwarding_violations_to: str | UnsetType | None = UNSET
    """Id of a source; null or empty for none."""
    forwarding_blocked_events_to: str | UnsetType | None = UNSET
    """Id of a source; null or empty for none."""


class EventToggles(Body):
    type: EventType
    name: str = ""
    """Of a track call; the toggles of other types are for all their calls."""
    enabled: bool | None = None
    """False: such events are blocked, with the code `event_setting`; without a tracking plan only."""
    integrations: dict[str, bool] | None = None
    """Name of a destination → whether the event goes to it. What the event says itself by name wins."""
    omitted: list[str] | None = None
    """Properties or traits that are left out."""


class UpdateSchemaEvents(Body):
    events: list[EventToggles]


class TrackSettings(TypedDict):
    allowUnplannedEvents: bool
    allowUnplannedEventProperties: bool
    allowEventOnViolations: bool
    allowPropertiesOnViolations: bool
    commonEventOnViolations: Literal["ALLOW", "BLOCK", "OMIT_PROPERTIES"]


class TraitSettings(TypedDict):
    allowUnplannedTraits: bool
    allowTraitsOnViolations: bool
    commonEventOnViolations: Literal["ALLOW", "BLOCK", "OMIT_TRAITS"]


class SchemaSettingsView(TypedDict):
    track: TrackSettings
    identify: TraitSettings
    group: TraitSettings
    forwardingViolationsTo: NotRequired[str]
    forwardingBlockedEventsTo: NotRequired[str]


class SchemaSettingsAnswer(TypedDict):
    sourceId: str
    settings: SchemaSettingsView


class SchemaEventView(TypedDict):
    type: EventType
    name: str
    enabled: bool
    integrations: dict[str, bool]
    omitted: list[str]


class SchemaEventsAnswer(TypedDict):
    sourceId: str
    events: list[SchemaEventView]


@get(
    "/sources/{source_id:str}/settings",
    operation_id="listSchemaSettingsInSource",
    sync_to_thread=True,
    answer=SchemaSettingsAnswer,
)
def list_schema_settings(context: InContext, source_id: Id) -> Json:
    with context.reading() as session:
        source = get_source(session, context.workspace_id, source_id)
        return answer(sourceId=source.id, settings=edit.settings_of(session, source))


@patch(
    "/sources/{source_id:str}/settings",
    operation_id="updateSchemaSettingsInSource",
    sync_to_thread=True,
    body=UpdateSchemaSettings,
    answer=SchemaSettingsAnswer,
)
def update_schema_settings(context: InContext, source_id: Id, body: RawBody) -> Json:
    """What is not given stays as it is. To forward to a source takes the permission to change it, too."""
    data = from_json(UpdateSchemaSettings, body)
    controls: dict[str, dict[str, Any]] = {
        type: msgspec.to_builtins(given)
        for type, given in (("track", data.track), ("identify", data.identify), ("group", data.group))
        if given is not UNSET
    }
    forwarding: dict[str, str | None] = {
        what: target
        for what, target in (
            ("violations", data.forwarding_violations_to),
            ("blocked", data.forwarding_blocked_events_to),
        )
        if target is not UNSET
    }
    with context.changing() as editor:
        source = get_source(editor.session, context.workspace_id, source_id)
        for target in filter(None, forwarding.values()):
            context.access.require(Permission.SOURCE_WRITE, target)
        edit.update_settings(editor, source, controls, forwarding)
        return answer(sourceId=source.id, settings=edit.settings_of(editor.session, source))


@get(
    "/sources/{source_id:str}/schema/events",
    operation_id="listSchemaEventsInSource",
    sync_to_thread=True,
    answer=SchemaEventsAnswer,
)
def list_schema_events(context: InContext, source_id: Id) -> Json:
    """The events that have a toggle off."""
    with context.reading() as session:
        source = get_source(session, context.workspace_id, source_id)
        return answer(sourceId=source.id, events=[_view(each) for each in edit.events_of(session, source)])


@patch(
    "/sources/{source_id:str}/schema/events",
    operation_id="updateSchemaEventsInSource",
    sync_to_thread=True,
    body=UpdateSchemaEvents,
    answer=SchemaEventsAnswer,
)
def update_schema_events(context: InContext, source_id: Id, body: RawBody) -> Json:
    """Set toggles of events, at most 200 at once; other events, and what is not given, stay as they are."""
    data = from_json(UpdateSchemaEvents, body)
    given = [
        Toggles(
            type=each.type,
            name=each.name,
            enabled=each.enabled,
            integrations=each.integrations,
            omitted=each.omitted,
        )
        for each in data.events
    ]
    with context.changing() as editor:
        source = get_source(editor.session, context.workspace_id, source_id)
        edit.update_events(editor, source, given)
        shown = [_view(each) for each in edit.events_of(editor.session, source)]
        return answer(sourceId=source.id, events=shown)


def _view(event: SchemaEvent) -> Json:
    return {
        "type": event.type,
        "name": event.name,
        "enabled": event.enabled,
        "integrations": event.integrations,
        "omitted": event.omitted,
    }


ROUTES = [list_schema_settings, update_schema_settings, list_schema_events, update_schema_events]
