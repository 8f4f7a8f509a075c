"""A body and a query for each operation: by its schema, or written down where that is too little."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

BODIES: dict[str, Json] = {
    "createAlert": {"name": "a", "type": "DISK_FREE", "channels": []},
    "addPermissionsToUser": {"permissions": [{"roleId": "member"}]},
    "testDestinationEvent": {"payload": {"type": "track", "event": "E", "userId": "u"}},
}
"""By operation."""


def body_of(document: Json, operation: Json) -> Json | None:
    """What is required, and no more; None for an operation that takes none."""
    taken = operation.get("requestBody")
    if taken is None:
        return None
    written = BODIES.get(operation["operationId"])
    return (
        written if written is not None else _example(document, taken["content"]["application/json"]["schema"])
    )


def query_of(document: Json, operation: Json, things: Mapping[str, str]) -> dict[str, str]:
    """The parameters that are required; what is called as a thing is one of `things`."""
    query: dict[str, str] = {}
    for each in operation["parameters"]:
        if each["in"] != "query" or not each.get("required"):
            continue
        name, schema = each["name"], each["schema"]
        if "$ref" in schema.get("items", {}):  # a list of objects, as the SDKs spell it
            item = _example(document, schema["items"])
            query |= {f"{name}[0][{member}]": str(value) for member, value in item.items()}
        else:
            query[name] = things.get(_snake(name).removesuffix("s"), "x")
    return query


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _example(document: Json, schema: Json) -> Any:
    if "$ref" in schema:
        return _example(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _example(document, schema["anyOf"][0])
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", ())
            return {name: _example(document, schema["properties"][name]) for name in wanted}
        case "array":
            return []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string":
            return "x"
    return None
