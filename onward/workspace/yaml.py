"""What `onward apply` and `onward export` do: a document, the difference it makes, and making it.

A plan is the change itself, tried and undone: the difference shown is what the audit trail will say, and
every rule has been asked. `apply` makes the same change for good, all or nothing, provided that the
workspace is still the one that the plan was made for.
"""

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
from onward.workspace.entities import AuditEvent, Destination, Source, same_json
from onward.workspace.errors import Conflict
from onward.workspace.store import Actor, Store

__all__ = ["Change", "Diff", "apply", "export_workspace", "plan", "render_diff"]

HIDDEN = {"id", "workspace_id", "source_id", "destination_id"}
CALLED = {
    "kind": "type",
    "definition": "type",
    "condition": "if",
    "rate_limit": "rateLimit",
    "write_keys": "writeKeys",
    "secrets": "settings",
}
"""Columns that have another name in a document."""


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
    before, after = _flat(event.before or {}), _flat(event.after or {})
    sign = "+" if event.before is None else "-" if event.after is None else "~"
    state = event.after or event.before or {}
    owner = names.get(state.get("source_id") or state.get("destination_id") or "")
    name = state.get("slug") or event.resource_name
    what = event.resource_type.removeprefix("destination_")
    fields = tuple(
        (key, before.get(key), after.get(key))
        for key in [*before, *(key for key in after if key not in before)]
        if not same_json(before.get(key), after.get(key))
    )
    return Change(sign, f"{what} {owner}/{name}" if owner else f"{what} {name}", fields)


def _flat(state: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as a document names them; settings and delivery one by one."""
    values: dict[str, Any] = {}
    for column, value in state.items():
        name = CALLED.get(column, column)
        if column in HIDDEN or value in (None, [], {}):
            continue
        if name == "delivery":
            value = delivery.shown(value, complete=False)
        if isinstance(value, dict) and name in ("settings", "delivery"):
            values |= {f"{name}.{key}": item for key, item in value.items()}
        else:
            values[name] = value
    return values


def _names(session: Session) -> dict[str, str]:
    """What a source or destination is called as the owner of something."""
    sources = dict(session.execute(select(Source.id, Source.slug)).all())
    destinations = session.execute(select(Destination.id, Destination.source_id, Destination.name))
    return sources | {id: f"{sources[source_id]}/{name}" for id, source_id, name in destinations}


def _show(value: Any) -> str:
    return "(none)" if value is None else documents.inline(value)
