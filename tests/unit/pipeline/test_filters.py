"""Destination filters (spec §6.3): what they keep, drop and change, and that they touch nothing else."""

import copy
from hashlib import md5
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.pipeline.strategies import actions, conditions, events, fields, values

from onward.pipeline import fql
from onward.pipeline.filter_validation import preview, validate_count, validate_filter
from onward.pipeline.filters import Filters
from onward.pipeline.fql.path import resolve, split
from onward.pipeline.properties import allowing, dropping
from onward.pipeline.sampling import fraction
from onward.pipeline.verdict import Stopped
from onward.workspace.snapshot import Filter

EVENT = {
    "type": "track",
    "messageId": "m",
    "userId": "u",
    "context": {"ip": "1.2.3.4", "device": {"id": "d", "type": "ios"}},
    "properties": {
        "email": "a@segment.com",
        "plan": "pro",
        "products": [{"id": 1, "price": 5}, {"id": 2, "price": 6}, "odd"],
    },
}


def made(condition: str, *actions: dict[str, Any], id: str = "f", enabled: bool = True) -> Filter:
    return Filter(id=id, title="t", condition=condition, actions=actions, enabled=enabled)


def applied(*filters: Filter, event: dict[str, Any] = EVENT, seed: int = 1) -> Any:
    return Filters(filters)(event, Random(seed))


DROP = {"type": "DROP"}


def test_drop() -> None:
    stopped = applied(made("contains(properties.email, '@segment.com')", DROP, id="internal"))
    assert stopped == "FILTERED_BY_RULES"
    assert stopped.filter_id == "internal"
    assert applied(made("contains(properties.email, '@other.com')", DROP)) is EVENT
    assert applied(made("all", DROP)) == "FILTERED_BY_RULES"
    assert applied(made("all", DROP, enabled=False)) is EVENT
    assert applied() is EVENT


def test_only_sends_that_conflict_send_nothing() -> None:
    only = made("!(type = 'track')", DROP), made("!(type = 'page')", DROP)
    assert applied(*only) == "FILTERED_BY_RULES"
    assert applied(*only, event={"type": "page"}) == "FILTERED_BY_RULES"


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ({"context.device": ["id"], "": ["userId"]}, [("context", "device", "id"), ("userId",)]),
        ({"properties": ["products", "absent"]}, [("properties", "products")]),
        ({"properties.products": ["price"]}, [("properties", "products", at, "price") for at in "01"]),
        ({"properties.products.1": ["id"]}, [("properties", "products", "1", "id")]),
        ({"properties.nothing": ["id"], "userId": ["x"]}, []),
    ],
)
def test_drop_properties(given: dict[str, list[str]], gone: list[tuple[str, ...]]) -> None:
    result = applied(made("all", {"type": "DROP_PROPERTIES", "fields": given}))
    expected = copy.deepcopy(EVENT)
    for path in gone:
        del resolve(expected, path[:-1])[path[-1]]
    assert result == expected
    assert (result is EVENT) == (not gone)


def test_only_what_changes_is_copied() -> None:
    result = applied(made("all", {"type": "DROP_PROPERTIES", "fields": {"context.device": ["id"]}}))
    assert result["properties"] is EVENT["properties"]
    assert EVENT["context"]["device"]["id"] == "d"


def test_allow_properties_restricts_only_the_object_it_names() -> None:
    result = applied(made("all", {"type": "ALLOW_PROPERTIES", "fields": {"properties": ["plan"]}}))
    assert result == {**EVENT, "properties": {"plan": "pro"}}
    result = applied(made("all", {"type": "ALLOW_PROPERTIES", "fields": {"properties.products": ["id"]}}))
    assert result["properties"]["products"] == [{"id": 1}, {"id": 2}, "odd"]
    result = applied(made("all", {"type": "ALLOW_PROPERTIES", "fields": {"": ["type"]}}))
    assert result == {"type": "track"}


def test_a_dot_in_a_name_is_escaped() -> None:
    event = {"type": "track", "a.b": {"c": 1, "d": 2}}
    assert dropping({"a\\.b": ["c"]})(event) == {"type": "track", "a.b": {"d": 2}}


def test_order_is_by_kind_and_conditions_see_the_event_as_it_came() -> None:
    allow = made("properties.plan = 'pro'", {"type": "ALLOW_PROPERTIES", "fields": {"properties": ["plan"]}})
    hide = made("all", {"type": "DROP_PROPERTIES", "fields": {"properties": ["plan"]}})
    for order in ([allow, hide], [hide, allow]):
        assert applied(*order)["properties"] == {}
    sample = made("all", {"type": "SAMPLE", "percent": 0}, id="sample")
    assert applied(made("all", DROP, id="drop"), sample).filter_id == "sample"
    assert applied(made("all", {**DROP}, {"type": "SAMPLE", "percent": 1}, id="both")) == "FILTERED_BY_RULES"


@pytest.mark.parametrize(
    ("condition", "action", "words"),
    [
        ('userId = oops"', DROP, "no closing quote"),
        ("all", {"type": "HASH"}, "no action 'HASH'"),
        ("all", {"type": "SAMPLE", "percent": "half"}, "percent from 0 to 1"),
        ("all", {"type": "DROP_PROPERTIES"}, "needs fields"),
        ("type = 'never'", {"type": "ALLOW_PROPERTIES", "fields": {"a": "b"}}, "a list of names"),
        ("length(properties) > 5", DROP, "length() of an object"),
    ],
)
def test_fails_closed(condition: str, action: dict[str, Any], words: str) -> None:
    stopped = applied(made("type = 'page'", DROP), made(condition, action, id="bad"))
    assert stopped == "FILTERED_BY_RULES"
    assert stopped.filter_id == "bad"
    assert words in stopped.message
    assert "filter bad" in stopped.message


@pytest.mark.parametrize("broken", [("x",), ({},), (None,)])
def test_fails_closed_on_actions_of_any_shape(broken: tuple[Any, ...]) -> None:
    assert applied(made("all", *broken)) == "FILTERED_BY_RULES"


def test_a_disabled_filter_that_is_broken_stops_nothing() -> None:
    assert applied(made("(", DROP, enabled=False)) is EVENT


def test_random_sampling_keeps_its_share() -> None:
    filters = Filters([made("all", {"type": "SAMPLE", "percent": 0.25})])
    rng = Random(7)
    kept = sum(filters(EVENT, rng) is EVENT for _ in range(4_000))
    assert 0.22 < kept / 4_000 < 0.28


def test_sampling_by_path_keeps_its_share_of_values() -> None:
    filters = Filters([made("all", {"type": "SAMPLE", "percent": 0.25, "path": "userId"})])
    events = [{"type": "track", "userId": f"user-{n}"} for n in range(4_000)]
    kept = [event for event in events if filters(event, Random(1)) is event]
    assert 0.22 < len(kept) / 4_000 < 0.28
    assert kept == [event for event in events if filters(dict(event), Random(2)) == event]


@given(values, st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_sample_is_part_of_a_larger_one(value: Any, one: float, other: float) -> None:
    small, large = (
        Filters([made("all", {"type": "SAMPLE", "percent": percent, "path": "a"})])
        for percent in sorted((one, other))
    )
    event = {"type": "track", "a": value}
    if small(event, Random(1)) is event:
        assert large(event, Random(2)) is event


def test_fraction_is_the_digest_of_the_json() -> None:
    for value, text in [("abcd", '"abcd"'), (None, "null"), (5.0, "5"), ([1, {"a": "é"}], '[1,{"a":"é"}]')]:
        first = int.from_bytes(md5(text.encode()).digest()[:8], "big")
        assert fraction(value) == pytest.approx(first / 2**64, rel=1e-15)


def test_fraction_near_zero_takes_later_bits() -> None:
    # Some value whose digest begins with a zero byte: its fraction still has 53 significant bits.
    text = next(str(n) for n in range(10_000) if md5(f'"{n}"'.encode()).digest()[0] == 0)
    digest = md5(f'"{text}"'.encode()).digest()
    assert fraction(text) == pytest.approx(int.from_bytes(digest, "big") / 2**128, rel=1e-15)


filters = st.builds(
    lambda condition, actions, enabled: made(fql.to_text(condition), *actions, enabled=enabled),
    conditions | st.just(fql.parse("true")),
    st.lists(actions, min_size=1, max_size=2),
    st.booleans(),
)


@given(st.lists(filters, max_size=4), events(), st.integers(0, 9))
def test_the_event_is_never_changed(specs: list[Filter], event: dict[str, Any], seed: int) -> None:
    before = copy.deepcopy(event)
    compiled = Filters(specs)
    result = compiled(event, Random(seed))
    steps = compiled.steps(event, Random(seed))
    assert event == before
    assert isinstance(result, Stopped | dict)
    assert isinstance(result, Stopped) == any(s.effect in ("dropped", "sampled out", "failed") for s in steps)
    assert len(steps) == sum(spec.enabled for spec in specs)


@given(fields, events())
def test_drop_and_allow_are_complements(fields: dict[str, list[str]], event: dict[str, Any]) -> None:
    for path, keys in fields.items():
        dropped, allowed = dropping({path: keys})(event), allowing({path: keys})(event)
        for place, old in _objects(event, path):
            kept, rest = _at(dropped, place), _at(allowed, place)
            assert not kept.keys() & set(keys)
            assert rest.keys() <= set(keys)
            assert {**kept, **rest} == old
        assert dropping({path: keys})(dropped) is dropped
        assert allowing({path: keys})(allowed) is allowed


def _objects(event: dict[str, Any], path: str) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    place = split(path)
    found = resolve(event, place)
    if isinstance(found, list):
        return [((*place, str(at)), item) for at, item in enumerate(found) if isinstance(item, dict)]
    return [(place, found)] if isinstance(found, dict) else []


def _at(event: dict[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
    found = resolve(event, place)
    assert isinstance(found, dict)
    return found


def test_validation_finds_every_problem() -> None:
    assert validate_filter("No staff", "contains(traits.email, '@us')", [DROP]) == []
    problems = validate_filter("x" * 65, "a =", [{"type": "SAMPLE", "percent": 2}, "DROP", {"type": "BAN"}])
    assert [problem.split(":")[0] for problem in problems] == [
        "title",
        "if",
        "actions[0]",
        "actions[1]",
        "actions[2]",
    ]
    assert "at most 64 characters, this has 65" in problems[0]
    assert "at character 4" in problems[1]
    assert "percent from 0 to 1" in problems[2]


@pytest.mark.parametrize("value", [None, 5, [], {}, "", " ", True])
def test_validation_takes_any_types(value: Any) -> None:
    problems = validate_filter(value, value, value)
    assert {problem.split(":")[0] for problem in problems} == {"title", "if", "actions"}
    for kind in ("SAMPLE", "DROP_PROPERTIES", "ALLOW_PROPERTIES"):
        assert validate_filter("t", "all", [{"type": kind, "percent": value, "fields": value}])
        assert (
            validate_filter("t", "all", [{"type": kind, "fields": {"a": value}, "path": value}])
            or value == []
        )


@pytest.mark.parametrize("path", ["a..b", "a.", ".a", ".".join("a" * 5_000)])
def test_validation_of_paths(path: str) -> None:
    (problem,) = validate_filter("t", "all", [{"type": "DROP_PROPERTIES", "fields": {path: ["x"]}}])
    assert "path" in problem
    assert applied(made("all", {"type": "DROP_PROPERTIES", "fields": {path: ["x"]}})) == "FILTERED_BY_RULES"


def test_a_destination_has_at_most_ten_filters() -> None:
    assert validate_count(9) == []
    assert validate_count(10) == ["a destination has at most 10 filters: change or delete one of them"]


def test_preview() -> None:
    rng = Random(1)
    assert preview("all", [DROP], EVENT, rng) is None
    assert preview("type = 'page'", [DROP], EVENT, rng) == EVENT
    assert preview("all", [{"type": "DROP_PROPERTIES", "fields": {"": ["userId"]}}], EVENT, rng) == {
        key: value for key, value in EVENT.items() if key != "userId"
    }
    with pytest.raises(ValueError, match="at character 1"):
        preview("", [DROP], EVENT, rng)
