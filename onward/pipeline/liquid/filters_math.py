"""Filters on numbers. What is no number counts as 0, and results are JavaScript's doubles."""

import math
from collections.abc import Callable
from typing import Any

from onward.pipeline.javascript import to_number
from onward.pipeline.liquid.scope import Scope


def number(value: Any) -> float:
    result = to_number(value)
    return result if result == result else 0


def double(value: float) -> float:
    """A result as an int where it is one that a double holds exactly, so that ints can't grow."""
    if isinstance(value, int) and abs(value) <= 2**53:
        return value
    value = float(value)
    return int(value) if abs(value) <= 2**53 and value.is_integer() else value


def _filter(function: Callable[..., float]) -> Callable[..., Any]:
    def applied(scope: Scope, value: Any, *arguments: Any) -> float:
        return double(function(number(value), *[number(argument) for argument in arguments]))

    return applied


def _binary(function: Callable[[float, float], float]) -> Callable[..., Any]:
    """A filter of two numbers; without the second one it gives NaN."""

    def applied(scope: Scope, value: Any, *arguments: Any) -> float:
        if not arguments:
            return math.nan
        return double(function(float(number(value)), float(number(arguments[0]))))

    return applied


def _round_with(function: Callable[[float], int]) -> Callable[..., Any]:
    def applied(scope: Scope, value: Any, *_: Any) -> float:
        amount = number(value)
        return double(function(amount)) if math.isfinite(amount) else amount

    return applied


def divide(left: float, right: float) -> float:
    if right == 0:
        return (
            math.nan if left == 0 or left != left else math.copysign(math.inf, left) * math.copysign(1, right)
        )
    return left / right


def _divided_by(scope: Scope, value: Any, *arguments: Any) -> float:
    if not arguments:
        return math.nan
    quotient = divide(float(number(value)), float(number(arguments[0])))
    if len(arguments) > 1 and number(arguments[1]) and math.isfinite(quotient):
        quotient = math.floor(quotient)
    return double(quotient)


def _remainder(left: float, right: float) -> float:
    if right == 0 or not math.isfinite(left):
        return math.nan
    return math.fmod(left, right)


def _round(scope: Scope, value: Any, *arguments: Any) -> float:
    """Half away from zero, to a number of decimals."""
    amount = float(number(value))
    decimals = float(number(arguments[0])) if arguments else 0
    factor = _power_of_ten(decimals)
    scaled = abs(amount * factor)
    if not math.isfinite(scaled):
        return double(divide(math.copysign(scaled, amount) if amount else math.nan, factor))
    whole = math.floor(scaled)
    rounded = float(whole + 1 if scaled - whole >= 0.5 else whole)
    return double(divide(math.copysign(rounded, amount) if amount else 0.0, factor))


def _power_of_ten(exponent: float) -> float:
    try:
        return math.pow(10, exponent)
    except OverflowError:
        return math.inf


def _to_integer(scope: Scope, value: Any, *_: Any) -> float:
    """Number(value): despite its name it keeps fractions."""
    return to_number(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": _filter(lambda value, *_: abs(value)),
    "at_least": _filter(lambda *values: max(values)),
    "at_most": _filter(lambda *values: min(values)),
    "ceil": _round_with(math.ceil),
    "floor": _round_with(math.floor),
    "round": _round,
    "plus": _binary(lambda left, right: left + right),
    "minus": _binary(lambda left, right: left - right),
    "times": _binary(lambda left, right: left * right),
    "divided_by": _divided_by,
    "modulo": _binary(_remainder),
    "to_integer": _to_integer,
}
