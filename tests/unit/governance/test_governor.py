"""What a source's schema and tracking plan make of an event."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.pipeline.governance import FILTERED_AT_SOURCE, Governance, Governor, Judgement
from onward.pipeline.governance.json_schema import MOST, Schema, SchemaError
from onward.pipeline.governance.spec import Controls, Rule, SchemaEvent, TrackingPlan, Transformation

ORDER = {
    "type": "object",
    "properties": {
        "properties": {
            "type": "object",
            "properties": {
                "total": {"type": "number"},
                "currency": {"type": "string", "enum": ["EUR", "USD"]},
                "buyer": {"type": "object", "properties": {"id": {"type": "integer"}}},
                "free": {"type": "object"},
                "items": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"sku": {"type": "string"}}},
                },
            },
            "required": ["total"],
        }
    },
}
COMMON = {"properties": {"context": {"required": ["app"], "type": "object"}}, "required": ["userId"]}
TRAITS = {"properties": {"traits": {"properties": {"email": {"type": "string"}}}}}


def rules(*, common: bool = False) -> tuple[Rule, ...]:
    made = (
        Rule(kind="TRACK", key="Order Completed", schema=ORDER),
        Rule(kind="TRACK", key="Seen", version=2, schema={"required": ["two"]}),
        Rule(kind="TRACK", key="Seen", version=1, schema={"required": ["one"]}),
        Rule(kind="IDENTIFY", schema=TRAITS),
        Rule(kind="PAGE", key="Home", schema={"required": ["home"]}),
    )
    return (*made, Rule(kind="COMMON", schema=COMMON)) if common else made


def judge(event: dict[str, Any], *, common: bool = False, plan: bool = True, **rest: Any) -> Judgement:
    tracking_plan = TrackingPlan(id="tp", name="Plan", rules=rules(common=common)) if plan else None
    before = copy.deepcopy(event)
    judgement = Governor("src", Governance(plan=tracking_plan, **rest))(event)
    assert event == before
    return judgement


def order(**properties: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"type": "track", "event": "Order Completed", "userId": "u", "messageId": "m"}
    return {**event, "properties": {"total": 1, **properties}, "context": {"app": {"version": "1"}}}


def protocols(judgement: Judgement) -> Any:
    return judgement.event["context"]["protocols"]


def test_a_planned_event_that_keeps_to_its_rule_passes_untouched() -> None:
    event = order(currency="EUR")
    assert judge(event, common=True) == Judgement(event)
    assert judge(event).event is event


def test_unplanned_events() -> None:
    unplanned = {**order(), "event": "order_completed"}
    assert judge(unplanned).code is None
    controls = Controls(allow_unplanned_events=False)
    assert judge(unplanned, track=controls).code == "unplanned"
    assert judge(order(), track=controls).code is None
    assert judge(unplanned, track=controls, common=True).code == "unplanned"
    unruly = {**unplanned, "context": {}}
    assert judge(unruly, track=controls, common=True).code == "unplanned_and_schema_violation"


def test_unplanned_properties_are_left_out_level_by_level() -> None:
    event = order(x=1, buyer={"id": 1, "name": "N"}, free={"any": 1}, items=[{"sku": "s", "q": 1}, {"q": 2}])
    judged = judge(event, track=Controls(allow_unplanned_fields=False))
    assert judged.event["properties"] == {
        "total": 1,
        "buyer": {"id": 1},
        "free": {"any": 1},
        "items": [{"sku": "s"}, {}],
    }
    assert protocols(judged) == {"sourceId": "src", "omitted": ["x", "buyer.name", "items.q"]}


def test_without_a_rule_every_trait_is_unplanned() -> None:
    group = {"type": "group", "groupId": "g", "traits": {"a": 1}, "context": {}}
    judged = judge(group, group=Controls(allow_unplanned_fields=False))
    assert judged.event["traits"] == {}
    assert protocols(judged)["omitted"] == ["a"]
    assert judge(group, identify=Controls(allow_unplanned_fields=False)).event is group


def test_violations_are_told_in_the_event() -> None:
    event = order(total="ten", currency="GBP")
    event["context"]["protocols"] = {"event_version": 1}
    judged = judge(event)
    assert judged.code is None
    assert protocols(judged) == {
        "event_version": 1,
        "sourceId": "src",
        "violations": [
            {
                "type": "Invalid Type",
                "field": "properties.total",
                "description": "Invalid type. Expected: number, given: string",
            },
            {
                "type": "Enum",
                "field": "properties.currency",
                "description": 'the value is not one of "EUR" or "USD"',
            },
        ],
    }
    assert judged.event["properties"] == event["properties"]


def test_violations_block_or_leave_out() -> None:
    event = order(currency="GBP", items=[{"sku": "a"}, {"sku": 5}], buyer={"id": "x", "name": "n"})
    blocked = judge(event, track=Controls(allow_events_on_violations=False))
    assert blocked.code == "schema_violation"
    assert len(blocked.violations) == 3
    relieved = judge(event, track=Controls(allow_fields_on_violations=False))
    assert relieved.code is None
    assert relieved.event["properties"] == {"total": 1, "buyer": {"name": "n"}}
    assert sorted(protocols(relieved)["omitted_on_violation"]) == ["buyer.id", "currency", "items"]


def test_what_is_missing_can_not_be_left_out() -> None:
    event = order()
    del event["properties"]["total"]
    judged = judge(event, track=Controls(allow_fields_on_violations=False))
    assert [each.field for each in judged.violations] == ["properties.total"]
    assert "omitted_on_violation" not in protocols(judged)


def test_the_common_rule_comes_second() -> None:
    event = {**order(currency="GBP"), "context": {}}
    both = Controls(allow_events_on_violations=False, on_common_violation="BLOCK")
    assert judge(event, common=True, track=both).code == "schema_violation"
    common = Controls(on_common_violation="BLOCK")
    blocked = judge(event, common=True, track=common)
    assert blocked.code == "common_schema_violation"
    assert [each.field for each in blocked.violations] == ["properties.currency", "context.app"]
    assert judge(event, common=True, identify=common).code is None


def test_versions_of_a_rule() -> None:
    def missing(version: Any) -> str:
        event = {**order(), "event": "Seen", "context": {"protocols": {"event_version": version}}}
        return judge(event).violations[0].field

    assert [missing(version) for version in (2, 1, 3.2, "2", None, 9)] == ["two", "one", *["one"] * 4]


def test_pages_are_judged_and_never_stopped() -> None:
    page = {"type": "page", "name": "Home", "context": {}, "properties": {}}
    strict = Controls(allow_events_on_violations=False, allow_unplanned_events=False)
    judged = judge(page, track=strict)
    assert (judged.code, [each.field for each in judged.violations]) == (None, ["home"])
    assert judge({**page, "name": "Other"}, track=strict).violations == ()


def test_toggles_of_the_schema() -> None:
    events = (
        SchemaEvent(kind="TRACK", name="Order Completed", enabled=False),
        SchemaEvent(kind="PAGE", enabled=False),
        SchemaEvent(kind="IDENTIFY", omitted=("phone",)),
    )
    assert judge(order(), plan=False, events=events).code == "event_setting"
    assert judge(order(), plan=True, events=events).code is None
    assert judge({"type": "page", "name": "Any"}, plan=False, events=events).code == "event_setting"
    identify = {"type": "identify", "traits": {"phone": "1", "email": "e"}, "context": {}}
    judged = judge(identify, plan=False, events=events)
    assert judged.event["traits"] == {"email": "e"}
    assert protocols(judged) == {"sourceId": "src", "omitted": ["phone"]}


def test_the_plan_judges_what_transformations_make() -> None:
    rename = Transformation(id="t", condition="event='order_done'", new_event_name="Order Completed")
    event = {**order(), "event": "order_done"}
    judged = judge(event, track=Controls(allow_unplanned_events=False), transformations=(rename,))
    assert (judged.code, judged.event["event"]) == (None, "Order Completed")


def test_what_could_not_be_transformed_does_not_pass() -> None:
    hide = Transformation(id="t", condition="length(properties.buyer) > 1", drop=("buyer",))
    judged = judge(order(buyer={"id": 1}), transformations=(hide,))
    assert judged.code == "internal"
    assert "the transformation t failed" in judged.message


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"type": "nothing"}, "type"),
        ({"properties": {"a": {"pattern": "(?=a)"}}}, "properties.a.pattern"),
        ({"$ref": "https://example.com/schema"}, "https://example.com/schema"),
        ({"$ref": "file:///etc/hostname"}, "file:///etc/hostname"),
        ({"$ref": "#/definitions/none"}, "/definitions/none"),
        ({"properties": {"a": {"const": 1 << 70}}}, "64 bits"),
        (5, "5"),
    ],
)
def test_schemas_that_are_refused(schema: Any, where: str) -> None:
    with pytest.raises(SchemaError) as refused:
        Schema(schema)
    assert where in str(refused.value)


def test_a_schema_may_not_be_endless() -> None:
    deep: Any = {}
    for _ in range(60):
        deep = {"not": deep}
    with pytest.raises(SchemaError, match="nested"):
        Schema(deep)
    with pytest.raises(SchemaError, match="bytes"):
        Schema({"enum": ["x" * 1000] * 200})


def test_what_events_hold_is_not_told() -> None:
    schema = Schema({"properties": {"email": {"format": "email", "maxLength": 3, "pattern": "^x"}}})
    told = " ".join(each.description for each in schema.violations({"email": "secret@example"}))
    assert "secret" not in told


def test_a_slow_pattern_is_no_danger() -> None:
    assert not Schema({"properties": {"a": {"pattern": "^(a+)+$"}}}).is_valid({"a": "a" * 30_000 + "b"})


def test_violations_are_bounded() -> None:
    schema = Schema({"additionalProperties": False})
    assert len(schema.violations({f"p{n}": n for n in range(1000)})) == MOST


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["track", "identify", "group", "page", "screen", "alias"]),
        "messageId": st.just("m"),
        "context": st.just({}) | st.fixed_dictionaries({"protocols": JSON}),
    },
    optional={
        "event": st.sampled_from(["Order Completed", "Seen", "Else"]),
        "properties": st.dictionaries(st.sampled_from(["total", "currency", "items", "x"]), JSON),
        "traits": st.dictionaries(st.sampled_from(["email", "x"]), JSON),
        "userId": st.just("u"),
    },
)
CONTROLS = st.builds(
    Controls,
    allow_unplanned_events=st.booleans(),
    allow_unplanned_fields=st.booleans(),
    allow_events_on_violations=st.booleans(),
    allow_fields_on_violations=st.booleans(),
    on_common_violation=st.sampled_from(["ALLOW", "BLOCK", "OMIT"]),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS, CONTROLS, CONTROLS, st.booleans())
def test_whatever_the_event_and_the_rules(
    event: dict[str, Any], track: Controls, traits: Controls, common: bool
) -> None:
    judged = judge(event, common=common, track=track, identify=traits, group=traits)
    assert judged.code is None or judged.code in FILTERED_AT_SOURCE
    controls = {"track": track, "identify": traits, "group": traits}.get(event["type"], Controls())
    if controls == Controls():
        assert judged.code is None
        assert judged.event.get("properties") == event.get("properties")
    if judged.code is None and not judged.violations and controls.allow_unplanned_fields:
        assert judged.event is event
    if controls.on_common_violation == "BLOCK" and not judged.code and common:
        assert Schema(COMMON).is_valid(judged.event)
    if not controls.allow_events_on_violations and not judged.code and event["type"] == "track":
        again = judge(judged.event, track=controls)
        assert again.code is None
