"""Is this a mapping? The checks and the messages of Segment's mapping kit (spec §9.4).

Members of objects are checked to any depth, items of arrays are not: a bad directive inside an array shows
only when it runs. All problems are collected, but a part that is wrong in itself isn't looked into further.
"""

from collections.abc import Callable, Mapping
from typing import Any

from onward.pipeline.javascript import UNDEFINED, entries, stringify, type_of, utf16_length
from onward.pipeline.mapping.errors import Problem

MAX_PATTERN = 10
MAX_REPLACEMENT = 10

Path = tuple[str, ...]
Check = Callable[[Any, Path], list[Problem]]


def check_node(node: Any, path: Path) -> list[Problem]:
    """The problems of any part of a mapping."""
    match _kind(node):
        case "directive":
            return _check_directive(node, path)
        case "object":
            return _check_object(node, path)
    return []


def is_directive(node: Any) -> bool:
    """Whether all keys are @-keys or `_metadata`, and there is an @-key."""
    if type(node) is not dict:
        return False
    found = False
    for key in node:
        if key[:1] == "@":
            found = True
        elif key != "_metadata":
            return False
    return found


def _problem(path: Path, message: str) -> list[Problem]:
    return [Problem("/" + "/".join(path), message)]


def _kind(value: Any) -> str:
    kind = type_of(value)
    return "directive" if kind == "object" and any(key[:1] == "@" for key in value) else kind


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _check_directive(node: dict[str, Any], path: Path) -> list[Problem]:
    names = [key for key in node if key[:1] == "@"]
    if len(names) > 1:
        return _problem(path, f"should only have one @-prefixed key but it has {len(names)} keys")
    if not is_directive(node):
        return _problem(path, f"should only have one @-prefixed key but it has {len(node)} keys")
    name = names[0]
    check = CHECKS.get(name)
    if check is None:
        return _problem(path, f"has an invalid directive: {name}")
    return check(node[name], (*path, name))


def _check_object(value: Any, path: Path) -> list[Problem]:
    kind = _kind(value)
    if kind != "object":
        return _problem(path, f"should be an object but it is {_article(kind)}")
    return [problem for key, item in entries(value) for problem in check_node(item, (*path, key))]


def _check_array(value: Any, path: Path) -> list[Problem]:
    kind = type_of(value)
    return [] if kind == "array" else _problem(path, f"should be an array but it is {_article(kind)}")


def _check_string(value: Any, path: Path) -> list[Problem]:
    kind = _kind(value)
    return [] if kind == "string" else _problem(path, f"should be a string but it is {_article(kind)}")


def _check_boolean(value: Any, path: Path) -> list[Problem]:
    kind = _kind(value)
    return [] if kind == "boolean" else _problem(path, f"should be a boolean but it is {_article(kind)}")


def _directive_or_json(value: Any, path: Path) -> list[Problem]:
    match _kind(value):
        case "directive":
            return _check_directive(value, path)
        case "undefined":
            return _problem(path, "should be a mapping directive or a JSON value but it is an undefined")
    return []


def _directive_or_string(value: Any, path: Path) -> list[Problem]:
    match _kind(value):
        case "directive":
            return _check_directive(value, path)
        case "string":
            return []
        case kind:
            return _problem(path, f"should be a string or a mapping directive but it is {_article(kind)}")


def _directive_or_object(value: Any, path: Path) -> list[Problem]:
    match _kind(value):
        case "directive":
            return _check_directive(value, path)
        case "object":
            return _check_object(value, path)
        case kind:
            return _problem(path, f"should be a object or a mapping directive but it is {_article(kind)}")


def _string_of_length(shortest: int, longest: int) -> Check:
    def check(value: Any, path: Path) -> list[Problem]:
        if problems := _check_string(value, path):
            return problems
        if utf16_length(value) < shortest:
            return _problem(path, f"should be a string of length {shortest} or greater")
        if utf16_length(value) > longest:
            return _problem(path, f"should be a string of length {longest} or less")
        return []

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any, path: Path) -> list[Problem]:
        if problems := _check_string(value, path):
            return problems
        if value.lower() not in allowed:
            return _problem(path, f"should be one of {', '.join(allowed)} but it is {stringify(value)}")
        return []

    return check


def _fields(required: Mapping[str, Check], optional: Mapping[str, Check], *order: str) -> Check:
    """An object with these fields; others are let through."""

    def check(value: Any, path: Path) -> list[Problem]:
        if problems := _check_object(value, path):
            return problems
        for name in order or (*required, *optional):
            item = value.get(name, UNDEFINED)
            if name in required:
                if item is UNDEFINED:
                    problems += _problem(path, f"should have field {stringify(name)} but it doesn't")
                else:
                    problems += required[name](item, (*path, name))
            elif item is not UNDEFINED:
                problems += optional[name](item, (*path, name))
        return problems

    return check


def _array_path(value: Any, path: Path) -> list[Problem]:
    if problems := _check_array(value, path):
        return problems
    root = value[0] if value else UNDEFINED
    shape = value[1] if len(value) > 1 else UNDEFINED
    return _directive_or_string(root, path) or check_node(shape, path)


def _merge(value: Any, path: Path) -> list[Problem]:
    if problems := _MERGE_FIELDS(value, path):
        return problems
    for item in value["objects"]:
        if problems := _directive_or_object(item, ()):
            return problems
    return []


_MERGE_FIELDS = _fields(
    {"objects": _check_array}, {"direction": _one_of("left", "right")}, "direction", "objects"
)

CHECKS: dict[str, Check] = {
    "@if": _fields({}, dict.fromkeys(("exists", "then", "else"), _directive_or_json)),
    "@case": _fields({}, {"operator": _check_string, "value": _directive_or_string}),
    "@replace": _fields(
        {"pattern": _string_of_length(1, MAX_PATTERN), "value": _directive_or_string},
        {
            "replacement": _string_of_length(0, MAX_REPLACEMENT),
            "ignorecase": _check_boolean,
            "global": _check_boolean,
        },
        *("pattern", "replacement", "value", "ignorecase", "global"),
    ),
    "@arrayPath": _array_path,
    "@path": _directive_or_string,
    "@json": _fields({"value": _directive_or_json, "mode": _one_of("encode", "decode")}, {}),
    "@flatten": _fields({"value": _directive_or_json}, {"separator": _check_string}, "separator", "value"),
    "@merge": _merge,
    "@template": _directive_or_string,
    "@literal": _directive_or_json,
    "@transform": _fields({"apply": _directive_or_object, "mapping": _directive_or_object}, {}),
    "@excludeWhenNull": _directive_or_json,
    "@liquid": _check_string,
}
