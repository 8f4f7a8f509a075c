"""Public API tokens. Only the SHA-256 of a token is stored; the token itself is shown once, when made."""

import hashlib
import secrets
import string
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import access, ids
from onward.workspace.entities import Token
from onward.workspace.roles import ROLES
from onward.workspace.store import Editor

PREFIX = "onward_"
"""So that secret scanners can recognise a leaked token."""
OWNER = "owner"


def generate() -> str:
    """A new token: 43 letters and digits, 256 bits."""
    alphabet = string.ascii_letters + string.digits
    return PREFIX + "".join(secrets.choice(alphabet) for _ in range(43))


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_token(session: Session, token: str) -> Token | None:
    """The token's record, or None if it is not (or no longer) valid."""
    return session.scalar(select(Token).where(Token.hash == digest(token)))


def create_token(
    editor: Editor,
    *,
    name: str,
    token: str,
    role: str = OWNER,
    resources: Sequence[access.Resource] = (),
    created_by: str | None = None,
) -> Token:
    """`role`: a slug; for the whole workspace unless `resources` says for what."""
    record = Token(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        name=name,
        hash=digest(token),
        created_by=created_by,
        created_at=editor.now,
        updated_at=editor.now,
    )
    access.add_grants(editor.session, editor.workspace.id, record.id, [(ROLES[role], resources)])
    editor.created(record)
    return record


def ensure_token(editor: Editor, *, name: str, token: str, role: str = OWNER) -> Token:
    """Make `token` the one of this name; a former one of the name is no longer valid."""
    record = editor.session.scalar(
        select(Token).where(Token.workspace_id == editor.workspace.id, Token.name == name)
    )
    if record is not None and record.hash == digest(token):
        return record
    if record is not None:
        delete_token(editor, record)
    return create_token(editor, name=name, token=token, role=role)


def delete_token(editor: Editor, token: Token) -> None:
    editor.deleted(token)
    access.drop_grants(editor.session, editor.workspace.id, token.id)
