"""Audit events: what is written down about a change (spec §17.2), with secrets masked."""

from typing import Any, Literal

from sqlalchemy.orm import Session, object_session

from onward.workspace import access
from onward.workspace.entities import Filter, Group, Invite, Resource, Source, Token, same_json
from onward.workspace.secrets import MASK

State = dict[str, Any]
"""An entity's columns, sealed secrets included; `masked` makes it fit to be shown."""

Verb = Literal["Created", "Modified", "Enabled", "Disabled", "Deleted"]

UNRECORDED = {"created_at", "updated_at", "hash", "active"}
"""Columns that say nothing about what someone changed."""

EXCEPTIONS = {
    "Integration Modified": "Destination Modified",
    "Integration Enabled": "Destination Enabled",
    "Invite Created": "Users Invited",
    "Transformation Modified": "Transformation Updated",
    "Transformation Enabled": "Transformation Updated",
    "Transformation Disabled": "Transformation Updated",
    "User Group Modified": "User Group Updated",
    "Model Modified": "Model Settings Saved",
    "Model Enabled": "Model State Change Toggled",
    "Model Disabled": "Model State Change Toggled",
}
"""Where Segment's names don't follow the pattern."""


def state(entity: Resource) -> State:
    """What an audit event says of an entity. A copy: later changes to the entity don't show in it."""
    values = {
        column.key: _copy(getattr(entity, column.key))
        for column in entity.__mapper__.column_attrs
        if column.key not in UNRECORDED
    }
    if isinstance(entity, Source):
        values["write_keys"] = sorted(key.key for key in entity.write_keys)
    if isinstance(entity, Group | Invite | Token) and (session := object_session(entity)):
        values["permissions"] = permissions(session, entity.workspace_id, entity.id)
    return values


def permissions(session: Session, workspace_id: str, subject_id: str) -> list[State]:
    """What someone was granted, as an audit event says it."""
    return [
        {"role": grant.role, "resources": grant.resources}
        for grant in access.grants_of(session, workspace_id, subject_id)
    ]


def verb(before: State, after: State) -> Verb | None:
    """What a modification is called; None if nothing differs."""
    changed = {
        name for name in before.keys() | after.keys() if not same_json(before.get(name), after.get(name))
    }
    if not changed:
        return None
    if changed == {"enabled"}:
        return "Enabled" if after["enabled"] else "Disabled"
    return "Modified"


def event_type(entity: Resource, verb: Verb) -> str:
    name = f"{entity.event_name} {verb}"
    return EXCEPTIONS.get(name, name)


def resource_name(entity: Resource) -> str:
    return entity.title if isinstance(entity, Filter) else str(getattr(entity, "name", entity.id))


def masked(values: State | None, before: State | None = None) -> State | None:
    """The same without secrets: sealed settings show as a mask, write keys by their beginning.

    With the state `before`, a secret that is another one now says so.
    """
    if values is None:
        return None
    shown = dict(values)
    if "secrets" in shown:
        former = (before or {}).get("secrets", {})
        shown["secrets"] = {
            name: MASK if former.get(name, sealed) == sealed else f"{MASK} (changed)"
            for name, sealed in shown["secrets"].items()
        }
    if "write_keys" in shown:
        shown["write_keys"] = [f"{key[:4]}…" for key in shown["write_keys"]]
    return shown


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
