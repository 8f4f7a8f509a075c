"""The short way for values that are in order: one pass that drops what is empty, coerces and checks.

`checks.py` does the same one step after the other, as actions-core does, and words the faults. Here nothing
is worded: a value that can't be settled at once is `UNSETTLED`, and the payload goes that way instead. Both
must come to the same, which a test holds them to.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any, Final

from onward.pipeline.fields.checks import ObjectCheck, ValueCheck
from onward.pipeline.fields.coercion import coerce, fits
from onward.pipeline.fields.formats import is_timestamp
from onward.pipeline.javascript import UNDEFINED


class _Unsettled:
    """No value: look at the payload the long way."""


UNSETTLED: Final[Any] = _Unsettled()

Quick = Callable[[Any], Any]
"""From a value to what it becomes: UNDEFINED if it is dropped, UNSETTLED if that takes a longer look."""


def quick(check: ValueCheck, *, prune: bool = True) -> Quick:
    """For a value of a field; without `prune` nothing is dropped for being empty, as in items of lists."""
    if check.item is not None:
        return _list_of(check.item, prune)
    if check.object is not None:
        return _object(check.object, prune)
    return _scalar(check, prune)


def _scalar(check: ValueCheck, prune: bool) -> Quick:
    types, plain, dropped = check.types, check.plain, check.prune
    objections = check.objections if check.scalar_asks else None

    def scalar(value: Any) -> Any:
        if type(value) is plain:
            return value
        if prune and (value is None or value == "") and (value := dropped(value)) is UNDEFINED:
            return UNDEFINED
        if not fits(value, types):
            value, fitted = coerce(value, types)
            if not fitted:
                return UNSETTLED
        if objections is not None:
            for _ in objections(value):
                return UNSETTLED
        return value

    if check.types == ("string", "number") and check.asks_only_format and check.format == "date-like":
        return _timestamp_or(scalar)
    if not check.scalar_asks and types == ("string",):
        return _text_of_number_or(scalar)
    if not check.scalar_asks and types == ("number",):
        return _float_or(scalar)
    return scalar


# What is usual for a type besides its `plain` one, ahead of what takes any value.


def _timestamp_or(scalar: Quick) -> Quick:
    return lambda value: value if type(value) is str and is_timestamp(value) else scalar(value)


def _text_of_number_or(scalar: Quick) -> Quick:
    return lambda value: str(value) if type(value) is int and abs(value) < 10**21 else scalar(value)


def _float_or(scalar: Quick) -> Quick:
    return lambda value: value if type(value) is float and isfinite(value) else scalar(value)


def _list_of(item: ValueCheck, prune: bool) -> Quick:
    plain, texts = item.plain, "string" in item.types
    settle = quick(item, prune=False)

    def items(value: Any) -> Any:
        if type(value) is not list:
            if value is None or value == "":
                # Where nothing is pruned they would be items; that is rare enough to look twice.
                return UNDEFINED if prune else UNSETTLED
            if type(value) is dict:
                return UNSETTLED
            value = [value]
        elif prune and (None in value or "" in value):
            value = [each for each in value if each is not None and (texts or each != "")]
        settled = [each if type(each) is plain else settle(each) for each in value]
        return UNSETTLED if UNSETTLED in settled else settled

    return items


def _object(check: ObjectCheck, prune: bool) -> Quick:
    if check.conditionals:
        return lambda value: UNSETTLED
    members = {key: (member.plain, quick(member, prune=prune)) for key, member in check.members.items()}
    required = frozenset(check.required)
    keep_unknown = check.keep_unknown

    def built(value: Any) -> Any:
        if type(value) is not dict:
            return UNDEFINED if prune and (value is None or value == "") else UNSETTLED
        settled = {}
        for key, item in value.items():
            member = members.get(key)
            if member is None:
                if keep_unknown:
                    settled[key] = item
                continue
            plain, settle = member
            if type(item) is not plain:
                item = settle(item)
                if item is UNDEFINED:
                    continue
                if item is UNSETTLED:
                    return UNSETTLED
            settled[key] = item
        return settled if not required or required <= settled.keys() else UNSETTLED

    return built
