"""The trigger language of subscriptions: which events a mapping is for (spec §7.4, §9.2).

`parse` reads a trigger, `compile` makes a predicate of it, `generate` writes one, `check` is what to call
before one is saved. `builder` has what a form offers. A trigger that can't be read matches nothing at run
time.
"""

from functools import lru_cache

from onward.pipeline.triggers.ast import Condition, Group, Operator, Subject, TriggerError
from onward.pipeline.triggers.check import check
from onward.pipeline.triggers.generate import generate
from onward.pipeline.triggers.parser import parse
from onward.pipeline.triggers.predicate import Predicate, compile_group, never
from onward.pipeline.types import Event

__all__ = [
    "Condition",
    "Group",
    "Operator",
    "Predicate",
    "Subject",
    "TriggerError",
    "check",
    "compile",
    "generate",
    "matches",
    "parse",
]


def compile(fql: str) -> Predicate:
    """A predicate for events, to be made once per subscription. It never raises; see `check` for errors."""
    try:
        return compile_group(parse(fql))
    except TriggerError:
        return never


def matches(fql: str, event: Event) -> bool:
    """Whether an event meets a trigger. For single questions; the hot path keeps `compile`'s predicate."""
    return _compiled(fql)(event)


_compiled = lru_cache(maxsize=1024)(compile)
