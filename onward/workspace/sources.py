"""Sources and their write keys: create, update, delete."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.entities import Function, Source, WriteKey
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.function_catalogue import definition_of, find_source_function, slug_of
from onward.workspace.function_deployment import ensure_deployed
from onward.workspace.function_instances import sealed_identity
from onward.workspace.names import check_name, check_slug
from onward.workspace.sealed import set_settings
from onward.workspace.source_catalogue import source_definition
from onward.workspace.store import Editor
from onward.workspace.values import check_depth

MIN_WRITE_KEY = 8
MAX_WRITE_KEY = 64


def get_source(session: Session, workspace_id: str, id: str) -> Source:
    """Raises `NotFound`."""
    source = session.get(Source, id)
    if source is None or source.workspace_id != workspace_id:
        raise NotFound(f"there is no source {id}")
    return source


def create_source(
    editor: Editor,
    *,
    slug: str,
    kind: str,
    name: str | None = None,
    enabled: bool = True,
    settings: dict[str, Any] | None = None,
    labels: list[dict[str, Any]] | None = None,
    rate_limit: float | None = None,
    write_keys: Sequence[str] = (),
) -> Source:
    """A new source with the write keys given, or a new one. `kind` is a catalogue slug or id, also of a
    source function, which is deployed by this if it never was."""
    _check_slug(editor, slug, None)
    function = find_source_function(editor.session, editor.workspace.id, kind)
    definition = source_definition(kind).slug if function is None else slug_of(function)
    if name is not None:
        check_name(name)
    _check_rate_limit(rate_limit)
    check_depth(settings, "settings")
    source = Source(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        slug=slug,
        name=name if name is not None else slug,
        kind=definition,
        enabled=enabled,
        settings=settings or {} if function is None else {},
        secrets={},
        labels=labels or [],
        rate_limit=rate_limit,
        created_at=editor.now,
        updated_at=editor.now,
    )
    for key in write_keys or (ids.write_key(),):
        _check_write_key(editor, key)
        source.write_keys.append(WriteKey(key=key, created_at=editor.now))
    if function is not None:
        source.function_version_id = ensure_deployed(editor, function)
        _set_settings(editor, source, function, settings or {})
    editor.created(source)
    return source


def update_source(
    editor: Editor,
    source: Source,
    *,
    slug: str | UnsetType = UNSET,
    kind: str | UnsetType = UNSET,
    name: str | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
    settings: dict[str, Any] | UnsetType = UNSET,
    labels: list[dict[str, Any]] | UnsetType = UNSET,
    rate_limit: float | UnsetType | None = UNSET,
) -> bool:
    """Change what is given; whether anything differs. Settings of a source function are merged into what is
    there, others take its place."""
    before = audit.state(source)
    function = find_source_function(editor.session, editor.workspace.id, source.kind)
    if slug is not UNSET:
        _check_slug(editor, slug, source)
        source.slug = slug
    if kind is not UNSET and kind != source.kind:
        _change_kind(editor, source, function, kind)
    if name is not UNSET:
        check_name(name)
        source.name = name
    if enabled is not UNSET:
        source.enabled = enabled
    if function is not None:
        _set_settings(editor, source, function, {} if settings is UNSET else settings)
    elif settings is not UNSET:
        check_depth(settings, "settings")
        source.settings = settings
    if labels is not UNSET:
        source.labels = labels
    if rate_limit is not UNSET:
        _check_rate_limit(rate_limit)
        source.rate_limit = rate_limit
    return editor.modified(source, before)


def delete_source(editor: Editor, source: Source) -> None:
    """The source, its write keys, and the destinations that were connected to it."""
    for destination in list(source.destinations):
        editor.deleted(destination)
    editor.session.refresh(source)
    editor.deleted(source)


def add_write_key(editor: Editor, source: Source, key: str | None = None) -> str:
    """A new write key beside the others; generated unless given."""
    key = key or ids.write_key()
    _check_write_key(editor, key)
    before = audit.state(source)
    source.write_keys.append(WriteKey(key=key, created_at=editor.now))
    editor.modified(source, before)
    return key


def remove_write_key(editor: Editor, source: Source, key: str) -> None:
    """Raises `NotFound` if it is not one of the source's, `Invalid` if it is the last."""
    found = next((each for each in source.write_keys if each.key == key), None)
    if found is None:
        raise NotFound(f"the source {source.slug} has no such write key")
    if len(source.write_keys) == 1:
        raise Invalid(
            f"this is the only write key of the source {source.slug}; add another one first", field="writeKey"
        )
    before = audit.state(source)
    source.write_keys.remove(found)
    editor.modified(source, before)


def _change_kind(editor: Editor, source: Source, function: Function | None, kind: str) -> None:
    other = find_source_function(editor.session, editor.workspace.id, kind)
    if function is not None or other is not None:
        if function is not other:
            raise Conflict(
                f"the source {source.slug} can't become another function, or stop being one", field="kind"
            )
        return
    source.kind = source_definition(kind).slug


def _set_settings(editor: Editor, source: Source, function: Function, given: Mapping[str, Any]) -> None:
    """What is disabled need not have what is required."""
    definition = definition_of(
        editor.session,
        editor.workspace,
        function,
        source.function_version_id,
        all_optional=not source.enabled,
    )
    set_settings(source, editor.cipher, partial(sealed_identity, source), definition, given)


def _check_slug(editor: Editor, slug: str, source: Source | None) -> None:
    check_slug(slug)
    taken = editor.session.scalar(
        select(Source.id).where(Source.workspace_id == editor.workspace.id, Source.slug == slug)
    )
    if taken is not None and (source is None or taken != source.id):
        raise Conflict(f"there is a source with the slug {slug} already", field="slug")


def _check_write_key(editor: Editor, key: str) -> None:
    if not (MIN_WRITE_KEY <= len(key) <= MAX_WRITE_KEY and key.isascii() and key.isalnum()):
        raise Invalid(
            f"a write key has {MIN_WRITE_KEY} to {MAX_WRITE_KEY} letters and digits", field="writeKeys"
        )
    owner = editor.session.get(WriteKey, key)
    if owner is not None:
        raise Conflict(f"the write key {key[:4]}… belongs to a source already", field="writeKeys")


def _check_rate_limit(limit: float | None) -> None:
    if limit is not None and not 0 < limit < math.inf:
        raise Invalid("the rate limit must be above 0 requests a second, or absent", field="rateLimit")
