"""The syntax tree of filter FQL, and back to text."""

import math
import re
from typing import Literal as OneOf
from typing import TypeAlias

import msgspec

CompareOp: TypeAlias = OneOf["=", "!=", "<", "<=", ">", ">=", "in"]
Scalar: TypeAlias = str | int | float | bool | None

KEYWORDS = frozenset({"and", "or", "in", "true", "false", "null"})


class Path(msgspec.Struct, frozen=True):
    """A field of the event: `context.library.name` is `("context", "library", "name")`."""

    segments: tuple[str, ...]


class Literal(msgspec.Struct, frozen=True):
    value: Scalar


class ListOf(msgspec.Struct, frozen=True):
    items: "tuple[Node, ...]"
    """Literals, paths and lists."""


class Call(msgspec.Struct, frozen=True):
    name: str
    args: "tuple[Node, ...]"


class Compare(msgspec.Struct, frozen=True):
    op: CompareOp
    left: "Node"
    right: "Node"


class Not(msgspec.Struct, frozen=True):
    operand: "Node"


class And(msgspec.Struct, frozen=True):
    operands: "tuple[Node, ...]"
    """Two or more."""


class Or(msgspec.Struct, frozen=True):
    operands: "tuple[Node, ...]"
    """Two or more."""


Node: TypeAlias = Path | Literal | ListOf | Call | Compare | Not | And | Or

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def to_text(node: Node) -> str:
    """FQL that parses to this tree again (`parse(to_text(node)) == node`)."""
    match node:
        case Path(segments):
            return _path(segments)
        case Literal(value):
            return _literal(value)
        case ListOf(items):
            return "[" + ", ".join(map(to_text, items)) + "]"
        case Call(name, args):
            return f"{name}({', '.join(map(to_text, args))})"
        case Compare(op, left, right):
            return f"{_operand(left)} {op} {_operand(right)}"
        case Not(operand):
            return "!" + (to_text(operand) if isinstance(operand, Not) else _operand(operand))
        case And(operands):
            return " and ".join(
                f"({to_text(o)})" if isinstance(o, And | Or) else to_text(o) for o in operands
            )
        case Or(operands):
            return " or ".join(f"({to_text(o)})" if isinstance(o, Or) else to_text(o) for o in operands)


def _operand(node: Node) -> str:
    return f"({to_text(node)})" if isinstance(node, And | Or | Compare | Not) else to_text(node)


def _path(segments: tuple[str, ...]) -> str:
    text = ".".join(_UNSAFE.sub(lambda m: "\\" + m[0], segment) for segment in segments)
    if text in KEYWORDS or text[0].isdigit() or text[0] == "-":
        return "\\" + text
    return text


def _literal(value: Scalar) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    assert math.isfinite(value)
    return repr(value)
