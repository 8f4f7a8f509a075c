"""The API's own description as a judge: every answer that a test gets must be one that it announces."""

import json
import re
from typing import Any

import httpx
import jsonschema_rs
from litestar import Litestar

from onward.api.openapi import MEDIA_TYPES, describe

Json = dict[str, Any]


def strict(document: Json) -> Json:
    """The document, with objects in answers that have nothing but what is named."""
    closed = json.loads(json.dumps(document))
    components = closed["components"]["schemas"]
    taken = {name for name in components if _is_body(closed, name)}
    for name, schema in components.items():
        if name not in taken and "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return closed


def _is_body(document: Json, name: str) -> bool:
    text = json.dumps(
        [each.get("requestBody") for methods in document["paths"].values() for each in methods.values()]
    )
    return f'"#/components/schemas/{name}"' in text


class Contract:
    def __init__(self, document: Json) -> None:
        self.document = strict(document)
        self._patterns = [
            (re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "/?"), path)
            # What is named in full comes before a parameter.
            for path in sorted(self.document["paths"], key=lambda path: path.count("{"))
        ]
        self._validators: dict[str, Any] = {}

    def check(self, response: httpx.Response) -> None:
        """Raises AssertionError if the answer is not one that the operation announces."""
        operation = self._operation(response.request)
        if operation is None:
            return
        status, name = str(response.status_code), operation["operationId"]
        announced = operation["responses"].get(status) or operation["responses"].get("default")
        assert announced, f"{name} answered {status}, which it does not announce: {response.text[:300]}"
        if "$ref" in announced:
            announced = self.document["components"]["responses"][announced["$ref"].rpartition("/")[2]]
        for header in announced["headers"]:
            assert header in response.headers, f"{name} answered {status} without {header}"
        if "content" not in announced:
            assert not response.content, f"{name} answered {status} with content"
            return
        media = response.headers.get("content-type", "").partition(";")[0]
        assert media in announced["content"], f"{name} answered {status} as {media}"
        schema = announced["content"][media]["schema"]
        if media in MEDIA_TYPES:
            problems = [
                f"{'/'.join(map(str, error.instance_path))}: {error.message}"
                for error in self._validator(schema).iter_errors(response.json())
            ]
            assert not problems, f"{name} answered {status} outside its schema: {problems[:3]}"

    def _operation(self, request: httpx.Request) -> Json | None:
        path = request.url.path
        for pattern, template in self._patterns:
            if pattern.fullmatch(path) and request.method.lower() in self.document["paths"][template]:
                found: Json = self.document["paths"][template][request.method.lower()]
                return found
        return None

    def _validator(self, schema: Json) -> Any:
        key = json.dumps(schema)
        if key not in self._validators:
            whole = schema | {"components": self.document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[key]


_made: dict[int, Contract] = {}


def contract(app: Litestar) -> Contract:
    """Of the application; it is the same for all that serve the same routes."""
    routes = len(app.routes)
    if routes not in _made:
        _made[routes] = Contract(describe(app))
    return _made[routes]
