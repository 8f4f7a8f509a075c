"""Catalogue entries as the Public API shows them: Segment's `DestinationMetadataV1` (spec §8.6).

What Segment's shapes have no place for is under a key `onward` of the destination, action, field, option or
preset that it is about. A view is made when it is first asked for, and kept as JSON: a catalogue of two
hundred destinations is ten megabytes of it, and several times that as objects.
"""

from collections.abc import Mapping
from typing import Literal, cast

import msgspec
import orjson

from onward.api.catalog_shapes import (
    ActionFieldType,
    ActionView,
    AudiencesView,
    Batching,
    Choice,
    DestinationMetadata,
    FieldView,
    HookView,
    Logos,
    MoreOfField,
    OptionView,
    PresetView,
    SourceMetadata,
    SyncModeView,
    WarehouseMetadata,
)
from onward.destinations.definition import (
    Action,
    Audiences,
    Definition,
    Field,
    FieldType,
    Hook,
    Listing,
    Preset,
    SyncMode,
)
from onward.destinations.directory import METHODS, Directory, connection_modes
from onward.workspace.definitions import SettingField, action_id, is_secret
from onward.workspace.function_catalogue import FunctionDefinition
from onward.workspace.ids import derived_id
from onward.workspace.source_catalogue import SOURCES, SourceDefinition
from onward.workspace.warehouse_catalogue import WarehouseDefinition

OptionType = Literal["string", "password", "number", "boolean", "map", "select", "array"]

OPTION_TYPES: dict[FieldType, OptionType] = {
    "string": "string",
    "text": "string",
    "password": "password",
    "datetime": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "object": "map",
}
ACTION_TYPES: dict[FieldType, ActionFieldType] = {
    "string": "STRING",
    "text": "TEXT",
    "password": "PASSWORD",
    "datetime": "DATETIME",
    "number": "NUMBER",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
    "object": "OBJECT",
}
SETTING_TYPES: dict[str, FieldType] = {"string": "string", "boolean": "boolean", "text_map": "object"}
"""Types that settings of functions and warehouses have."""
FUNCTIONS = "Functions"
"""The category of what is a function."""
OPEN_SOURCE = "https://github.com/segmentio/action-destinations"


class Metadata:
    """Views of both catalogues."""

    def __init__(self, catalogue: Mapping[str, Definition]) -> None:
        self.directory = Directory(catalogue)
        self.sources = {slug: source_metadata(each) for slug, each in SOURCES.items()}
        self._catalogue = catalogue
        self._views: dict[str, msgspec.Raw] = {}

    def definition(self, slug: str) -> Definition:
        """Of a stored destination, also where this version's catalogue no longer has it."""
        return self._catalogue.get(slug) or Definition(
            slug=slug, id=derived_id(slug), name=slug, description="", listing=Listing(status="UNAVAILABLE")
        )

    def destination(self, slug: str) -> DestinationMetadata:
        """The entry of a stored destination, also where this version's catalogue no longer has it.

        In fact it is `msgspec.Raw`, that is, JSON already, to be put into an answer as it is.
        """
        view = self._views.get(slug)
        if view is None:
            # Two threads may make the same view at the same time; they make the same.
            view = msgspec.Raw(orjson.dumps(destination_metadata(self.definition(slug))))
            if slug in self._catalogue:
                self._views[slug] = view
        return cast(DestinationMetadata, view)


def source_metadata(source: SourceDefinition) -> SourceMetadata:
    return {
        "id": source.id,
        "name": source.name,
        "slug": source.slug,
        "description": source.description,
        "logos": _logos(source.name),
        "options": [],
        "categories": [source.category],
        "isCloudEventSource": False,
    }


def source_function_metadata(function: FunctionDefinition) -> SourceMetadata:
    """A source function as an entry of the catalogue of sources."""
    return {
        "id": function.id,
        "name": function.name,
        "slug": function.slug,
        "description": function.description,
        "logos": _logos(function.name),
        "options": [_option(name, field_of(each)) for name, each in function.fields.items()],
        "categories": [FUNCTIONS],
        "isCloudEventSource": True,
    }


def warehouse_metadata(warehouse: WarehouseDefinition) -> WarehouseMetadata:
    return {
        "id": warehouse.id,
        "name": warehouse.name,
        "slug": warehouse.slug,
        "description": warehouse.description,
        "logos": _logos(warehouse.name),
        "options": [_option(name, field_of(each)) for name, each in warehouse.settings.items()],
    }


def field_of(setting: SettingField) -> Field:
    """A setting of a function or a warehouse as one of the catalogue of destinations."""
    return Field(
        label=setting.label,
        type=SETTING_TYPES[setting.type],
        description=setting.description,
        required=setting.required,
        default=setting.default,
        choices=setting.choices,
        multiple=setting.multiple,
        secret=setting.secret,
    )


def destination_metadata(definition: Definition) -> DestinationMetadata:
    listing = definition.listing
    return {
        "id": definition.id,
        "name": definition.name,
        "slug": definition.slug,
        "description": definition.description,
        "logos": _logos(definition.name),
        "options": [_option(name, field) for name, field in definition.settings.items()],
        "status": listing.status,
        "previousNames": list(definition.previous_names),
        "categories": list(listing.categories),
        "website": listing.website,
        "components": [] if definition.native else [{"type": "SERVER", "code": OPEN_SOURCE}],
        "supportedFeatures": {
            "cloudModeInstances": "MULTIPLE",
            "deviceModeInstances": "SINGLE" if listing.device else "NONE",
            "replay": listing.replay,
            "browserUnbundling": False,
            "browserUnbundlingPublic": False,
        },
        "supportedMethods": {
            "pageview": "page" in listing.methods,
            "track": "track" in listing.methods,
            "screen": "screen" in listing.methods,
            "identify": "identify" in listing.methods,
            "group": "group" in listing.methods,
            "alias": "alias" in listing.methods,
        },
        "supportedPlatforms": {
            "browser": "web" in listing.sources,
            "server": "server" in listing.sources,
            "mobile": "mobile" in listing.sources,
            "warehouse": "warehouse" in listing.sources,
            "cloudAppObject": False,
        },
        "supportedRegions": list(listing.regions),
        "regionEndpoints": list(listing.endpoints),
        "multiInstanceSupportedVersion": "CLOUD_ONLY",
        "contacts": [],
        "partnerOwned": listing.partner_owned,
        "actions": [_action(definition, action) for action in definition.actions.values()],
        "presets": [_preset(definition, preset) for preset in definition.presets],
        "onward": {
            "native": definition.native,
            "kind": listing.kind,
            "connectionModes": connection_modes(listing),
            "batching": any(action.batches for action in definition.actions.values()),
            "bulk": any(action.bulk_from is not None for action in definition.actions.values()),
            "replayDays": listing.replay_days,
            "ipAllowlist": listing.ip_allowlist,
            "ownSockets": listing.own_sockets,
            "documentation": listing.documentation,
            "supportedTypes": [name for name in METHODS if name in definition.supported_types],
            "connectionTest": definition.test is not None,
            "deletion": definition.on_delete is not None,
            "audiences": _audiences(definition.audiences),
            "insertRefusal": definition.insert_refusal or None,
        },
    }


def _option(name: str, field: Field) -> OptionView:
    kind = "password" if is_secret(field) else OPTION_TYPES[field.type]
    if field.choices:
        kind = "select"
    if field.multiple:
        kind = "array"
    view: OptionView = {
        "name": name,
        "type": kind,
        "required": field.required is True,
        "description": field.description,
        "label": field.label,
        "defaultValue": field.default,
    }
    if field.choices:
        view["choices"] = _choices(field)
    if more := _more(field):
        view["onward"] = more
    return view


def _action(definition: Definition, action: Action) -> ActionView:
    return {
        "id": action_id(definition.id, action.slug),
        "slug": action.slug,
        "name": action.title,
        "description": action.description,
        "platform": "CLOUD",
        "hidden": action.hidden,
        "defaultTrigger": action.default_trigger or None,
        "fields": [
            _field(field, name, position, definition.id, action.slug)
            for position, (name, field) in enumerate(action.fields.items())
        ],
        "onward": {
            "batching": _batching(action),
            "byAudience": action.by_audience,
            "syncMode": _sync_mode(action.sync_mode),
            "hooks": [_hook(name, hook, definition.id, action.slug) for name, hook in action.hooks.items()],
        },
    }


def _field(field: Field, name: str, position: int, *place: str) -> FieldView:
    """`place`: what makes the field's id its own."""
    view: FieldView = {
        "id": derived_id("field", *place, name),
        "sortOrder": position,
        "fieldKey": name,
        "label": field.label,
        "type": ACTION_TYPES[field.type],
        "description": field.description,
        "placeholder": field.placeholder,
        "defaultValue": field.default,
        "required": field.required is True,
        "multiple": field.multiple,
        "choices": _choices(field) if field.choices else None,
        "dynamic": field.dynamic,
        "allowNull": field.allow_null,
        "hidden": field.hidden,
    }
    if more := _more(field, *place, name):
        view["onward"] = more
    return view


def _more(field: Field, *place: str) -> MoreOfField:
    """What a form and a check can know besides, as far as there is any."""
    more: MoreOfField = {}
    if not isinstance(field.required, bool):
        more["requiredIf"] = field.required
    if field.depends_on is not None:
        more["dependsOn"] = field.depends_on
    if field.format:
        more["format"] = field.format
    if field.minimum is not None:
        more["minimum"] = field.minimum
    if field.maximum is not None:
        more["maximum"] = field.maximum
    if field.category:
        more["category"] = field.category
    if field.presentation:
        more["presentation"] = field.presentation
    if field.read_only:
        more["readOnly"] = True
    if field.additional_properties:
        more["additionalProperties"] = True
    if field.properties is not None:
        more["properties"] = _fields(field.properties, *place)
    return more


def _fields(fields: Mapping[str, Field], *place: str) -> list[FieldView]:
    return [_field(field, name, position, *place) for position, (name, field) in enumerate(fields.items())]


def _batching(action: Action) -> Batching | None:
    if not action.batches:
        return None
    return {
        "maxSize": action.max_batch_size,
        "defaultSize": action.default_batch_size,
        "maxBytes": action.max_batch_bytes,
        "bulkFrom": action.bulk_from,
    }


def _sync_mode(mode: SyncMode | None) -> SyncModeView | None:
    if mode is None:
        return None
    labels = mode.choice_labels or mode.choices
    return {
        "label": mode.label,
        "description": mode.description,
        "default": mode.default,
        "choices": [
            {"value": value, "label": label} for value, label in zip(mode.choices, labels, strict=True)
        ],
    }


def _hook(name: str, hook: Hook, *place: str) -> HookView:
    return {
        "name": name,
        "label": hook.label,
        "description": hook.description,
        "inputFields": _fields(hook.fields, *place, name, "inputs"),
        "outputFields": _fields(hook.outputs, *place, name, "outputs"),
    }


def _audiences(audiences: Audiences | None) -> AudiencesView | None:
    if audiences is None:
        return None
    return {"fullSync": audiences.full_sync, "fields": _fields(audiences.fields, "audience")}


def _preset(definition: Definition, preset: Preset) -> PresetView:
    return {
        "actionId": action_id(definition.id, preset.action),
        "name": preset.name,
        "fields": dict(preset.mapping),
        "trigger": preset.trigger,
        "onward": {"automatic": preset.automatic, "event": preset.event or None},
    }


def _choices(field: Field) -> list[Choice]:
    labels = field.choice_labels or [str(choice) for choice in field.choices]
    return [{"value": choice, "label": label} for choice, label in zip(field.choices, labels, strict=True)]


def _logos(name: str) -> Logos:
    return {"default": "", "mark": None, "alt": name}
