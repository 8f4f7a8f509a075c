"""Filter FQL into its syntax tree (spec §7.1, §7.2), by recursive descent.

or       := and ("or" and)*
and      := not ("and" not)*
not      := "!" not | compare
compare  := operand (("=" | "!=" | "<" | "<=" | ">" | ">=" | "in") operand)?
operand  := literal | path | name "(" or ("," or)* ")" | "[" items "]" | "(" or ")"
"""

from onward.pipeline.fql import glob
from onward.pipeline.fql.ast import And, Call, Compare, CompareOp, ListOf, Literal, Node, Not, Or, Path
from onward.pipeline.fql.errors import FqlError
from onward.pipeline.fql.functions import ARITY
from onward.pipeline.fql.tokens import Token, tokenize

MAX_BYTES = 5 * 1024
"""Longest FQL, in bytes of UTF-8 (spec §6.3)."""
MAX_DEPTH = 40
"""Deepest nesting of parentheses, lists, calls and negations. Each level costs a few Python frames."""

_COMPARISONS: dict[str, CompareOp] = {
    "=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "in": "in",
}  # fmt: skip


def parse(text: str) -> Node:
    """The syntax tree of an FQL text; raises `FqlError` with the place of the mistake."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise FqlError(f"the text has {size} bytes, at most {MAX_BYTES} are allowed", 0)
    parser = _Parser(tokenize(text))
    node = parser.or_(0)
    parser.expect("end", "an operator or the end")
    return node


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _at(self, operator: str) -> bool:
        return self._token.kind == "op" and self._token.value == operator

    def _skip(self, operator: str) -> bool:
        found = self._at(operator)
        self._next += found
        return found

    def expect(self, what: str, described: str) -> None:
        token = self._token
        if token.kind == "end" if what == "end" else self._at(what):
            self._next += 1
            return
        raise FqlError(f"expected {described}, found {_shown(token)}", token.position)

    def or_(self, depth: int) -> Node:
        operands = [self._and(depth)]
        while self._skip("or"):
            operands.append(self._and(depth))
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _and(self, depth: int) -> Node:
        operands = [self._not(depth)]
        while self._skip("and"):
            operands.append(self._not(depth))
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _not(self, depth: int) -> Node:
        if self._at("!"):
            depth = self._deeper(depth)
            self._next += 1
            return Not(self._not(depth))
        return self._compare(depth)

    def _compare(self, depth: int) -> Node:
        left = self._operand(depth)
        token = self._token
        if token.kind != "op" or token.value not in _COMPARISONS:
            return left
        self._next += 1
        return Compare(_COMPARISONS[str(token.value)], left, self._operand(depth))

    def _operand(self, depth: int) -> Node:
        token = self._token
        if token.kind == "literal":
            self._next += 1
            assert not isinstance(token.value, tuple)
            return Literal(token.value)
        if token.kind == "path":
            self._next += 1
            assert isinstance(token.value, tuple)
            if self._at("("):
                return self._call(token, self._deeper(depth))
            return Path(token.value)
        if self._at("("):
            depth = self._deeper(depth)
            self._next += 1
            node = self.or_(depth)
            self.expect(")", "')'")
            return node
        if self._at("["):
            return self._list(self._deeper(depth))
        raise FqlError(f"expected a value or a field, found {_shown(token)}", token.position)

    def _call(self, name: Token, depth: int) -> Node:
        self._next += 1
        if name.text not in ARITY:
            known = ", ".join(sorted(ARITY))
            raise FqlError(f"there is no function {name.text!r}; there are {known}", name.position)
        args: list[Node] = []
        places: list[int] = []
        while not self._at(")"):
            if args:
                self.expect(",", "',' or ')'")
            places.append(self._token.position)
            args.append(self.or_(depth))
        self._next += 1
        wanted = ARITY[name.text]
        if len(args) != wanted:
            raise FqlError(f"{name.text}() takes {wanted} arguments, not {len(args)}", name.position)
        if name.text == "match" and isinstance(args[1], Literal) and isinstance(args[1].value, str):
            problem = glob.problem(args[1].value)
            if problem:
                raise FqlError(f"the pattern is malformed: {problem}", places[1])
        return Call(name.text, tuple(args))

    def _list(self, depth: int) -> Node:
        self._next += 1
        items: list[Node] = []
        while not self._at("]"):
            if items:
                self.expect(",", "',' or ']'")
            place = self._token
            item = self._operand(depth)
            if not isinstance(item, Literal | Path | ListOf):
                raise FqlError(
                    f"a list holds values and fields, not {_shown(place)} and what follows", place.position
                )
            items.append(item)
        self._next += 1
        return ListOf(tuple(items))

    def _deeper(self, depth: int) -> int:
        if depth == MAX_DEPTH:
            raise FqlError(f"nested too deeply: at most {MAX_DEPTH} levels are allowed", self._token.position)
        return depth + 1


def _shown(token: Token) -> str:
    return "the end of the text" if token.kind == "end" else repr(token.text)
