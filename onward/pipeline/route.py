"""One event's way to one destination, up to the payloads (spec §2 step 11): pure, compiled once per version.

    already sent by the device → integrations object → event type → destination filters
    → the destination's transformations → triggers → (insert function) → mappings → the action's fields

Consent comes before the integrations object, once it exists. The insert function runs between `Route.match`
and `Route.map`: triggers see the event as it was before it, mappings the one it returns (spec §22.9).
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import msgspec

from onward.pipeline import integrations, mapping, payloads, triggers
from onward.pipeline.fields import FieldLike
from onward.pipeline.filters import Filters, FilterSpec
from onward.pipeline.governance.spec import Transformation
from onward.pipeline.governance.transformations import EventDropped, TransformationError, Transformations
from onward.pipeline.types import EVENT_TYPES, Event
from onward.pipeline.verdict import Stopped

Payload = dict[str, Any]

SENT_CLIENT_SIDE = Stopped("MESSAGE_SENT_CLIENT_SIDE")
NOT_INTEGRATED = Stopped(integrations.FILTERED)
KEPT_BACK = Stopped(integrations.FILTERED, message="the source's schema keeps it from this destination")
UNSUPPORTED_TYPE = Stopped("UNSUPPORTED_EVENT_TYPE")
NO_MAPPING = Stopped("NO_MATCHING_MAPPING")
FILTERED_BY_RULES = "FILTERED_BY_RULES"
"""Of what a transformation of the destination drops, as of what its filters do."""

REJECTED = "MESSAGE_REJECTED"
"""The event lacks what a mapping needs (spec §12.4)."""
INVALID_SETTINGS = "INVALID_SETTINGS"
"""The mapping itself can't be used."""


class SubscriptionSpec(NamedTuple):
    trigger: str
    mapping: Mapping[str, Any]
    enabled: bool = True
    fields: Mapping[str, FieldLike] | None = None
    """The action's fields, to coerce and check payloads by (spec §9.6); None to take them as they are."""
    batches: bool = True
    """Whether the action takes several payloads at once, if a payload asks for it."""


class RouteSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What `compile` needs to know of a destination."""

    integration_names: tuple[str, ...]
    """Its name in integrations objects, then its previous names."""
    default_enabled: bool = True
    """What the integrations object says when it says nothing of it."""
    supported_types: frozenset[str] = frozenset(EVENT_TYPES)
    device_mode: bool = False
    """Whether libraries may have sent the event to it themselves."""
    filters: Sequence[FilterSpec] = ()
    transformations: Sequence[Transformation] = ()
    kept_back: frozenset[tuple[str, str]] = frozenset()
    """Types and event names that the source's schema keeps from it (`""` for all of a type), unless an
    event asks for it by name (spec §5)."""
    subscriptions: Sequence[SubscriptionSpec] = ()


class Mapped(msgspec.Struct, frozen=True, gc=False):
    """One subscription's payload for one event, or the reason why there is none."""

    subscription: int
    """Its place in `RouteSpec.subscriptions`."""
    payload: Payload
    event: Event
    """What the payload was made from: without the properties that filters removed."""
    problem: tuple[str, str] | None = None
    """Code (spec §12.4) and message; the payload is empty then."""


Match = tuple[Event, list[int]]
"""The event after the filters, and the subscriptions whose trigger it meets."""


class Route:
    """Call it with an event: its payloads, at least one, or the code of what stopped it."""

    def __init__(self, spec: RouteSpec) -> None:
        self.spec = spec
        self.filters = Filters(spec.filters) if any(each.enabled for each in spec.filters) else None
        self.transform = _compile_transformations(spec.transformations)
        self.triggers = [
            (at, triggers.compile(subscription.trigger))
            for at, subscription in enumerate(spec.subscriptions)
            if subscription.enabled
        ]
        self._builders = [_compile_builder(subscription) for subscription in spec.subscriptions]
        """Each a function of the event, or what is wrong with the subscription."""

    def __call__(self, event: Event, rng: Random) -> Stopped | list[Mapped]:
        matched = self.match(event, rng)
        return matched if isinstance(matched, Stopped) else self.map(*matched)

    def match(self, event: Event, rng: Random) -> Stopped | Match:
        """Everything before the insert function."""
        stopped = self.admit(event)
        if stopped is not None:
            return stopped
        if self.filters is not None:
            filtered = self.filters(event, rng)
            if isinstance(filtered, Stopped):
                return filtered
            event = filtered
        if self.transform is not None:
            try:
                event = self.transform(event)
            except EventDropped as dropped:
                return Stopped(FILTERED_BY_RULES, message=str(dropped))
        matched = [at for at, trigger in self.triggers if trigger(event)]
        return (event, matched) if matched else NO_MAPPING

    def admit(self, event: Event) -> Stopped | None:
        """What is decided before the destination's filters, by the destination's kind and the event."""
        spec = self.spec
        if spec.device_mode and sent_client_side(event, spec.integration_names):
            return SENT_CLIENT_SIDE
        if not integrations.allows(event.get("integrations"), spec.integration_names, spec.default_enabled):
            return NOT_INTEGRATED
        if spec.kept_back and self._is_kept_back(event):
            return KEPT_BACK
        return None if event.get("type") in spec.supported_types else UNSUPPORTED_TYPE

    def _is_kept_back(self, event: Event) -> bool:
        kind, name = event.get("type"), event.get("event")
        kept_back = self.spec.kept_back
        if (kind, name if kind == "track" and type(name) is str else "") not in kept_back:
            return False
        return not integrations.named(event.get("integrations"), self.spec.integration_names)

    def map(self, event: Event, subscriptions: list[int]) -> list[Mapped]:
        """Everything after the insert function: the payload of each subscription, or its problem."""
        return [self._map(event, at) for at in subscriptions]

    def _map(self, event: Event, at: int) -> Mapped:
        build = self._builders[at]
        if isinstance(build, str):
            return Mapped(at, {}, event, (INVALID_SETTINGS, build))
        try:
            payload = build(event)
        except mapping.MappingError as error:
            return Mapped(at, {}, event, (REJECTED, str(error)))
        except Exception as error:
            # Whatever a mapping stumbles over costs this payload, with its reason, and no process.
            return Mapped(at, {}, event, ("INTERNAL", f"{type(error).__name__}: {error}"))
        if type(payload) is not dict:
            return Mapped(at, {}, event, (REJECTED, "the mapping gives no object for this event"))
        return Mapped(at, payload, event)


def compile(spec: RouteSpec) -> Route:
    """Never raises: a broken filter stops everything, a broken mapping is the problem of its payloads."""
    return Route(spec)


def sent_client_side(event: Event, names: tuple[str, ...]) -> bool:
    """Whether the library says that it sent the event to this destination itself (`_metadata.bundled`)."""
    metadata = event.get("_metadata")
    bundled = metadata.get("bundled") if type(metadata) is dict else None
    return type(bundled) is list and any(name in bundled for name in names)


def _compile_transformations(specs: Sequence[Transformation]) -> Callable[[Event], Event] | None:
    """None if there are none. What can't be compiled fails each event: it might hide something."""
    if not specs:
        return None
    try:
        return Transformations(specs)
    except TransformationError as error:
        broken = error

    def fail(event: Event) -> Event:
        raise broken

    return fail


def _compile_builder(subscription: SubscriptionSpec) -> payloads.Builder | str:
    try:
        return payloads.compile(subscription.mapping, subscription.fields, batches=subscription.batches)
    except ValueError as error:
        return f"the mapping is not valid: {error}"
