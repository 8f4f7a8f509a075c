"""Every entry of the catalogue has the shapes of the official SDKs' models (@segment/public-api-sdk 47)."""

from typing import Any, Literal

import msgspec
import pytest

from onward.api.metadata import Metadata
from onward.destinations.catalog import open_catalogue
from onward.settings import Settings

CATALOGUE = open_catalogue(Settings().catalog_folder)
"""With what is installed, which may be Onward's own alone."""
METADATA = Metadata(CATALOGUE)


class Logos(msgspec.Struct):
    default: str
    mark: str | None
    alt: str | None


class Option(msgspec.Struct):
    name: str
    type: Literal["string", "password", "number", "boolean", "map", "select", "array"]
    required: bool
    description: str
    label: str
    defaultValue: Any


class Component(msgspec.Struct):
    type: Literal["ANDROID", "BROWSER", "IOS", "SERVER"]
    code: str
    owner: Literal["PARTNER", "SEGMENT"] | None = None


class Features(msgspec.Struct):
    cloudModeInstances: Literal["0", "1", "NONE", "SINGLE", "MULTIPLE"]
    deviceModeInstances: Literal["0", "1", "NONE", "SINGLE"]
    replay: bool
    browserUnbundling: bool
    browserUnbundlingPublic: bool


class Methods(msgspec.Struct):
    pageview: bool
    identify: bool
    alias: bool
    track: bool
    group: bool


class Platforms(msgspec.Struct):
    browser: bool
    server: bool
    mobile: bool
    warehouse: bool
    cloudAppObject: bool


class ActionField(msgspec.Struct):
    id: str
    sortOrder: int
    fieldKey: str
    label: str
    type: Literal[
        "BOOLEAN", "DATETIME", "HIDDEN", "INTEGER", "NUMBER", "OBJECT", "PASSWORD", "STRING", "TEXT"
    ]
    description: str
    placeholder: str
    defaultValue: Any
    required: bool
    multiple: bool
    choices: Any
    dynamic: bool
    allowNull: bool


class Action(msgspec.Struct):
    id: str
    slug: str
    name: str
    description: str
    platform: Literal["CLOUD", "MOBILE", "WEB"]
    hidden: bool
    defaultTrigger: str | None
    fields: list[ActionField]


class Preset(msgspec.Struct):
    actionId: str
    name: str
    fields: dict[str, Any]
    trigger: str


class DestinationMetadata(msgspec.Struct):
    id: str
    name: str
    description: str
    slug: str
    logos: Logos
    options: list[Option]
    status: Literal["PUBLIC", "PUBLIC_BETA", "UNAVAILABLE"]
    previousNames: list[str]
    categories: list[str]
    website: str
    components: list[Component]
    supportedFeatures: Features
    supportedMethods: Methods
    supportedPlatforms: Platforms
    actions: list[Action]
    presets: list[Preset]
    contacts: list[Any]
    partnerOwned: bool
    supportedRegions: list[Literal["us-west-2", "eu-west-1"]]
    regionEndpoints: list[Literal["US", "EU"]]
    multiInstanceSupportedVersion: str


@pytest.mark.parametrize("slug", CATALOGUE)
def test_an_entry_has_the_shape(slug: str) -> None:
    entry = msgspec.json.decode(METADATA.destination(slug), type=DestinationMetadata)
    ids = [action.id for action in entry.actions]
    assert len(set(ids)) == len(ids)
    assert {preset.actionId for preset in entry.presets} <= set(ids)
    for action in entry.actions:
        fields = [field.id for field in action.fields]
        assert len(set(fields)) == len(fields)
    assert METADATA.directory.slug(entry.id) == slug
