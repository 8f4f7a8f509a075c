"""The workspaces of an installation: strictly apart, with people, tokens and sources of their own.

The first one, which the first start makes, is the installation's: its owners make others.
"""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import access, audit, ids, tokens
from onward.workspace.entities import Membership, User, Workspace
from onward.workspace.errors import Conflict, NotFound
from onward.workspace.names import check_name, check_slug
from onward.workspace.roles import ROLES
from onward.workspace.store import Editor


def all_workspaces(session: Session) -> list[Workspace]:
    """The oldest first."""
    return list(session.scalars(select(Workspace).order_by(Workspace.created_at, Workspace.id)))


def find_workspace(session: Session, key: str) -> Workspace:
    """By slug or id; raises `NotFound`."""
    found = session.scalar(select(Workspace).where((Workspace.slug == key) | (Workspace.id == key)))
    if found is None:
        raise NotFound(f"there is no workspace {key}; `onward workspaces list` lists them")
    return found


def create_workspace(
    editor: Editor, slug: str, name: str | None = None, owner: User | None = None
) -> tuple[Workspace, str]:
    """A new workspace with a token of the owner role, to be shown once, and `owner` in it if one is given.

    `editor` is at work on another workspace; both have the change in their audit trail.
    """
    check_slug(slug)
    check_name(name := name if name is not None else slug)
    _check_slug_is_free(editor, slug, None)
    made = Workspace(id=ids.resource_id(), slug=slug, name=name, created_at=editor.now, updated_at=editor.now)
    editor.created(made)
    within = replace(editor, workspace=made)  # the same transaction, version and list of events
    within.record(made, audit.event_type(made, "Created"), None, audit.state(made))
    secret = tokens.generate()
    tokens.create_token(within, name="First token", token=secret, created_by=owner.id if owner else None)
    if owner is not None:
        editor.session.add(Membership(workspace_id=made.id, user_id=owner.id, created_at=editor.now))
        access.add_grants(editor.session, made.id, owner.id, [(ROLES["owner"], ())])
    return made, secret


def rename_workspace(editor: Editor, *, slug: str | None = None, name: str | None = None) -> bool:
    """Change what is given of the editor's workspace; whether anything differs."""
    workspace = editor.workspace
    before = audit.state(workspace)
    if slug is not None:
        check_slug(slug)
        _check_slug_is_free(editor, slug, workspace)
        workspace.slug = slug
    if name is not None:
        check_name(name)
        workspace.name = name
    return editor.modified(workspace, before)


def _check_slug_is_free(editor: Editor, slug: str, workspace: Workspace | None) -> None:
    taken = editor.session.scalar(select(Workspace.id).where(Workspace.slug == slug))
    if taken is not None and (workspace is None or taken != workspace.id):
        raise Conflict(f"there is a workspace with the slug {slug} already", field="slug")
