"""The mapping language of subscriptions: from an event to an action's payload (spec §9.3, §9.4).

`validate` is what to call before a mapping is saved, `compile` makes a function of it once, and that
function is called for every event. Events are only read. A payload may share objects with the event and
with the mapping, so whoever changes a payload copies what they change.
"""

from collections.abc import Mapping
from typing import Any

from onward.pipeline.mapping.compiler import Function, compile_mapping, validate
from onward.pipeline.mapping.errors import MappingError, Problem
from onward.pipeline.types import Event

__all__ = ["Function", "MappingError", "Problem", "compile", "transform", "validate"]


def compile(mapping: Mapping[str, Any]) -> Function:
    """A function from an event to its payload, to be made once per subscription.

    The payload is an object, unless the mapping is a single directive that gives something else (None if
    it gives nothing). Raises MappingError for a mapping that `validate` finds fault with; the function
    raises MappingError where the mapping fails on the event.
    """
    return compile_mapping(mapping)


def transform(mapping: Mapping[str, Any], event: Event) -> Any:
    """Apply a mapping to one event, for previews; the hot path keeps `compile`'s function."""
    return compile_mapping(mapping)(event)
