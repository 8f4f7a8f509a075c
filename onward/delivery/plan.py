"""A destination made ready to run: its route compiled, its mappings bound to the actions they feed."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from onward.delivery.functions.destination import MAPPING, definition_of
from onward.delivery.functions.host import Functions
from onward.delivery.item import Target
from onward.delivery.state.protocol import Discard, Parked
from onward.destinations.catalog import Catalogue
from onward.destinations.definition import Action, Call, Definition, Payload
from onward.destinations.outcome import Outcome, discarded
from onward.egress.masking import Masking
from onward.pipeline import route
from onward.pipeline.governance.spec import SchemaEvent
from onward.pipeline.route import Mapped, Route, RouteSpec, SubscriptionSpec
from onward.pipeline.types import EVENT_TYPES, Event
from onward.workspace.definitions import is_secret
from onward.workspace.snapshot import Destination, Source, Subscription


def _gone(slug: str, why: str) -> Action:
    """Stands in for an action that can't be run any more: it discards what it gets, and says why."""

    async def refuse(call: Call, payloads: Sequence[Payload]) -> Outcome:
        return discarded("INVALID_SETTINGS", why)

    return Action(slug=slug, title="", description="", perform=refuse)


REMOVED = _gone("", "the mapping that made this payload has been removed")
"""For payloads whose mapping was deleted while they waited."""
ANY_TYPE = " or ".join(f'type = "{type}"' for type in EVENT_TYPES)
ITSELF = Subscription(id="", name="", action="function", trigger=ANY_TYPE, mapping=MAPPING)
"""What a destination that is a function has in place of mappings."""


@dataclass(frozen=True)
class Plan:
    destination: Destination
    write_keys: tuple[str, ...]
    """Of the destination's source."""
    route: Route
    targets: list[Target]
    """By the place of the subscription in the destination."""
    _by_subscription: Mapping[str, Target]
    _definition: Definition | None = None
    events: tuple[SchemaEvent, ...] = ()
    """The toggles of the source's schema."""
    version: int = 0
    """Of the configuration that it was made from; later ones may be alike."""
    masking: Masking = field(default_factory=lambda: Masking(()))
    """Hides the destination's secrets in what is shown of its requests."""

    @classmethod
    def of(
        cls,
        destination: Destination,
        source: Source | None,
        catalogue: Catalogue,
        version: int = 0,
        functions: Functions | None = None,
    ) -> "Plan":
        """Raises `UnknownDestinationError` if the catalogue has no such definition any more. Without
        `functions` it is for looking at, and calls none."""
        definition = find_definition(destination, catalogue, functions)
        subscriptions = (ITSELF,) if destination.function is not None else destination.subscriptions
        targets = [
            Target(subscription.id, _action(definition, subscription.action), subscription.mapping)
            for subscription in subscriptions
        ]
        compiled = route.compile(
            RouteSpec(
                integration_names=definition.integration_names,
                default_enabled=definition.default_enabled,
                supported_types=definition.supported_types,
                filters=destination.filters,
                transformations=destination.transformations,
                kept_back=kept_back(source, definition.integration_names),
                subscriptions=[
                    SubscriptionSpec(
                        subscription.trigger,
                        subscription.mapping,
                        subscription.enabled,
                        None if destination.function is not None else target.action.fields,
                        target.action.batches,
                    )
                    for subscription, target in zip(subscriptions, targets, strict=True)
                ],
            )
        )
        return cls(
            destination,
            _write_keys(source),
            compiled,
            targets,
            {target.subscription_id: target for target in targets},
            definition,
            _schema_events(source),
            version,
            Masking(secrets_of(destination, definition)),
        )

    def is_of(self, destination: Destination, source: Source | None) -> bool:
        """Whether this is the plan of just that configuration."""
        return (
            self.destination == destination
            and self.write_keys == _write_keys(source)
            and self.events == _schema_events(source)
        )

    def made_of(self, event: Event, subscription_id: str) -> Mapped | None:
        """What a mapping makes of an event that has been through the insert function; None if it is gone."""
        for at, target in enumerate(self.targets):
            if target.subscription_id == subscription_id:
                return self.route.map(event, [at])[0]
        return None

    def alone(self, subscription_id: str) -> "Plan":
        """The same with the trigger of one mapping only."""
        narrowed = copy(self.route)
        narrowed.triggers = [
            pair for pair in self.route.triggers if self.targets[pair[0]].subscription_id == subscription_id
        ]
        return replace(self, route=narrowed)

    def target(self, subscription_id: str) -> Target:
        """Where a mapping's payloads go, also if it is gone."""
        return self._by_subscription.get(subscription_id) or Target(subscription_id, REMOVED)

    def target_of(self, held: Parked | Discard) -> Target:
        """Where a payload goes that was made before: to the action that it was made for, also if its mapping
        has been given another one since."""
        target = self.target(held.subscription_id)
        if target.action is REMOVED or held.action in ("", target.action.slug) or self._definition is None:
            return target
        return msgspec.structs.replace(target, action=_action(self._definition, held.action))

    def active_from(self, received_at: int) -> int | None:
        """From when events received at `received_at` or later are for this destination (ms since the epoch):
        then or before, if it was enabled then; None if it has not been enabled since."""
        for begin, end in self.destination.active:
            if end is None or received_at < end:
                return begin
        return None


def find_definition(
    destination: Destination, catalogue: Catalogue, functions: Functions | None = None
) -> Definition:
    """What a destination is, also if it is a function. Raises `UnknownDestinationError`."""
    if destination.function is not None:
        return definition_of(functions, destination, destination.function)
    return catalogue[destination.definition]


def secrets_of(destination: Destination, definition: Definition) -> list[Any]:
    """The values of a destination's secret settings, those of its functions included."""
    settings, fields = destination.settings, definition.settings
    secrets = [settings[name] for name, each in fields.items() if is_secret(each) and name in settings]
    for function in (destination.function, destination.inserted):
        if function is not None:
            secrets += [function.settings[name] for name in function.sensitive if name in function.settings]
    return secrets


def _action(definition: Definition, slug: str) -> Action:
    """Also where the catalogue has it no more."""
    found = definition.actions.get(slug)
    return found or _gone(slug, f"{definition.name} has no action {slug} any more: give the mapping another")


def kept_back(source: Source | None, names: Sequence[str]) -> frozenset[tuple[str, str]]:
    """What the source's schema keeps from the destination of these names: types and event names."""
    return frozenset(
        (event.kind.lower(), event.name)
        for event in _schema_events(source)
        if any(event.integrations.get(name) is False for name in names)
    )


def _schema_events(source: Source | None) -> tuple[SchemaEvent, ...]:
    governance = source.governance if source is not None else None
    return governance.events if governance is not None else ()


def _write_keys(source: Source | None) -> tuple[str, ...]:
    return source.write_keys if source is not None else ()
