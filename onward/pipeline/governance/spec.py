"""The rules of a source as the data plane reads them; part of the workspace's snapshot."""

from typing import Any, Literal

import msgspec

Kind = Literal["COMMON", "TRACK", "IDENTIFY", "GROUP", "PAGE", "SCREEN"]
"""What a rule of a tracking plan is about; COMMON is about every event."""

OnCommonViolation = Literal["ALLOW", "BLOCK", "OMIT"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a tracking plan says of one event."""

    kind: Kind
    key: str = ""
    """The event's name, for a page or screen its name; `""` for those that have none."""
    version: int = 1
    schema: Any = True
    """JSON Schema (draft 7) of the whole event: `{"properties": {"properties": {…}}}`."""


class TrackingPlan(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    rules: tuple[Rule, ...] = ()


class Controls(msgspec.Struct, frozen=True, kw_only=True):
    """What the schema configuration does to one type of calls. Everything passes by default."""

    allow_unplanned_events: bool = True
    """Only track calls can be unplanned."""
    allow_unplanned_fields: bool = True
    """False: properties or traits that the plan does not know are left out."""
    allow_events_on_violations: bool = True
    allow_fields_on_violations: bool = True
    """False: properties or traits that violate the event's own rule are left out."""
    on_common_violation: OnCommonViolation = "ALLOW"


class SchemaEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The toggles of one event on a source's schema (spec §5)."""

    kind: Kind
    name: str = ""
    enabled: bool = True
    """Whether it passes at all; asked only where no tracking plan is connected."""
    integrations: dict[str, bool] = msgspec.field(default_factory=dict)
    """Destination's name → whether the event goes to it."""
    omitted: tuple[str, ...] = ()
    """Properties or traits that are left out."""


class Hash(msgspec.Struct, frozen=True, kw_only=True):
    algorithm: str
    paths: tuple[str, ...]
    key: str = ""
    """With a key it is an HMAC."""
    encoding: str = "HEX"
    prefix: str = ""


class Transformation(msgspec.Struct, frozen=True, kw_only=True):
    """A change to the events that meet a condition (spec §5)."""

    id: str
    condition: str
    """FQL."""
    new_event_name: str = ""
    renames: tuple[tuple[str, str], ...] = ()
    """Old name, new name."""
    values: tuple[tuple[tuple[str, ...], Any], ...] = ()
    """Paths, and the value that they get."""
    computed: tuple[tuple[str, str], ...] = ()
    """Path, and the FQL that gives its value."""
    allow: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    """Paths that are left out."""
    drops_event: bool = False
    """Leaves nothing of the event; the rest does not matter then."""
    hash: Hash | None = None


class Governance(msgspec.Struct, frozen=True, kw_only=True):
    """All rules of one source."""

    plan: TrackingPlan | None = None
    track: Controls = Controls()
    identify: Controls = Controls()
    group: Controls = Controls()
    violations_to: str | None = None
    """Id of the source that gets a `Violation Generated` for each violation."""
    blocked_to: str | None = None
    """Id of the source that gets the events that were blocked."""
    events: tuple[SchemaEvent, ...] = ()
    transformations: tuple[Transformation, ...] = ()
    """Those of the scope source."""
