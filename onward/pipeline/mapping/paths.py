"""The path language of `@path`, `@template` and `@arrayPath` (spec §9.4).

Dots and brackets separate steps, and quotes disappear: `a.b`, `a[0].b`, `a.0.b` and `a['b c']`. A key that
holds a dot can't be reached; `a[b]` is one key. There are no wildcards.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from onward.pipeline.javascript import UNDEFINED, step

Getter = Callable[[Any], Any]

_SEPARATOR = re.compile(r"""\[(?=["'0-9])|\.|(?<=["'0-9])\]+""")


def split(path: str) -> tuple[str, ...]:
    """The keys of a path, in order. Paths can come out of events, so only short ones are remembered."""
    return _remembered(path) if len(path) <= 100 else _split(path)


def _split(path: str) -> tuple[str, ...]:
    return tuple(part.replace("'", "").replace('"', "") for part in _SEPARATOR.split(path) if part)


_remembered = lru_cache(maxsize=4096)(_split)


def get(value: Any, path: str) -> Any:
    """The value at a path; UNDEFINED where there is none. A step into a falsy value gives that value."""
    for key in split(path):
        value = value.get(key, UNDEFINED) if type(value) is dict else step(value, key)
    return value


def getter(path: str) -> Getter:
    """`get` with the path worked out beforehand."""
    keys = split(path)
    if not keys:
        return lambda value: value
    if len(keys) == 1:
        return _one(keys[0])
    if len(keys) == 2:
        return _two(*keys)

    def many(value: Any) -> Any:
        for key in keys:
            value = value.get(key, UNDEFINED) if type(value) is dict else step(value, key)
        return value

    return many


def _one(key: str) -> Getter:
    return lambda value: value.get(key, UNDEFINED) if type(value) is dict else step(value, key)


def _two(first: str, second: str) -> Getter:
    def two(value: Any) -> Any:
        value = value.get(first, UNDEFINED) if type(value) is dict else step(value, first)
        return value.get(second, UNDEFINED) if type(value) is dict else step(value, second)

    return two


def without_root(path: str) -> str:
    """A `@path` without its `$.`, wherever that stands first."""
    return path.replace("$.", "", 1)
