"""What a destination is to the engine: a catalogue entry with settings and actions.

An action is one coroutine over a list of payloads: `perform(call, payloads)` answers with one `Outcome`
for all of them, or with one for each. The engine owns triggers, mapping, batching, retries, limits and
accounting; an action only speaks the tool's protocol. The vocabulary is that of Segment's open-source
destinations (spec §9.5). The spec objects here also yield forms, documentation and validation.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from onward.destinations.outcome import Outcome
from onward.egress.http import Client
from onward.pipeline.types import Event
from onward.workspace.function_catalogue import INSERT_REFUSAL, is_function
from onward.workspace.snapshot import Subscription

Payload = dict[str, Any]
Json = dict[str, Any]

FieldType = Literal["string", "text", "number", "integer", "datetime", "boolean", "password", "object"]
EVENT_TYPES = ("identify", "track", "page", "screen", "group", "alias")


@dataclass(frozen=True, kw_only=True)
class Field:
    """A setting or an action field (spec §9.5). `FieldSchema` says what the rules for values mean."""

    label: str
    type: FieldType = "string"
    description: str = ""
    required: bool | Mapping[str, Any] = False
    """Or the conditions under which it is: `{"match", "conditions"}`."""
    default: Any = None
    """For action fields a mapping; it prefills presets and forms, and is not applied at run time."""
    choices: Sequence[Any] = ()
    """The values that are possible."""
    choice_labels: Sequence[str] = ()
    """What people see for each of them; empty where the value says it."""
    multiple: bool = False
    secret: bool = False
    """Settings only: encrypted at rest and never returned."""
    minimum: float | None = None
    maximum: float | None = None
    format: str = ""
    allow_null: bool = False
    properties: "Mapping[str, Field] | None" = None
    """The members of an object that are known; None if it may hold anything."""
    additional_properties: bool = False
    dynamic: bool = False
    """Whether the tool can be asked for choices (`Definition.choices`)."""
    depends_on: Mapping[str, Any] | None = None
    """The conditions under which a form shows it, in the shape of `required`."""
    category: str = ""
    """The part of a form that it belongs to."""
    presentation: str = ""
    """How a form edits an object: `keyvalue`, `object`, `arrayeditor`, …"""
    placeholder: str = ""
    read_only: bool = False
    hidden: bool = False


class Runtime(Protocol):
    """Where the actions run that are JavaScript (`onward.destinations.bridge`)."""

    async def run(self, operation: str, destination: str, arguments: Json, call: "Call") -> Any: ...


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What an action has at hand besides the payloads."""

    settings: Mapping[str, Any]
    http: Client
    timeout: float
    """Seconds for one request."""
    workspace_id: str
    source_id: str
    destination_id: str
    write_keys: Sequence[str] = ()
    """Of the source that the events come from, for actions that must not send them back to it."""
    events: Sequence[Event] = ()
    """The events behind the payloads, position by position, for actions that need more than the mapping."""
    subscription_id: str = ""
    mapping: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The subscription's mapping, for what it says besides the fields: sync mode, hook outputs."""
    runtime: Runtime | None = None
    subscriptions: Sequence[Subscription] = ()
    """The destination's enabled mappings, for `on_delete`, which is for all of them; `events` then holds the
    event of the type `delete`."""

    @property
    def sync_mode(self) -> str | None:
        mode = self.mapping.get("__segment_internal_sync_mode")
        return mode if mode in SYNC_MODES else None


SYNC_MODES = ("add", "update", "upsert", "delete", "mirror")

Perform = Callable[[Call, Sequence[Payload]], Awaitable[Outcome | list[Outcome]]]
TestConnection = Callable[[Call], Awaitable[str | None]]
"""None if the tool takes the settings, or what is wrong in one sentence."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Choices for a dynamic field, as the tool gave them."""

    choices: Sequence[Json] = ()
    """`{"value", "label", …}` each."""
    next_page: str | None = None
    error: str | None = None


ListChoices = Callable[[Call, str, str, Payload, str | None], Awaitable[Page]]
"""`(call, action, field, payload so far, page)`."""


@dataclass(frozen=True, kw_only=True)
class SyncMode:
    """What becomes of records at the tool (spec §8.7); the mapping's `__segment_internal_sync_mode`."""

    label: str
    description: str
    choices: Sequence[str]
    choice_labels: Sequence[str] = ()
    default: str | None = None


@dataclass(frozen=True, kw_only=True)
class Hook:
    """Something to do at the tool when a mapping is saved, such as making a list; its answer is kept in the
    mapping, under the hook's name."""

    label: str
    description: str
    fields: Mapping[str, Field]
    outputs: Mapping[str, Field]
    perform: Callable[[Call, Payload, Payload], Awaitable[Json]]
    """`(call, payload, inputs)` → the outputs; raises `HookError`."""


class HookError(Exception):
    """The tool refused; the message is the tool's."""


@dataclass(frozen=True, kw_only=True)
class Action:
    slug: str
    title: str
    description: str
    perform: Perform
    fields: Mapping[str, Field] = field(default_factory=dict)
    default_trigger: str = ""
    hidden: bool = False
    batches: bool = False
    """Whether `perform` takes more than one payload. The mapped fields `enable_batching`, `batch_size`,
    `batch_bytes` and `batch_keys` then decide (spec §9.7)."""
    batches_all: bool = False
    """Whether payloads share batches without asking for it: sizes are then the action's, and no payload is
    looked into."""
    batch_wait: float | None = None
    """Seconds that an incomplete batch waits; None for the policy's."""
    max_batch_size: int = 1000
    default_batch_size: int = 1000
    max_batch_bytes: int = 4_000_000
    bulk_from: int | None = None
    """The batch_size from which on batches are bulk batches, whose composition never changes (§11.5)."""
    by_audience: bool = False
    """Whether a batch may only hold events of one audience (`context.personas`)."""
    timeout: float | None = None
    """Seconds for all of `perform` where it makes several requests; None for the policy's of one request."""
    sync_mode: SyncMode | None = None
    hooks: Mapping[str, Hook] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Preset:
    name: str
    action: str
    trigger: str
    mapping: dict[str, Any]
    automatic: bool = True
    """Whether adding the destination applies it; others are for events that only some workspaces have."""
    event: str = ""
    """Of a preset that is not automatic, the kind of event that it is for."""


@dataclass(frozen=True, kw_only=True)
class Audiences:
    """Lists at the tool that events add people to and remove them from."""

    create: Callable[[Call, str, Json], Awaitable[str]]
    """`(call, name, audience settings)` → the tool's id; raises `HookError`."""
    get: Callable[[Call, str, Json], Awaitable[str]]
    """`(call, the tool's id, audience settings)` → the id; raises `HookError`."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    """The audience settings."""
    full_sync: bool = False
    takes_events: bool = False
    """Whether the destination also takes events that are about no list."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What the catalogue tells of a destination besides how to use it (spec §8.1, §8.2, §8.6)."""

    kind: Literal["event_stream", "storage", "reverse_etl"] = "event_stream"
    categories: Sequence[str] = ()
    methods: frozenset[str] = frozenset(EVENT_TYPES)
    """Event types that make sense for it; all are delivered if a mapping's trigger takes them."""
    sources: frozenset[str] = frozenset({"web", "mobile", "server"})
    """Kinds of sources, also `warehouse`."""
    cloud: frozenset[str] = frozenset({"web", "mobile", "server"})
    """Kinds of sources that it is reached from in cloud mode."""
    device: frozenset[str] = frozenset()
    """Kinds of sources whose libraries can send to it themselves."""
    regions: Sequence[str] = ("us-west-2", "eu-west-1")
    endpoints: Sequence[str] = ("US", "EU")
    replay: bool = True
    replay_days: int | None = None
    """How old an event may be for the tool to take it; None where no limit is known."""
    ip_allowlist: bool = True
    """Whether requests leave by Onward's own addresses, so that the tool can allow just those."""
    status: Literal["PUBLIC", "PUBLIC_BETA", "UNAVAILABLE"] = "PUBLIC"
    website: str = ""
    partner_owned: bool = False
    """Whether the tool's maker wrote Segment's destination for it."""
    own_sockets: bool = False
    """Whether it speaks a protocol of its own rather than HTTP."""
    documentation: str = ""
    """Address of the tool's own documentation."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    slug: str
    id: str
    """The metadataId of the Public API: 24 hexadecimal digits; Segment's own where it has one."""
    name: str
    description: str
    settings: Mapping[str, Field] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)
    presets: Sequence[Preset] = ()
    supported_types: frozenset[str] = frozenset(EVENT_TYPES)
    """Event types; others are filtered as `UNSUPPORTED_EVENT_TYPE` before any destination filter."""
    previous_names: Sequence[str] = ()
    """Other names that the integrations object may use (spec §6.1)."""
    default_enabled: bool = True
    """What the integrations object says when it says nothing (False for Salesforce)."""
    listing: Listing = field(default_factory=Listing)
    test: TestConnection | None = None
    choices: ListChoices | None = None
    """Asks the tool for the choices of a dynamic field."""
    audiences: Audiences | None = None
    on_delete: Callable[[Call, str | None, str | None], Awaitable[Outcome]] | None = None
    """`(call, user id, anonymous id)`: forget a person."""
    native: bool = True
    """Whether it is Python; otherwise one of Segment's open-source destinations, run by the bridge."""

    @property
    def integration_names(self) -> tuple[str, ...]:
        return (self.name, *self.previous_names)

    @property
    def insert_refusal(self) -> str:
        """Why no insert function can stand before it (spec §10.8); empty if one can."""
        if is_function(self.slug):
            return INSERT_REFUSAL
        if self.listing.kind == "storage":
            return "it stores events"
        if self.audiences is not None and not self.audiences.takes_events:
            return "it keeps lists of people"
        return ""
