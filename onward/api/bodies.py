"""Request bodies: field for field those of Segment's Public API, and a few of our own, marked as such.

A field that is not here, or of another type, is refused with its name.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from onward.workspace.delivery import Delivery

Json = dict[str, Any]


class Body(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class CreateSource(Body):
    slug: str
    metadata_id: str
    """Or, ours: the catalogue's slug."""
    enabled: bool = True
    settings: Json = msgspec.field(default_factory=dict)
    disconnect_all_warehouses: bool | None = None
    """Ours and the Go SDK's. No matter which: a new source has no warehouse until it is given one."""
    name: str | None = None
    """Ours; Segment names a source after its slug first."""
    rate_limit: float | None = None
    """Ours: accepted requests a second."""


class UpdateSource(Body):
    name: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    settings: Json | UnsetType = UNSET
    rate_limit: float | UnsetType | None = UNSET
    """Ours."""


class CreateDestination(Body):
    source_id: str
    metadata_id: str
    """Or, ours: the catalogue's slug."""
    settings: Json = msgspec.field(default_factory=dict)
    enabled: bool = False
    name: str | None = None
    delivery: Delivery | None = None
    """Ours."""
    apply_presets: bool = False
    """Ours: make a disabled subscription for each preset of the catalogue."""
    copy_settings_from: str | None = None
    """Ours: the id of a destination of the same kind, whose settings, secrets included, this one starts
    with; `settings` change them."""


class UpdateDestination(Body):
    name: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    settings: Json | UnsetType = UNSET
    delivery: Delivery | UnsetType = UNSET
    """Ours."""


class CreateSubscription(Body):
    name: str
    action_id: str
    """Or, ours: the action's slug."""
    trigger: str
    enabled: bool = False
    settings: Json | None = None


class SubscriptionChange(Body):
    name: str | UnsetType = UNSET
    trigger: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    settings: Json | UnsetType = UNSET


class UpdateSubscription(Body):
    input: SubscriptionChange


class CreateFilter(Body):
    source_id: str
    condition: str = msgspec.field(name="if")
    actions: list[Json]
    title: str
    description: str | None = None
    enabled: bool = False


class UpdateFilter(Body):
    condition: str | UnsetType = msgspec.field(name="if", default=UNSET)
    actions: list[Json] | UnsetType = UNSET
    title: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class PreviewedFilter(Body):
    condition: str = msgspec.field(name="if")
    actions: list[Json]


class PreviewFilter(Body):
    filter: PreviewedFilter
    payload: Json


class ApplyPreset(Body):
    name: str
    trigger: str | None = None
    """Instead of the preset's."""
    action_id: str | None = None
    """Needed where presets of several actions share the name."""


class GivenEvent(Body):
    """One of both."""

    payload: Json | None = None
    """An event, as an SDK would send it."""
    message_id: str | None = None
    """Of an event in the source's debugger."""


class TestSubscription(GivenEvent, kw_only=True):
    trigger: str | None = None
    """Instead of the saved one; so are the settings."""
    settings: Json | None = None
    send: bool = True
    """False: show the first request as it would go out, and send nothing."""


class TestMapping(GivenEvent, kw_only=True):
    action_id: str
    """Or the action's slug."""
    trigger: str | None = None
    """None for the action's default; so for the settings."""
    settings: Json | None = None
    send: bool = True


class PreviewTrigger(Body):
    trigger: str
    payload: Json


class ListChoices(Body):
    payload: Json = msgspec.field(default_factory=dict)
    """The fields filled in so far."""
    page: str | None = None


class RunHook(Body):
    inputs: Json = msgspec.field(default_factory=dict)
    payload: Json = msgspec.field(default_factory=dict)


class CreateAudience(Body):
    name: str
    settings: Json = msgspec.field(default_factory=dict)
