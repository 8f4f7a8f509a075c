"""The API's own description."""

import json
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from litestar import Litestar

from onward.api.openapi import describe, function, operations
from onward.api.permissions import OPERATIONS
from onward.api.segment import TAGS

Json = dict[str, Any]


@pytest.fixture
def document(app: Litestar) -> Json:
    return json.loads(msgspec.json.encode(describe(app)))


def described(document: Json) -> dict[str, Json]:
    return {
        operation["operationId"]: operation
        for path in document["paths"].values()
        for operation in path.values()
    }


def test_every_operation_is_described(document: Json) -> None:
    assert described(document).keys() == OPERATIONS.keys()


def test_every_operation_says_what_it_takes_and_answers(app: Litestar) -> None:
    for _, _, handler in operations(app):
        opt, name = handler.opt, handler.operation_id
        assert "answer" in opt or "media" in opt, f"{name} has no answer="
        written = function(handler)
        assert ("body" in written.__annotations__) == ("body" in opt), f"{name} reads a body, or has body="
        source = written.__code__.co_names
        assert "query_params" not in source, f"{name} reads the query by hand; use query= and read_query"
        assert ("query" in opt) >= ("read_query" in source), f"{name} reads a query and has no query="


def test_references_lead_somewhere_and_parameters_are_named(document: Json) -> None:
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_schemas_are_schemas(document: Json) -> None:
    for name, schema in document["components"]["schemas"].items():
        whole = schema | {"components": document["components"]}
        assert jsonschema_rs.Draft202012Validator(whole), name


def test_what_segment_has_not_is_marked(document: Json) -> None:
    operations, schemas = described(document), document["components"]["schemas"]
    for name, operation in operations.items():
        assert operation.get("x-onward", False) == (name not in TAGS)
        assert operation["summary"] and operation["tags"]
    source = schemas["UpdateSource"]["properties"]
    assert source["rateLimit"]["x-onward"] and "x-onward" not in source["name"]
    parameters = {each["name"]: each for each in operations["getDestinationsCatalog"]["parameters"]}
    assert parameters["search"]["x-onward"] and "Words" in parameters["search"]["description"]
    assert "x-onward" not in parameters["search"]["schema"]


def test_shapes_are_told_exactly(document: Json) -> None:
    operations, schemas = described(document), document["components"]["schemas"]
    assert schemas["UpdateDestination"]["properties"]["name"]["anyOf"] == [
        {"type": "string"},
        {"type": "null"},
    ]
    assert "required" not in schemas["UpdateDestination"] or not schemas["UpdateDestination"]["required"]
    assert schemas["FilterView"]["required"] and "if" in schemas["FilterView"]["properties"]
    assert "description" not in schemas["FilterView"]["required"]
    (emails,) = operations["deleteInvites"]["parameters"]
    assert emails["required"] and emails["explode"] and emails["schema"]["type"] == "array"
    created = operations["createSource"]["responses"]
    assert "201" in created and "200" not in created
    assert "412" in operations["updateSource"]["responses"]
    assert operations["getOpenApi"]["security"] == []
    assert not operations["listFieldChoices"]["requestBody"]["required"]


async def test_it_is_served_to_everybody(app: Litestar, document: Json) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward/api") as client:
        response = await client.get("/openapi.json")
    assert response.status_code == 200
    assert response.json() == document
