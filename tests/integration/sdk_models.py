"""What the official TypeScript SDK says of each operation: read from its sources, as they are installed.

operations(folder)["getSource"]  →  parameters, body and answer, by the names of the SDK's models
model(folder, "SourceV1")        →  its properties: {"name": Property(required=False, type="string"), …}
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROPERTY = re.compile(
    r"^    '(?P<name>[^']+)'(?P<optional>\??): (?P<type>(?:[^;{]|\{[^}]*\})+);", re.MULTILINE
)
ENUM = re.compile(r"export enum (?P<name>\w+) \{(?P<values>[^}]*)\}", re.DOTALL)
VALUE = re.compile(r"<any>\s*'(?P<value>[^']*)'")
NAME = re.compile(r"(?P<name>\w+)\(")
OPTIONS = re.compile(r",?\s*options: \{ headers")
ANSWER = re.compile(r"body: (?P<answer>\w+);")
PATH = re.compile(r"const localVarPath =(?P<path>.*?);", re.DOTALL)
WAY = re.compile(r"method: '(?P<method>[A-Z]+)'")
IN_PATH = re.compile(r"'\{' \+ '(?P<name>\w+)' \+ '\}'")


@dataclass(frozen=True)
class Property:
    type: str
    """As TypeScript writes it, in one line."""
    required: bool


@dataclass(frozen=True)
class Operation:
    method: str
    query: dict[str, Property]
    body: str | None
    """Name of the model."""
    answer: str


@cache
def model(folder: Path, name: str) -> dict[str, Property]:
    return {
        found["name"]: Property(" ".join(found["type"].split()), not found["optional"])
        for found in PROPERTY.finditer(_text(folder, name))
    }


@cache
def enum(folder: Path, name: str) -> set[str]:
    """The values of `SourceV1.TypeEnum`."""
    owner, _, kind = name.partition(".")
    for found in ENUM.finditer(_text(folder, owner)):
        if found["name"] == kind:
            return set(VALUE.findall(found["values"]))
    raise KeyError(name)


@cache
def operations(folder: Path) -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for file in sorted((folder / "api").glob("*Api.ts")):
        for text in re.split(r"^    public async ", file.read_text(), flags=re.MULTILINE)[1:]:
            name, way, answer, path = (pattern.search(text) for pattern in (NAME, WAY, ANSWER, PATH))
            assert name and way and answer and path, f"{file.name} is not read right: {text[:80]}"
            taken = OPTIONS.split(text[name.end() :])[0]
            body, query = _arguments(taken, set(IN_PATH.findall(path["path"])))
            found[name["name"]] = Operation(way["method"], query, body, answer["answer"])
    return found


def _arguments(taken: str, in_path: set[str]) -> tuple[str | None, dict[str, Property]]:
    body, query = None, {}
    for argument in split(taken, ","):
        name, _, type = argument.partition(":")
        if name[:1].isupper():
            body = type.strip()
        elif name.strip("?").strip() not in in_path:
            query[name.strip("?")] = Property(" ".join(type.split()), not name.endswith("?"))
    return body, query


def split(text: str, separator: str) -> list[str]:
    """The parts of a union or of a list of arguments; what is in brackets stays together."""
    parts, depth, part = [], 0, ""
    for letter in text:
        depth += (letter in "<{") - (letter in ">}")
        if letter == separator and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [each for each in (*parts, part.strip()) if each]


def _text(folder: Path, name: str) -> str:
    return (folder / "model" / f"{name[0].lower()}{name[1:]}.ts").read_text()
