"""The API's own description."""

import json

from litestar import Litestar

from onward.api.openapi import describe
from onward.api.permissions import OPERATIONS


def test_every_operation_is_described(app: Litestar) -> None:
    document = describe(app)
    described = {
        operation["operationId"] for path in document["paths"].values() for operation in path.values()
    }
    assert described == OPERATIONS.keys()


def test_references_lead_somewhere_and_parameters_are_named(app: Litestar) -> None:
    document = describe(app)
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text or name == "Errors"
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
