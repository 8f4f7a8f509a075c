"""The form that builds triggers: what it offers, and the trigger that it makes (spec §9.2).

A form has one group of conditions, of which all or any must hold. The language can say some things that the
form can't (groups in groups), and can't say a few that a form could ask for (a `"` in a text, a name that
exists for `type`): those are refused with the reason.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from onward.pipeline.triggers.ast import Condition, Group, Operator, Subject, TriggerError
from onward.pipeline.triggers.check import check
from onward.pipeline.triggers.generate import generate
from onward.pipeline.triggers.parser import parse

LABELS: Mapping[Operator, str] = {
    "=": "is",
    "!=": "is not",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "not_starts_with": "does not start with",
    "ends_with": "ends with",
    "not_ends_with": "does not end with",
    "number_equals": "equals",
    "number_not_equals": "does not equal",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
    "is_true": "is true",
    "is_false": "is false",
    "exists": "exists",
    "not_exists": "does not exist",
}
"""What people see."""

_TEXT: Sequence[Operator] = (
    *("=", "!=", "contains", "not_contains"),
    *("starts_with", "not_starts_with", "ends_with", "not_ends_with"),
)
_ANY: Sequence[Operator] = tuple(LABELS)

OFFERED: Mapping[Subject, Sequence[Operator]] = {
    "event-type": ("=", "!="),
    "event": _TEXT,
    "name": (*_TEXT, "exists", "not_exists"),
    "userId": (*_TEXT, "is_true", "is_false", "exists", "not_exists"),
    "event-property": _ANY,
    "event-trait": _ANY,
    "event-context": _ANY,
}
"""The operators that make sense for each subject, in the order of a form."""

WITHOUT_VALUE: frozenset[Operator] = frozenset({"is_true", "is_false", "exists", "not_exists"})
WITH_NUMBER: frozenset[Operator] = frozenset({"number_equals", "number_not_equals", "<", "<=", ">", ">="})
"""The others take a text."""


def build(conditions: Sequence[Condition], match: Literal["all", "any"] = "all") -> str:
    """The trigger that says just this. Raises TriggerError where the language has no words for it."""
    if not conditions:
        raise TriggerError("a trigger needs a condition", 0)
    for condition in conditions:
        _refuse_what_is_not_offered(condition)
    group = Group("and" if match == "all" or len(conditions) == 1 else "or", tuple(conditions))
    trigger = generate(group)
    check(trigger)
    if parse(trigger) != group:
        raise TriggerError(f"the trigger language can't say it: this would be read as {trigger}", 0)
    return trigger


def _refuse_what_is_not_offered(condition: Condition) -> None:
    operator, value = condition.operator, condition.value
    if operator not in OFFERED[condition.type]:
        raise TriggerError(f"{condition.type} can't be compared with {operator}", 0)
    if isinstance(value, str) and '"' in value:
        raise TriggerError("a text can't hold a \"", 0)
    if operator in WITH_NUMBER and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise TriggerError(f"{operator} needs a number", 0)
    if operator not in WITH_NUMBER and operator not in WITHOUT_VALUE and not isinstance(value, str):
        raise TriggerError(f"{operator} needs a text", 0)
