"""The Public API's own description (OpenAPI 3.1), made from the routes.

Each route says in its decorator what it takes and gives: `body=` a struct of the request's JSON, `query=` a
struct of its parameters, `answer=` a typed dict of what is in `data`. From these, the docstring and the
table of permissions an operation is described; `tests/unit/api/test_openapi.py` fails for a route that says
nothing of its answer.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any, TypedDict

import msgspec
from litestar import Litestar, Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from onward import __version__
from onward.api.auth import COOKIE
from onward.api.permissions import OPERATIONS

Json = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
PARAMETER = re.compile(r"\{([a-z_]+)(?::[a-z]+)?\}")
ERRORS = {
    "400": "The request can't be read.",
    "401": "No valid token or session.",
    "403": "The caller may not do this.",
    "404": "There is no such thing in the workspace.",
    "422": "The request is wrong; `field` says where.",
    "429": "Too many requests; `X-RateLimit-Reset` says until when.",
}


class ErrorItem(msgspec.Struct, omit_defaults=True):
    type: str
    message: str
    field: str | None = None


class OpenApi(TypedDict):
    openapi: str


class Errors(msgspec.Struct):
    """What went wrong."""

    errors: list[ErrorItem]


@get("/openapi.json", operation_id="getOpenApi", sync_to_thread=False, answer=OpenApi)
def get_openapi(request: Request[Any, Any, Any]) -> Json:
    """This description."""
    return describe(request.app)


def operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """`(method, path, handler)` of everything that the application serves."""
    for route in app.routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            if isinstance(handler, HTTPRouteHandler):
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield method.lower(), route.path, handler


def describe(app: Litestar) -> Json:
    """The document."""
    served = list(operations(app))
    kinds = [
        kind
        for _, _, handler in served
        for name in ("body", "query", "answer")
        if (kind := handler.opt.get(name)) is not None
    ]
    schemas, components = msgspec.json.schema_components([*kinds, Errors], ref_template=REFERENCE)
    schema_of = dict(zip([id(kind) for kind in kinds], schemas, strict=False))
    paths: dict[str, Json] = {}
    for method, path, handler in served:
        shown = PARAMETER.sub(lambda found: "{" + _camel(found[1]) + "}", path)
        paths.setdefault(shown, {})[method] = _operation(path, handler, schema_of, components)
    for _, _, handler in served:
        if (query := handler.opt.get("query")) is not None:  # told as parameters, one by one
            components.pop(_name(schema_of[id(query)]), None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Onward Public API",
            "version": __version__,
            "description": "Segment's Public API, and additions of Onward in its style.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
            "schemas": components,
        },
    }


def _operation(path: str, handler: HTTPRouteHandler, schema_of: dict[int, Json], components: Json) -> Json:
    text = inspect.getdoc(handler.fn) or ""
    permission = OPERATIONS.get(str(handler.operation_id))
    operation: Json = {
        "operationId": handler.operation_id,
        "tags": [handler.opt.get("tag") or _tag(path)],
        "description": f"{text}\n\nPermission: `{permission}`.".strip(),
        "parameters": [
            *(
                {"name": _camel(name), "in": "path", "required": True, "schema": {"type": "string"}}
                for name in PARAMETER.findall(path)
            ),
            *_query(handler, schema_of, components),
        ],
        **({"security": []} if handler.opt.get("exclude_from_auth") else {}),
        "responses": {
            str(handler.status_code): {
                "description": "Done.",
                "content": {"application/json": {"schema": _answer(handler, schema_of)}},
            },
            **{
                status: {
                    "description": words,
                    "content": {"application/json": {"schema": {"$ref": REFERENCE.format(name="Errors")}}},
                }
                for status, words in ERRORS.items()
            },
        },
    }
    if (body := handler.opt.get("body")) is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema_of[id(body)]}},
        }
    return operation


def _answer(handler: HTTPRouteHandler, schema_of: dict[int, Json]) -> Json:
    kind = handler.opt.get("answer")
    if kind is None:
        return {"type": "object"}
    data = schema_of[id(kind)]
    return {"type": "object", "properties": {"data": data}, "required": ["data"]}


def _query(handler: HTTPRouteHandler, schema_of: dict[int, Json], components: Json) -> Iterator[Json]:
    kind = handler.opt.get("query")
    if kind is not None:
        schema = components[_name(schema_of[id(kind)])]
        for name, property in schema["properties"].items():
            yield {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "schema": property,
            }
    if "paging" in inspect.signature(handler.fn).parameters:
        yield {
            "name": "pagination",
            "in": "query",
            "style": "deepObject",
            "explode": True,
            "schema": {
                "type": "object",
                "properties": {
                    "count": {"type": "integer", "minimum": 1, "maximum": 1000},
                    "cursor": {"type": "string"},
                },
            },
        }


def _name(reference: Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _tag(path: str) -> str:
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    return parts[1] if len(parts) > 1 else "workspace"
