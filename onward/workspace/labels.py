"""Labels of the workspace, and which sources bear them (spec §17.1).

A grant may be for all sources that bear certain labels: a label that one needs can't be deleted.
"""

from collections.abc import Iterable, Set
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.entities import Grant, Label, Source
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.names import check_name
from onward.workspace.store import Editor

MAX_LENGTH = 255
MAX_DESCRIPTION = 2_000

Borne = dict[str, Any]
"""`{"key", "value", "description"?}`."""


def all_labels(session: Session, workspace_id: str) -> list[Label]:
    query = select(Label).where(Label.workspace_id == workspace_id).order_by(Label.key, Label.value)
    return list(session.scalars(query))


def find_label(session: Session, workspace_id: str, key: str, value: str) -> Label:
    """Raises `NotFound`."""
    found = session.scalar(
        select(Label).where(Label.workspace_id == workspace_id, Label.key == key, Label.value == value)
    )
    if found is None:
        raise NotFound(f"there is no label {key}:{value}")
    return found


def create_label(editor: Editor, key: str, value: str, description: str | None = None) -> Label:
    for name, text in (("key", key), ("value", value)):
        check_name(text, name, MAX_LENGTH)
        if "/" in text or text in (".", ".."):
            raise Invalid("this stands between slashes in addresses, so that / . and .. can't be", field=name)
    _check_description(description)
    for label in all_labels(editor.session, editor.workspace.id):
        if (label.key, label.value) == (key, value):
            raise Conflict(f"there is a label {key}:{value} already")
    label = Label(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        key=key,
        value=value,
        description=description,
        created_at=editor.now,
        updated_at=editor.now,
    )
    editor.created(label)
    return label


def describe_label(editor: Editor, label: Label, description: str | None) -> None:
    _check_description(description)
    before = audit.state(label)
    label.description = description
    editor.modified(label, before)


def delete_label(editor: Editor, label: Label, *, spared: Set[str] = frozenset()) -> None:
    """And take it off the sources that bear it, but for those of the slugs `spared`."""
    wanted = {"key": label.key, "value": label.value}
    grants = editor.session.scalars(select(Grant).where(Grant.workspace_id == editor.workspace.id))
    if any(wanted in resource.get("labels", ()) for grant in grants for resource in grant.resources):
        raise Conflict(f"permissions are granted by the label {label.name}; change those first")
    for source in editor.session.scalars(select(Source).where(Source.workspace_id == editor.workspace.id)):
        if source.slug not in spared:
            _bear(editor, source, [each for each in source.labels if not _is(each, label.key, label.value)])
    editor.deleted(label)


def label_source(editor: Editor, source: Source, labels: Iterable[Borne], *, replace: bool) -> None:
    """Raises `Invalid` for a label that the workspace does not have."""
    kept = [] if replace else source.labels
    fresh = borne(editor, labels)
    _bear(editor, source, list({(each["key"], each["value"]): each for each in [*kept, *fresh]}.values()))


def borne(editor: Editor, labels: Iterable[Borne]) -> list[Borne]:
    """Labels of the workspace as a source bears them, each once; raises `Invalid` for others."""
    known = {(label.key, label.value): label for label in all_labels(editor.session, editor.workspace.id)}
    found: dict[tuple[str, str], Borne] = {}
    for index, each in enumerate(labels):
        key = (each["key"], each["value"])
        if key not in known:
            raise Invalid(
                f"the workspace has no label {key[0]}:{key[1]}; create it first", field=f"labels[{index}]"
            )
        description = known[key].description
        found[key] = {"key": key[0], "value": key[1]} | ({"description": description} if description else {})
    return list(found.values())


def _bear(editor: Editor, source: Source, labels: list[Borne]) -> None:
    before = audit.state(source)
    source.labels = labels
    editor.modified(source, before)


def _check_description(description: str | None) -> None:
    if description is not None and len(description) > MAX_DESCRIPTION:
        raise Invalid(f"a description may have {MAX_DESCRIPTION} characters", field="description")


def _is(borne: Borne, key: str, value: str) -> bool:
    return (borne.get("key"), borne.get("value")) == (key, value)
