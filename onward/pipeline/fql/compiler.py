"""FQL to a Python function, generated once per filter: conditions run for every event.

`type = 'track' and properties.total > 5` becomes

    lambda e: ((e.get('type') == 'track') and
        ((type(t1 := (t2.get('total') if type(t2 := e.get('properties')) is dict else None)) is int
          or type(t1) is float) and t1 > 5))

Nothing of the text gets into the source but `repr` of its names and literals.
"""

import operator
from collections.abc import Callable
from typing import Any

from onward.pipeline.fql import glob, parser
from onward.pipeline.fql.ast import And, Call, Compare, ListOf, Literal, Node, Not, Or, Path
from onward.pipeline.fql.functions import FUNCTIONS, among, equal, is_number
from onward.pipeline.fql.path import resolve, step
from onward.pipeline.timestamps import parse as parse_time
from onward.pipeline.types import Event

Predicate = Callable[[Event], bool]

INLINE_SEGMENTS = 8
"""Longer paths are walked in a loop: Python nests parentheses only so deep."""

_BOOLEAN_CALLS = frozenset({"contains", "match", "bool", "semver"})
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compile(text: str, *, strict: bool = True) -> Predicate:
    """The predicate that an FQL text stands for; raises `FqlError`.

    The predicate raises `FqlEvaluationError` where an expression has no answer. It is true only if the
    whole expression is exactly `true`. With `strict=False`, `<`, `<=`, `>` and `>=` also order two ISO-8601
    strings by the time they name, and `received_at` reads `receivedAt`: what the recipe for moving from a
    classic destination to an Actions one relies on (spec §22.3). Strictly, order is for numbers only.
    """
    return compile_tree(parser.parse(text), strict=strict)


def compile_tree(tree: Node, *, strict: bool = True) -> Predicate:
    writer = _Writer(strict)
    source = f"lambda e: {writer.truth(tree)}"
    predicate: Predicate = eval(source, writer.names)  # noqa: S307  (only reprs and our own names)
    return predicate


def compile_value(text: str) -> Callable[[Event], Any]:
    """What an FQL text gives for an event, such as `lowercase(properties.plan)`; raises `FqlError`.

    It raises `FqlEvaluationError` as predicates do.
    """
    writer = _Writer(strict=True)
    source = f"lambda e: {writer.value(parser.parse(text))}"
    compiled: Callable[[Event], Any] = eval(source, writer.names)  # noqa: S307  (as above)
    return compiled


class _Writer:
    """Writes expressions; `names` is what they may refer to."""

    def __init__(self, strict: bool) -> None:
        self.names: dict[str, Any] = {
            "__builtins__": {},
            "type": type, "dict": dict, "str": str, "int": int, "float": float,
            "step": step, "resolve": resolve, "equal": equal, "among": among,
            **{f"f_{name}": function for name, (function, _) in FUNCTIONS.items()},
        }  # fmt: skip
        self._strict = strict
        self._temporaries = 0

    def truth(self, node: Node) -> str:
        """An expression that is True if the node is true, and otherwise False."""
        match node:
            case Literal(value):
                return repr(value is True)
            case Not(operand):
                return f"(not {self.truth(operand)})"
            case And(operands):
                return f"({' and '.join(map(self.truth, operands))})"
            case Or(operands):
                return f"({' or '.join(map(self.truth, operands))})"
            case Compare():
                return self._compare(node)
            case Call("contains", (text, Literal(str(part)))):
                temporary = self._temporary()
                return f"(type({temporary} := {self.value(text)}) is str and {part!r} in {temporary})"
            case Call("match", (text, Literal(str(pattern)))):
                temporary, matcher = self._temporary(), self._bind(glob.compile(pattern))
                return f"(type({temporary} := {self.value(text)}) is str and {matcher}({temporary}))"
            case Call(name) if name in _BOOLEAN_CALLS:
                return self.value(node)
            case _:
                return f"({self.value(node)} is True)"

    def value(self, node: Node) -> str:
        match node:
            case Path(segments):
                return self._path(segments)
            case Literal(value):
                return repr(value)
            case ListOf(items):
                return f"[{', '.join(map(self.value, items))}]"
            case Call(name, args):
                return f"f_{name}({', '.join(map(self.value, args))})"
            case _:
                return self.truth(node)

    def _path(self, segments: tuple[str, ...]) -> str:
        if not self._strict and segments == ("received_at",):
            segments = ("receivedAt",)
        if len(segments) > INLINE_SEGMENTS:
            return f"resolve(e, {segments!r})"
        expression = f"e.get({segments[0]!r})"
        for segment in segments[1:]:
            if segment.isdigit():
                expression = f"step({expression}, {segment!r})"
            else:
                t = self._temporary()
                expression = f"({t}.get({segment!r}) if type({t} := {expression}) is dict else None)"
        return expression

    def _compare(self, node: Compare) -> str:
        op, left, right = node.op, node.left, node.right
        if op == "in":
            return self._in(left, right)
        if op in ("=", "!="):
            same = self._equal(left, right)
            return same if op == "=" else f"(not {same})"
        if isinstance(left, Literal) and not isinstance(right, Literal):
            op, left, right = _FLIPPED[op], right, left  # type: ignore[assignment]
        if isinstance(right, Literal) and is_number(right.value):
            t = self._temporary()
            value = self.value(left)
            return f"((type({t} := {value}) is int or type({t}) is float) and {t} {op} {right.value!r})"
        order = self._bind(_ordering(_ORDERS[op], self._strict))
        return f"{order}({self.value(left)}, {self.value(right)})"

    def _equal(self, left: Node, right: Node) -> str:
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right = right, left
        if isinstance(right, Literal) and not isinstance(left, Literal):
            if right.value is None or isinstance(right.value, bool):
                return f"({self.value(left)} is {right.value!r})"
            if isinstance(right.value, str) or right.value not in (0, 1):
                return f"({self.value(left)} == {right.value!r})"
        return f"equal({self.value(left)}, {self.value(right)})"

    def _in(self, item: Node, values: Node) -> str:
        if isinstance(values, ListOf):
            strings = [v.value for v in values.items if isinstance(v, Literal) and isinstance(v.value, str)]
            if len(strings) == len(values.items):
                t, known = self._temporary(), self._bind(frozenset(strings))
                return f"(type({t} := {self.value(item)}) is str and {t} in {known})"
        return f"among({self.value(item)}, {self.value(values)})"

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"

    def _bind(self, value: object) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name


def _ordering(order: Callable[[Any, Any], bool], strict: bool) -> Callable[[Any, Any], bool]:
    def numbers(left: Any, right: Any) -> bool:
        return is_number(left) and is_number(right) and order(left, right)

    def numbers_or_times(left: Any, right: Any) -> bool:
        if type(left) is str and type(right) is str:
            left, right = parse_time(left), parse_time(right)
        return numbers(left, right)

    return numbers if strict else numbers_or_times
