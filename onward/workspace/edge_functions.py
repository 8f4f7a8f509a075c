"""Edge functions: which bundle of code the mobile libraries of a source are to load (spec §18.1).

Onward keeps the address of the bundle; it has no place for the bundle itself, which stays where its owner
serves it. Each change is a version of its own.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import ids
from onward.workspace.entities import EdgeFunction, Source
from onward.workspace.errors import Invalid, NotFound
from onward.workspace.store import Editor

MAX_URL = 2048


def latest(session: Session, source: Source) -> EdgeFunction:
    """Raises `NotFound` if the source never had any."""
    query = select(EdgeFunction).where(EdgeFunction.source_id == source.id)
    found = session.scalar(query.order_by(EdgeFunction.version.desc()).limit(1))
    if found is None:
        raise NotFound(f"the source {source.slug} has no edge functions")
    return found


def create(editor: Editor, source: Source, url: str) -> EdgeFunction:
    """A new version, with the bundle at this address. Raises `Invalid`."""
    if not url.startswith("https://") or len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise Invalid(
            "this must be the address that the bundle is served at, https://…; Onward does not keep it",
            field="uploadURL",
        )
    return _version(editor, source, url)


def disable(editor: Editor, source: Source) -> EdgeFunction:
    """A new version without a bundle, unless the latest is such a one. Raises `NotFound`."""
    current = latest(editor.session, source)
    return _version(editor, source, "") if current.download_url else current


def _version(editor: Editor, source: Source, url: str) -> EdgeFunction:
    query = select(EdgeFunction.version).where(EdgeFunction.source_id == source.id)
    before = editor.session.scalar(query.order_by(EdgeFunction.version.desc()).limit(1)) or 0
    made = EdgeFunction(
        id=ids.resource_id(),
        source_id=source.id,
        version=before + 1,
        download_url=url,
        created_by=editor.actor.id,
        created_at=editor.now,
        updated_at=editor.now,
    )
    editor.created(made)
    return made
