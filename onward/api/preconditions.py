"""Conditional changes: nobody's edit is lost without an error.

    GET a thing   → `ETag: "…"`, a digest of the answer
    PATCH, PUT or DELETE it with `If-Match: "…"` → 412 if a GET would now answer otherwise

The comparison is made inside the transaction of the change: the answer of the operation's GET is made once
more, from what the transaction sees, and changes run one after the other (`onward.workspace.store`). So
whatever has an operation that shows it can be changed on a condition; a route whose GET is another names it,
`shown_by="getSource"`. Where there is none, a request with `If-Match` is refused rather than run without.

Without `If-Match` a PATCH changes the fields that it names in what is there when its turn comes, and loses
none of another edit's.
"""

import hashlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from litestar import Response
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from onward.api.openapi import function, operations

TAG = re.compile(r'(?:W/)?"[^"]*"')
KIND = re.compile(r":[a-z]+(?=\})")
STATE = "onward_condition"


@dataclass(frozen=True)
class Condition:
    """What a GET must answer for a change to be made."""

    expected: frozenset[str]
    show: HTTPRouteHandler
    path: Mapping[str, Any]

    def check(self, context: Any) -> None:
        """`context`: one that reads what the transaction sees. Raises `HTTPException` (412)."""
        shown = _shown(self.show, context, self.path)
        if _tag(shown) not in self.expected:
            raise HTTPException(
                status_code=412,
                detail="this has been changed meanwhile: get it again, and change what is there now",
            )


def tagged(app: ASGIApp) -> ASGIApp:
    """Middleware: the `ETag` of a GET, and the condition of a change."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        handler = scope.get("route_handler")
        if isinstance(handler, HTTPRouteHandler):
            if scope["method"] == "GET" and _describes_one_thing(handler, scope["path_params"]):  # type: ignore[typeddict-item]
                send = partial(_send_tagged, send, [])
            elif scope["method"] not in ("GET", "HEAD", "OPTIONS"):  # type: ignore[typeddict-item]
                condition = _condition(ASGIConnection(scope), handler)
                scope.setdefault("state", {})[STATE] = condition
        await app(scope, receive, send)

    return middleware


async def _send_tagged(send: Send, held: list[HTTPResponseStartEvent], message: Message) -> None:
    """The head of an answer waits for its body."""
    if message["type"] == "http.response.start" and message["status"] == 200:
        held.append(message)
        return
    if held:
        start = held.pop()
        if message["type"] == "http.response.body" and not message["more_body"]:
            MutableScopeHeaders(start)["etag"] = _digest(message["body"])
        await send(start)
    await send(message)


def _condition(connection: ASGIConnection[Any, Any, Any, Any], handler: HTTPRouteHandler) -> Condition | None:
    given = connection.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    show = _show(connection, handler)
    if show is None:
        raise HTTPException(
            status_code=412, detail=f"{handler.operation_id} can't be made conditional; leave If-Match out"
        )
    return Condition(frozenset(TAG.findall(given)), show, connection.path_params)


def _show(
    connection: ASGIConnection[Any, Any, Any, Any], handler: HTTPRouteHandler
) -> HTTPRouteHandler | None:
    name, template = handler.opt.get("shown_by"), connection.scope["path_template"]
    for method, path, found in operations(connection.app):
        if method == "get" and (found.operation_id == name if name else KIND.sub("", path) == template):
            return found if _describes_one_thing(found, connection.path_params) else None
    return None


def _describes_one_thing(handler: HTTPRouteHandler, path: Mapping[str, Any]) -> bool:
    """Whether its answer follows from the path alone."""
    written = function(handler)
    taken = inspect.signature(written).parameters.keys()
    return "context" in taken and taken <= {"context", *path} and not inspect.iscoroutinefunction(written)


def _shown(handler: HTTPRouteHandler, context: Any, path: Mapping[str, Any]) -> Any:
    written = function(handler)
    taken = inspect.signature(written).parameters.keys() - {"context"}
    return written(context=context, **{name: path[name] for name in taken})


def _tag(shown: Any) -> str:
    return _digest(msgspec.json.encode(shown.content if isinstance(shown, Response) else shown))


def _digest(body: bytes) -> str:
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
