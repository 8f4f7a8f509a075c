"""Fields that are required only under conditions on other fields (spec §9.5).

Known difference: a member of an object that is required under several conditions is looked for in that
object; Segment's engine looks for a field with a dot in its name, which no payload has.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from onward.pipeline.fields.coercion import coerce, fits

Payload = dict[str, Any]
Test = Callable[[Payload], bool]


class Conditional(NamedTuple):
    """A field that is required when `holds` says so of the payload."""

    parent: str | None
    """The object that the field is a member of; None for a field of the payload itself."""
    key: str
    holds: Test

    def missing(self, payload: Payload) -> tuple[str | None, str] | None:
        """The object that lacks something (None for the payload) and the key that it lacks."""
        if not self.holds(payload):
            return None
        if self.parent is None or self.parent not in payload:
            key = self.parent or self.key
            return None if key in payload else (None, key)
        inner = payload[self.parent]
        return (self.parent, self.key) if type(inner) is dict and self.key not in inner else None


def compile_conditional(parent: str | None, key: str, required: Mapping[str, Any]) -> Conditional:
    conditions = required["conditions"]
    tests = [_compile(condition, alone=len(conditions) == 1) for condition in conditions]
    if required.get("match") == "any":
        return Conditional(parent, key, lambda payload: any(test(payload) for test in tests))
    return Conditional(parent, key, lambda payload: all(test(payload) for test in tests))


def _compile(condition: Mapping[str, Any], *, alone: bool) -> Test:
    path = condition["fieldKey"].split(".")
    if condition["operator"] not in ("is", "is_not"):
        raise ValueError(f"unsupported operator {condition['operator']!r} on {condition['fieldKey']}")
    wanted = condition["operator"] == "is"
    if len(path) > 1:
        return lambda payload: _member_is(payload, path, condition.get("value"), wanted)
    if "value" in condition:
        value = condition["value"]
        return lambda payload: path[0] in payload and same(payload[path[0]], value) is wanted
    if alone:
        return lambda payload: _is_absent(payload, path[0]) is wanted
    return lambda payload: (path[0] not in payload) is wanted


def _is_absent(payload: Payload, key: str) -> bool:
    if key not in payload:
        return True
    value = payload[key]
    if not fits(value, ("null",)):
        value, is_null = coerce(value, ("null",))
        if not is_null:
            return False
        # As there, the question itself changes an empty value to null before its own type is looked at.
        payload[key] = None
    return True


def _member_is(payload: Payload, path: list[str], value: Any, wanted: bool) -> bool:
    if path[0] not in payload:
        return False
    parent = payload[path[0]]
    if type(parent) is not dict:
        return True
    return path[1] in parent and same(parent[path[1]], value) is wanted


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: 1 is 1.0, but true isn't 1."""
    if type(left) is bool or type(right) is bool:
        return left is right
    if type(left) is dict and type(right) is dict:
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if type(left) is list and type(right) is list:
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
