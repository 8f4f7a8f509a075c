"""What `onward apply` and `onward export` do: a document, the difference it makes, and making it.

A plan is the change itself, tried and undone: the difference shown is what the audit trail will say, and
every rule has been asked. `apply` makes the same change for good, all or nothing, provided that the
workspace is still the one that the plan was made for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import delivery
from onward.workspace import document as documents
from onward.workspace.converge import Options, converge
from onward.workspace.document import Document, export_workspace
from onward.workspace.entities import (
    AuditEvent,
    Destination,
    Function,
    FunctionVersion,
    Source,
    TrackingPlan,
    Warehouse,
    Workspace,
    same_json,
)
from onward.workspace.errors import Conflict
from onward.workspace.function_catalogue import slug_of
from onward.workspace.parts.functions import check_functions
from onward.workspace.store import Actor, Store

__all__ = ["Change", "Diff", "apply", "export_workspace", "plan", "render_diff"]

HIDDEN = {
    "id",
    "workspace_id",
    "source_id",
    "destination_id",
    "created_by",
    "catalog_id",
    "deployed_at",
    "instances",
    "expires_at",
}
CALLED = {
    "kind": "type",
    "definition": "type",
    "condition": "if",
    "secrets": "settings",
    "latest_id": "code",
    "deployed_id": "deployed",
    "function_version_id": "runs",
    "forwarded_to": "auditForwarding",
    "tracking_plan_id": "trackingPlan",
}
"""Columns that have another name in a document, beside being written in camel case."""
CAMEL = re.compile("_([a-z])")
ONE_BY_ONE = {"settings": 1, "delivery": 1, "rules": 1, "events": 1, "schema": 2}
"""Columns whose members are shown by themselves, and how deep."""
BY_SLUG = {"source", "workspace"}
"""What is known by its slug."""


@dataclass(frozen=True)
class Change:
    """One thing added (`+`), changed (`~`) or deleted (`-`)."""

    sign: str
    what: str
    """Such as `destination website/My webhook`."""
    fields: tuple[tuple[str, Any, Any], ...]
    """`(name, before, after)`, secrets masked; None where there was or will be nothing."""


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What a document would change, in the order in which it happens."""

    changes: tuple[Change, ...]
    document: Document
    options: Options
    version: int
    """The version of the configuration that the plan would make."""

    def __bool__(self) -> bool:
        return bool(self.changes)


def plan(
    store: Store, workspace_id: str, text: str, environment: Mapping[str, str], *, prune: bool = False
) -> Diff:
    """What `text` would change. Raises `Invalid` with the path in the document, such as
    `destinations[2].settings.url`."""
    document = documents.parse(text)
    options = Options(environment=environment, prune=prune)
    if document.functions:
        with store.reading() as session:
            check_functions(session, workspace_id, document.functions, store.check_code)
    with store.changing(workspace_id, Actor(id="plan"), dry_run=True) as editor:
        names = _names(editor.session)
        converge(editor, document, options)
        names |= _names(editor.session)
        changes = tuple(_change(event, names) for event in editor.events)
        version = editor.version
    return Diff(changes=changes, document=document, options=options, version=version)


def apply(store: Store, workspace_id: str, diff: Diff, actor: Actor) -> int:
    """Make the change; the version that is now current. Raises `Conflict` if the plan is out of date."""
    with store.changing(workspace_id, actor) as editor:
        if editor.version != diff.version:
            raise Conflict("the workspace was changed since the plan was made; plan again")
        converge(editor, diff.document, diff.options)
        return editor.version if editor.events else editor.version - 1


def render_diff(diff: Diff) -> Text:
    """The difference for a terminal; `.plain` is the same without colours."""
    if not diff:
        return Text("Nothing to change.")
    text = Text()
    for change in diff.changes:
        style = {"+": "green", "~": "yellow", "-": "red"}[change.sign]
        text.append(f"{change.sign} {change.what}\n", style=f"bold {style}")
        for name, before, after in change.fields:
            if change.sign == "~":
                text.append(f"    {name}: {_show(before)} → {_show(after)}\n")
            elif change.sign == "+":
                text.append(f"    {name}: {_show(after)}\n")
    added, changed, deleted = (sum(each.sign == sign for each in diff.changes) for sign in "+~-")
    text.append(f"{added} to add, {changed} to change, {deleted} to delete.")
    return text


def _change(event: AuditEvent, names: Mapping[str, str]) -> Change:
    before, after = (_named(_flat(state or {}), names) for state in (event.before, event.after))
    sign = "+" if event.before is None else "-" if event.after is None else "~"
    state = event.after or event.before or {}
    owner = names.get(state.get("source_id") or state.get("destination_id") or "")
    name = event.resource_name
    if event.resource_type in BY_SLUG:
        name = state.get("slug") or names.get(event.resource_id) or name
    what = event.resource_type.removeprefix("destination_").replace("_", " ")
    fields = tuple(
        (key, before.get(key), after.get(key))
        for key in [*before, *(key for key in after if key not in before)]
        if not same_json(before.get(key), after.get(key))
    )
    return Change(sign, f"{what} {owner}/{name}" if owner else f"{what} {name}", fields)


def _flat(state: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as a document names them; settings, delivery, rules and the like one by one."""
    values: dict[str, Any] = {}
    for column, value in state.items():
        name = CALLED.get(column) or CAMEL.sub(lambda found: found[1].upper(), column)
        if column in HIDDEN or value in (None, [], {}, ""):
            continue
        if name == "delivery":
            value = delivery.shown(value)
        values |= _members(name, value, ONE_BY_ONE.get(name, 0))
    return values


def _members(name: str, value: Any, depth: int) -> dict[str, Any]:
    if depth == 0 or not isinstance(value, dict):
        return {name: value}
    found: dict[str, Any] = {}
    for key, item in value.items():
        found |= _members(f"{name}.{key}", item, depth - 1)
    return found


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """With names in place of ids."""
    if isinstance(value, dict):
        return {key: _named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _names(session: Session) -> dict[str, str]:
    """What things are called by which other things name them."""
    names = dict(session.execute(select(Source.id, Source.slug)).all())
    destinations = session.execute(select(Destination.id, Destination.source_id, Destination.name))
    for id, source_id, name in destinations:
        names[id] = f"{names[source_id]}/{name}"
    for kind in (Function, TrackingPlan, Warehouse):
        names |= dict(session.execute(select(kind.id, kind.name)).all())
    names |= {slug_of(each): each.name for each in session.scalars(select(Function))}
    names |= dict(session.execute(select(Workspace.id, Workspace.slug)).all())
    versions = session.execute(select(FunctionVersion.id, FunctionVersion.number))
    return names | {id: f"version {number}" for id, number in versions}


def _show(value: Any) -> str:
    return "(none)" if value is None else documents.inline(value)
