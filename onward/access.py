"""`onward people` and `onward tokens`: who may come in, on the data folder itself.

Whoever can write the data folder may do everything anyway, so nobody is asked for a password here. Each
change is in the audit trail, with the command as its actor.
"""

from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.configure import ConfigureError, existing_workspace
from onward.settings import Settings
from onward.supervisor import address_of
from onward.workspace import access, audit_trail, passwords, sessions
from onward.workspace import people as edit
from onward.workspace import tokens as edit_tokens
from onward.workspace.entities import Invite, Token, User
from onward.workspace.errors import NotFound
from onward.workspace.store import Actor


class Person(NamedTuple):
    email: str
    name: str
    state: str
    """`user`, or `invited`."""
    roles: list[str]


class KnownToken(NamedTuple):
    name: str
    roles: list[str]
    created: str
    id: str


def people(settings: Settings, workspace: str | None) -> list[Person]:
    """Users, then open invitations."""
    with existing_workspace(settings, workspace) as (store, workspace_id), store.reading() as session:
        roles = partial(_roles, session, workspace_id)
        users = session.scalars(edit.members(workspace_id).order_by(User.email)).all()
        invited = select(Invite).where(Invite.workspace_id == workspace_id, Invite.email != edit.FIRST_OWNER)
        return [
            *(Person(user.email, user.name, "user", roles(user.id)) for user in users),
            *(
                Person(each.email, "", "invited", roles(each.id))
                for each in session.scalars(invited.order_by(Invite.email))
            ),
        ]


def invite(settings: Settings, workspace: str | None, email: str, role: str) -> str:
    """The link. Raises `Invalid` for no address or no role, `Conflict` for who is a user already."""
    with existing_workspace(settings, workspace) as (store, workspace_id):
        with store.changing(workspace_id, Actor(id="onward people invite")) as editor:
            _, token = edit.invite(editor, email, [(edit.find_role(role), ())])
        base = (settings.public_url or address_of(settings)).rstrip("/")
        return f"{base}/invite#{token}"


def set_password(settings: Settings, email: str, password: str) -> int:
    """The number of sessions that this has ended. Raises `NotFound` or `Invalid`."""
    with existing_workspace(settings) as (store, _), store.plainly() as session:
        user = session.scalar(select(User).where(User.email == edit.normal_email(email)))
        if user is None:
            raise NotFound(f"there is no user {email}; `onward people list` lists them")
        passwords.check(password, user.email)
        user.password_hash = passwords.hash(password)
        user.updated_at = store.now()
        ended = sessions.end_all(session, user)
        audit_trail.write_of_user(
            session, user, "User Password Changed", store.now(), actor="onward people password"
        )
        return ended


def tokens(settings: Settings, workspace: str | None) -> list[KnownToken]:
    with existing_workspace(settings, workspace) as (store, workspace_id), store.reading() as session:
        query = select(Token).where(Token.workspace_id == workspace_id)
        return [
            KnownToken(
                token.name,
                _roles(session, workspace_id, token.id),
                datetime.fromtimestamp(token.created_at / 1000, UTC).strftime("%Y-%m-%d"),
                token.id,
            )
            for token in session.scalars(query.order_by(Token.created_at, Token.id))
        ]


def add_token(settings: Settings, workspace: str | None, name: str, role: str) -> str:
    """The token, to be shown once."""
    with (
        existing_workspace(settings, workspace) as (store, workspace_id),
        store.changing(workspace_id, Actor(id="onward tokens add")) as editor,
    ):
        token = edit_tokens.generate()
        edit_tokens.create_token(editor, name=name, token=token, role=edit.find_role(role).slug)
        return token


def remove_token(settings: Settings, workspace: str | None, key: str) -> None:
    """By name or id. Raises `NotFound`, or `ConfigureError` where the name is that of several."""
    with (
        existing_workspace(settings, workspace) as (store, workspace_id),
        store.changing(workspace_id, Actor(id="onward tokens remove")) as editor,
    ):
        query = select(Token).where(Token.workspace_id == workspace_id)
        found = editor.session.scalars(query.where((Token.id == key) | (Token.name == key))).all()
        if not found:
            raise NotFound(f"there is no token {key}; `onward tokens list` lists them")
        if len(found) > 1:
            raise ConfigureError(f"{len(found)} tokens are named {key}; name one by its id")
        edit_tokens.delete_token(editor, found[0])


def _roles(session: Session, workspace_id: str, subject_id: str) -> list[str]:
    """Slugs of roles; one that is not for the whole workspace says so."""
    shown = []
    for grant in access.grants_of(session, workspace_id, subject_id):
        everything = any(
            each["type"] == access.EVERYTHING and not each.get("labels") for each in grant.resources
        )
        shown.append(grant.role if everything else f"{grant.role} (for some)")
    return shown
