"""FQL text into tokens (spec §7.1)."""

import math
import re
from typing import Literal as OneOf
from typing import TypeAlias

import msgspec

from onward.pipeline.fql.errors import FqlError

Kind: TypeAlias = OneOf["path", "literal", "op", "end"]

CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
WORD_OPERATORS = frozenset({"and", "or", "in"})


class Token(msgspec.Struct, frozen=True):
    kind: Kind
    value: tuple[str, ...] | str | int | float | bool | None
    """Segments of a path, the value of a literal, the text of an operator."""
    position: int
    text: str
    """As written, for messages."""


_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z0-9_\\.-])")
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_SEGMENT = r"(?:[A-Za-z0-9_-]|\\.)+"
_PATH = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT})*", re.DOTALL)
_OPERATOR = re.compile(r"!=|<=|>=|[=<>!()\[\],]")
_STRING_ESCAPE = re.compile(r"\\([\\'\"])")
_PATH_PART = re.compile(r"\\(.)|(\.)|([A-Za-z0-9_-]+)", re.DOTALL)


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, the last of kind "end"; raises `FqlError`."""
    tokens: list[Token] = []
    at = 0
    while True:
        at = _end(_SPACE, text, at)
        if at == len(text):
            tokens.append(Token("end", None, at, "end of text"))
            return tokens
        token = _token(text, at)
        tokens.append(token)
        at += len(token.text)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _token(text: str, at: int) -> Token:
    if found := _NUMBER.match(text, at):
        return Token("literal", _number(found[0], at), at, found[0])
    if found := _STRING.match(text, at):
        inner = found[1] if found[1] is not None else found[2]
        return Token("literal", _STRING_ESCAPE.sub(r"\1", inner), at, found[0])
    if found := _PATH.match(text, at):
        word = found[0]
        if word in CONSTANTS:
            return Token("literal", CONSTANTS[word], at, word)
        if word in WORD_OPERATORS:
            return Token("op", word, at, word)
        return Token("path", _segments(word), at, word)
    if found := _OPERATOR.match(text, at):
        return Token("op", found[0], at, found[0])
    if text[at] in "'\"":
        raise FqlError("this string has no closing quote", at)
    if text[at] == ".":
        raise FqlError("a field name is missing beside this dot", at)
    if text[at] == "\\":
        raise FqlError("nothing follows this backslash", at)
    hint = " (in a field name, put a backslash before it)" if not text[at].isspace() else ""
    raise FqlError(f"unexpected character {text[at]!r}{hint}", at)


def _number(text: str, at: int) -> int | float:
    digits = text.lstrip("-")
    if digits.isdigit() and len(digits) <= 300:
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise FqlError("this number is too large", at)
    return value


def _segments(text: str) -> tuple[str, ...]:
    segments = [""]
    for escaped, dot, plain in _PATH_PART.findall(text):
        if dot:
            segments.append("")
        else:
            segments[-1] += escaped or plain
    return tuple(segments)
