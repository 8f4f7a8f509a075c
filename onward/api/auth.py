"""Who calls (401), and whether they may (403).

The token is looked up on every request, in a thread: a deleted token ends at once, and the event loop
never waits for the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from onward.api.permissions import OPERATIONS, SCOPES
from onward.workspace.access import Access, of_subjects
from onward.workspace.roles import Permission
from onward.workspace.store import Actor, Store
from onward.workspace.tokens import find_token

Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True)
class Principal:
    """The caller: a token or a user, in one workspace, and what they may do there."""

    actor: Actor
    workspace_id: str
    access: Access


class Authentication(AbstractAuthenticationMiddleware):
    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthorizedException("send the header `Authorization: Bearer <token>`")
        store: Store = connection.app.state.store
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


async def check_permission(connection: Connection, handler: BaseRouteHandler) -> None:
    """Litestar guard on every route."""
    if connection.scope.get("method") == "OPTIONS":  # Asked without a token, told the methods alone.
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
            if name in path:
                id = scope(session, principal.workspace_id, path[name])
                if id is not None and not principal.access.to(permission, id):
                    return id
    return None
