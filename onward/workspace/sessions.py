"""Browsers that are signed in (spec §17.1: seven days).

A session's token is in the browser's cookie, and only its hash here. Signing in always makes a new one, so
that nobody can be made to use a token that another knows. What if the process dies? Sessions are rows; each
change is one transaction.
"""

import hashlib
import secrets
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Database

from onward.workspace.entities import Session, User

LIFE_MS = 7 * 24 * 3600 * 1000
AGENT_LENGTH = 200


class SignedIn(NamedTuple):
    session: Session
    user: User


def begin(database: Database, user: User, now: int, agent: str) -> tuple[Session, str]:
    """A new session and its token, which nobody sees again. Sessions that are over are swept out."""
    database.execute(delete(Session).where(Session.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session = Session(
        hash=digest(token),
        user_id=user.id,
        created_at=now,
        expires_at=now + LIFE_MS,
        csrf=secrets.token_urlsafe(32),
        agent=agent[:AGENT_LENGTH],
    )
    database.add(session)
    database.flush()
    return session, token


def find(database: Database, token: str, now: int) -> SignedIn | None:
    found = database.execute(
        select(Session, User)
        .join(User, User.id == Session.user_id)
        .where(Session.hash == digest(token), Session.expires_at > now)
    ).first()
    return None if found is None else SignedIn(found[0], found[1])


def end(database: Database, token: str) -> None:
    database.execute(delete(Session).where(Session.hash == digest(token)))


def end_all(database: Database, user: User, *, but: str | None = None) -> int:
    """Everywhere; `but` is the hash of a session that stays. How many there were."""
    of_user = select(Session).where(Session.user_id == user.id)
    ended = database.scalars(of_user if but is None else of_user.where(Session.hash != but)).all()
    for session in ended:
        database.delete(session)
    return len(ended)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
