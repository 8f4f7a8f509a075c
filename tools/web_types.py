"""The Public API's operations and shapes as TypeScript, for the web app: from its own OpenAPI description.

    python -m tools.web_types > web/src/api/generated.ts

Each operation gets its parameters, body and answer (what is in `data`) by its name, and each schema of the
description an interface. The build writes the file whenever the API may have changed, so it is never stale
and not committed.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from onward.api.app import api_state, create_api
from onward.api.openapi import describe
from onward.delivery.report import DeliveryReport
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog import open_reader
from onward.settings import Settings
from onward.workspace.bootstrap import bootstrap

Json = dict[str, Any]

SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
HEAD = "// Made by tools/web_types.py from the API's own description. Not to be edited.\n"


def document() -> Json:
    """The API's description, of a server on an empty data folder."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        bootstrap(settings)
        state = SqliteStateStore(settings.data)
        report = DeliveryReport(state, open_reader(settings.data))
        app = create_api(api_state(settings, {}, lambda source_id, count: [], report))
        try:
            decoded: Json = msgspec.json.decode(msgspec.json.encode(describe(app)))
            return decoded
        finally:
            app.state.store.engine.dispose()
            state.close()


def typescript(document: Json) -> str:
    """The module's text."""
    schemas = document["components"]["schemas"]
    operations = list(_operations(document))
    return "\n".join(
        [
            HEAD,
            *(f"export type {_name(name)} = {kind(schemas[name])};\n" for name in sorted(schemas)),
            "export interface Operations {",
            *(line for _, _, operation in operations for line in _operation(operation)),
            "}\n",
            "/** Operation → [method, path]. */",
            "export const ROUTES: Record<keyof Operations, readonly [string, string]> = {",
            *(
                f"  {operation['operationId']}: [{json.dumps(method.upper())}, {json.dumps(path)}],"
                for path, method, operation in operations
            ),
            "};",
            "",
        ]
    )


def kind(schema: Json) -> str:
    """The TypeScript type of a JSON Schema."""
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"]) or "never"
    if "const" in schema:
        return json.dumps(schema["const"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return "(" + " | ".join(dict.fromkeys(kind(each) for each in schema[several])) + ")"
    match schema.get("type"):
        case "array":
            return f"{_grouped(kind(schema['items']))}[]" if schema.get("items") else "unknown[]"
        case "object":
            return _object(schema)
        case str(scalar):
            return SCALARS[scalar]
        case list(several):
            return "(" + " | ".join(SCALARS.get(each, "unknown") for each in several) + ")"
    return "unknown"


def _object(schema: Json) -> str:
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        return f"Record<string, {kind(values) if isinstance(values, dict) else 'unknown'}>"
    required = schema.get("required", ())
    fields = (
        f"{_key(name)}{'' if name in required else '?'}: {kind(each)}"
        for name, each in schema["properties"].items()
    )
    return "{ " + "; ".join(fields) + " }"


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _operation(operation: Json) -> Iterator[str]:
    yield f"  {operation['operationId']}: {{"
    for where in ("path", "query"):
        fields = [
            f"{_key(each['name'])}{'' if each.get('required') else '?'}: {kind(each['schema'])}"
            for each in operation["parameters"]
            if each["in"] == where
        ]
        if fields:
            optional = all("?: " in field for field in fields)
            yield f"    {where}{'?' if optional else ''}: {{ {'; '.join(fields)} }};"
    if "requestBody" in operation:
        body = operation["requestBody"]
        schema = body["content"]["application/json"]["schema"]
        yield f"    body{'' if body['required'] else '?'}: {kind(schema)};"
    yield f"    answer: {_answer(operation)};"
    yield "  };"


def _answer(operation: Json) -> str:
    status = next((each for each in operation["responses"] if each.startswith("2")), None)
    if status is None:  # a redirection: nothing that a program reads
        return "never"
    media, content = next(iter(operation["responses"][status]["content"].items()))
    if media != "application/json":
        return "string"
    schema = content["schema"]
    data = schema.get("properties", {}).get("data")
    return kind(data if data is not None else schema)


def _name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_$]", "_", name)


def _key(name: str) -> str:
    return name if IDENTIFIER.fullmatch(name) else json.dumps(name)


def _grouped(kind: str) -> str:
    return f"({kind})" if " | " in kind and not kind.startswith("(") else kind


if __name__ == "__main__":
    sys.stdout.write(typescript(document()))
