"""The Public API's own description (OpenAPI 3.1), made from the routes.

Each route says in its decorator what it takes and gives:

    body=CreateSource       a struct of the request's JSON (`body_optional=True`: or nothing)
    query=DebuggerQuery     a struct of its parameters, read by `read_query`
    answer=SourceAnswer     a typed dict of what is in `data` (`bare=True`: of the answer itself)
    media="text/html"       what the answer is, if not JSON; `answer` is then what each of its lines is
    shown_by="getSource"    the operation that shows what this one changes (`preconditions.py`)
    tag="Sources"           where it stands, if not where its path says
    statuses=("default",)   what else it may answer with

From these, the docstrings of handler and fields, and the table of permissions an operation is described.
What Segment's API has not, operations, parameters and fields, is marked `x-onward`.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypedDict

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from onward import __version__
from onward.api import documented
from onward.api.auth import COOKIE
from onward.api.permissions import OPERATIONS
from onward.api.segment import TAGS
from onward.workspace.roles import Permission

Json = dict[str, Any]

SCHEMA = "#/components/schemas/{name}"
PARAMETER = re.compile(r"\{([a-z_]+)(?::[a-z]+)?\}")
MEDIA_TYPES = (
    "application/json",
    "application/vnd.segment.v1+json",
    "application/vnd.segment.v1beta+json",
    "application/vnd.segment.v1alpha+json",
)
"""Of requests and answers alike; which is the same to us."""
ERRORS = {
    "400": "The request can't be read.",
    "401": "No valid token or session.",
    "403": "The caller may not do this, or nothing is here that could.",
    "404": "There is no such thing in the workspace.",
    "412": "What `If-Match` asks for is not so: somebody else has changed it.",
    "413": "The request is too large.",
    "422": "The request is wrong; `field` says where.",
    "429": "Too many requests; `X-RateLimit-Reset` says until when.",
    "500": "Something went wrong here.",
    "503": "The configuration is being changed for long; `Retry-After` says when to try again.",
}
HEADERS = {
    "X-RateLimit-Limit": ("integer", "Requests that the caller may make in a minute."),
    "X-RateLimit-Consumed": ("integer", "Requests made in this minute."),
    "X-RateLimit-Remaining": ("integer", "Requests left in this minute."),
    "X-RateLimit-Reset": ("string", "When the minute ends, as RFC 5322 writes it."),
}
ABOUT = """\
Segment's Public API, with additions of Onward in its style, which are marked `x-onward`.

Answers are in `data`, errors in `errors`. Lists come in pages: `pagination[count]` says how many, and
`pagination.next` of an answer is the `pagination[cursor]` of the page after it. A list in the query is
`ids=a&ids=b`, `ids[0]=a&ids[1]=b` or `ids=a,b`. Requests and answers may be in Segment's media types, of any
version.

A GET of one thing has an `ETag`. Sent back as `If-Match` it makes a change conditional: if somebody else was
faster, nothing is changed and the answer is 412. Without it, a PATCH changes what it names and nothing else.
"""


class ErrorItem(msgspec.Struct, omit_defaults=True):
    type: str
    message: str
    field: str | None = None
    data: dict[str, Any] | None = None
    """More about it, for programs."""


class Errors(msgspec.Struct):
    """What went wrong."""

    errors: list[ErrorItem]


class OpenApi(TypedDict):
    openapi: str


@get(
    "/openapi.json",
    operation_id="getOpenApi",
    sync_to_thread=True,
    exclude_from_auth=True,
    answer=OpenApi,
    bare=True,
    tag="Documentation",
)
def get_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """This description."""
    state = request.app.state
    if (text := getattr(state, "openapi", None)) is None:
        # Two threads may make it at the same time; they make the same.
        text = state.openapi = msgspec.json.encode(describe(request.app))
    return Response(text, media_type="application/json")


def operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """`(method, path, handler)` of everything that the application serves."""
    for route in app.routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            if isinstance(handler, HTTPRouteHandler):
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield method.lower(), route.path, handler


def function(handler: HTTPRouteHandler) -> Callable[..., Any]:
    """As it was written; Litestar wraps what runs in a thread."""
    written: Callable[..., Any] = getattr(handler.fn, "func", handler.fn)
    return written


def describe(app: Litestar) -> Json:
    """The document."""
    served = list(operations(app))
    schemas = _Schemas(
        taken=[kind for name in ("body", "query") for kind in _named(served, name)],
        given=[*_named(served, "answer"), Errors],
    )
    paths: dict[str, Json] = {}
    for method, path, handler in served:
        shown = PARAMETER.sub(lambda found: "{" + _camel(found[1]) + "}", path)
        paths.setdefault(shown, {})[method] = _operation(method, path, handler, schemas)
    tags = {tag for methods in paths.values() for each in methods.values() for tag in each["tags"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Onward Public API", "version": __version__, "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [{"name": tag} for tag in sorted(tags)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
            "headers": {
                name: {"description": words, "schema": {"type": type}}
                for name, (type, words) in HEADERS.items()
            },
            "responses": {
                status: {
                    "description": words,
                    "headers": _headers(),
                    "content": _content({"$ref": SCHEMA.format(name="Errors")}),
                }
                for status, words in ERRORS.items()
            },
            "schemas": schemas.told(),
        },
    }


def _named(served: Iterable[tuple[str, str, HTTPRouteHandler]], name: str) -> list[Any]:
    return [kind for _, _, handler in served if (kind := handler.opt.get(name)) is not None]


class _Schemas:
    """The schemas of all that is taken and given, by the classes themselves."""

    def __init__(self, taken: Iterable[Any], given: Iterable[Any]) -> None:
        listed = list({id(kind): kind for kind in (*taken, *given)}.values())
        schemas, self.components = msgspec.json.schema_components(listed, ref_template=SCHEMA)
        self._by_kind = dict(zip(map(id, listed), schemas, strict=True))
        self._told_apart: set[str] = set()
        for kind in documented.classes(listed):
            self._annotate(kind)
        for kind in set(documented.classes(given)) - set(documented.classes(taken)):
            self._complete(kind)

    def of(self, kind: Any) -> Json:
        return self._by_kind[id(kind)]

    def properties(self, kind: Any) -> Iterator[tuple[str, Json, bool]]:
        """`(name, schema, required)` of a struct that is told as parameters, one by one."""
        name = str(self.of(kind)["$ref"]).rpartition("/")[2]
        self._told_apart.add(name)
        component = self.components[name]
        for field, schema in component["properties"].items():
            yield field, schema, field in component.get("required", ())

    def told(self) -> Json:
        """What the document has as components."""
        return {name: each for name, each in self.components.items() if name not in self._told_apart}

    def _component(self, kind: type) -> Json:
        names = (kind.__name__, f"{kind.__module__}.{kind.__qualname__}")  # the latter of one name for two
        found: Json = next((self.components[name] for name in names if name in self.components), {})
        return found

    def _complete(self, kind: type) -> None:
        """Of a struct that is only given, what has a default is there all the same."""
        if issubclass(kind, msgspec.Struct) and not kind.__struct_config__.omit_defaults:
            component = self._component(kind)
            component["required"] = list(component["properties"])

    def _annotate(self, kind: type) -> None:
        properties = self._component(kind).get("properties", {})
        for field, text in documented.fields(kind).items():
            if (schema := properties.get(field)) is not None:
                words, ours = documented.marked(text)
                if words:
                    schema["description"] = words
                if ours:
                    schema["x-onward"] = True


def _operation(method: str, path: str, handler: HTTPRouteHandler, schemas: _Schemas) -> Json:
    name, opt = str(handler.operation_id), handler.opt
    said = documented.marked(inspect.getdoc(function(handler)) or "")[0]
    words = documented.paragraphs(said) + [f"Permission: `{permission}`." for permission in _permission(name)]
    statuses = {*ERRORS} - ({"413"} if "body" not in opt else set()) - ({"412"} if method == "get" else set())
    operation: Json = {
        "operationId": name,
        "tags": [opt.get("tag") or TAGS.get(name) or _tag(path)],
        "summary": _words(name),
        "description": "\n\n".join(words),
        "parameters": [
            *(
                {"name": _camel(each), "in": "path", "required": True, "schema": {"type": "string"}}
                for each in PARAMETER.findall(path)
            ),
            *_query(handler, schemas),
        ],
        "responses": {
            str(handler.status_code): {
                "description": "Created." if handler.status_code == 201 else "Done.",
                "headers": _headers(),
                "content": _answer(handler, schemas),
            },
            **{status: {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)},
            **{status: _other(status) for status in opt.get("statuses", ())},
        },
    }
    if name not in TAGS:
        operation["x-onward"] = True
    if opt.get("exclude_from_auth"):
        operation["security"] = []
    if (body := opt.get("body")) is not None:
        operation["requestBody"] = {
            "required": not opt.get("body_optional", False),
            "content": _content(schemas.of(body)),
        }
    return operation


def _permission(operation: str) -> Iterator[str]:
    permission = OPERATIONS.get(operation, Permission.NONE)
    if permission not in (Permission.NONE, Permission.ANY):
        yield permission


def _answer(handler: HTTPRouteHandler, schemas: _Schemas) -> Json:
    media, kind = handler.opt.get("media"), handler.opt.get("answer")
    if media is not None:
        lines = {} if kind is None else {"x-item-schema": schemas.of(kind)}
        return {media: {"schema": {"type": "string"}, **lines}}
    if kind is None:
        return _content({"type": "object"})
    if handler.opt.get("bare"):
        return {"application/json": {"schema": schemas.of(kind)}}
    return _content({"type": "object", "properties": {"data": schemas.of(kind)}, "required": ["data"]})


def _content(schema: Json) -> Json:
    return {media: {"schema": schema} for media in MEDIA_TYPES}


def _other(status: str) -> Json:
    empty = status in ("204", "304")
    content = {} if empty else {"content": _content({})}
    return {"description": "As the request asks for.", "headers": _headers(), **content}


def _headers() -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}


def _query(handler: HTTPRouteHandler, schemas: _Schemas) -> Iterator[Json]:
    if (kind := handler.opt.get("query")) is not None:
        for name, schema, required in schemas.properties(kind):
            schema = dict(schema)
            parameter: Json = {"name": name, "in": "query", "required": required, "schema": schema}
            for annotation in ("description", "x-onward"):
                if annotation in schema:
                    parameter[annotation] = schema.pop(annotation)
            if schema.get("type") == "array":
                parameter |= {"style": "form", "explode": True}
            yield parameter
    if "paging" in inspect.signature(function(handler)).parameters:
        yield {
            "name": "pagination",
            "in": "query",
            "description": "Which page: how many, and from where on.",
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


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _words(operation: str) -> str:
    """`listSources` → `List sources`; abbreviations stay as they are."""
    first, *rest = re.findall(r"[A-Z]+(?=[A-Z][a-z]|$)|[A-Z]?[a-z]+", operation)
    return " ".join(
        [first.title(), *(each if len(each) > 1 and each.isupper() else each.lower() for each in rest)]
    )


def _tag(path: str) -> str:
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    return parts[1].replace("-", " ").title() if len(parts) > 1 else "Workspaces"
