"""The first start, and every other: migrations, the snapshot that this version makes of what is configured,
the default workspace, the operator's token.

Safe to run from several processes at once and after a crash at any point: each step looks at what is
there first, and the last two are one transaction.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import select

from onward.settings import Settings
from onward.workspace import compile, keyring, people, tokens
from onward.workspace.database import writing
from onward.workspace.entities import Token, User, Workspace
from onward.workspace.migrate import migrate
from onward.workspace.store import Actor, Store

log = structlog.get_logger("onward.workspace")
ACTOR = Actor(id="bootstrap")
OPERATOR_TOKEN = "ONWARD_TOKEN"  # noqa: S105  (a name, not a token)


@dataclass(frozen=True, kw_only=True)
class BootstrapResult:
    workspace_id: str
    first_start: bool
    """Whether the workspace was made now."""
    token: str | None
    """A token generated now, to be shown once; None if there was one or `settings.token` gives it."""
    owner_link: str | None = None
    """The token of the link by which the first owner signs in: made anew at each start until it was used."""


def bootstrap(settings: Settings, *, invite: bool = False) -> BootstrapResult:
    """Make the data folder ready; with `invite`, a link for the first owner too.

    Raises `SecretError` if its secrets were sealed with another key.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    store = Store.open(settings, catalogue={})
    migrate(store.engine, settings)
    _check_key(store)
    _renew_snapshot(store)
    keyring.settle(settings)
    workspace_id, made = _default_workspace(store)
    with store.changing(workspace_id, ACTOR) as editor:
        token = None
        if settings.token is not None:
            tokens.ensure_token(editor, name=OPERATOR_TOKEN, token=settings.token)
        elif editor.session.scalar(select(Token.id).limit(1)) is None:
            token = tokens.generate()
            tokens.create_token(editor, name="First token", token=token)
        owner_link = None
        if editor.session.scalar(select(User.id).limit(1)) is None and invite:
            owner_link = people.invite_owner(editor)
    store.engine.dispose()
    return BootstrapResult(workspace_id=workspace_id, first_start=made, token=token, owner_link=owner_link)


def _default_workspace(store: Store) -> tuple[str, bool]:
    with writing(store.engine) as session:
        found = session.scalar(select(Workspace).order_by(Workspace.created_at).limit(1))
        if found is not None:
            return found.id, False
        now = store.now()
        workspace = Workspace(slug="default", name="Default", created_at=now, updated_at=now)
        session.add(workspace)
        session.flush()
        return workspace.id, True


def _renew_snapshot(store: Store) -> None:
    """The data plane runs on what the last change compiled; an older version may have known less."""
    with writing(store.engine) as session:
        if compile.renew(session, store.cipher, store.now()):
            log.info("the configuration was compiled anew, as this version makes more of it")


def _check_key(store: Store) -> None:
    """Read the newest snapshot, so that a wrong key is told at the start and not by the data plane."""
    with store.reading() as session:
        versions = compile.stored_versions(session)
        if versions:
            compile.stored_snapshot(session, store.cipher, versions[-1].version)
