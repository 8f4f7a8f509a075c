"""The web app's files: how they are answered, how large they are, and the types made of the API."""

import re
from importlib.resources import files
from typing import Any

import pytest

from onward.web import dispatch
from onward.webapp import File, WebApp
from tools.web_types import kind, typescript

HTML = [(b"accept", b"text/html,*/*")]
FIRST_LOAD = 350_000
"""Bytes of scripts and styles, compressed, that the first page may need."""


@pytest.fixture
def app() -> WebApp:
    return WebApp(
        {
            "/index.html": File(b"text/html; charset=utf-8", {b"": b"<page>"}),
            "/assets/a-1.js": File(b"text/javascript", {b"": b"plain", b"gzip": b"zipped", b"br": b"small"}),
        }
    )


def answered(app: WebApp, path: str, headers: list[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], bytes]:
    found = app.answer(path, headers)
    assert found is not None
    return dict(found[0]), found[1]


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        (b"gzip, deflate, br", b"br", b"small"),
        (b"GZIP", b"gzip", b"zipped"),
        (b"br;q=0, gzip;q=0.5", b"gzip", b"zipped"),
        (b"identity", None, b"plain"),
        (b"", None, b"plain"),
    ],
)
def test_the_smallest_that_is_accepted_is_sent(
    app: WebApp, accepted: bytes, encoding: bytes | None, body: bytes
) -> None:
    headers, sent = answered(app, "/assets/a-1.js", [(b"accept-encoding", accepted)])
    assert (headers.get(b"content-encoding"), sent) == (encoding, body)
    assert headers[b"content-length"] == str(len(body)).encode()
    assert b"immutable" in headers[b"cache-control"]


@pytest.mark.parametrize("path", ["/", "/sources/x/debugger", "/settings/../etc/passwd", "/index.html"])
def test_every_address_that_a_browser_opens_is_the_page(app: WebApp, path: str) -> None:
    headers, body = answered(app, path, HTML)
    assert body == b"<page>" and headers[b"cache-control"] == b"no-cache"
    assert b"script-src 'self';" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"


def test_what_is_not_there_is_no_page_for_programs_and_never_a_script(app: WebApp) -> None:
    assert app.answer("/sources", []) is None
    assert app.answer("/assets/gone-2.js", HTML) is None
    assert app.answer("/", []) is not None


def test_the_first_load_is_small() -> None:
    built = files("onward").joinpath("built")
    if not built.joinpath("index.html").is_file():
        pytest.skip("the web app was not built: make setup")
    page = built.joinpath("index.html").read_text()
    assert "<script>" not in page, "scripts in the page are not allowed to run"
    waiting = [name.rpartition("/")[2] for name in re.findall(r'(?:src|href)="/assets/([^"]+)"', page)]
    assert waiting
    needed: dict[str, int] = {}
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        assets = built.joinpath("assets")
        small = assets.joinpath(f"{name}.gz")
        text = assets.joinpath(name).read_bytes()
        needed[name] = len(small.read_bytes()) if small.is_file() else len(text)
        if name.endswith(".js"):
            waiting += re.findall(r'(?:from|import)\s*["`]\./([^"`]+\.js)["`]', text.decode())
    assert sum(needed.values()) < FIRST_LOAD, needed


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/v1/track", "tracking"),
        ("/v1/functions/key", "functions"),
        ("/api", "api"),
        ("/api/sources", "api"),
        ("/apiary", "pages"),
        ("/", "pages"),
    ],
)
async def test_each_address_has_its_application(path: str, where: str) -> None:
    answered: list[str] = []

    def one(name: str) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            answered.append(name)

        return application

    application = dispatch(one("tracking"), one("functions"), one("api"), one("pages"))
    await application({"path": path}, None, None)  # type: ignore[arg-type]
    assert answered == [where]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"]}, "(string | null)"),
        ({"enum": ["A", "B"]}, '"A" | "B"'),
        ({"type": "array", "items": {"enum": ["A", "B"]}}, '("A" | "B")[]'),
        ({"anyOf": [{"$ref": "#/components/schemas/a.B"}, {"type": "null"}]}, "(a_B | null)"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "Record<string, number>"),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "boolean"}, "b-c": {}},
                "required": ["a"],
            },
            '{ a: boolean; "b-c"?: unknown }',
        ),
    ],
)
def test_schemas_become_types(schema: dict[str, Any], expected: str) -> None:
    assert kind(schema) == expected


def test_operations_become_types() -> None:
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "count", "in": "query", "schema": {"type": "integer"}},
    ]
    answer = {"type": "object", "properties": {"data": {"type": "object", "properties": {}}}}
    operation = {
        "operationId": "getThing",
        "parameters": parameters,
        "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
    }
    text = typescript({"components": {"schemas": {}}, "paths": {"/api/things/{id}": {"get": operation}}})
    assert "    path: { id: string };\n    query?: { count?: number };\n    answer: {  };" in text
    assert '  getThing: ["GET", "/api/things/{id}"],' in text
