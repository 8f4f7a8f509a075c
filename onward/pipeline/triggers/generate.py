"""Write a trigger from its tree, for the form that builds triggers (spec §7.4)."""

import re
from decimal import Decimal
from typing import Any

from onward.pipeline.javascript import to_number, to_string
from onward.pipeline.triggers.ast import Condition, Group
from onward.pipeline.triggers.predicate import FIELDS, ROOTS


def generate(group: Group) -> str:
    """The text that parses to this tree; nested groups in parentheses."""
    text = _group(group)
    if text.startswith("(") and text.endswith(")") and len(re.findall(r"[()]", text)) == 2:
        return text[1:-1]
    return text


def _group(group: Group) -> str:
    parts = [
        f"({_group(child)})" if isinstance(child, Group) else _condition(child) for child in group.children
    ]
    return f" {group.operator} ".join(parts)


def _condition(condition: Condition) -> str:
    if condition.type in FIELDS:
        field = FIELDS[condition.type]
    else:
        path = ".".join(_escaped(part) for part in (condition.name or "").split("."))
        field = f"{ROOTS[condition.type]}.{path}"
    value = condition.value
    match condition.operator:
        case "contains" | "not_contains" as operator:
            return f"{_bang(operator)}contains({field}, {_literal(value)})"
        case "starts_with" | "not_starts_with" as operator:
            return f'{_bang(operator)}match({field}, "{to_string(value)}*")'
        case "ends_with" | "not_ends_with" as operator:
            return f'{_bang(operator)}match({field}, "*{to_string(value)}")'
        case "exists":
            return f"{field} != null"
        case "not_exists":
            return f"{field} = null"
        case "is_true":
            return f"{field} = true"
        case "is_false":
            return f"{field} = false"
        case "number_equals":
            return f"{field} = {_number(value)}"
        case "number_not_equals":
            return f"{field} != {_number(value)}"
        case "<" | ">" | "<=" | ">=" as operator:
            return f"{field} {operator} {_number(value)}"
        case operator:
            return f"{field} {operator} {_literal(value)}"


def _escaped(part: str) -> str:
    """A backslash wherever the name would not be read as one name: `9lives`, `order id`, `null`."""
    if part in ("and", "or", "null"):
        return "\\" + part
    return re.sub(r"^[0-9-]|[^a-zA-Z0-9_-]", r"\\\g<0>", part)


def _number(value: Any) -> str:
    """Without an exponent, which the language can't read."""
    number = to_number(value)
    text = to_string(number)
    return f"{Decimal(text):f}" if "e" in text else text


def _bang(operator: str) -> str:
    return "!" if operator.startswith("not_") else ""


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else to_string(value)
