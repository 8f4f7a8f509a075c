"""Destination filters: create, update, delete (spec §6.3)."""

from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.checks import check_filter
from onward.workspace.entities import Destination, Filter
from onward.workspace.errors import Conflict, NotFound
from onward.workspace.names import check_name
from onward.workspace.store import Editor

MAX_FILTERS = 10
"""Per destination."""
MAX_TITLE = 64


def get_filter(session: Session, destination: Destination, id: str) -> Filter:
    """Raises `NotFound`."""
    found = session.get(Filter, id)
    if found is None or found.destination_id != destination.id:
        raise NotFound(f"the destination {destination.name} has no filter {id}")
    return found


def create_filter(
    editor: Editor,
    destination: Destination,
    *,
    title: str,
    condition: str,
    actions: list[dict[str, Any]],
    description: str | None = None,
    enabled: bool = False,
) -> Filter:
    if len(destination.filters) >= MAX_FILTERS:
        raise Conflict(
            f"the destination {destination.name} has {len(destination.filters)} filters; "
            "more are not possible"
        )
    check_name(title, "title", MAX_TITLE)
    check_filter(condition, actions)
    created = Filter(
        id=ids.resource_id(),
        destination_id=destination.id,
        title=title,
        description=description,
        condition=condition,
        actions=actions,
        enabled=enabled,
        created_at=editor.now,
        updated_at=editor.now,
    )
    destination.filters.append(created)
    editor.created(created)
    return created


def update_filter(
    editor: Editor,
    filter: Filter,
    *,
    title: str | UnsetType = UNSET,
    condition: str | UnsetType = UNSET,
    actions: list[dict[str, Any]] | UnsetType = UNSET,
    description: str | UnsetType | None = UNSET,
    enabled: bool | UnsetType = UNSET,
) -> bool:
    """Change what is given; whether anything differs. `actions` replaces all actions."""
    before = audit.state(filter)
    if title is not UNSET:
        check_name(title, "title", MAX_TITLE)
        filter.title = title
    if condition is not UNSET:
        filter.condition = condition
    if actions is not UNSET:
        filter.actions = actions
    if condition is not UNSET or actions is not UNSET:
        check_filter(filter.condition, filter.actions)
    if description is not UNSET:
        filter.description = description
    if enabled is not UNSET:
        filter.enabled = enabled
    return editor.modified(filter, before)


def delete_filter(editor: Editor, filter: Filter) -> None:
    editor.deleted(filter)
    editor.session.refresh(filter.destination, ["filters"])
