"""The API's own description against the models of the official TypeScript SDK, operation by operation.

What the SDK sends is taken; what it must get is given, in its types; what it does not know is marked as ours.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onward.api.app import api_state, create_api
from onward.api.openapi import describe
from onward.api.segment import UNAVAILABLE
from onward.delivery.report import DeliveryReport
from onward.delivery.state.sqlite import SqliteStateStore
from onward.destinations.catalog import Catalogue
from onward.eventlog import open_reader
from onward.settings import Settings
from onward.workspace.bootstrap import bootstrap

from .sdk_models import Property, enum, model, operations, split
from .test_api_sdk import FOLDER
from .test_api_sdk import sdk as sdk

Json = dict[str, Any]

SDK = FOLDER / "node_modules/@segment/public-api-sdk-typescript"
LIST = Path(__file__).parent / "public-api-operations.tsv"
"""Method, path and name of every operation of the SDK."""
OPERATIONS = [line.split("\t") for line in LIST.read_text().splitlines()]
OUT_OF_SCOPE = {name for _, _, name in UNAVAILABLE}

DEPARTURES = {
    "*: *.resourceType may be INSERT_SOURCE, and the SDK knows *": "Segment's API has them (spec §10)",
    "*: *.function.settings[[]].* may be missing": "may be left out where they are given, never in answers",
    "*: data.version*.deployedAt may be null": "of a version that was never deployed",
    "*: *.finishedAt may be null": "of what is not finished",
    "*: *.regulationType may be SUPPRESS_WITH_DELETE_INTERNAL, and the SDK knows *": "as they are created",
    "*: *.propertyValueTransformations[[]].propertyValue *": "a value may be of any JSON type here",
    "getIngressSuccess*: query.filter.discardReason is not taken": "what was accepted has no such reason",
    "createDestinationSubscription: body.modelId is not taken": "mappings of models come with their engine",
}
"""Patterns of `operation: difference` → why it must be."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, sdk: None) -> Iterator[Json]:
    settings = Settings(data=tmp_path_factory.mktemp("shapes"))
    bootstrap(settings)
    state = SqliteStateStore(settings.data)
    report = DeliveryReport(state, open_reader(settings.data))
    app = create_api(api_state(settings, Catalogue(), lambda source, count: [], report))
    yield json.loads(msgspec.json.encode(describe(app)))
    state.close()


def described(document: Json) -> dict[str, tuple[str, str, Json]]:
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_is_served_or_said_to_be_out_of_scope(document: Json) -> None:
    served = described(document)
    assert {name for _, _, name in OPERATIONS} == operations(SDK).keys(), "the list is of another SDK"
    for method, path, name in OPERATIONS:
        assert name in served, f"{method} {path} ({name}) is neither served nor out of scope"
        at, where, _ = served[name]
        assert (at, _unnamed(where)) == (method, _unnamed(f"/api{path}".rstrip("/"))), name


@pytest.mark.parametrize("name", [name for _, _, name in OPERATIONS if name not in OUT_OF_SCOPE])
def test_an_operation_has_the_shapes_of_the_sdk(document: Json, name: str) -> None:
    _, _, operation = described(document)[name]
    found = {
        each
        for each in Comparison(document).differences(name, operation)
        if not any(fnmatchcase(f"{name}: {each}", pattern) for pattern in DEPARTURES)
    }
    assert not found, "\n".join(sorted(found))


class Comparison:
    def __init__(self, document: Json) -> None:
        self._schemas: Json = document["components"]["schemas"]

    def differences(self, name: str, operation: Json) -> Iterator[str]:
        wanted = operations(SDK)[name]
        status = "201" if "201Response" in wanted.answer else "200"
        if status not in operation["responses"]:
            yield f"the SDK wants {status}"
            return
        yield from self._query(wanted.query, operation["parameters"])
        if wanted.body is not None:
            taken = operation.get("requestBody", {"content": {}})["content"].get("application/json")
            if taken is None:
                yield "the SDK sends a body"
            else:
                yield from self._taken(wanted.body, self._whole(taken["schema"]), "body")
        answer = operation["responses"][status]["content"]["application/json"]["schema"]
        for each in split(model(SDK, wanted.answer)["data"].type, "|"):
            yield from self._given(each, answer["properties"]["data"], "data")

    def _query(self, wanted: dict[str, Property], parameters: list[Json]) -> Iterator[str]:
        named = {each["name"]: each for each in parameters if each["in"] == "query"}
        for name in [each for each in named if "[" in each]:  # a member of an object: `filter[eventName]`
            owner, _, member = name.rstrip("]").partition("[")
            members = named.setdefault(owner, {"schema": {"type": "object", "properties": {}}})
            members["schema"]["properties"][member] = named.pop(name)["schema"]
        for name in wanted.keys() - named.keys():
            yield f"query.{name} is not read"
        for name, parameter in named.items():
            if name not in wanted and not parameter.get("x-onward") and name != "pagination":
                yield f"query.{name} is ours and not marked"
            if parameter.get("required") and not (name in wanted and wanted[name].required):
                yield f"query.{name} is required"
            if name in wanted and name != "pagination":
                yield from self._taken_as(wanted[name].type, parameter["schema"], f"query.{name}")

    def _taken(self, kind: str, ours: Json, place: str) -> Iterator[str]:
        """`kind`: a model of the SDK's, that it sends."""
        properties, wanted = ours.get("properties", {}), model(SDK, kind)
        if not properties and ours.get("type") == "object" and ours.get("additionalProperties") is not False:
            return  # whatever it is
        for name, property in wanted.items():
            if name not in properties:
                yield f"{place}.{name} is not taken"
            else:
                yield from self._taken_as(property.type, properties[name], f"{place}.{name}")
        for name in ours.get("required", ()):
            if not (name in wanted and wanted[name].required):
                yield f"{place}.{name} is required"
        for name, schema in properties.items():
            if name not in wanted and not schema.get("x-onward"):
                yield f"{place}.{name} is ours and not marked"

    def _taken_as(self, type: str, ours: Json, place: str) -> Iterator[str]:
        """Whatever the SDK may send is possible here."""
        options = list(self._options(ours))
        for each in split(type, "|"):
            if each.startswith("Array<"):
                items = [option["items"] for option in options if option.get("type") == "array"]
                if not items and not self._anything(options):
                    yield f"{place} takes no list"
                for item in items[:1]:
                    yield from self._taken_as(each[6:-1].strip(), item, f"{place}[]")
            elif self._is_model(each):
                objects = [option for option in options if option.get("type") == "object"]
                if not objects and not self._anything(options):
                    yield f"{place} takes no object"
                for option in objects[:1]:
                    yield from self._taken(each, option, place)
            elif not self._anything(options) and not self._scalar(each, options):
                yield f"{place} does not take {each}"

    def _given(self, type: str, ours: Json, place: str, above: tuple[str, ...] = ()) -> Iterator[str]:
        """Whatever we may answer is possible there."""
        wanted = split(type, "|")
        for option in self._options(ours):
            kind = option.get("type")
            if any(each in ("any", "object") for each in wanted):
                continue
            if kind == "null":
                if "null" not in wanted:
                    yield f"{place} may be null"
            elif kind == "array":
                lists = [each for each in wanted if each.startswith("Array<")]
                if not lists:
                    yield f"{place} is a list"
                for each in lists:
                    yield from self._given(each[6:-1].strip(), option["items"], f"{place}[]", above)
            elif kind == "object":
                if any(each.startswith("{") for each in wanted):
                    continue
                models = [each for each in wanted if self._is_model(each)]
                if not models:
                    yield f"{place} is an object"
                for each in models:
                    if each not in above:
                        yield from self._members(each, option, place, (*above, each))
            elif kind is None and "enum" not in option:
                yield f"{place} may be anything"
            else:
                yield from self._scalars_given(option, wanted, place)

    def _members(self, kind: str, ours: Json, place: str, above: tuple[str, ...]) -> Iterator[str]:
        properties, wanted = ours.get("properties"), model(SDK, kind)
        if properties is None:
            if any(property.required for property in wanted.values()):
                yield f"{place} may be any object"
            return
        for name, property in wanted.items():
            if property.required and name not in ours.get("required", ()):
                yield f"{place}.{name} may be missing"
            if name in properties:
                yield from self._given(property.type, properties[name], f"{place}.{name}", above)
        for name, schema in properties.items():
            if name not in wanted and not schema.get("x-onward"):
                yield f"{place}.{name} is ours and not marked"

    def _scalars_given(self, option: Json, wanted: list[str], place: str) -> Iterator[str]:
        literal = {each.strip("'") for each in wanted if each.startswith("'")}
        for each in wanted:
            if "." in each:
                literal |= enum(SDK, each)
        if literal:
            for value in option.get("enum", [None]):
                if value not in literal:
                    yield f"{place} may be {value or 'any text'}, and the SDK knows {sorted(literal)}"
        elif not any(self._scalar(each, [option]) for each in wanted):
            yield f"{place} is {option.get('type') or option.get('enum')}, and the SDK wants {wanted}"

    def _options(self, schema: Json) -> Iterator[Json]:
        whole = self._whole(schema)
        if "anyOf" in whole:
            for each in whole["anyOf"]:
                yield from self._options(each)
        else:
            yield whole

    def _whole(self, schema: Json) -> Json:
        return dict(self._schemas[schema["$ref"].rpartition("/")[2]]) if "$ref" in schema else schema

    def _anything(self, options: list[Json]) -> bool:
        return any("type" not in each and "enum" not in each for each in options)

    def _scalar(self, type: str, options: list[Json]) -> bool:
        """Whether one of the options is of the SDK's type."""
        kinds = {each.get("type") or _kind(each.get("enum", [None])[0]) for each in options}
        values = {value for each in options for value in each.get("enum", ())}
        if type.startswith("'"):
            return type.strip("'") in values or ("string" in kinds and not values)
        if "." in type:
            return enum(SDK, type) <= values or ("string" in kinds and not values)
        if type == "any":
            return False
        expected = {"number": {"number", "integer"}, "object": {"object"}}.get(type, {type})
        return bool(kinds & ({"object"} if type.startswith("{") else expected))

    def _is_model(self, type: str) -> bool:
        return type[0].isupper() and "." not in type and "<" not in type


def _kind(value: Any) -> str:
    return {str: "string", bool: "boolean", int: "number", float: "number"}.get(type(value), "null")


def _unnamed(path: str) -> str:
    """Without the names of its parameters."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
