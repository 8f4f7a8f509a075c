"""Errors as the Public API tells them: `{"errors": [{"type", "message", "field"?}]}` (spec §17.3).

400: the request can't be read. 401, 403: no valid token, not allowed. 404: there is no such thing.
422: the request can be read and is wrong; `field` names where.
"""

import traceback
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from sqlalchemy.exc import OperationalError

from onward.workspace.errors import Forbidden, Invalid, NotFound, WorkspaceError

log = structlog.get_logger()

AGAIN = 5
"""Seconds."""
TYPES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    412: "precondition-failed",
    413: "request-too-large",
    422: "validation",
    429: "too-many-requests",
}


class Problem(msgspec.Struct, omit_defaults=True):
    type: str
    message: str
    field: str | None = None
    data: dict[str, Any] | None = None


def respond(status: int, *problems: Problem) -> Response[Any]:
    return Response({"errors": problems}, status_code=status, media_type="application/json")


def http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    status = error.status_code
    if status == 500:  # of the framework; its words are for programmers
        return unexpected_error(request, error)
    type = TYPES.get(status, "server" if status >= 500 else "unknown")
    more = error.extra if status == 429 and isinstance(error.extra, dict) else None
    response = respond(status, Problem(type, error.detail, data=more))
    response.headers.update(error.headers or {})
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def workspace_error(request: Request[Any, Any, Any], error: WorkspaceError) -> Response[Any]:
    if isinstance(error, NotFound):
        return respond(404, Problem("not-found", error.message))
    if isinstance(error, Forbidden):
        return respond(403, Problem("forbidden", error.message))
    if isinstance(error, Invalid):
        return respond(422, Problem("validation", error.message, error.field))
    return unexpected_error(request, error)


def unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A bug or a broken disk: the log says what, the caller learns only that it is not their fault."""
    # The plain traceback: renderers that print local variables would print tokens and secrets.
    trace = "".join(traceback.format_exception(error))
    log.error("request failed", method=request.method, path=request.url.path, traceback=trace)
    return respond(500, Problem("server", "something went wrong here; the log of the server says what"))


def database_error(request: Request[Any, Any, Any], error: OperationalError) -> Response[Any]:
    """Where another process, such as `onward apply` of a long file, is at work for longer than one waits."""
    if "locked" not in str(error.orig):
        return unexpected_error(request, error)
    log.warning("the configuration is busy", method=request.method, path=request.url.path)
    why = "the configuration is being changed by something that takes long; try again in a moment"
    response = respond(503, Problem("server", why))
    response.headers["retry-after"] = str(AGAIN)
    return response


def no_json(request: Request[Any, Any, Any], error: msgspec.DecodeError) -> Response[Any]:
    return respond(400, Problem("bad-request", f"the body is not JSON: {error}"))


def nested_too_deeply(request: Request[Any, Any, Any], error: RecursionError) -> Response[Any]:
    return respond(400, Problem("bad-request", "the JSON of the request is nested too deeply"))
