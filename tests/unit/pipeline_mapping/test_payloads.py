"""Mapping and fields in one go: the same as one after the other, whatever comes (spec §9.6)."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.pipeline import mapping as mappings
from onward.pipeline import payloads
from onward.pipeline.fields import FieldSchema, compile_fields
from onward.pipeline.mapping import MappingError

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.sampled_from(
    [
        *(None, True, False, 0, 1, -2, 1.5, 2.0, 1e21, 10**21, float("inf"), "", " ", "x", "5", "true"),
        *("é😀", "2026-01-31T10:20:30.456Z", "2026-01-31", "soon", "a@b.co"),
    ]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
CONDITION = st.fixed_dictionaries({"fieldKey": NAMES, "operator": st.sampled_from(["is", "is_not"])})
REQUIRED = st.sampled_from([False, False, True]) | st.fixed_dictionaries(
    {"conditions": st.lists(CONDITION, min_size=1, max_size=1)}
)
TYPES = ["string", "text", "number", "integer", "boolean", "datetime", "object"]


def field(properties: Any) -> st.SearchStrategy[FieldSchema]:
    return st.builds(
        FieldSchema,
        label=st.just("L"),
        type=st.sampled_from(TYPES),
        required=REQUIRED,
        choices=st.sampled_from([(), (), ("x", "5")]),
        multiple=st.booleans(),
        minimum=st.sampled_from([None, None, 2]),
        maximum=st.sampled_from([None, None, 2]),
        format=st.sampled_from(["", "", "email"]),
        allow_null=st.booleans(),
        properties=properties,
        additional_properties=st.booleans(),
    )


MEMBERS = st.none() | st.dictionaries(NAMES, field(st.none()), max_size=3)
FIELDS = st.dictionaries(st.sampled_from(["a", "b", "c", "enable_batching"]), field(MEMBERS), min_size=1)
NODES = (
    st.sampled_from(["$.a", "$.b", "$.a.b", "$.c.0"]).map(lambda path: {"@path": path})
    | JSON
    | st.builds(
        lambda path, shape: {"@arrayPath": [path, shape]},
        st.sampled_from(["$.a", "$.b"]),
        st.dictionaries(NAMES, NAMES.map(lambda name: {"@path": f"$.{name}"}), min_size=1),
    )
    | st.just({"@case": {"operator": "neither", "value": {"@path": "$.a"}}})
)
MAPPING = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys("abcx", NODES),
        "enable_batching": st.sampled_from([True, False, "true", None, {"@path": "$.a"}]),
        "__segment_internal_sync_mode": st.just("add"),
    },
)
EVENTS = st.dictionaries(NAMES, JSON, max_size=3)


def in_two_steps(mapping: Any, fields: Any, event: Any, *, batches: bool) -> Any:
    payload = mappings.transform({k: v for k, v in mapping.items() if not k.startswith("__")}, event)
    batch = batches and payload.get("enable_batching") in (True, "true", 1, 1.0)
    payload, invalid = compile_fields(fields)(payload, batch=batch)
    return str(invalid) if invalid else payload


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mapping=MAPPING, fields=FIELDS, events=st.lists(EVENTS, min_size=1, max_size=3), batches=st.booleans())
def test_one_pass_is_as_good_as_two_steps(mapping, fields, events, batches):
    build = payloads.compile(mapping, fields, batches=batches)
    before = copy.deepcopy((mapping, events))
    for event in events:
        try:
            made = build(event)
        except payloads.RejectedError as error:
            made = str(error)
        except MappingError as error:
            with pytest.raises(MappingError) as caught:
                in_two_steps(mapping, fields, event, batches=batches)
            assert str(error) == str(caught.value)
            continue
        expected = in_two_steps(mapping, fields, event, batches=batches)
        assert repr(made) == repr(expected)  # also in the order of its members
    assert repr((mapping, events)) == repr(before)


def test_what_a_mapping_holds_besides_fields_is_no_part_of_the_payload():
    mapping = {
        "to": {"@path": "$.userId"},
        "__segment_internal_sync_mode": "upsert",
        "__segment_internal_matching_key": "email",
        "retlOnMappingSave": {"inputs": {"name": {"@nothing": 1}}, "outputs": {"id": "7"}},
        "onMappingSave": {"inputs": {}, "outputs": {}},
    }
    event = {"userId": "ada"}
    assert payloads.compile(mapping, None)(event) == {"to": "ada"}
    assert payloads.compile(mapping, {})(event) == {"to": "ada"}
    assert payloads.compile(mapping, {"to": FieldSchema()})(event) == {"to": "ada"}


def test_only_actions_that_take_batches_keep_empty_texts():
    fields = {"a": FieldSchema(), "enable_batching": FieldSchema(type="boolean")}
    mapping = {"a": {"@path": "$.a"}, "enable_batching": True}
    assert payloads.compile(mapping, fields, batches=True)({"a": ""})["a"] == ""
    assert "a" not in payloads.compile(mapping, fields, batches=False)({"a": ""})
    assert "a" not in payloads.compile(mapping | {"enable_batching": False}, fields, batches=True)({"a": ""})


def test_a_constant_that_never_fits_is_told_for_each_event():
    build = payloads.compile({"n": "many"}, {"n": FieldSchema(label="N", type="number")})
    with pytest.raises(payloads.RejectedError, match="N must be a number but it was a string"):
        build({})


def test_what_is_not_valid_is_refused_at_once():
    with pytest.raises(MappingError, match="invalid directive"):
        payloads.compile({"a": {"@nope": 1}}, {})
    with pytest.raises(ValueError, match="unknown type"):
        payloads.compile({}, {"a": FieldSchema(type="nope")})
