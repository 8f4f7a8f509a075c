"""Action fields (spec §9.6): what is dropped, coerced, refused, and how that is told."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.definition import Field
from onward.pipeline.fields import FieldSchema, compile_fields, validate_payload


def only(value, *, batch=False, **attributes):
    return validate_payload({"f": FieldSchema(label="F", **attributes)}, {"f": value}, batch=batch)


@pytest.mark.parametrize(
    ("attributes", "value", "expected"),
    [
        ({"type": "string"}, 5, "5"),
        ({"type": "string"}, 5.0, "5"),
        ({"type": "string"}, True, "true"),
        ({"type": "string"}, ["a"], "a"),
        ({"type": "string", "allow_null": True}, None, None),
        ({"type": "number"}, " 5.5 ", 5.5),
        ({"type": "number"}, True, 1),
        ({"type": "integer"}, "7", 7),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, 0, False),
        ({"type": "datetime"}, "31 Jan 2026", "31 Jan 2026"),
        ({"type": "datetime"}, 1_700_000_000, 1_700_000_000),
        ({"type": "object"}, {"any": {"thing": None}}, {"any": {"thing": None}}),
        ({"type": "string", "multiple": True}, "a", ["a"]),
        ({"type": "number", "multiple": True}, ["1", None, 2], [1, 2]),
        ({"type": "object", "multiple": True}, {"a": 1}, [{"a": 1}]),
        (
            {"type": "object", "properties": {"a": FieldSchema(type="integer"), "b": FieldSchema()}},
            {"a": "1", "b": None, "c": 3},
            {"a": 1},
        ),
        (
            {"type": "object", "properties": {"a": FieldSchema()}, "additional_properties": True},
            {"a": 1, "c": 3},
            {"a": "1", "c": 3},
        ),
    ],
)
def test_what_fits_after_coercion(attributes, value, expected):
    payload, problem = only(value, **attributes)
    assert problem is None
    assert payload == {"f": expected}
    assert type(payload["f"]) is type(expected)


@pytest.mark.parametrize(
    ("attributes", "value", "message"),
    [
        ({"type": "string"}, {"a": 1}, "F must be a string but it was an object."),
        ({"type": "number"}, "abc", "F must be a number but it was a string."),
        ({"type": "integer"}, 1.5, "F must be an integer but it was a number."),
        ({"type": "boolean"}, "yes", "F must be a boolean but it was a string."),
        ({"type": "datetime"}, "soon", "F must be a valid date-like string but it was not."),
        (
            {"type": "string", "format": "email"},
            "a@b",
            "F must be a valid email address string but it was not.",
        ),
        ({"type": "string", "maximum": 2}, "abc", "F must be 2 characters or fewer but it was 3 characters."),
        ({"type": "number", "minimum": 2}, 1, "F must be equal to or greater than 2."),
        ({"type": "string", "choices": ["a", "b"]}, "c", 'F must be one of: "a" or "b".'),
        (
            {"type": "object", "properties": {"a": FieldSchema(required=True)}},
            {},
            "F is missing the required field 'a'.",
        ),
        (
            {"type": "object", "multiple": True, "properties": {"a": FieldSchema(required=True)}},
            [{"a": "x"}, {}],
            "The value at /f/1 is missing the required field 'a'.",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_the_field(attributes, value, message):
    _, problem = only(value, **attributes)
    assert problem
    assert str(problem) == message
    assert problem.paths[0].startswith("/f")


def test_a_missing_required_field_is_named():
    fields = {
        "email": FieldSchema(label="Email", required=True),
        "name": FieldSchema(label="Name", required=True),
    }
    _, problem = validate_payload(fields, {"name": None})
    assert problem
    assert problem.paths == ("/email", "/name")
    assert "'email'" in problem.message


def test_empty_text_is_dropped_for_single_events_only():
    assert only("") == ({}, None)
    assert only("", batch=True) == ({"f": ""}, None)
    assert only("", type="number", batch=True) == ({}, None)


def test_a_validator_keeps_nothing_of_what_it_has_seen():
    validate = compile_fields({"f": FieldSchema(label="F"), "n": FieldSchema(type="number", multiple=True)})
    for batch in (True, False, True, False):
        assert validate({"f": "", "n": 1}, batch=batch) == (
            {"n": [1]} if not batch else {"f": "", "n": [1]},
            None,
        )


CONDITIONAL = {
    "email": FieldSchema(label="Email"),
    "phone": FieldSchema(
        label="Phone", required={"conditions": [{"fieldKey": "email", "operator": "is"}]}
    ),
    "reason": FieldSchema(
        label="Reason",
        required={"match": "any", "conditions": [
            {"fieldKey": "email", "operator": "is", "value": "none"},
            {"fieldKey": "phone", "operator": "is_not", "value": "1"},
        ]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "missing"),
    [
        ({}, ("/phone", "")),
        ({"email": "a"}, ()),
        ({"email": "none"}, ("/reason", "")),
        ({"phone": "1"}, ()),
        ({"phone": "2"}, ("/reason", "")),
        ({"phone": "2", "reason": "x"}, ()),
    ],
)
def test_conditionally_required(payload, missing):
    _, problem = validate_payload(CONDITIONAL, payload)
    assert (problem.paths if problem else ()) == missing


def test_a_payload_that_is_no_object():
    for payload, kind in ((None, "undefined"), ([], "an array"), ("x", "a string")):
        _, problem = validate_payload({"f": FieldSchema()}, payload)
        assert str(problem) == f"The root value must be an object but it was {kind}."


def test_an_action_without_fields_takes_what_comes():
    assert validate_payload({}, {"a": None}) == ({"a": None}, None)


def test_the_fields_of_native_destinations_will_do():
    fields = {"to": Field(label="To", required=True, multiple=True), "n": Field(label="N", type="integer")}
    assert validate_payload(fields, {"to": "x", "n": "5", "y": 1}) == ({"to": ["x"], "n": 5}, None)


def test_fields_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="unknown type 'strin'"):
        compile_fields({"f": FieldSchema(type="strin")})
    with pytest.raises(ValueError, match="unknown format 'emial'"):
        compile_fields({"f": FieldSchema(format="emial")})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abf"), inner, max_size=3),
    max_leaves=8,
)
SCHEMA = {
    "a": FieldSchema(type="string", multiple=True, format="email"),
    "b": FieldSchema(
        type="object", properties={"a": FieldSchema(type="number"), "f": FieldSchema(type="datetime")}
    ),
    "f": FieldSchema(
        type="object", multiple=True, properties={"a": FieldSchema(type="boolean", allow_null=True)}
    ),
}
CHECK = compile_fields(SCHEMA)


@given(st.dictionaries(st.sampled_from("abfx"), JSON), st.booleans())
def test_payloads_are_not_changed_and_a_valid_one_stays_as_it_is(payload, batch):
    before = copy.deepcopy(payload)
    checked, problem = CHECK(payload, batch=batch)
    assert repr(payload) == repr(before)
    if not problem:
        again, none = CHECK(checked, batch=True)
        assert none is None
        assert repr(again) == repr(checked)
