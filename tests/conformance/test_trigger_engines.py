"""Triggers against `@segment/destination-subscriptions` on generated input.

What is kept out of the input is named in docs/differences.md.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from conformance.reference import Engines, canonical, examples
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline import triggers
from onward.pipeline.triggers import Condition, Group, TriggerError


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as running:
        yield running


FIELDS = [
    *("type", "event", "name", "userId", "properties.a", "properties.b.c", "traits.a", "context.app.0"),
    *(
        "properties",
        "propertiesX.a",
        "unknown",
        "properties.x\\ y",
        "a",
        "properties.a.length",
        "anonymousId",
    ),
    *(
        "properties.\\0",
        "properties.\\é",
        "traits.b[0]",
        "properties.a\\.b",
        "context.\\[0\\]",
        "properties.null",
    ),
    *("context . app . name", "Type", "properties.\\😀", "type.a", "traits.and", "properties.", "messageId"),
]
TEXTS = [
    *(
        '"track"',
        '"a*"',
        '"*a"',
        '"*"',
        '""',
        "'a'",
        '"5"',
        '"true"',
        '"é😀"',
        '"x"',
        '"**"',
        '"a*b"',
        '" a "',
    ),
    *(
        '"a\\"b"',
        '"it\'s"',
        "'a\"b'",
        '"null"',
        '"\n"',
        '"a',
        "'",
        '"*😀"',
        '"😀*"',
        '"(x)"',
        '"and"',
        "'a*'",
    ),
]
WORDS = [
    *("5", "-5", "+5", "1.50", "-", "0", "5.", "true", "false", "null", "eos", "contains", "exists", "track"),
    *(
        "1e3",
        "00",
        "-0",
        ".5",
        "12345678901234567890",
        "0.1",
        "True",
        "undefined",
        "5a",
        "- 5",
        "9007199254740993",
    ),
]
OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "==", "!", "contains", "=>", "<>", "in", "=!", "!contains"]
PIECES = [
    *(*FIELDS, *TEXTS, *WORDS, *OPERATORS, " and ", " or ", "(", ")", "!(", "!contains(", "match(", ",", " "),
    *(
        " ",
        ".",
        "\\",
        "[",
        "]",
        "\n",
        "\r",
        "\t",
        "an",
        "nu",
        "*",
        "é",
        "AND",
        " or",
        "and",
        "\u00a0",
        "n",
        "o",
    ),
]
letters = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=3)

values = st.sampled_from(TEXTS + WORDS)
fields = st.sampled_from(FIELDS)
comparisons = st.builds(" ".join, st.tuples(fields, st.sampled_from(OPERATORS), values))
calls = st.builds(
    lambda bang, function, field, value: f"{bang}{function}({field}, {value})",
    st.sampled_from(["", "!"]),
    st.sampled_from(["contains", "match"]),
    fields,
    values,
)
texts = st.recursive(
    comparisons | calls,
    lambda inner: (
        st.builds(
            lambda bang, parts, connectives: (
                bang + "(" + "".join(p + c for p, c in zip(parts, connectives, strict=False)) + ")"
            ),
            st.sampled_from(["", "", "!"]),
            st.lists(inner, min_size=1, max_size=3),
            st.lists(st.sampled_from([" and ", " or "]), min_size=3, max_size=3),
        )
        | st.builds(lambda a, c, b: f"{a} {c} {b}", inner, st.sampled_from(["and", "or"]), inner)
    ),
    max_leaves=5,
)
noise = st.lists(st.sampled_from(PIECES) | letters, min_size=1, max_size=10).map("".join)

scalars = st.sampled_from(
    [
        *(
            None,
            True,
            False,
            0,
            5,
            -5,
            1.5,
            6.0,
            0.1,
            -0.0,
            1e21,
            2**53,
            "",
            "a",
            "track",
            "5",
            "true",
            "xax",
        ),
        *("null", "eos", "é😀", "a*", "**", "it's", "False", " a ", "*", [], ["a"], {}, {"length": 1}),
    ]
)
members = st.dictionaries(
    st.sampled_from(["a", "b", "x y", "app", "é", "😀", "0", "null", "and", ""]),
    scalars
    | st.dictionaries(st.sampled_from(["c", "0", "b", "name"]), scalars, max_size=2)
    | st.lists(scalars, max_size=2),
    max_size=4,
)
events = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "a", "5", "eos"]),
        **dict.fromkeys(("event", "name", "userId"), scalars),
        **dict.fromkeys(("properties", "traits", "context"), members | scalars),
    },
)


def as_json(node: Group | Condition) -> dict[str, Any]:
    if isinstance(node, Group):
        return {
            "type": "group",
            "operator": node.operator,
            "children": [as_json(child) for child in node.children],
        }
    # NaN is null in JSON.
    return {k: None if v != v else v for k, v in asdict(node).items() if v is not None}


def tree_of(fql: str) -> dict[str, Any] | None:
    try:
        return as_json(triggers.parse(fql))
    except TriggerError:
        return None


def without_empty_groups(tree: Any) -> bool:
    return tree is None or all(
        child is not None and without_empty_groups(child) for child in tree.get("children", ())
    )


@examples(600)
@given(fql=texts | noise, event=events)
def test_same_tree_and_same_matches(engines: Engines, fql: str, event: dict[str, Any]) -> None:
    theirs = engines.ask("parse", fql)
    if not without_empty_groups(theirs):
        assert not triggers.matches(fql, event)
        return
    assert canonical(tree_of(fql)) == canonical(theirs)
    assert triggers.matches(fql, event) is engines.ask("match", fql, event).get("value", False)


paths = st.lists(st.sampled_from(["a", "b c", "x-y", "é", "_z", "a[0]", 'q"r']), min_size=1, max_size=3).map(
    ".".join
)
plain = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
numbers = st.integers(-(2**53), 2**53) | st.floats(1e-6, 1e20) | st.floats(-1e20, -1e-6)
conditions = st.builds(
    Condition,
    st.sampled_from(["event-type", "event", "name", "userId"]),
    st.sampled_from(
        ["=", "!=", "contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "exists"]
    ),
    plain,
) | st.builds(
    Condition,
    st.sampled_from(["event-property", "event-trait", "event-context"]),
    st.sampled_from(
        [
            "=",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "number_equals",
            "number_not_equals",
            "contains",
            "not_ends_with",
            "exists",
            "not_exists",
            "is_true",
            "is_false",
        ]
    ),
    plain | numbers | st.booleans(),
    paths,
)
groups = st.recursive(
    st.builds(Group, st.sampled_from(["and", "or"]), st.lists(conditions, min_size=1, max_size=3).map(tuple)),
    lambda inner: st.builds(
        Group, st.sampled_from(["and", "or"]), st.lists(conditions | inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=4,
)


@examples(300)
@given(group=groups)
def test_same_text_from_a_tree(engines: Engines, group: Group) -> None:
    assert triggers.generate(group) == engines.ask("generate", as_json(group))["value"]
