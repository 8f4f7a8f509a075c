"""Refuse triggers that would be saved by mistake.

`parse` reads what Segment reads, which is much that nobody means: unknown fields vanish, a group has one
connective, a call inside parentheses closes them. Here a trigger must say what it will do.
"""

from onward.pipeline.triggers.ast import TriggerError
from onward.pipeline.triggers.lexer import Kind, Token, lex
from onward.pipeline.triggers.parser import FUNCTIONS, NESTED, WHOLE, join_paths

OPERATORS = ("=", "!=", "<", "<=", ">", ">=")


def check(fql: str) -> None:
    """Raise TriggerError, with the position, unless the trigger is well formed and means what it says."""
    if not fql.strip():
        raise TriggerError('the trigger is empty; write a condition such as type = "track"', 0)
    tokens = _Tokens(join_paths(lex(fql)))
    try:
        _level(tokens, nested=False)
    except RecursionError:
        raise TriggerError("the trigger is nested too deeply", 0) from None
    if tokens.peek().kind is not Kind.END:
        raise TriggerError(f"unexpected {tokens.peek().text!r}", tokens.peek().position)


class _Tokens:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        if token.kind is not Kind.END:
            self.at += 1
        return token

    def expect(self, kind: Kind, what: str) -> Token:
        token = self.take()
        if token.kind is not kind:
            found = "the end" if token.kind is Kind.END else repr(token.text)
            raise TriggerError(f"expected {what}, found {found}", token.position)
        return token


def _connective(token: Token) -> str | None:
    """Presets of the catalogue also say AND or put a comma, which reads as `and` where no `or` is."""
    if token.kind is Kind.CONNECTIVE:
        return token.text
    return "and" if token.kind is Kind.COMMA or token == (Kind.NAME, "AND", token.position) else None


def _level(tokens: _Tokens, *, nested: bool) -> None:
    connective = None
    _term(tokens, nested=nested)
    while found := _connective(tokens.peek()):
        token = tokens.take()
        if connective not in (None, found):
            raise TriggerError("'and' and 'or' can't be mixed in one group; use parentheses", token.position)
        connective = found
        _term(tokens, nested=nested)


def _term(tokens: _Tokens, *, nested: bool) -> None:
    token = tokens.take()
    if token.kind is Kind.OPEN:
        if nested:
            raise TriggerError("parentheses can't be nested", token.position)
        _level(tokens, nested=True)
        tokens.expect(Kind.CLOSE, "')'")
    elif token.kind is Kind.OPERATOR and token.text == "!":
        name = tokens.expect(Kind.NAME, "contains or match after '!'")
        if name.text not in FUNCTIONS:
            raise TriggerError("'!' works only before contains and match", token.position)
        _call(tokens, name, nested=nested)
    elif token.kind is Kind.NAME and token.text in FUNCTIONS and tokens.peek().kind is Kind.OPEN:
        _call(tokens, token, nested=nested)
    elif token.kind is Kind.NAME:
        _comparison(tokens, token)
    else:
        found = "the end" if token.kind is Kind.END else repr(token.text)
        raise TriggerError(f"expected a condition, found {found}", token.position)


def _call(tokens: _Tokens, function: Token, *, nested: bool) -> None:
    if nested:
        raise TriggerError(f"{function.text}() can't stand inside parentheses", function.position)
    tokens.expect(Kind.OPEN, f"'(' after {function.text}")
    field = _field(tokens.expect(Kind.NAME, "a field"))
    if field.text == "type":
        raise TriggerError(f"{function.text}() doesn't look at type; compare it with =", field.position)
    tokens.expect(Kind.COMMA, "','")
    text = _text(tokens.expect(Kind.STRING, "a text in double quotes"))
    if function.text == "match" and not (text.endswith("*") or text.startswith("*")):
        raise TriggerError("match() needs a * at one end of its text", tokens.tokens[tokens.at - 1].position)
    tokens.expect(Kind.CLOSE, "')'")


def _comparison(tokens: _Tokens, field: Token) -> None:
    _field(field)
    operator = tokens.take()
    if operator.kind is not Kind.OPERATOR or operator.text not in OPERATORS:
        raise TriggerError(f"expected one of {' '.join(OPERATORS)} after {field.text}", operator.position)
    value = tokens.take()
    if (operator.text, value.text) == ("=", "="):
        raise TriggerError("write = instead of ==", operator.position)
    if value.kind is Kind.STRING:
        _text(value)
    if operator.text in ("=", "!="):
        if value.kind not in (Kind.STRING, Kind.NUMBER, Kind.NULL, Kind.NAME):
            raise TriggerError(
                "expected a text in double quotes, a number, true, false or null", value.position
            )
    elif value.kind is not Kind.NUMBER:
        raise TriggerError(f"{operator.text} needs a number", value.position)
    if value.kind is Kind.NUMBER and not any(char.isdigit() for char in value.text):
        raise TriggerError("expected a number after the sign", value.position)


def _field(token: Token) -> Token:
    root, _, path = token.text.partition(".")
    if token.text in WHOLE or (root in NESTED and path):
        return token
    if root in NESTED:
        raise TriggerError(f"{root} needs a name after it, such as {root}.plan", token.position)
    known = "type, event, name, userId, properties.…, traits.… and context.…"
    raise TriggerError(f"unknown field {token.text!r}; there are {known}", token.position)


def _text(token: Token) -> str:
    if token.text.startswith("'"):
        raise TriggerError("use double quotes: single quotes would be part of the text", token.position)
    return token.text[1:-1]
