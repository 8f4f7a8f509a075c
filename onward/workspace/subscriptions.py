"""Subscriptions of Actions destinations: create, update, delete, presets (spec §9.1, §9.8)."""

from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.checks import check_mapping, check_trigger
from onward.workspace.definitions import Action, Definition, Preset, action_id
from onward.workspace.destinations import definition_of
from onward.workspace.entities import Destination, Subscription
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.names import MAX_NAME, check_name
from onward.workspace.store import Editor

MAX_SUBSCRIPTIONS = 50
"""Per destination (spec §22.16)."""
COPY = " (Copy)"


def get_subscription(session: Session, destination: Destination, id: str) -> Subscription:
    """Raises `NotFound`."""
    subscription = session.get(Subscription, id)
    if subscription is None or subscription.destination_id != destination.id:
        raise NotFound(f"the destination {destination.name} has no subscription {id}")
    return subscription


def find_action(definition: Definition, key: str) -> Action:
    """By slug or by id; raises `Invalid`."""
    for slug, action in definition.actions.items():
        if key in (slug, action_id(definition.id, slug)):
            return action
    known = ", ".join(definition.actions) or "none"
    raise Invalid(f"{definition.name} has no action {key}; it has: {known}", field="action")


def create_subscription(
    editor: Editor,
    destination: Destination,
    *,
    name: str,
    action: str,
    trigger: str,
    mapping: dict[str, Any] | None = None,
    enabled: bool = False,
) -> Subscription:
    """A new mapping, disabled unless said otherwise. Without `mapping`, the action's default one.

    `action` is a slug or an id of `definitions.action_id`.
    """
    definition = definition_of(editor.catalogue, destination.definition)
    found = find_action(definition, action)
    if len(destination.subscriptions) >= MAX_SUBSCRIPTIONS:
        raise Conflict(
            f"the destination {destination.name} has {len(destination.subscriptions)} subscriptions; "
            "more are not possible"
        )
    check_name(name)
    check_trigger(trigger)
    mapping = default_mapping(found) if mapping is None else mapping
    check_mapping(found, mapping, complete=enabled)
    subscription = Subscription(
        id=ids.resource_id(),
        destination_id=destination.id,
        name=name,
        action=found.slug,
        trigger=trigger,
        mapping=mapping,
        enabled=enabled,
        created_at=editor.now,
        updated_at=editor.now,
    )
    destination.subscriptions.append(subscription)
    editor.created(subscription)
    return subscription


def update_subscription(
    editor: Editor,
    subscription: Subscription,
    *,
    name: str | UnsetType = UNSET,
    action: str | UnsetType = UNSET,
    trigger: str | UnsetType = UNSET,
    mapping: dict[str, Any] | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
) -> bool:
    """Change what is given; whether anything differs. `mapping` replaces the whole mapping.

    A mapping of a destination that the catalogue has no more can still be renamed and disabled.
    """
    before = audit.state(subscription)
    if name is not UNSET:
        check_name(name)
        subscription.name = name
    if action is not UNSET:
        subscription.action = find_action(_definition_of(editor, subscription), action).slug
    if trigger is not UNSET:
        check_trigger(trigger)
        subscription.trigger = trigger
    if mapping is not UNSET:
        subscription.mapping = mapping
    if enabled is not UNSET:
        subscription.enabled = enabled
    if mapping is not UNSET or action is not UNSET or enabled is True:
        current = find_action(_definition_of(editor, subscription), subscription.action)
        check_mapping(current, subscription.mapping, complete=subscription.enabled)
    return editor.modified(subscription, before)


def _definition_of(editor: Editor, subscription: Subscription) -> Definition:
    return definition_of(editor.catalogue, subscription.destination.definition)


def duplicate_subscription(editor: Editor, subscription: Subscription) -> Subscription:
    """A disabled copy named `<name> (Copy)`, with the same action, trigger and mapping (spec §9.1)."""
    return create_subscription(
        editor,
        subscription.destination,
        name=f"{subscription.name[: MAX_NAME - len(COPY)]}{COPY}",
        action=subscription.action,
        trigger=subscription.trigger,
        mapping=subscription.mapping,
    )


def delete_subscription(editor: Editor, subscription: Subscription) -> None:
    editor.deleted(subscription)
    editor.session.refresh(subscription.destination, ["subscriptions"])


def apply_presets(editor: Editor, destination: Destination) -> list[Subscription]:
    """A disabled subscription for each automatic preset of the destination's definition."""
    definition = definition_of(editor.catalogue, destination.definition)
    return [_apply(editor, destination, preset) for preset in definition.presets if preset.automatic]


def apply_preset(
    editor: Editor,
    destination: Destination,
    name: str,
    trigger: str | None = None,
    action: str | None = None,
) -> Subscription:
    """A disabled subscription by the preset of this name, also one that is not automatic.

    `trigger` replaces the preset's; those for events that only some workspaces have come without one.
    `action`, slug or id, is needed where presets of several actions share the name. Raises `Invalid`.
    """
    definition = definition_of(editor.catalogue, destination.definition)
    named = [each for each in definition.presets if each.name == name]
    if not named:
        known = ", ".join(dict.fromkeys(each.name for each in definition.presets)) or "none"
        raise Invalid(f"{definition.name} has no preset {name}; it has: {known}", field="name")
    if action is not None:
        slug = find_action(definition, action).slug
        fitting = [each for each in named if each.action == slug]
    else:
        fitting = named
    if len(fitting) != 1:
        actions = ", ".join(each.action for each in named)
        raise Invalid(f"{name} is a preset of the actions {actions}: say of which", field="action")
    return _apply(editor, destination, fitting[0], trigger)


def _apply(
    editor: Editor, destination: Destination, preset: Preset, trigger: str | None = None
) -> Subscription:
    return create_subscription(
        editor,
        destination,
        name=preset.name,
        action=preset.action,
        trigger=preset.trigger if trigger is None else trigger,
        mapping=preset.mapping,
    )


def default_mapping(action: Action) -> dict[str, Any]:
    """What an action's fields prefill a new mapping with."""
    return {name: field.default for name, field in action.fields.items() if field.default is not None}
