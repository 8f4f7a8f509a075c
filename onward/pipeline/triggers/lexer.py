"""Split a trigger into tokens.

The language is the one that Segment's subscriptions are written in (spec §7.4), and its spelling rules are
narrow: whitespace is space, tab and newline; a name is letters, digits, `_` and `-`, and a backslash takes
the next character as it is; strings have no escapes; `!=`, `<=` and `>=` count as one operator only before
whitespace or a closing character. A trigger that breaks them matches nothing.
"""

from enum import StrEnum
from typing import NamedTuple

from onward.pipeline.triggers.ast import TriggerError

WHITESPACE = " \t\n"
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = frozenset("0123456789")
NAME = LETTERS | DIGITS | frozenset("_-")
BOUNDARY = frozenset(WHITESPACE + ",)]") | {""}
"""What may follow a string or a two-character operator; the empty string is the end of the trigger."""
KEYWORDS = {"a": "and", "o": "or", "n": "null"}
AFTER_NAME = BOUNDARY | frozenset(".(=!")


class Kind(StrEnum):
    NAME = "ident"
    STRING = "string"
    NUMBER = "number"
    NULL = "null"
    OPERATOR = "operator"
    CONNECTIVE = "conditional"
    DOT = "dot"
    COMMA = "comma"
    OPEN = "parenleft"
    CLOSE = "parenright"
    BRACKET = "bracket"
    END = "eos"


class Token(NamedTuple):
    kind: Kind
    text: str
    """As the language sees it: names without backslashes, strings with their quotes, `eos` at the end."""
    position: int
    """Offset in the trigger, in characters."""


PUNCTUATION = {
    ".": Kind.DOT,
    ",": Kind.COMMA,
    "(": Kind.OPEN,
    ")": Kind.CLOSE,
    "[": Kind.BRACKET,
    "]": Kind.BRACKET,
    "=": Kind.OPERATOR,
}


def lex(fql: str) -> list[Token]:
    """The tokens of a trigger, the last of them `END`. Raises TriggerError at the first bad character."""
    tokens: list[Token] = []
    at = 0
    while at < len(fql):
        if fql[at] in WHITESPACE:
            at += 1
            continue
        token, at = _next(fql, at)
        tokens.append(token)
    tokens.append(Token(Kind.END, "eos", len(fql)))
    return tokens


def _next(fql: str, at: int) -> tuple[Token, int]:
    char = fql[at]
    if char in PUNCTUATION:
        return Token(PUNCTUATION[char], char, at), at + 1
    if char in LETTERS or char in "_\\":
        return _name(fql, at)
    if char in "\"'":
        return _string(fql, at)
    if char in DIGITS or char in "+-":
        return _number(fql, at)
    if char in "<>":
        two = fql[at + 1 : at + 2] == "=" and fql[at + 2 : at + 3] in BOUNDARY
        text = char + "=" if two else char
        return Token(Kind.OPERATOR, text, at), at + len(text)
    if char == "!":
        return _bang(fql, at)
    raise TriggerError(f"unexpected character {char!r}", at)


def _name(fql: str, start: int) -> tuple[Token, int]:
    keyword = KEYWORDS.get(fql[start], "")
    begin = fql[start : start + len(keyword)]
    if _utf16(begin) < len(keyword) and not BOUNDARY.intersection(begin[1:]):
        # The last name of a trigger that is too short for the keyword it might be: its first letter counts.
        return Token(Kind.NAME, fql[start], start), len(fql)
    at, text = start, ""
    while (char := fql[at : at + 1]) and (char in NAME or char == "\\"):
        if char == "\\":
            at += 1
            char = fql[at : at + 1]
            if not char:
                raise TriggerError("a backslash needs a character after it", at - 1)
            if char > "\uffff":
                raise TriggerError(f"{char!r} can't stand in a name, even after a backslash", at)
        text += char
        at += 1
    following = fql[at : at + 1]
    if following not in AFTER_NAME:
        raise TriggerError(f"unexpected character {following!r} after {text!r}", at)
    kind = Kind.NAME
    if fql[start:at] == keyword and following in BOUNDARY:
        kind = Kind.NULL if text == "null" else Kind.CONNECTIVE
    return Token(kind, text, start), at


def _utf16(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)


def _string(fql: str, start: int) -> tuple[Token, int]:
    end = fql.find(fql[start], start + 1)
    if end < 0:
        raise TriggerError("the string has no closing quote", start)
    token = Token(Kind.STRING, fql[start : end + 1], start)
    # A closing quote that something follows directly also opens the next string.
    return token, end + 1 if fql[end + 1 : end + 2] in BOUNDARY else end


def _number(fql: str, start: int) -> tuple[Token, int]:
    at = start + 1
    dots = 0
    while (char := fql[at : at + 1]) and (char in DIGITS or char == "."):
        if char == ".":
            dots += 1
            if dots > 1 or fql[at + 1 : at + 2] in BOUNDARY:
                raise TriggerError("a number has one decimal point with digits after it", at)
        at += 1
    return Token(Kind.NUMBER, fql[start:at], start), at


def _bang(fql: str, at: int) -> tuple[Token, int]:
    following = fql[at + 1 : at + 2]
    if following == "=" and fql[at + 2 : at + 3] in BOUNDARY:
        return Token(Kind.OPERATOR, "!=", at), at + 2
    if following in LETTERS or following == "(":
        return Token(Kind.OPERATOR, "!", at), at + 1
    raise TriggerError("'!' stands directly before contains or match, or in '!=' with a space after it", at)
