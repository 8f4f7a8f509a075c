"""The syntax tree of a trigger: groups of conditions, as a form shows them (spec §9.2)."""

from dataclasses import dataclass, field
from typing import Literal

Subject = Literal["event-type", "event", "name", "userId", "event-property", "event-trait", "event-context"]
Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=",
    "number_equals", "number_not_equals",
    "contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with",
    "exists", "not_exists", "is_true", "is_false",
]  # fmt: skip


class TriggerError(ValueError):
    """A trigger that can't be read: what is wrong, and where (an offset in characters)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position


@dataclass(frozen=True)
class Condition:
    """One comparison. An operator outside `Operator` (`contains = "x"`, say) is kept and is never true."""

    type: Subject
    operator: Operator | str
    value: str | int | float | bool | None = None
    name: str | None = None
    """For properties, traits and context: the path below them, such as `products.0.sku`."""


@dataclass(frozen=True)
class Group:
    operator: Literal["and", "or"]
    children: tuple["Group | Condition", ...] = field(default=())
