"""Mappings against the mapping kit of `@segment/actions-core` on generated input.

What is kept out of the input is named in docs/differences.md. Errors are not compared by their words.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from conformance.reference import Engines, canonical, examples
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline import mapping as mappings
from onward.pipeline.mapping import MappingError

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as running:
        yield running


NAMES = [
    *("a", "b", "c", "0", "1", "", "x y", "length", "@path", "é"),
    *("01", "-1", "a.b", "a[0]", "$", "'", "😀", "İ", "size", "_metadata"),
]
TEXTS = [
    *("", "a", "Ab", "5", " ", "{{b}}", "{{{a}}}", "a.b", "é😀", "aXa", "ſKk", "ΣΑΣ İIıß ŉǰ", "\n", "$&"),
    *('{"a":[1.0]}', "[1,null]", "1e400", "01", " -0\t", "[1,]", "\ufeff1", '{"b":1,"1":{"a":-0.0}}', "NaN"),
    *('"\\ud83d\\ude00"', '{"a":1,"a":2}', "[1,2", "'a'", "\u2028", "a\u0000b", "$.a", "a, b"),
]
NUMBERS = [0, 1, -1.5, 2.0, 1e21, 1e-7, -0.0, 2**53, 123456789012345680000.0, 5e-324, 1.7976931348623157e308]
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
dates = st.datetimes().map(lambda at: at.isoformat() + "Z")
scalars = st.sampled_from([None, True, False, *NUMBERS, *TEXTS]) | numbers | texts | dates
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

PATHS = [
    *("$.a", "a", "$.", "", ".", "b", "a.b", "$.a.0", "a[0].b", "a['x y']", 'b["a"]', "a.length", "items"),
    *("$.items[0].a", "a[b]", "c.a.b", "missing", "a..b", "items.1.b", "$.a.$.b", "]", "a.0.0", "x y", "é"),
    *("$", "a.$", "a[-1]", "a.-1", "a[01]", "a['a.b']", "a[0][1]", "a['']", "a[]", "a]b", "a.😀", " a", "a."),
    *("$.$.a", "items[0]", "items.length", "a[0", "a['0']", "a.İ", "a.size", "'a'", "a.b.c.a.b.c"),
]
path_pieces = st.lists(
    st.sampled_from(["a", "b", "0", ".", "[", "]", "'", '"', "$", "$.", "length", "x y", "1"]), max_size=6
)
paths = st.sampled_from(PATHS) | path_pieces.map("".join)
PLACEHOLDERS = [
    *("{{a}}", "{{ b }}", "{{{a}}}", "{{{ b.a }}}", "{{$.a}}", "{{.}}", "{{}}", "{{a}", "{{{a}}", "}}", "{"),
    *(
        "x ",
        "{{missing}}",
        "{{a.b}}",
        "{{\u00a0a\ufeff}}",
        "{{items}}",
        "{{{{a}}}}",
        "{{a}}}",
        "{{ a b }}",
        "%",
    ),
    *("%s", "{{a[0]}}", "{{items[0].a}}", "{{\n}}", "😀", "$&", "{{a", "{{{}}}", "}"),
]
templates = st.lists(st.sampled_from(PLACEHOLDERS), max_size=5).map("".join)
liquids = st.sampled_from(
    [
        "",
        "{{ a }}",
        "{{ b.a | upcase }}-{{ c | json }}",
        "{% if a %}1{% else %}{{ b }}{% endif %}",
        "{{ a | sort }}",
    ]
)
patterns = st.sampled_from(
    [
        "a",
        "X",
        "k",
        ".",
        "$",
        "é",
        "aa",
        "|",
        "ſ",
        "",
        "\\",
        "0123456789x",
        " ",
        "-",
        "[a]",
        "(",
        "/",
        "😀",
        "İ",
        "ß",
        "Σ",
    ]
) | st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=3)
replacements = st.sampled_from(
    ["", "b", "$&", "$$", "$`", "$'", "$1", "a$", "0123456789x", "$<a>", "$$$", "\\1", "$0", "😀😀😀😀😀"]
)


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
        one("@liquid", liquids),
        st.builds(lambda node: {**node, "_metadata": {"label": "x"}}, one("@path", paths)),
        # In a list, where nothing is checked beforehand.
        st.builds(
            lambda node, more: [{**node, **more}], one("@path", paths), one("@template", templates) | shape
        ),
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
        {"__segment_internal_directive": {"@literal": ["a", {"@path": "$.a"}]}},
        {"__segment_internal_directive": {"@flatten": {"separator": ".", "value": {"@path": "$."}}}},
        {"__segment_internal_directive": {"@arrayPath": ["$.items", {"x": {"@path": "$.a"}}]}},
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


@examples(600)
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


@examples(400)
@given(mapping=st.dictionaries(names, anything | st.lists(anything, max_size=2), max_size=3), event=events)
def test_same_outcome_of_what_is_hardly_a_mapping(
    engines: Engines, mapping: dict[str, Any], event: dict[str, Any]
) -> None:
    assert ours(mapping, event) == theirs(engines, mapping, event)


@examples(400)
@given(
    mapping=st.dictionaries(names, anything | nodes, max_size=3)
    | anything.filter(lambda node: isinstance(node, dict))
)
def test_same_problems(engines: Engines, mapping: dict[str, Any]) -> None:
    assert [str(problem) for problem in mappings.validate(mapping)] == engines.ask("check", mapping)
