"""Read a trigger into its tree as Segment's subscriptions do, quirks included (spec §7.4).

The grammar is loose on purpose of being exact: names that aren't fields are skipped; the last `and` or `or`
of a level decides for the whole level; parentheses end at the first `)`; the `!` before anything but
`contains` and `match` has no effect. `onward.pipeline.triggers.check` refuses what is likely a mistake.
"""

from onward.pipeline.javascript import to_number, to_string
from onward.pipeline.triggers.ast import Condition, Group, Subject, TriggerError
from onward.pipeline.triggers.lexer import Kind, Token, lex

WHOLE: dict[str, Subject] = {"type": "event-type", "event": "event", "name": "name", "userId": "userId"}
NESTED: dict[str, Subject] = {
    "properties": "event-property",
    "traits": "event-trait",
    "context": "event-context",
}
FUNCTIONS = ("contains", "match")
Value = str | int | float | bool


def parse(fql: str) -> Group:
    """The tree of a trigger; the root is always a group. Raises TriggerError."""
    try:
        node = _Reader(lex(fql)).level()
    except RecursionError:
        raise TriggerError("the trigger is nested too deeply", 0) from None
    return node if isinstance(node, Group) else Group("and", (node,))


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = join_paths(tokens)
        self.at = 0

    def take(self, what: str) -> Token:
        if self.at == len(self.tokens):
            raise TriggerError(f"the trigger ends where {what} should follow", self.tokens[-1].position)
        self.at += 1
        return self.tokens[self.at - 1]

    def level(self) -> Group | Condition:
        nodes: list[Group | Condition] = []
        connective = "and"
        start = self.tokens[0].position
        while self.at < len(self.tokens) and (token := self.take("a condition")).kind is not Kind.END:
            if token.kind is Kind.CONNECTIVE:
                connective = token.text
            elif token.kind is Kind.OPEN:
                nodes.append(self.group(token))
            elif token.kind is Kind.OPERATOR and token.text == "!":
                if _is_function(self.tokens[self.at]):
                    nodes += self.call(self.take("a function").text, negated=True)
            elif _is_function(token):
                nodes += self.call(token.text, negated=False)
            elif token.kind is Kind.NAME:
                nodes += self.comparison(token)
        if not nodes:
            raise TriggerError(
                "no condition on type, event, name, userId, properties, traits or context", start
            )
        return nodes[0] if len(nodes) == 1 else Group("or" if connective == "or" else "and", tuple(nodes))

    def group(self, opening: Token) -> Group | Condition:
        inner: list[Token] = []
        while (token := self.take("')'")).kind is not Kind.CLOSE:
            inner.append(token)
        return _Reader([*inner, Token(Kind.END, "eos", token.position)]).level()

    def comparison(self, field: Token) -> list[Condition]:
        root = field.text.split(".", 1)[0]
        if root not in WHOLE and root not in NESTED:
            return []
        operator = self.take("an operator").text
        value = self.take("a value")
        if root in NESTED:
            path = field.text.removeprefix(f"{root}.")
            return [_compare_member(NESTED[root], path, operator, value)]
        return [_compare_whole(WHOLE[root], operator, value)]

    def call(self, function: str, *, negated: bool) -> list[Condition]:
        self.take("'('")
        field = self.take("a field")
        self.take("','")
        token = self.take("a text")
        if self.at < len(self.tokens):
            self.take("')'")
        value = to_string(_value(token))
        operator = function
        if function == "match":
            operator, value = (
                ("starts_with", value[:-1]) if token.text.endswith('*"') else ("ends_with", value[1:])
            )
        if negated:
            operator = f"not_{operator}"
        if field.text in ("event", "name", "userId"):
            return [Condition(WHOLE[field.text], operator, value)]
        for root, subject in NESTED.items():
            if field.text.startswith(root):
                return [Condition(subject, operator, value, field.text.removeprefix(f"{root}."))]
        return []


def _compare_whole(subject: Subject, operator: str, value: Token) -> Condition:
    tests = {
        "name": {("=", "null"): "not_exists", ("!=", "null"): "exists"},
        "userId": PRESENCE,
    }.get(subject, {})
    if test := tests.get((operator, value.text)):
        return Condition(subject, test)
    return Condition(subject, operator, to_string(_value(value)))


def _compare_member(subject: Subject, path: str, operator: str, value: Token) -> Condition:
    if test := PRESENCE.get((operator, value.text)):
        return Condition(subject, test, name=path)
    if value.kind is Kind.NUMBER and operator in ("=", "!="):
        operator = "number_equals" if operator == "=" else "number_not_equals"
    return Condition(subject, operator, _value(value), path)


PRESENCE = {
    ("=", "null"): "not_exists",
    ("!=", "null"): "exists",
    ("=", "true"): "is_true",
    ("=", "false"): "is_false",
}


def _value(token: Token) -> Value:
    if token.kind is Kind.STRING:
        return token.text.removeprefix('"').removesuffix('"')
    if token.kind is Kind.NUMBER:
        return to_number(token.text)
    if token.kind is Kind.NAME and token.text in ("true", "false"):
        return token.text == "true"
    return token.text


def _is_function(token: Token) -> bool:
    return token.kind is Kind.NAME and token.text in FUNCTIONS


def join_paths(tokens: list[Token]) -> list[Token]:
    """Make one name of `a . b . c`."""
    joined: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.kind is Kind.NAME:
            names = [token.text]
            while [each.kind for each in tokens[at : at + 2]] == [Kind.DOT, Kind.NAME]:
                names.append(tokens[at + 1].text)
                at += 2
            token = Token(Kind.NAME, ".".join(names), token.position)
        joined.append(token)
    return joined
