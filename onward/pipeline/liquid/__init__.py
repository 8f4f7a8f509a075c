"""Liquid templates in mappings: the directive `@liquid` (spec §9.3, §22.14).

The language is liquidjs as Segment restricts it: no loops, no includes, a list of filters that can't run
away, templates of at most 1,000 characters, and a bound on the work of a run. Filters that aren't known let
their value pass; those that are disabled are errors when the template runs.

`'now' | date` is when the event was received, so that a retry or a replay makes the same payload.
"""

from collections.abc import Callable
from typing import Any

from onward.pipeline.javascript import utf16_length
from onward.pipeline.liquid.scope import LiquidError, Scope

__all__ = ["LiquidError", "compile"]

MAX_TEMPLATE = 1_000
"""UTF-16 units, which is what JavaScript counts."""


def compile(template: Any) -> Callable[[Any], str]:
    """A function from data to text, to be made once per mapping. Both raise LiquidError.

    Data that is no object has no members that a template could name.
    """
    if type(template) is not str:
        raise LiquidError("liquid template value must be a string")
    if utf16_length(template) > MAX_TEMPLATE:
        raise LiquidError("liquid template values are limited to 1000 characters")
    # The parser takes a fifth of a second to load, and few mappings need it.
    from onward.pipeline.liquid.program import compile_program

    render = compile_program(template)
    return lambda data: render(Scope(data if type(data) is dict else {}))
