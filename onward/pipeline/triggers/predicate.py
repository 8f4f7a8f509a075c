"""Compile a trigger's tree to a function of the event (spec §7.4, "Evaluation").

`=` and `!=` compare strictly with text; the numeric operators want a number in the event; the text
functions want a string in the event, in their negated forms too.
"""

import re
from collections.abc import Callable
from typing import Any

from onward.pipeline.javascript import UNDEFINED, step, to_number, to_string
from onward.pipeline.triggers.ast import Condition, Group
from onward.pipeline.types import Event

Predicate = Callable[[Event], bool]
Getter = Callable[[Event], Any]
Test = Callable[[Any], bool]

ROOTS = {"event-property": "properties", "event-trait": "traits", "event-context": "context"}
FIELDS = {"event-type": "type", "event": "event", "name": "name", "userId": "userId"}


def never(event: Event) -> bool:
    return False


def compile_group(group: Group) -> Predicate:
    parts = [compile_group(c) if isinstance(c, Group) else compile_condition(c) for c in group.children]
    if len(parts) == 1:
        return parts[0]
    if group.operator == "or":
        return _any(parts)
    return _all(parts)


def _all(parts: list[Predicate]) -> Predicate:
    first, second, *others = parts
    if not others:
        return lambda event: first(event) and second(event)
    if len(others) == 1:
        third = others[0]
        return lambda event: first(event) and second(event) and third(event)

    def every(event: Event) -> bool:
        for part in parts:  # noqa: SIM110 (a generator costs more than the loop)
            if not part(event):
                return False
        return True

    return every


def _any(parts: list[Predicate]) -> Predicate:
    first, second, *others = parts
    if not others:
        return lambda event: first(event) or second(event)

    def some(event: Event) -> bool:
        for part in parts:  # noqa: SIM110
            if part(event):
                return True
        return False

    return some


def compile_condition(condition: Condition) -> Predicate:
    if condition.type in FIELDS:
        return _on_field(FIELDS[condition.type], condition)
    keys = re.findall(r"[^[.\]]+", condition.name or "")
    if not keys:
        return never
    root = ROOTS[condition.type]
    if len(keys) == 1:
        return _on_member(root, keys[0], condition)
    return _on_path(root, keys, condition)


def _on_field(key: str, condition: Condition) -> Predicate:
    if condition.operator == "=":
        text = to_string(condition.value)
        return lambda event: bool(event.get(key) == text)
    test = compile_test(condition)
    return lambda event: test(event.get(key, UNDEFINED))


def _on_member(root: str, key: str, condition: Condition) -> Predicate:
    test = compile_test(condition)

    def member(event: Event) -> bool:
        parent = event.get(root, UNDEFINED)
        if type(parent) is dict:
            return test(parent.get(key, UNDEFINED))
        return test(step(parent, key))

    return member


def _on_path(root: str, keys: list[str], condition: Condition) -> Predicate:
    test = compile_test(condition)

    def nested(event: Event) -> bool:
        value = event.get(root, UNDEFINED)
        for key in keys:
            value = value.get(key, UNDEFINED) if type(value) is dict else step(value, key)
        return test(value)

    return nested


def compile_test(condition: Condition) -> Test:
    """The condition as a test of the value found; false for operators that don't exist."""
    make = TESTS.get(condition.operator)
    return make(condition.value) if make else _nothing


def _nothing(actual: Any) -> bool:
    return False


def _is_number(actual: Any) -> bool:
    return type(actual) is int or type(actual) is float


def _equals(expected: Any) -> Test:
    text = to_string(expected)
    return lambda actual: type(actual) is str and actual == text


def _differs(expected: Any) -> Test:
    text = to_string(expected)
    return lambda actual: type(actual) is not str or actual != text


def _number_equals(expected: Any) -> Test:
    number = to_number(expected)
    return lambda actual: _is_number(actual) and actual == number


def _number_differs(expected: Any) -> Test:
    number = to_number(expected)
    return lambda actual: _is_number(actual) and actual != number


def _less(expected: Any) -> Test:
    number = to_number(expected)
    return lambda actual: _is_number(actual) and actual < number


def _at_most(expected: Any) -> Test:
    number = to_number(expected)
    return lambda actual: _is_number(actual) and actual <= number


def _more(expected: Any) -> Test:
    number = to_number(expected)
    return lambda actual: _is_number(actual) and actual > number


def _at_least(expected: Any) -> Test:
    number = to_number(expected)
    return lambda actual: _is_number(actual) and actual >= number


def _contains(expected: Any) -> Test:
    text = to_string(expected)
    return lambda actual: type(actual) is str and text in actual


def _starts(expected: Any) -> Test:
    text = to_string(expected)
    return lambda actual: type(actual) is str and actual.startswith(text)


def _ends(expected: Any) -> Test:
    text = to_string(expected)
    return lambda actual: type(actual) is str and actual.endswith(text)


def _text_without(make: Callable[[Any], Test]) -> Callable[[Any], Test]:
    """The negated form: still only strings pass."""

    def negated(expected: Any) -> Test:
        test = make(expected)
        return lambda actual: type(actual) is str and not test(actual)

    return negated


TESTS: dict[str, Callable[[Any], Test]] = {
    "=": _equals,
    "!=": _differs,
    "number_equals": _number_equals,
    "number_not_equals": _number_differs,
    "<": _less,
    "<=": _at_most,
    ">": _more,
    ">=": _at_least,
    "contains": _contains,
    "not_contains": _text_without(_contains),
    "starts_with": _starts,
    "not_starts_with": _text_without(_starts),
    "ends_with": _ends,
    "not_ends_with": _text_without(_ends),
    "exists": lambda _: lambda actual: actual is not None and actual is not UNDEFINED,
    "not_exists": lambda _: lambda actual: actual is None or actual is UNDEFINED,
    "is_true": lambda _: lambda actual: actual is True,
    "is_false": lambda _: lambda actual: actual is False,
}
