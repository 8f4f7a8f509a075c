"""Transformations: what they do, and that they change nothing that they are given."""

import copy
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.pipeline.governance.paths import PathError, get, only, parse, put, without
from onward.pipeline.governance.spec import Hash, Transformation
from onward.pipeline.governance.transformations import TransformationError, Transformations

NAMES = st.sampled_from(["a", "b", "c", "d.e", "traits", "properties"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(
    lambda names: ".".join(name.replace(".", "\\.") for name in names)
)


def track(**properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Bought", "userId": "u", "messageId": "m", "properties": properties}


def apply(event: dict[str, Any], *specs: dict[str, Any]) -> dict[str, Any]:
    made = [Transformation(id=f"t{n}", **{"condition": "all", **spec}) for n, spec in enumerate(specs)]
    return Transformations(made)(event)


def test_an_event_is_renamed_where_the_condition_is_met() -> None:
    spec = {"condition": "event='Bought'", "new_event_name": "Order Completed"}
    assert apply(track(), spec)["event"] == "Order Completed"
    seen = {**track(), "event": "Seen"}
    assert apply(seen, spec) is seen


def test_only_track_calls_have_a_name_to_change() -> None:
    page = {"type": "page", "name": "Home", "properties": {}}
    assert apply(page, {"new_event_name": "X"}) == page


def test_properties_move_in_and_out_of_objects() -> None:
    spec = {"renames": (("order.id", "order_id"), ("plan", "account.plan"), ("a\\.b", "properties.c"))}
    event = track(order={"id": 7, "n": 1}, plan="pro", **{"a.b": 3})
    assert apply(event, spec)["properties"] == {
        "order": {"n": 1},
        "order_id": 7,
        "account": {"plan": "pro"},
        "c": 3,
    }


def test_traits_are_meant_where_the_call_has_traits() -> None:
    identify = {"type": "identify", "traits": {"mail": "x"}, "properties": {"mail": "y"}}
    assert apply(identify, {"renames": (("mail", "email"),)}) == {
        "type": "identify",
        "traits": {"email": "x"},
        "properties": {"mail": "y"},
    }


def test_two_properties_change_names() -> None:
    assert apply(track(a=1, b=2), {"renames": (("a", "b"), ("b", "a"))})["properties"] == {"a": 2, "b": 1}


def test_values_are_set_where_a_path_says() -> None:
    spec = {"values": ((("properties.currency", "context.app.name", "category"), "USD"),)}
    event = apply(track(), spec)
    assert (event["properties"], event["context"], event["category"]) == (
        {"currency": "USD"},
        {"app": {"name": "USD"}},
        "USD",
    )


def test_computed_values_are_of_the_event_as_it_came() -> None:
    spec = {"computed": (("properties.plan", "uppercase(properties.plan)"),)}
    assert apply(track(plan="pro"), {"renames": (("plan", "p"),)}, spec)["properties"] == {
        "p": "pro",
        "plan": "PRO",
    }
    nothing = track()
    assert apply(nothing, spec) is nothing


def test_one_transformation_does_not_trigger_another() -> None:
    there = {"condition": "event='Bought'", "new_event_name": "Sold"}
    back = {"condition": "event='Sold'", "new_event_name": "Bought"}
    assert apply(track(), there, back)["event"] == "Sold"


def test_allow_and_drop() -> None:
    event = {**track(a=1, b={"c": 2, "d": 3}, e=4), "context": {"ip": "1.2.3.4"}}
    assert apply(event, {"allow": ("a", "properties.b.c")})["properties"] == {"a": 1, "b": {"c": 2}}
    assert apply(event, {"allow": ("a",)})["context"] == {"ip": "1.2.3.4"}
    dropped = apply(event, {"drop": ("b.d", "e", "context.ip")})
    assert dropped["properties"] == {"a": 1, "b": {"c": 2}}
    assert dropped["context"] == {}


def test_hashes_are_what_the_standard_library_says() -> None:
    spec = Hash(
        algorithm="sha-256", paths=("email", "traits.n", "traits.list", "absent", "null"), prefix="h:"
    )
    event = {"type": "identify", "traits": {"email": "a@b.c", "n": 5, "list": ["x"], "null": None}}
    traits = apply(event, {"hash": spec})["traits"]
    digest = {text: "h:" + hashlib.sha256(text.encode()).hexdigest() for text in ("a@b.c", "5", "x")}
    assert traits == {"email": digest["a@b.c"], "n": digest["5"], "list": [digest["x"]], "null": None}
    keyed = Hash(algorithm="SHA512", paths=("email",), key="k", encoding="BASE64URL")
    found = apply(event, {"hash": keyed})["traits"]["email"]
    import base64

    assert base64.urlsafe_b64decode(found) == hmac.digest(b"k", b"a@b.c", "sha512")


@pytest.mark.parametrize(
    "spec",
    [
        {"condition": "event ="},
        {"renames": (("a..b", "c"),)},
        {"renames": (("products.$.id", "c"),)},
        {"renames": (("a.b.c.d.e", "c"),)},
        {"computed": (("a", "nosuch(properties.a)"),)},
        {"hash": Hash(algorithm="CRC32", paths=("a",))},
        {"hash": Hash(algorithm="MD5", paths=("a",), encoding="ROT13")},
    ],
)
def test_what_is_not_valid_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(TransformationError):
        apply(track(), spec)


def test_four_levels_below_the_root_are_possible() -> None:
    assert parse("properties.a.b.c.d") == ("properties", "a", "b", "c", "d")
    assert parse("a.b.c.d") == ("a", "b", "c", "d")
    with pytest.raises(PathError):
        parse("properties.a.b.c.d.e")


def test_an_event_whose_condition_has_no_answer_does_not_pass() -> None:
    with pytest.raises(TransformationError, match="t0 failed"):
        apply(track(a={"b": 1}), {"condition": "length(properties.a) > 1", "drop": ("a",)})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FIELDS, st.lists(st.tuples(PATHS, PATHS), max_size=3), st.lists(PATHS, max_size=3), VALUES)
def test_what_is_given_stays_as_it_is(
    fields: dict[str, Any], renames: list[tuple[str, str]], paths: list[str], value: Any
) -> None:
    event = {"type": "group", "traits": fields, "properties": fields, "context": {"a": 1}}
    before = copy.deepcopy(event)
    specs: list[dict[str, Any]] = [{"renames": tuple(renames)}, {"values": ((tuple(paths), value),)}]
    if paths:
        specs += [{"allow": tuple(paths)}, {"drop": tuple(paths)}]
        specs.append({"hash": Hash(algorithm="MD5", paths=tuple(paths))})
    for spec in specs:
        apply(event, spec)
    apply(event, *specs)
    assert event == before


@settings(deadline=None)
@given(FIELDS, st.lists(NAMES, min_size=1, max_size=4).map(tuple), VALUES)
def test_places(fields: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    changed = put(fields, place, value)
    assert get(changed, place) == value
    gone = without(changed, place)
    assert without(gone, place) is gone
    assert all(changed.get(name) == fields[name] for name in fields if name != place[0])
    if len(place) > 1:
        kept = only(changed, place[0], [place])
        assert get(kept, place) == value
        assert len(kept[place[0]]) == 1
