"""Who calls (401), and whether they may (403): a program with a token, or a browser with a session.

Both are looked up on every request, in a thread: a deleted token or an ended session ends at once, and the
event loop never waits for the database.

A browser sends its cookie by itself, also when another site makes it send a request. So what a session is
to change must repeat the session's secret in a header, which no other site can know or set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

import anyio.to_thread
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from onward import forwarded
from onward.api.permissions import OPERATIONS, SCOPES, concerns
from onward.workspace import people, sessions
from onward.workspace.access import Access, of_subjects, of_user
from onward.workspace.roles import Permission
from onward.workspace.store import Actor, Store
from onward.workspace.tokens import find_token

Connection = ASGIConnection[Any, Any, Any, Any]

COOKIE = "onward_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Its name where the connection is encrypted: browsers then let no other host or path set it."""
CSRF = "x-onward-csrf"
WORKSPACE = "x-onward-workspace"
"""Header of a session's requests: id or slug of the workspace that they are about."""
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Principal:
    """The caller: a token or a user, in one workspace, and what they may do there."""

    actor: Actor
    workspace_id: str
    access: Access
    user_id: str | None = None
    """None for a token."""
    session: str | None = None
    """The hash of the session's token."""


class Authentication(AbstractAuthenticationMiddleware):
    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        store: Store = connection.app.state.store
        cookie = session_token(connection)
        if not scheme and cookie:
            return AuthenticationResult(user=None, auth=await _by_session(store, connection, cookie))
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthorizedException("send the header `Authorization: Bearer <token>`")
        principal = await anyio.to_thread.run_sync(_by_token, store, token.strip())
        if principal is None:
            raise NotAuthorizedException("this token is not valid")
        return AuthenticationResult(user=None, auth=principal)


def _by_token(store: Store, token: str) -> Principal | None:
    with store.reading() as session:
        found = find_token(session, token)
        if found is None:
            return None
        access = of_subjects(session, found.workspace_id, [found.id])
        return Principal(Actor(id=found.id), found.workspace_id, access)


async def _by_session(store: Store, connection: Connection, token: str) -> Principal:
    wanted = connection.headers.get(WORKSPACE)
    if wanted is None and connection.scope.get("method") in SAFE:
        wanted = connection.query_params.get("workspace")  # an EventSource can't send headers
    found = await anyio.to_thread.run_sync(_look_up, store, token, wanted)
    if found is None:
        raise NotAuthorizedException("this session is over; sign in again")
    principal, csrf = found
    if connection.scope.get("method") not in SAFE and not compare_digest(
        connection.headers.get(CSRF, "").encode(), csrf.encode()
    ):
        raise PermissionDeniedException(f"the header {CSRF} is not that of this session")
    return principal


def _look_up(store: Store, token: str, wanted: str | None) -> tuple[Principal, str] | None:
    """In the workspace of this id or slug, or the first that the user belongs to."""
    with store.reading() as session:
        signed_in = sessions.find(session, token, store.now())
        if signed_in is None:
            return None
        user, csrf, hash = signed_in.user, signed_in.session.csrf, signed_in.session.hash
        workspaces = people.workspaces_of(session, user)
        current = next((each for each in workspaces if wanted in (None, each.id, each.slug)), None)
        access = of_user(session, current.id, user) if current is not None else Access()
        actor = Actor(id=user.id, email=user.email)
        workspace_id = current.id if current is not None else ""
        return Principal(actor, workspace_id, access, user.id, hash), csrf


def session_token(connection: Connection) -> str | None:
    """Over HTTPS from the cookie that no other host of the domain can have set, to make somebody use a
    session of its own."""
    secure = connection.cookies.get(SECURE_COOKIE)
    if secure or forwarded.scheme(dict(connection.scope["headers"]), connection.scope) == "https":
        return secure
    return connection.cookies.get(COOKIE)


async def check_permission(connection: Connection, handler: BaseRouteHandler) -> None:
    """Litestar guard on every route."""
    if connection.scope.get("method") == "OPTIONS":  # Asked without a token, told the methods alone.
        return
    if handler.opt.get("exclude_from_auth"):
        return
    operation = getattr(handler, "operation_id", None)
    permission = OPERATIONS.get(operation or "")
    principal: Principal = connection.auth
    if permission is None or not principal.access.anywhere(permission):
        raise PermissionDeniedException(
            f"{operation} needs the permission {permission}" if permission else "nobody may do this"
        )
    if not principal.access.everywhere(permission):
        store: Store = connection.app.state.store
        refused = await anyio.to_thread.run_sync(
            _out_of_reach, store, principal, permission, connection.path_params
        )
        if refused is not None:
            raise PermissionDeniedException(f"{operation} needs the permission {permission} for {refused}")


def _out_of_reach(
    store: Store, principal: Principal, permission: Permission, path: Mapping[str, Any]
) -> str | None:
    """The resource that the path names and the permission is not had for."""
    with store.reading() as session:
        for name, scope in SCOPES.items():
            if name in path and concerns(permission, name):
                id = scope(session, principal.workspace_id, path[name])
                if id is not None and not principal.access.to(permission, id):
                    return id
    return None
