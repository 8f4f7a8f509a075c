"""Tokens, permissions, media types, and requests that are wrong."""

import re

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from onward.api.permissions import OPERATIONS
from onward.api.segment import UNAVAILABLE
from onward.workspace.access import FULL
from onward.workspace.roles import ROLES, Permission

from .conftest import Call


def routes(app: Litestar) -> list[tuple[str, str, str | None]]:
    """`(method, path, operation)` of everything that the application serves."""
    return [
        (method, route.path, handler.operation_id)
        for route in app.routes
        for handler in route.route_handlers
        if isinstance(handler, HTTPRouteHandler)
        for method in sorted(handler.http_methods - {"OPTIONS"})
    ]


def test_every_operation_has_a_permission(app: Litestar) -> None:
    served = [operation for _, _, operation in routes(app)]
    assert None not in served
    assert sorted(map(str, served)) == sorted(OPERATIONS), "served and permitted must be the same"
    assert len(served) == len(set(served))


def test_only_signing_in_needs_nobody_to_be_known() -> None:
    assert {name for name, needed in OPERATIONS.items() if needed is Permission.NONE} == {
        "signIn",
        "readInvite",
        "acceptInvite",
        "listSignInMethods",
        "startOidc",
        "finishOidc",
        "getOpenApi",
        "getApiDocs",
    }


def test_an_owner_may_everything() -> None:
    assert ROLES["owner"].permissions == FULL.reach.keys() == set(Permission)


async def test_every_operation_refuses_strangers_and_members(
    app: Litestar, client: httpx.AsyncClient, member_token: str
) -> None:
    for method, path, operation in routes(app):
        if OPERATIONS[operation or ""] is Permission.NONE:
            continue
        url = "http://onward" + re.sub(r"\{[^}]*\}", "x", path)
        for header in ({}, {"authorization": "Bearer nope"}, {"authorization": "Basic eDo="}):
            request = client.build_request(method, url)
            del request.headers["authorization"]
            request.headers.update(header)
            response = await client.send(request)
            assert response.status_code == 401, operation
            assert response.json()["errors"][0]["type"] == "unauthorized"
            assert response.headers["www-authenticate"] == "Bearer"
        if operation in {name for _, _, name in UNAVAILABLE}:
            continue
        response = await client.request(method, url, headers={"authorization": f"Bearer {member_token}"})
        allowed = OPERATIONS[operation or ""] in ROLES["member"].permissions
        assert (response.status_code == 403) != allowed, (operation, response.status_code)


async def test_answers_are_in_the_media_type_that_was_asked_for(client: httpx.AsyncClient) -> None:
    for asked, given in [
        ("application/vnd.segment.v1+json", "application/vnd.segment.v1+json"),
        ("application/vnd.segment.v1alpha+json", "application/vnd.segment.v1alpha+json"),
        ("application/vnd.segment.v1beta+json, application/json", "application/vnd.segment.v1beta+json"),
        ("application/json", "application/json"),
        ("application/vnd.other+json", "application/json"),
        ("*/*", "application/json"),
    ]:
        for path in ("/", "/nothing-here"):
            response = await client.get(path, headers={"accept": asked})
            assert response.headers["content-type"] == given


async def test_bodies_may_be_in_segments_media_types(client: httpx.AsyncClient) -> None:
    for number, media in enumerate(("application/vnd.segment.v1+json", "application/json; charset=utf-8")):
        content = b'{"slug": "s%d", "metadataId": "python", "enabled": true}' % number
        response = await client.post("/sources", content=content, headers={"content-type": media})
        assert response.status_code == 201


@pytest.mark.parametrize(
    ("content", "status", "field"),
    [
        (b"", 400, None),
        (b"null", 422, None),
        (b"[]", 422, None),
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b'{"slug": "\\ud800", "metadataId": "python"}', 400, None),
        (b'{"slug": 1e400, "metadataId": "python"}', 422, "slug"),
        (b'{"slug": "a", "metadataId": "python", "settings": {"a": 1e400}}', 422, "settings[...]"),
        (b'{"slug": "a", "metadataId": "python", "settings": {"a": ' + b"[" * 100_000, 400, None),
        (b"[" * 100_000, 422, None),
        (b'{"slug": "a"}', 422, "metadataId"),
        (b'{"slug": 1, "metadataId": "python"}', 422, "slug"),
        (b'{"slug": "a", "metadataId": "python", "colour": 1}', 422, "colour"),
        (b'{"slug": "a", "metadataId": "python", "enabled": "true"}', 422, "enabled"),
        (b'{"slug": "a", "metadataId": "python", "settings": []}', 422, "settings"),
        (b'{"slug": "a", "metadataId": "cobol"}', 422, "metadataId"),
        (b'{"slug": "", "metadataId": "python"}', 422, "slug"),
        (b'{"slug": "a", "metadataId": "python", "rateLimit": 0}', 422, "rateLimit"),
        (b'{"slug": "%s", "metadataId": "python"}' % (b"a" * 300), 422, "slug"),
    ],
)
async def test_bad_bodies_are_told_where(
    client: httpx.AsyncClient, content: bytes, status: int, field: str | None
) -> None:
    response = await client.post("/sources", content=content)
    assert response.status_code == status, response.text
    (error,) = response.json()["errors"]
    assert error["type"] == {400: "bad-request", 422: "validation"}[status]
    assert error["message"]
    assert error.get("field") == field


async def test_a_body_that_is_too_large(client: httpx.AsyncClient) -> None:
    content = b'{"slug": "a", "metadataId": "python", "settings": {"a": "%s"}}' % (b"x" * 5_000_000)
    response = await client.post("/sources", content=content)
    assert response.status_code == 413
    assert response.json()["errors"][0]["type"] == "request-too-large"


async def test_unknown_paths_and_methods(call: Call) -> None:
    assert (await call("GET", "/nope", status=404))[0]["type"] == "not-found"
    assert (await call("PUT", "/sources", {}, status=405))[0]["type"] == "method-not-allowed"


async def test_echo(call: Call, client: httpx.AsyncClient) -> None:
    echoed = await call("GET", "/echo?message=hi", headers={"x-mine": "1"})
    assert echoed["message"] == "hi" and echoed["method"] == "get"
    assert echoed["headers"]["x-mine"] == "1" and "authorization" not in echoed["headers"]
    assert (await call("GET", "/echo", status=422))[0]["field"] == "message"
    assert (await call("GET", "/echo?message=hi&delay=x", status=422))[0]["field"] == "delay"
    assert len(await call("GET", "/echo?message=hi&triggerMultipleErrors=true", status=400)) == 2
    await call("GET", "/echo?message=hi&triggerError=true", status=400)
    await call("GET", "/echo?message=hi&triggerUnexpectedError=true", status=500)
    assert (await client.get("/echo?message=hi&statusCode=202")).status_code == 202


async def test_options_needs_no_token(client: httpx.AsyncClient) -> None:
    for headers in ({}, {"authorization": ""}):
        reply = await client.request("OPTIONS", "/sources", headers=headers)
        assert reply.status_code == 204
        assert "OPTIONS" in re.findall("[A-Z]+", reply.headers["allow"])
