"""Bearer tokens: who calls (401), and whether they may (403).

The token is looked up on every request, in a thread: a deleted token ends at once, and the event loop
never waits for the database.
"""

from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from onward.api.permissions import allows
from onward.workspace.store import Store
from onward.workspace.tokens import find_token

Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True)
class Principal:
    """The caller: a token of a workspace, with a role."""

    token_id: str
    workspace_id: str
    role: str


class BearerAuthentication(AbstractAuthenticationMiddleware):
    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthorizedException("send the header `Authorization: Bearer <token>`")
        store: Store = connection.app.state.store
        principal = await anyio.to_thread.run_sync(_look_up, store, token.strip())
        if principal is None:
            raise NotAuthorizedException("this token is not valid")
        return AuthenticationResult(user=None, auth=principal)


def _look_up(store: Store, token: str) -> Principal | None:
    with store.reading() as session:
        found = find_token(session, token)
        return None if found is None else Principal(found.id, found.workspace_id, found.role)


def check_permission(connection: Connection, handler: BaseRouteHandler) -> None:
    """Litestar guard on every route."""
    if connection.scope.get("method") == "OPTIONS":  # Asked without a token, told the methods alone.
        return
    operation = getattr(handler, "operation_id", None)
    if not allows(connection.auth.role, operation):
        raise PermissionDeniedException(f"the role {connection.auth.role} does not allow {operation}")
