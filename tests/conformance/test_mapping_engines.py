"""Mappings against the mapping kit of `@segment/actions-core` on generated input.

Differences that are meant, and kept out of the input: inherited members of JavaScript objects in paths;
integers beyond 2^53; halves of surrogate pairs; a root directive that is an array; the wording of errors
at run time. Liquid has its own tests.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from conformance.reference import Engines, canonical
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.pipeline import mapping as mappings
from onward.pipeline.mapping import MappingError

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
thorough = settings(max_examples=2500, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as running:
        yield running


NAMES = ["a", "b", "c", "0", "1", "", "x y", "length", "@path", "é"]
TEXTS = [
    "",
    "a",
    "Ab",
    "5",
    " ",
    "{{b}}",
    "{{{a}}}",
    "a.b",
    "é😀",
    "aXa",
    "ſKk",
    '{"a":[1.0]}',
    "[1,null]",
    "1e400",
    "01",
    " -0\t",
    "[1,]",
    "\ufeff1",
    '{"b":1,"1":{"a":-0.0}}',
    "NaN",
    "\n",
    "$&",
]
scalars = st.sampled_from([None, True, False, 0, 1, -1.5, 2.0, 1e21, 1e-7, *TEXTS]) | st.integers(
    -(2**53), 2**53
)
names = st.sampled_from(NAMES)
json = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
events = st.fixed_dictionaries(
    {"a": json, "b": json},
    optional={"c": json, "items": st.lists(st.dictionaries(names, json, max_size=3), max_size=3)},
)

paths = st.sampled_from(
    [
        "$.a",
        "a",
        "$.",
        "",
        ".",
        "b",
        "a.b",
        "$.a.0",
        "a[0].b",
        "a['x y']",
        'b["a"]',
        "a.length",
        "items",
        "$.items[0].a",
        "a[b]",
        "c.a.b",
        "missing",
        "a..b",
        "items.1.b",
        "$.a.$.b",
        "]",
        "a.0.0",
        "x y",
        "é",
    ]
)
templates = st.lists(
    st.sampled_from(
        [
            "{{a}}",
            "{{ b }}",
            "{{{a}}}",
            "{{{ b.a }}}",
            "{{$.a}}",
            "{{.}}",
            "{{}}",
            "{{a}",
            "{{{a}}",
            "}}",
            "{",
            "x ",
            "{{missing}}",
            "{{a.b}}",
            "{{\u00a0a\ufeff}}",
            "{{items}}",
        ]
    ),
    max_size=4,
).map("".join)
patterns = st.sampled_from(["a", "X", "k", ".", "$", "é", "aa", "|", "ſ", "", "\\", "0123456789x", " "])
replacements = st.sampled_from(["", "b", "$&", "$$", "$`", "$'", "$1", "a$", "0123456789x", "$<a>"])


def one(name: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda v: {name: v}, value)


def record(
    required: dict[str, Any], optional: dict[str, Any] | None = None
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional or {})


def directives(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    textual = (
        one("@path", paths) | one("@template", templates) | inner.filter(lambda node: isinstance(node, dict))
    )
    shape = st.dictionaries(names.filter(lambda name: name != "@path"), inner, max_size=3)
    return st.one_of(
        one("@path", textual),
        one("@template", textual),
        one("@literal", inner),
        one("@if", record({"exists": inner}, {"then": inner, "else": inner})),
        one("@if", record({}, {"exists": inner, "blank": inner, "then": inner, "else": inner})),
        one("@case", record({"operator": st.sampled_from(["lower", "upper", "Lower"]), "value": textual})),
        one(
            "@replace",
            record(
                {"pattern": patterns, "value": textual},
                {
                    "replacement": replacements,
                    "pattern2": patterns,
                    "replacement2": replacements,
                    "ignorecase": st.booleans(),
                    "global": st.booleans(),
                },
            ),
        ),
        one(
            "@arrayPath", st.tuples(paths | textual, shape | inner).map(list) | paths.map(lambda path: [path])
        ),
        one(
            "@flatten",
            record(
                {"separator": st.sampled_from([".", "", "__"]), "value": inner}, {"omitArrays": st.booleans()}
            ),
        ),
        one("@json", record({"mode": st.sampled_from(["encode", "decode", "ENCODE"]), "value": inner})),
        one(
            "@merge",
            record(
                {"objects": st.lists(textual | shape, max_size=3)},
                {"direction": st.sampled_from(["left", "right", "LEFT"])},
            ),
        ),
        one("@transform", record({"apply": shape | textual, "mapping": shape | textual})),
        one("@excludeWhenNull", inner),
        st.builds(lambda node: {**node, "_metadata": {"label": "x"}}, one("@path", paths)),
    )


leaves = one("@path", paths) | one("@path", paths) | one("@template", templates) | scalars
nodes = st.recursive(
    leaves,
    lambda inner: (
        directives(inner)
        | st.dictionaries(names.filter(lambda name: name != "@path"), inner, max_size=3)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)
roots = st.sampled_from(
    [
        {},
        {
            "__segment_internal_directive": {
                "@transform": {"apply": {"a": {"@path": "$.b"}, "b": [{"@path": "$.c"}]}}
            }
        },
        {
            "__segment_internal_directive": {
                "@merge": {"direction": "right", "objects": [{"@path": "$.a"}, {"@path": "$.b"}]}
            }
        },
        {"__segment_internal_directive": {"@transform": {}, "@path": "a"}},
        {"__segment_internal_directive": "a"},
        {"__segment_internal_directive": {"@path": "a"}},
        {"__segment_internal_directive": {}},
    ]
)
mapping = st.builds(
    lambda root, members: {**root, **members},
    roots | st.just({}) | st.just({}),
    st.dictionaries(st.sampled_from(["a", "b", "f", "g"]), nodes, max_size=4),
) | nodes.filter(lambda node: isinstance(node, dict))


def ours(mapping: dict[str, Any], event: dict[str, Any]) -> Any:
    try:
        return canonical(mappings.transform(mapping, event))
    except MappingError:
        return "error"


def theirs(engines: Engines, mapping: dict[str, Any], event: dict[str, Any]) -> Any:
    answer = engines.ask("transform", mapping, event)
    return "error" if "error" in answer else canonical(answer["value"])


@thorough
@given(mapping=mapping, event=events)
def test_same_payload(engines: Engines, mapping: dict[str, Any], event: dict[str, Any]) -> None:
    before = canonical([mapping, event])
    assert ours(mapping, event) == theirs(engines, mapping, event)
    assert canonical([mapping, event]) == before


anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "@if",
                    "@path",
                    "@case",
                    "@replace",
                    "@merge",
                    "@json",
                    "@transform",
                    "@arrayPath",
                    "@flatten",
                    "@liquid",
                    "@literal",
                    "@template",
                    "@excludeWhenNull",
                    "@nothing",
                    "_metadata",
                    "value",
                    "objects",
                    "direction",
                    "mode",
                    "pattern",
                    "replacement",
                    "operator",
                    "exists",
                    "then",
                    "else",
                    "separator",
                    "apply",
                    "mapping",
                    "ignorecase",
                    "global",
                    "a",
                    "1",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(thorough, max_examples=1500)
@given(
    mapping=st.dictionaries(names, anything | nodes, max_size=3)
    | anything.filter(lambda node: isinstance(node, dict))
)
def test_same_problems(engines: Engines, mapping: dict[str, Any]) -> None:
    assert [str(problem) for problem in mappings.validate(mapping)] == engines.ask("check", mapping)
