"""The compiled configuration that the data plane runs on: immutable, complete, one version number.

Tracking and delivery never read the configuration database on the hot path. They hold one
`Snapshot`, and swap it for the next within two seconds of a change (`onward.workspace.watch`).
Settings are in clear text here: a snapshot lives in memory and is never logged or returned.
"""

from functools import cached_property
from typing import Any

import msgspec

from onward.pipeline.governance.spec import Governance, Transformation


class SourceFunction(msgspec.Struct, frozen=True, kw_only=True):
    """The function that a source is (spec §10.9)."""

    id: str
    version: str
    """Id of the deployed version; its code is not in here (`onward.workspace.functions`)."""
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    sensitive: tuple[str, ...] = ()
    """Names of the settings that must not show."""


class DeployedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """A function that a destination is, or that is inserted before one (spec §10)."""

    id: str
    name: str
    """As it is shown, by which integrations objects name it."""
    previous_names: tuple[str, ...] = ()
    """Other names for that."""
    version: str
    """Id of the deployed version; its code is not in here (`onward.workspace.function_code`)."""
    instance: str
    """Whose settings these are: the destination, or the instance of the insert function."""
    handlers: tuple[str, ...] | None = None
    """Those that the version has, such as `onTrack`; None if nobody could look when it was saved."""
    batch_max_count: int = 20
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    sensitive: tuple[str, ...] = ()
    """Names of the settings that must not show."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    workspace_id: str
    slug: str
    name: str
    enabled: bool = True
    write_keys: tuple[str, ...] = ()
    rate_limit: float | None = None
    """Accepted requests a second, or None for no limit."""
    governance: Governance | None = None
    """Schema, tracking plan and transformations; None if there are none, which costs nothing."""
    function: SourceFunction | None = None
    """What makes events of the requests to its webhook, if it is a function."""
    inserted: DeployedFunction | None = None
    """The insert function after it, if there is one that is enabled."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A destination filter (spec §6.3)."""

    id: str
    title: str
    condition: str
    """FQL; `all` matches every event."""
    actions: tuple[dict[str, Any], ...]
    """Public API action objects: `{"type": "DROP", …}`, see spec §6.3."""
    enabled: bool = True


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping of an Actions destination (spec §9): trigger, action and field mapping."""

    id: str
    name: str
    action: str
    """Slug of the action, such as `send`."""
    trigger: str
    """Trigger FQL (spec §7.4)."""
    mapping: dict[str, Any]
    enabled: bool = True


class DeliveryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination is delivered to. The defaults are Segment's (spec §11)."""

    max_retries: int = 9
    retry_window: float = 4 * 3600.0
    """Seconds after the first attempt within which retries happen."""
    backoff_base: float = 5.0
    """Seconds; attempt n waits between half of and the whole of base · 3ⁿ⁻¹, at most `backoff_cap`."""
    backoff_cap: float = 3600.0
    timeout: float = 10.0
    """Seconds for one request."""
    concurrency: int = 32
    """Requests in flight at once."""
    rate_limit: float | None = None
    """Requests a second, or None for no limit."""
    batch_wait: float = 1.0
    """Seconds that an incomplete stream batch waits for more events; of a function 10 (spec §10.4)."""
    bulk_wait: float = 60.0
    """The same for a bulk batch."""
    batch_bytes: int = 4_000_000
    """Of a function's batch, at most; elsewhere mappings and actions say it."""


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """One instance: a definition connected to one source."""

    id: str
    workspace_id: str
    source_id: str
    definition: str
    """Slug of the definition in the catalogue, such as `actions-webhook`."""
    name: str
    enabled: bool
    active: tuple[tuple[int, int | None], ...] = ()
    """The spans `[from, until)` in which it was enabled, in ms since the epoch, the last open if it is
    enabled now. Events received outside of them are not for this destination (spec §8.5)."""
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    transformations: tuple[Transformation, ...] = ()
    """Those of its source for destinations of its kind."""
    function: DeployedFunction | None = None
    """What it runs, if it is a function."""
    inserted: DeployedFunction | None = None
    """The insert function before it, if there is one that is enabled (spec §10.8)."""
    policy: DeliveryPolicy = msgspec.field(default_factory=DeliveryPolicy)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    version: int
    sources: tuple[Source, ...] = ()
    destinations: tuple[Destination, ...] = ()
    function_hours: dict[str, float] = msgspec.field(default_factory=dict)
    """Wall time a month that functions may use, of those that have such a limit."""

    @cached_property
    def source_by_write_key(self) -> dict[str, Source]:
        return {key: source for source in self.sources for key in source.write_keys}

    @cached_property
    def source_by_id(self) -> dict[str, Source]:
        return {source.id: source for source in self.sources}

    @cached_property
    def destination_by_id(self) -> dict[str, Destination]:
        return {destination.id: destination for destination in self.destinations}
