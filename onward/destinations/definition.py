"""What a destination is to the engine: a catalogue entry with settings and actions.

An action is one coroutine over a list of payloads: `perform(call, payloads)` answers with one `Outcome`
for all of them, or with one for each. The engine owns triggers, mapping, batching, retries, limits and
accounting; an action only speaks the tool's protocol. The vocabulary is that of Segment's open-source
destinations (spec §9.5). The spec objects here also yield forms, documentation and validation.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from onward.destinations.outcome import Outcome
from onward.egress.http import Client
from onward.pipeline.types import Event

Payload = dict[str, Any]

FieldType = Literal["string", "text", "number", "integer", "datetime", "boolean", "password", "object"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """A setting or an action field (spec §9.5)."""

    label: str
    type: FieldType = "string"
    description: str = ""
    required: bool = False
    default: Any = None
    """For action fields a mapping; it prefills presets and forms, and is not applied at run time."""
    choices: tuple[str, ...] = ()
    multiple: bool = False
    secret: bool = False
    """Settings only: encrypted at rest and never returned."""
    minimum: float | None = None
    maximum: float | None = None
    hidden: bool = False


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What an action has at hand besides the payloads."""

    settings: Mapping[str, Any]
    http: Client
    timeout: float
    workspace_id: str
    source_id: str
    destination_id: str
    write_keys: Sequence[str] = ()
    """Of the source that the events come from, for actions that must not send them back to it."""
    events: Sequence[Event] = ()
    """The events behind the payloads, position by position, for actions that need more than the mapping."""


Perform = Callable[[Call, Sequence[Payload]], Awaitable[Outcome | list[Outcome]]]
TestConnection = Callable[[Call], Awaitable[str | None]]


@dataclass(frozen=True, kw_only=True)
class Action:
    slug: str
    title: str
    description: str
    perform: Perform
    fields: Mapping[str, Field] = field(default_factory=dict)
    default_trigger: str = ""
    batches: bool = False
    """Whether `perform` takes more than one payload. The mapped fields `enable_batching`, `batch_size`,
    `batch_bytes` and `batch_keys` then decide (spec §9.7)."""
    max_batch_size: int = 1000
    default_batch_size: int = 1000
    max_batch_bytes: int = 4_000_000
    bulk_from: int | None = None
    """The batch_size from which on batches are bulk batches, whose composition never changes (§11.5)."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    name: str
    action: str
    trigger: str
    mapping: dict[str, Any]


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
    supported_types: frozenset[str] = frozenset({"identify", "track", "page", "screen", "group", "alias"})
    """Event types; others are filtered as `UNSUPPORTED_EVENT_TYPE` before any destination filter."""
    previous_names: Sequence[str] = ()
    """Other names that the integrations object may use (spec §6.1)."""
    default_enabled: bool = True
    """What the integrations object says when it says nothing (False for Salesforce)."""
    website: str = ""
    categories: Sequence[str] = ()
    test: TestConnection | None = None

    @property
    def integration_names(self) -> tuple[str, ...]:
        return (self.name, *self.previous_names)
