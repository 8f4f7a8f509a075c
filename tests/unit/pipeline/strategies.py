"""Generated events, FQL and filters."""

from typing import Any

from hypothesis import strategies as st

from onward.pipeline.fql.ast import And, Call, Compare, ListOf, Literal, Node, Not, Or, Path

NAMES = ["type", "event", "userId", "properties", "context", "a", "b", "list", "0", "1", "product 1", "x.y"]
WORDS = ["", "a", "ab", "abc", "Button Clicked", "track", "É", "ア", "😀", "test string", "0", "1.5", "false"]

names = st.sampled_from(NAMES)
words = st.sampled_from(WORDS) | st.text(max_size=5)
numbers = (
    st.integers(-3, 3) | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
scalars = st.none() | st.booleans() | numbers | words
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(names, values, max_size=4)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    event = {"type": "track", "messageId": "m", **draw(objects)}
    if draw(st.booleans()):
        event["properties"] = draw(objects)
    return event


literals = st.builds(Literal, scalars)
paths = st.lists(names | st.text(min_size=1, max_size=4), min_size=1, max_size=4).map(
    lambda s: Path(tuple(s))
)
PATTERNS = ["*", "a*", "*b", "a?c", "[a-c]*", "[^b]", "\\*", "*a*", "", "ab"]


def trees(operand: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Any syntax tree that the parser can give, over these operands."""
    return st.recursive(operand, _larger, max_leaves=12)


def _larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    items = st.lists(literals | paths, max_size=3).map(lambda each: ListOf(tuple(each)))
    many = st.lists(inner, min_size=2, max_size=3).map(tuple)
    one = st.sampled_from(
        [
            "length",
            "lowercase",
            "uppercase",
            "snakecase",
            "kebabcase",
            "titlecase",
            "typeof",
            "bool",
            "string",
        ]
    )
    return st.one_of(
        st.builds(Not, inner),
        many.map(And),
        many.map(Or),
        st.builds(Compare, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), inner, inner),
        st.builds(Compare, st.just("in"), inner, items | paths),
        st.builds(lambda name, arg: Call(name, (arg,)), one, inner),
        st.builds(lambda a, b: Call("contains", (a, b)), inner, inner),
        st.builds(lambda a, b: Call("match", (a, Literal(b))), inner, st.sampled_from(PATTERNS)),
        st.builds(lambda a, b: Call("match", (a, b)), inner, paths),
        st.builds(lambda a: Call("number", (a,)), inner),
        st.builds(lambda a, op, b: Call("semver", (a, op, b)), inner, literals, st.just(Literal("1.2.0"))),
    )


conditions = trees(literals | paths)
"""Syntax trees of all kinds."""

keys = st.lists(names | st.just("messageId"), min_size=1, max_size=3)
locations = st.sampled_from(
    ["", "properties", "context", "properties.a", "properties.list", "a.b", "list", "list.0", "nothing.here"]
)
fields = st.dictionaries(locations, keys, min_size=1, max_size=2)
actions = st.one_of(
    st.just({"type": "DROP"}),
    st.builds(
        lambda percent, path: {"type": "SAMPLE", "percent": percent, "path": path},
        st.floats(0, 1),
        st.sampled_from(["", "userId", "properties.a", "context"]),
    ),
    st.builds(lambda fields: {"type": "DROP_PROPERTIES", "fields": fields}, fields),
    st.builds(lambda fields: {"type": "ALLOW_PROPERTIES", "fields": fields}, fields),
)
