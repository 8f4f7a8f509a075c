"""Liquid templates in mappings (spec §9.3, §22.14)."""

from collections.abc import Callable
from typing import Any

from liquid import Environment
from liquid.exceptions import LiquidError as EngineError

MAX_TEMPLATE = 1_000

_ENVIRONMENT = Environment()


class LiquidError(ValueError):
    """A template that can't be read, or that failed on the data."""


def compile(template: Any) -> Callable[[Any], str]:
    if type(template) is not str:
        raise LiquidError("liquid template value must be a string")
    if len(template) > MAX_TEMPLATE:
        raise LiquidError("liquid template values are limited to 1000 characters")
    try:
        parsed = _ENVIRONMENT.from_string(template)
    except EngineError as error:
        raise LiquidError(str(error)) from None

    def render(data: Any) -> str:
        try:
            return parsed.render(**{"event": data, **(data if type(data) is dict else {})})
        except EngineError as error:
            raise LiquidError(str(error)) from None

    return render
