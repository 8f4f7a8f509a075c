"""The catalogue's entries as the API shows them: Segment's `DestinationMetadataV1` and so on (§8.6).

What Segment's shapes have no place for is under a key `onward`.
"""

from typing import Any, Literal, NotRequired, TypedDict

ActionFieldType = Literal["BOOLEAN", "DATETIME", "INTEGER", "NUMBER", "OBJECT", "PASSWORD", "STRING", "TEXT"]


class Logos(TypedDict):
    default: str
    mark: str | None
    alt: str | None


class Choice(TypedDict):
    value: Any
    label: str


class MoreOfField(TypedDict):
    """What a form and a check can know besides, as far as there is any."""

    requiredIf: NotRequired[Any]
    dependsOn: NotRequired[Any]
    format: NotRequired[str]
    minimum: NotRequired[float]
    maximum: NotRequired[float]
    category: NotRequired[str]
    presentation: NotRequired[str]
    readOnly: NotRequired[bool]
    additionalProperties: NotRequired[bool]
    properties: NotRequired[list["FieldView"]]


class OptionView(TypedDict):
    """A setting."""

    name: str
    type: Literal["string", "password", "number", "boolean", "map", "select", "array"]
    required: bool
    description: str
    label: str
    defaultValue: Any
    choices: NotRequired[list[Choice]]
    """Ours."""
    onward: NotRequired[MoreOfField]
    """Ours."""


class FieldView(TypedDict):
    """A field of an action."""

    id: str
    sortOrder: int
    fieldKey: str
    label: str
    type: ActionFieldType
    description: str
    placeholder: str
    defaultValue: Any
    required: bool
    multiple: bool
    choices: list[Choice] | None
    dynamic: bool
    allowNull: bool
    hidden: bool
    """Ours."""
    onward: NotRequired[MoreOfField]
    """Ours."""


class Batching(TypedDict):
    maxSize: int
    defaultSize: int
    maxBytes: int | None
    bulkFrom: int | None


class SyncModeView(TypedDict):
    label: str
    description: str
    default: str | None
    choices: list[Choice]


class HookView(TypedDict):
    name: str
    label: str
    description: str
    inputFields: list[FieldView]
    outputFields: list[FieldView]


class MoreOfAction(TypedDict):
    batching: Batching | None
    byAudience: bool
    syncMode: SyncModeView | None
    hooks: list[HookView]


class ActionView(TypedDict):
    id: str
    slug: str
    name: str
    description: str
    platform: Literal["CLOUD", "MOBILE", "WEB"]
    hidden: bool
    defaultTrigger: str | None
    fields: list[FieldView]
    onward: MoreOfAction
    """Ours."""


class MoreOfPreset(TypedDict):
    automatic: bool
    event: str | None


class PresetView(TypedDict):
    actionId: str
    name: str
    fields: dict[str, Any]
    trigger: str
    onward: MoreOfPreset
    """Ours."""


class Component(TypedDict):
    type: Literal["ANDROID", "BROWSER", "IOS", "SERVER"]
    code: str


class Features(TypedDict):
    cloudModeInstances: Literal["0", "1", "NONE", "SINGLE", "MULTIPLE"]
    deviceModeInstances: Literal["0", "1", "NONE", "SINGLE"]
    replay: bool
    browserUnbundling: bool
    browserUnbundlingPublic: bool


class Methods(TypedDict):
    pageview: bool
    screen: bool
    """Ours."""
    identify: bool
    alias: bool
    track: bool
    group: bool


class Platforms(TypedDict):
    browser: bool
    server: bool
    mobile: bool
    warehouse: bool
    cloudAppObject: bool


class Contact(TypedDict):
    name: NotRequired[str]
    email: str


class AudiencesView(TypedDict):
    fullSync: bool
    fields: list[FieldView]


class MoreOfDestination(TypedDict):
    native: bool
    kind: str
    connectionModes: dict[str, dict[str, bool]]
    batching: bool
    bulk: bool
    replayDays: int | None
    ipAllowlist: bool
    ownSockets: bool
    documentation: str
    supportedTypes: list[str]
    connectionTest: bool
    deletion: bool
    audiences: AudiencesView | None
    insertRefusal: str | None
    """Why it takes no insert function; null if it does."""


class DestinationMetadata(TypedDict):
    id: str
    name: str
    slug: str
    description: str
    logos: Logos
    options: list[OptionView]
    status: Literal[
        "DEPRECATED",
        "PRIVATE_BETA",
        "PRIVATE_BUILDING",
        "PRIVATE_SUBMITTED",
        "PUBLIC",
        "PUBLIC_BETA",
        "UNAVAILABLE",
    ]
    previousNames: list[str]
    categories: list[str]
    website: str
    components: list[Component]
    supportedFeatures: Features
    supportedMethods: Methods
    supportedPlatforms: Platforms
    supportedRegions: list[str]
    regionEndpoints: list[str]
    multiInstanceSupportedVersion: str
    """Ours: Segment's too, but not in the models of its SDKs."""
    contacts: list[Contact]
    partnerOwned: bool
    actions: list[ActionView]
    presets: list[PresetView]
    onward: MoreOfDestination
    """Ours."""


class WarehouseMetadata(TypedDict):
    id: str
    name: str
    slug: str
    description: str
    logos: Logos
    options: list[OptionView]


class SourceMetadata(TypedDict):
    id: str
    name: str
    slug: str
    description: str
    logos: Logos
    options: list[OptionView]
    categories: list[str]
    isCloudEventSource: bool
