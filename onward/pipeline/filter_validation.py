"""What is checked of a destination filter before it is stored, and the tester's preview (spec §6.3)."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from onward.pipeline.filters import Filters, compile_rule
from onward.pipeline.types import Event
from onward.pipeline.verdict import Stopped

MAX_FILTERS = 10
"""Filters per destination."""
ACTION_MEMBERS = {"type", "fields", "percent", "path"}
MAX_TITLE = 64
"""Characters."""


class _Spec(msgspec.Struct, frozen=True):
    id: str
    condition: str
    actions: Sequence[Mapping[str, Any]]
    enabled: bool = True


def validate_filter(title: object, condition: object, actions: object) -> list[str]:
    """What is wrong with a filter, one sentence a problem; [] if nothing is."""
    problems: list[str] = []
    if type(title) is not str or not title.strip():
        problems.append("title: a filter needs a title")
    elif len(title) > MAX_TITLE:
        problems.append(f"title: at most {MAX_TITLE} characters, this has {len(title)}")
    if type(condition) is not str or not condition.strip():
        problems.append("if: a filter needs a condition in FQL; 'all' matches every event")
    else:
        problems += _problem("if", condition, ())
    if not isinstance(actions, list | tuple) or not actions:
        problems.append('actions: a filter needs a list of actions, such as [{"type": "DROP"}]')
    else:
        for at, action in enumerate(actions):
            if not isinstance(action, dict):
                problems.append(f"actions[{at}]: must be an object with a type, not {action!r}")
            elif unknown := action.keys() - ACTION_MEMBERS:
                problems.append(f"actions[{at}]: an action has no member {', '.join(sorted(unknown))}")
            else:
                problems += _problem(f"actions[{at}]", "all", (action,))
    return problems


def validate_count(existing: int) -> list[str]:
    """Whether a destination that has `existing` filters may get another one."""
    if existing < MAX_FILTERS:
        return []
    return [f"a destination has at most {MAX_FILTERS} filters: change or delete one of them"]


def preview(
    condition: str, actions: Sequence[Mapping[str, Any]], payload: Event, rng: Random
) -> Event | None:
    """What a filter leaves of a payload; None if it drops it. Raises ValueError if it is not valid."""
    spec = _Spec("preview", condition, actions)
    compile_rule(spec)
    result = Filters([spec])(payload, rng)
    return None if isinstance(result, Stopped) else result


def _problem(where: str, condition: str, actions: tuple[Mapping[str, Any], ...]) -> list[str]:
    try:
        compile_rule(_Spec("", condition, actions))
    except ValueError as error:
        return [f"{where}: {error}"]
    return []
