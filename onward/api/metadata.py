"""Catalogue entries as the Public API shows them (spec §8.6)."""

from collections.abc import Mapping
from typing import Any

from onward.destinations.definition import Action, Definition, Field, Preset
from onward.workspace.definitions import action_id, is_secret
from onward.workspace.ids import derived_id
from onward.workspace.source_catalogue import SOURCES, SourceDefinition

Json = dict[str, Any]

OPTION_TYPES = {
    "string": "string",
    "text": "string",
    "password": "password",
    "datetime": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "object": "map",
}


class Metadata:
    """Views of both catalogues, made once."""

    def __init__(self, catalogue: Mapping[str, Definition]) -> None:
        self.destinations = {slug: destination_metadata(each) for slug, each in catalogue.items()}
        self.sources = {slug: source_metadata(each) for slug, each in SOURCES.items()}

    def destination(self, slug: str) -> Json:
        """The entry of a stored destination, also where this version's catalogue no longer has it."""
        return self.destinations.get(slug) or destination_metadata(
            Definition(slug=slug, id=derived_id(slug), name=slug, description=""), status="UNAVAILABLE"
        )


def source_metadata(source: SourceDefinition) -> Json:
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


def destination_metadata(definition: Definition, status: str = "PUBLIC") -> Json:
    types = definition.supported_types
    return {
        "id": definition.id,
        "name": definition.name,
        "slug": definition.slug,
        "description": definition.description,
        "logos": _logos(definition.name),
        "options": [_option(name, field) for name, field in definition.settings.items()],
        "status": status,
        "previousNames": list(definition.previous_names),
        "categories": list(definition.listing.categories),
        "website": definition.listing.website,
        "components": [],
        "supportedFeatures": {
            "cloudModeInstances": "MULTIPLE",
            "deviceModeInstances": "NONE",
            "replay": True,
            "browserUnbundling": False,
            "browserUnbundlingPublic": False,
        },
        "supportedMethods": {
            "pageview": "page" in types,
            **{name: name in types for name in ("screen", "identify", "alias", "track", "group")},
        },
        "supportedPlatforms": {
            "browser": True,
            "server": True,
            "mobile": True,
            "warehouse": False,
            "cloudAppObject": False,
        },
        "supportedRegions": [],
        "regionEndpoints": [],
        "partnerOwned": False,
        "actions": [_action(definition, action) for action in definition.actions.values()],
        "presets": [_preset(definition, preset) for preset in definition.presets],
    }


def _option(name: str, field: Field) -> Json:
    kind = "password" if is_secret(field) else OPTION_TYPES[field.type]
    if field.choices:
        kind = "select"
    if field.multiple:
        kind = "array"
    option = {
        "name": name,
        "type": kind,
        "required": field.required,
        "description": field.description,
        "label": field.label,
        "defaultValue": field.default,
    }
    return option | {"choices": _choices(field)} if field.choices else option


def _action(definition: Definition, action: Action) -> Json:
    return {
        "id": action_id(definition.id, action.slug),
        "slug": action.slug,
        "name": action.title,
        "description": action.description,
        "platform": "CLOUD",
        "hidden": False,
        "defaultTrigger": action.default_trigger or None,
        "fields": [
            _field(definition, action, name, field, position)
            for position, (name, field) in enumerate(action.fields.items())
        ],
    }


def _field(definition: Definition, action: Action, name: str, field: Field, position: int) -> Json:
    return {
        "id": derived_id("field", definition.id, action.slug, name),
        "sortOrder": position,
        "fieldKey": name,
        "label": field.label,
        "type": field.type.upper(),
        "description": field.description,
        "placeholder": "",
        "defaultValue": field.default,
        "required": field.required,
        "multiple": field.multiple,
        "choices": _choices(field) if field.choices else None,
        "dynamic": False,
        "allowNull": False,
        "hidden": field.hidden,
    }


def _preset(definition: Definition, preset: Preset) -> Json:
    return {
        "actionId": action_id(definition.id, preset.action),
        "name": preset.name,
        "fields": preset.mapping,
        "trigger": preset.trigger,
    }


def _choices(field: Field) -> list[Json]:
    return [{"value": choice, "label": choice} for choice in field.choices]


def _logos(name: str) -> Json:
    return {"default": "", "mark": None, "alt": name}
