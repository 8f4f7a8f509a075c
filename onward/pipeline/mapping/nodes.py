"""Turn the parts of a mapping into functions: constants, objects, arrays and the choice of a directive.

A part becomes a `Resolver`, a function from the data to a value. Parts without directives are worked out
here, once. Undefined matters on the way (`@merge` lets an undefined member overwrite) and never in a
payload, so each part is compiled for what its consumer may see: see `Mode`.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

from onward.pipeline.javascript import UNDEFINED
from onward.pipeline.mapping.errors import MappingError
from onward.pipeline.mapping.validation import is_directive

Resolver = Callable[[Any], Any]


class Mode(Enum):
    """What a part's result shows of members and items that are undefined."""

    PAYLOAD = 0
    """Nothing: such members are left out and such items are null. (The part itself may be undefined.)"""
    MEMBERS = 1
    """Its own members and items are UNDEFINED; nothing is further down."""
    RAW = 2
    """All of them are UNDEFINED, at any depth."""

    @property
    def inner(self) -> "Mode":
        return Mode.RAW if self is Mode.RAW else Mode.PAYLOAD


Directive = Callable[[Any, Mode], Resolver]
DIRECTIVES: dict[str, Directive] = {}


def directive(name: str) -> Callable[[Directive], Directive]:
    """Register the compiler of a directive: from the directive's value and a mode to a resolver."""

    def register(function: Directive) -> Directive:
        DIRECTIVES[name] = function
        return function

    return register


def compile_node(node: Any, mode: Mode) -> Resolver:
    """A resolver for any part of a mapping. What is wrong with the part is raised when it runs."""
    if is_static(node):
        return constant(node)
    if type(node) is list:
        return _array([compile_node(item, mode.inner) for item in node], mode)
    if is_directive(node):
        name = next(key for key in node if key[:1] == "@")
        if name not in DIRECTIVES:
            return failure(f"{name} is not a valid directive, got undefined")
        return DIRECTIVES[name](node[name], mode)
    return _object(node, mode)


def is_static(node: Any) -> bool:
    """Whether a part holds no directive and so resolves to itself."""
    if type(node) is dict:
        return not is_directive(node) and all(map(is_static, node.values()))
    if type(node) is list:
        return all(map(is_static, node))
    return True


def constant(value: Any) -> Resolver:
    return lambda data: value


def failure(message: str) -> Resolver:
    """A part that can't be resolved, which is an error only if it comes to that."""

    def fail(data: Any) -> Any:
        raise MappingError(message)

    return fail


def _array(items: list[Resolver], mode: Mode) -> Resolver:
    if mode is not Mode.PAYLOAD:
        return lambda data: [item(data) for item in items]

    def array(data: Any) -> list[Any]:
        return [None if (value := item(data)) is UNDEFINED else value for item in items]

    return array


def _object(node: dict[str, Any], mode: Mode) -> Resolver:
    keep = mode is not Mode.PAYLOAD
    # Constants are copied in one go, with a place for every other member, so that the order is the mapping's.
    shape = {key: value if is_static(value) else UNDEFINED for key, value in node.items()}
    members = [(key, compile_node(value, mode.inner)) for key, value in node.items() if not is_static(value)]

    def build(data: Any) -> dict[str, Any]:
        built = shape.copy()
        key = ""
        try:
            for key, resolve in members:
                value = resolve(data)
                if value is not UNDEFINED:
                    built[key] = value
                elif not keep:
                    del built[key]
        except MappingError as error:
            raise error.under(key) from None
        return built

    return build


def without_undefined(value: Any, *, items: bool) -> Any:
    """A value without undefined members, at any depth; with `items`, undefined items become null.

    What holds none is returned as it is, not copied.
    """
    if type(value) is dict:
        cleaned = {
            key: without_undefined(item, items=items) for key, item in value.items() if item is not UNDEFINED
        }
        same = len(cleaned) == len(value) and all(cleaned[key] is value[key] for key in cleaned)
        return value if same else cleaned
    if type(value) is list:
        listed = [without_undefined(item, items=items) for item in value]
        if items:
            listed = [None if item is UNDEFINED else item for item in listed]
        return value if all(new is old for new, old in zip(listed, value, strict=True)) else listed
    return value
