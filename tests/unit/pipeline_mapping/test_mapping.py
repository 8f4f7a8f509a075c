"""The mapping language (spec §9.4), directive by directive, and what holds for any mapping."""

import copy
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.pipeline import mapping as mappings
from onward.pipeline.mapping import MappingError

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "userId": None,
    "properties": {
        "email": "Ada@Example.com",
        "total": 12.0,
        "count": 0,
        "empty": "",
        "list": [],
        "flag": True,
        "items": [{"sku": "a", "price": 1.5}, {"sku": "b"}, None],
        "nested": {"a": {"b": {"c": 1}, "d": 2}, "gone": None},
        "json": '{"x":1}',
        "na.me": "dotted",
    },
}


def run(node, event=EVENT):
    return mappings.transform({"out": node}, event)


def path(text):
    return {"@path": text}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        # plain values
        ({"a": [1, None, "x"]}, {"out": {"a": [1, None, "x"]}}),
        # @path
        (path("$.properties.email"), {"out": "Ada@Example.com"}),
        (path("properties.items[0].sku"), {"out": "a"}),
        (path("properties['email']"), {"out": "Ada@Example.com"}),
        (path("$.properties.missing"), {}),
        (path("$.properties.missing.deeper"), {}),
        (path("$.userId"), {"out": None}),
        (path("$.userId.deeper"), {"out": None}),
        (path("$.properties.count.deeper"), {"out": 0}),
        (path("$.properties['na.me']"), {}),
        (path("$.properties.items.length"), {"out": 3}),
        (path("$.properties.email.length"), {"out": 15}),
        ({"a": path("$.nope"), "b": [path("$.nope")]}, {"out": {"b": [None]}}),
        # @template
        (
            {"@template": "{{properties.total}} for {{ event }}{{userId}}{{nope}}"},
            {"out": "12 for Order Completed"},
        ),
        ({"@template": "{{{properties.email}}}"}, {"out": "Ada@Example.com"}),
        (
            {"@template": "{{properties}} {{properties.items}}"},
            {"out": "[object Object] [object Object],[object Object],"},
        ),
        ({"@template": "{{properties.flag}}{{}}{"}, {"out": "true{{}}{"}),
        # @literal
        ({"@literal": {"a": path("$.type")}}, {"out": {"a": "track"}}),
        # @if
        ({"@if": {"exists": path("$.type"), "then": 1, "else": 2}}, {"out": 1}),
        ({"@if": {"exists": path("$.userId"), "then": 1, "else": 2}}, {"out": 2}),
        ({"@if": {"exists": path("$.properties.empty"), "then": 1, "else": 2}}, {"out": 1}),
        ({"@if": {"blank": path("$.properties.empty"), "then": 1, "else": 2}}, {"out": 2}),
        ({"@if": {"blank": path("$.properties.count"), "then": 1, "else": 2}}, {"out": 2}),
        ({"@if": {"blank": path("$.properties.list"), "then": 1, "else": 2}}, {"out": 2}),
        ({"@if": {"blank": path("$.type"), "then": None}}, {"out": None}),
        ({"@if": {"exists": path("$.nope"), "then": 1, "else": 0}}, {}),
        # @case
        ({"@case": {"operator": "lower", "value": path("$.properties.email")}}, {"out": "ada@example.com"}),
        ({"@case": {"operator": "upper", "value": path("$.properties.total")}}, {"out": 12.0}),
        # @replace
        ({"@replace": {"pattern": "o", "replacement": "0", "value": "foo boo"}}, {"out": "f00 b00"}),
        ({"@replace": {"pattern": "o", "replacement": "0", "value": "foo", "global": False}}, {"out": "f0o"}),
        ({"@replace": {"pattern": "O", "value": "foo", "ignorecase": True}}, {"out": "f"}),
        ({"@replace": {"pattern": ".", "replacement": "$&$&", "value": "a.b"}}, {"out": "a..b"}),
        ({"@replace": {"pattern": "a", "replacement": "b", "pattern2": "b", "value": "ab"}}, {"out": ""}),
        (
            {"@replace": {"pattern": "true", "replacement": "yes", "value": path("$.properties.flag")}},
            {"out": "yes"},
        ),
        ({"@replace": {"pattern": "x", "value": path("$.properties")}}, {"out": ""}),
        # @arrayPath
        (
            {"@arrayPath": ["$.properties.items", {"id": path("$.sku"), "price": path("$.price")}]},
            {"out": [{"id": "a", "price": 1.5}, {"id": "b"}, {"id": None, "price": None}]},
        ),
        ({"@arrayPath": ["$.properties.nested.a.b", {"v": path("$.c")}]}, {"out": [{"v": 1}]}),
        ({"@arrayPath": ["$.properties.email", {"v": path("$.c")}]}, {"out": "Ada@Example.com"}),
        # @flatten
        (
            {"@flatten": {"separator": ".", "value": path("$.properties.nested")}},
            {"out": {"a.b.c": 1, "a.d": 2, "gone": None}},
        ),
        (
            {"@flatten": {"separator": "_", "value": {"a": [1, {"b": 2}], "e": []}, "omitArrays": True}},
            {"out": {"a": [1, {"b": 2}], "e": []}},
        ),
        (
            {"@flatten": {"separator": ".", "value": {"a": [path("$.nope")]}, "omitArrays": True}},
            {"out": {"a": [None]}},
        ),
        ({"@flatten": {"separator": ".", "value": {"a": [path("$.nope")]}}}, {"out": {}}),
        # @json
        (
            {"@json": {"mode": "encode", "value": {"n": path("$.properties.total"), "2": 1, "1": None}}},
            {"out": '{"1":null,"2":1,"n":12}'},
        ),
        ({"@json": {"mode": "decode", "value": path("$.properties.json")}}, {"out": {"x": 1}}),
        ({"@json": {"mode": "decode", "value": path("$.type")}}, {"out": "track"}),
        ({"@json": {"mode": "decode", "value": '"\\ud800"'}}, {"out": "�"}),
        # @merge
        (
            {"@merge": {"direction": "right", "objects": [{"a": 1, "b": 1}, {"b": 2}]}},
            {"out": {"a": 1, "b": 2}},
        ),
        (
            {"@merge": {"direction": "left", "objects": [{"a": 1, "b": 1}, {"b": 2}]}},
            {"out": {"b": 1, "a": 1}},
        ),
        ({"@merge": {"direction": "right", "objects": [{"a": 1}, {"a": path("$.nope")}]}}, {"out": {}}),
        (
            {"@merge": {"direction": "right", "objects": [{"@literal": "aé"}, {"1": "b"}]}},
            {"out": {"0": "a", "1": "b"}},
        ),
        # @transform
        (
            {
                "@transform": {
                    "apply": {"x": path("$.type")},
                    "mapping": {"y": path("$.x"), "z": path("$.type")},
                }
            },
            {"out": {"y": "track"}},
        ),
        # @excludeWhenNull
        ({"@excludeWhenNull": path("$.userId")}, {}),
        ({"@excludeWhenNull": path("$.properties.nested")}, {"out": {"a": {"b": {"c": 1}, "d": 2}}}),
    ],
)
def test_directives(node, expected):
    assert run(node) == expected


def test_the_root_directive_takes_the_other_keys_as_its_mapping():
    mapping = {
        "__segment_internal_directive": {"@transform": {"apply": {"kind": path("$.type")}}},
        "out": path("$.kind"),
    }
    assert mappings.transform(mapping, EVENT) == {"out": "track"}
    assert "mapping" not in mapping["__segment_internal_directive"]["@transform"]


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ({"@path": 5}, "/out/@path should be a string or a mapping directive but it is a number."),
        ({"@path": "$.a", "@template": "b"}, "/out should only have one @-prefixed key but it has 2 keys."),
        ({"@path": "$.a", "b": 1}, "/out should only have one @-prefixed key but it has 2 keys."),
        ({"@nope": 1}, "/out has an invalid directive: @nope."),
        ({"@replace": {"value": "x"}}, '/out/@replace should have field "pattern" but it doesn\'t.'),
        (
            {"@replace": {"pattern": "0123456789x", "value": "x"}},
            "/out/@replace/pattern should be a string of length 10 or less.",
        ),
        (
            {"@json": {"mode": "both", "value": 1}},
            '/out/@json/mode should be one of encode, decode but it is "both".',
        ),
        ({"@liquid": {"@path": "x"}}, "/out/@liquid should be a string but it is a directive."),
    ],
)
def test_problems_are_told_in_words(node, problem):
    assert [str(found) for found in mappings.validate({"out": node})] == [problem]
    with pytest.raises(MappingError, match="out"):
        mappings.compile({"out": node})


def test_all_problems_are_collected():
    mapping = {"a": {"@path": 1}, "b": {"c": {"@if": 1}}, "d": [{"@path": 1}]}
    assert [problem.path for problem in mappings.validate(mapping)] == ["/a/@path", "/b/c/@if"]


def test_an_error_while_running_names_its_place():
    mapping = {"a": {"b": {"@case": {"operator": "title", "value": path("$.type")}}}}
    assert mappings.validate(mapping) == []
    with pytest.raises(MappingError, match=r"^/a/b: operator key should have a value"):
        mappings.transform(mapping, EVENT)


def test_data_must_be_an_object():
    with pytest.raises(MappingError, match="data must be an object, got array"):
        mappings.compile({})([])


def nest(depth):
    value = "x"
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "node",
    [
        {"@flatten": {"separator": ".", "value": path("$.deep")}},
        {"@json": {"mode": "encode", "value": path("$.deep")}},
        {"@excludeWhenNull": path("$.deep")},
        {"@transform": {"apply": {"x": path("$.deep")}, "mapping": {"y": path("$.x")}}},
    ],
)
def test_poison_is_an_error_and_not_a_crash(node):
    with pytest.raises(MappingError, match="nested too deeply"):
        run(node, {"deep": nest(100_000)})
    assert run(path("$.deep"), {"deep": nest(100_000)})


def test_a_mapping_that_is_too_deep_is_an_error():
    with pytest.raises(MappingError, match="nested too deeply"):
        mappings.compile({"a": nest(100_000)})


def test_braces_cost_linear_time():
    for text in ("{{{a" * 50_000, "{" * 100_000 + "} ", "{{a} " * 50_000):
        assert run({"@template": "{{{properties.email}}}"}, {"properties": {"email": text}}) == {"out": text}


def test_members_of_constants_are_copied_at_the_top():
    compiled = mappings.compile({"a": 1, "b": path("$.nope")})
    compiled(EVENT)["a"] = 2
    assert compiled(EVENT) == {"a": 1}


NAMES = st.sampled_from(["a", "b", "0", "x y"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
DIRECTIVES = [
    "@path",
    "@template",
    "@literal",
    "@if",
    "@case",
    "@replace",
    "@arrayPath",
    "@flatten",
    "@json",
    "@merge",
    "@transform",
    "@excludeWhenNull",
    "@liquid",
    "@x",
]
OPTIONS = [
    "exists",
    "blank",
    "then",
    "else",
    "operator",
    "value",
    "pattern",
    "replacement",
    "separator",
    "mode",
    "objects",
    "direction",
    "apply",
    "mapping",
]
ANY = st.recursive(
    JSON | st.sampled_from(["$.a", "{{a}}", "right", "encode", "lower"]),
    lambda inner: (
        st.builds(lambda name, value: {name: value}, st.sampled_from(DIRECTIVES), inner)
        | st.dictionaries(st.sampled_from(OPTIONS), inner, max_size=4)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)  # the first Liquid template loads its parser
@given(st.dictionaries(NAMES, ANY, max_size=3), st.dictionaries(NAMES, JSON, max_size=3))
def test_any_mapping_gives_json_or_an_error_and_changes_nothing(mapping, event):
    before = copy.deepcopy(mapping), copy.deepcopy(event)
    try:
        payload = mappings.transform(mapping, event)
    except MappingError as error:
        assert str(error)
    else:
        json.dumps(payload)
    assert repr((mapping, event)) == repr(before)


@given(st.dictionaries(NAMES, ANY, max_size=3), st.dictionaries(NAMES, JSON, max_size=3))
def test_what_is_valid_compiles_and_a_compiled_mapping_does_what_transform_does(mapping, event):
    if problems := mappings.validate(mapping):
        with pytest.raises(MappingError) as caught:
            mappings.compile(mapping)
        assert caught.value.problems == tuple(problems)
        return
    compiled = mappings.compile(mapping)
    for _ in range(2):  # it keeps nothing of what it has seen
        try:
            made = compiled(event)
        except MappingError as error:
            with pytest.raises(MappingError, match=re.escape(str(error))):
                mappings.transform(mapping, event)
        else:
            assert repr(made) == repr(mappings.transform(mapping, event))
