"""The glob of `match(s, pattern)` (spec §7.2): `*`, `?`, `[abc]`, `[a-z]`, `[^…]`, `\\x`; whole string.

`/` is an ordinary character. Matching takes at most length × pattern steps, whatever the pattern: every
`*` but the last takes the leftmost place that fits and is never reconsidered.
"""

import re
from collections.abc import Callable
from functools import lru_cache

Matcher = Callable[[str], bool]

_SPECIAL = re.compile(r"[*?\[\\]")


class _MalformedError(Exception):
    pass


def problem(pattern: str) -> str | None:
    """What is wrong with a pattern, or None."""
    try:
        _chunks(pattern)
    except _MalformedError as error:
        return str(error)
    return None


@lru_cache(maxsize=512)
def compile(pattern: str) -> Matcher:
    """A predicate over strings; a malformed pattern matches nothing (spec §7.3)."""
    try:
        chunks = _chunks(pattern)
    except _MalformedError:
        return _nothing
    inner = pattern.strip("*")
    if not _SPECIAL.search(inner):
        return _plain(inner, starts=not pattern.startswith("*"), ends=not pattern.endswith("*"))
    first, *rest = chunks
    expression = first
    if rest:
        *middle, last = rest
        expression += "".join(f"(?>.*?{chunk})" for chunk in middle if chunk) + ".*" + last
    fullmatch = re.compile(expression, re.DOTALL).fullmatch
    return lambda text: fullmatch(text) is not None


def _nothing(text: str) -> bool:
    return False


def _plain(text: str, *, starts: bool, ends: bool) -> Matcher:
    if starts and ends:
        return lambda value: value == text
    if starts:
        return lambda value: value.startswith(text)
    if ends:
        return lambda value: value.endswith(text)
    return lambda value: text in value


def _chunks(pattern: str) -> list[str]:
    """Regular expressions of the parts between the stars; each matches a fixed number of characters."""
    chunks = [""]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            chunks.append("")
        elif char == "?":
            chunks[-1] += "."
        elif char == "[":
            expression, at = _class(pattern, at)
            chunks[-1] += expression
        else:
            if char == "\\":
                char, at = _escaped(pattern, at)
            chunks[-1] += re.escape(char)
    return chunks


def _class(pattern: str, at: int) -> tuple[str, int]:
    """The expression of a character class whose `[` is just before `at`, and the place after its `]`."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges = ""
    first = True
    while first or not pattern.startswith("]", at):
        first = False
        low, at = _member(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _member(pattern, at + 1)
        if low <= high:
            ranges += f"{re.escape(low)}-{re.escape(high)}"
    if not ranges:
        return ("." if negated else "(?!)"), at + 1
    return f"[{'^' if negated else ''}{ranges}]", at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    if at == len(pattern):
        raise _MalformedError("a '[' is never closed")
    char = pattern[at]
    if char in "-]":
        raise _MalformedError(f"put a backslash before {char!r} to mean the character itself in [...]")
    return _escaped(pattern, at + 1) if char == "\\" else (char, at + 1)


def _escaped(pattern: str, at: int) -> tuple[str, int]:
    if at == len(pattern):
        raise _MalformedError("nothing follows the last backslash")
    return pattern[at], at + 1
