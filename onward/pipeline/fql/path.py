"""Dotted paths into an event, for FQL and for the fields of filters (spec §7.1, §7.3)."""

from typing import Any


def step(value: Any, key: str) -> Any:
    """The member `key` of an object, or the element of a list if `key` is its index; else None."""
    if type(value) is dict:
        return value.get(key)
    if type(value) is list:
        at = index(key, len(value))
        return None if at is None else value[at]
    return None


def index(key: str, length: int) -> int | None:
    """The place in a list of `length` that a path segment names (`0`, `17`; not `01`, `-1`)."""
    if key.isdecimal() and key.isascii() and len(key) < 10 and (key[0] != "0" or key == "0"):
        at = int(key)
        return at if at < length else None
    return None


def resolve(value: Any, segments: tuple[str, ...]) -> Any:
    for key in segments:
        value = step(value, key)
    return value


def split(path: str) -> tuple[str, ...]:
    """Segments of a dotted path; `\\.` is a dot within a name, `""` the event itself."""
    if not path:
        return ()
    if "\\" not in path:
        return tuple(path.split("."))
    segments = [""]
    escaped = False
    for char in path:
        if escaped or char not in "\\.":
            segments[-1] += char
            escaped = False
        elif char == ".":
            segments.append("")
        else:
            escaped = True
    return tuple(segments)
