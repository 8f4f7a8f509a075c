"""One event's way to one destination: the order of the steps and what each says (spec §2 step 11)."""

import copy
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.pipeline.strategies import actions, events

from onward.pipeline import route
from onward.pipeline.explain import explain
from onward.pipeline.fields import FieldSchema
from onward.pipeline.governance.spec import Transformation
from onward.pipeline.governance.transformations import TransformationError
from onward.pipeline.route import Mapped, RouteSpec, SubscriptionSpec
from onward.pipeline.verdict import Stopped
from onward.workspace.snapshot import Filter

TRACK = SubscriptionSpec(
    'type = "track"', {"name": {"@path": "$.event"}, "mail": {"@path": "$.properties.email"}}
)
PAGE = SubscriptionSpec('type = "page"', {"name": {"@path": "$.name"}})
ALL = SubscriptionSpec('type = "track" or type = "page"', {"who": {"@path": "$.userId"}})

EVENT = {
    "type": "track",
    "event": "Bought",
    "userId": "u",
    "messageId": "m",
    "context": {},
    "integrations": {},
    "properties": {"email": "a@x.com"},
}


def drop(condition: str, *actions: dict[str, Any]) -> Filter:
    return Filter(id="f", title="t", condition=condition, actions=actions or ({"type": "DROP"},))


def spec(**changes: Any) -> RouteSpec:
    plain: dict[str, Any] = {
        "integration_names": ("Webhooks (Actions)", "Webhooks"),
        "supported_types": frozenset({"track", "page"}),
        "subscriptions": (TRACK, PAGE, ALL),
    }
    return RouteSpec(**{**plain, **changes})


def routed(event: dict[str, Any] = EVENT, **changes: Any) -> Stopped | list[Mapped]:
    return route.compile(spec(**changes))(event, Random(1))


def test_every_matching_subscription_gives_a_payload_in_order() -> None:
    mapped = routed()
    assert [(each.subscription, each.payload, each.problem) for each in mapped] == [
        (0, {"name": "Bought", "mail": "a@x.com"}, None),
        (2, {"who": "u"}, None),
    ]
    assert all(each.event is EVENT for each in mapped)


def test_disabled_subscriptions_keep_their_place() -> None:
    mapped = routed(subscriptions=(TRACK._replace(enabled=False), ALL))
    assert [each.subscription for each in mapped] == [1]


@pytest.mark.parametrize(
    ("event", "changes", "code"),
    [
        ({}, {"subscriptions": (PAGE,)}, "NO_MATCHING_MAPPING"),
        ({}, {"subscriptions": ()}, "NO_MATCHING_MAPPING"),
        ({}, {"subscriptions": (TRACK._replace(enabled=False),)}, "NO_MATCHING_MAPPING"),
        ({}, {"subscriptions": (SubscriptionSpec("((", {}),)}, "NO_MATCHING_MAPPING"),
        ({"type": "identify"}, {}, "UNSUPPORTED_EVENT_TYPE"),
        ({"type": None}, {}, "UNSUPPORTED_EVENT_TYPE"),
        ({"integrations": {"All": False}}, {}, "FILTERED_BY_INTEGRATIONS_OBJECT"),
        ({"integrations": {"Webhooks": False}}, {}, "FILTERED_BY_INTEGRATIONS_OBJECT"),
        ({}, {"default_enabled": False}, "FILTERED_BY_INTEGRATIONS_OBJECT"),
        ({}, {"filters": (drop("event = 'Bought'"),)}, "FILTERED_BY_RULES"),
        ({}, {"filters": (drop("event ="),)}, "FILTERED_BY_RULES"),
        ({"_metadata": {"bundled": ["X", "Webhooks"]}}, {"device_mode": True}, "MESSAGE_SENT_CLIENT_SIDE"),
        # The order: sent by the device, integrations object, type, filters, triggers.
        (
            {"_metadata": {"bundled": ["Webhooks"]}, "integrations": {"All": False}, "type": "alias"},
            {"device_mode": True},
            "MESSAGE_SENT_CLIENT_SIDE",
        ),
        ({"integrations": {"All": False}, "type": "alias"}, {}, "FILTERED_BY_INTEGRATIONS_OBJECT"),
        ({"type": "alias"}, {"filters": (drop("all"),)}, "UNSUPPORTED_EVENT_TYPE"),
        ({}, {"filters": (drop("all"),), "subscriptions": ()}, "FILTERED_BY_RULES"),
    ],
)
def test_what_stops_an_event(event: dict[str, Any], changes: dict[str, Any], code: str) -> None:
    stopped = routed({**EVENT, **event}, **changes)
    assert isinstance(stopped, Stopped)
    assert stopped == code
    assert stopped.filter_id == ("f" if code == "FILTERED_BY_RULES" else None)
    steps = explain(route.compile(spec(**changes)), {**EVENT, **event}, Random(1))
    assert steps[-1].code == code
    assert not steps[-1].passed


@pytest.mark.parametrize(
    "metadata",
    [None, 5, [], {}, {"bundled": "Webhooks"}, {"bundled": ["Other"]}, {"bundled": [["Webhooks"]]}],
)
def test_other_metadata_stops_nothing(metadata: Any) -> None:
    assert isinstance(routed({**EVENT, "_metadata": metadata}, device_mode=True), list)
    assert isinstance(routed({**EVENT, "_metadata": {"bundled": ["Webhooks"]}}), list)


def test_triggers_and_mappings_see_the_filtered_event() -> None:
    hide = drop("all", {"type": "DROP_PROPERTIES", "fields": {"properties": ["email"]}})
    exists = SubscriptionSpec("properties.email != null", {"a": 1})
    mapped = routed(filters=(hide,), subscriptions=(exists, TRACK))
    assert [(each.subscription, each.payload) for each in mapped] == [(1, {"name": "Bought"})]
    assert mapped[0].event == {**EVENT, "properties": {}}


def test_a_filter_may_leave_nothing_at_all() -> None:
    bare = drop("all", {"type": "ALLOW_PROPERTIES", "fields": {"": ["nothing"]}})
    assert routed(filters=(bare,)) == "NO_MATCHING_MAPPING"


def test_an_insert_function_fits_between_match_and_map() -> None:
    compiled = route.compile(spec())
    matched = compiled.match(EVENT, Random(1))
    assert not isinstance(matched, Stopped)
    event, subscriptions = matched
    mapped = compiled.map({**event, "event": "Changed", "type": "page"}, subscriptions)
    assert [(each.subscription, each.payload.get("name")) for each in mapped] == [(0, "Changed"), (2, None)]


def test_a_broken_mapping_is_the_problem_of_its_payloads_only() -> None:
    broken = SubscriptionSpec('type = "track"', {"a": {"@path": 5}})
    first, second = routed(subscriptions=(broken, ALL))
    assert first.problem is not None
    assert first.problem[0] == "INVALID_SETTINGS"
    assert "/a/@path" in first.problem[1]
    assert first.payload == {}
    assert second.problem is None


def test_a_mapping_that_fails_on_the_event_names_the_field() -> None:
    indirect = {"a": {"b": {"@path": {"@path": "$.properties"}}}}
    (mapped,) = routed(subscriptions=(SubscriptionSpec('type = "track"', indirect),))
    assert mapped.problem is not None
    code, message = mapped.problem
    assert code == "MESSAGE_REJECTED"
    assert "/a/b" in message


def test_a_payload_is_an_object() -> None:
    root = {"__segment_internal_directive": {"@path": "$.userId"}}
    scalar = {"@path": "$.userId"}
    for mapping in (root, scalar):
        (mapped,) = routed(subscriptions=(SubscriptionSpec('type = "track"', mapping),))
        assert mapped.problem is not None
        assert mapped.payload == {}


def test_payloads_are_coerced_and_checked_by_the_fields_of_the_action() -> None:
    fields = {
        "name": FieldSchema(label="Name", required=True),
        "age": FieldSchema(label="Age", type="integer"),
    }
    mapping = {"name": {"@path": "$.properties.name"}, "age": {"@path": "$.properties.age"}, "more": 1}
    checked = SubscriptionSpec('type = "track"', mapping, fields=fields)
    (mapped,) = routed({**EVENT, "properties": {"name": "Ada", "age": "36"}}, subscriptions=(checked,))
    assert (mapped.payload, mapped.problem) == ({"name": "Ada", "age": 36}, None)
    (mapped,) = routed({**EVENT, "properties": {"age": "old"}}, subscriptions=(checked,))
    assert mapped.payload == {}
    assert mapped.problem is not None
    code, message = mapped.problem
    assert code == "MESSAGE_REJECTED"
    assert "'name'" in message
    assert "Age" in message


def test_explain_tells_every_step() -> None:
    hide = drop("event = 'Bought'", {"type": "DROP_PROPERTIES", "fields": {"properties": ["email"]}})
    steps = explain(route.compile(spec(filters=(drop("type = 'page'"), hide))), EVENT, Random(1))
    assert [(step.stage, step.passed, step.id, step.message) for step in steps] == [
        ("admission", True, "", ""),
        ("filter", False, "f", "none"),
        ("filter", True, "f", "changed"),
        ("filters", True, "", ""),
        ("trigger", True, "0", ""),
        ("trigger", False, "1", ""),
        ("trigger", True, "2", ""),
        ("triggers", True, "", ""),
        ("mapping", True, "0", ""),
        ("mapping", True, "2", ""),
    ]
    assert steps[3].output["properties"] == {}
    assert steps[-2].output == {"name": "Bought"}


filters = st.builds(
    lambda condition, action: drop(condition, action),
    st.sampled_from(["all", "type = 'track'", "event = 'x'", "length(properties) > 1", "oops ="]),
    actions,
)


@given(events(), st.lists(filters, max_size=3), st.integers(0, 99))
def test_explain_and_route_agree_and_change_nothing(event: dict, filters: list[Filter], seed: int) -> None:
    compiled = route.compile(spec(filters=tuple(filters)))
    event["type"] = "track"
    before = copy.deepcopy(event)
    result = compiled(event, Random(seed))
    # `explain` takes its dice from the generator it is given, so only chance may differ.
    by_chance = any(a["type"] == "SAMPLE" and not a.get("path") for f in filters for a in f.actions)
    steps = explain(compiled, event, Random(seed))
    assert event == before
    if by_chance:
        return
    if isinstance(result, Stopped):
        assert steps[-1].code == result
    else:
        mapped = [(s.id, s.output) for s in steps if s.stage == "mapping"]
        assert mapped == [(str(m.subscription), None if m.problem else m.payload) for m in result]


def test_transformations_come_after_the_filters_and_before_the_triggers() -> None:
    rename = Transformation(id="t", condition="event='Bought'", new_event_name="Sold", drop=("email",))
    filters = [drop("event = 'Sold'")]
    (mapped, _) = routed(filters=filters, transformations=[rename])
    assert mapped.payload == {"name": "Sold"}
    sold = SubscriptionSpec('event = "Sold"', {})
    assert len(routed(subscriptions=(sold,), transformations=[rename])) == 1
    assert routed(filters=[drop("event = 'Bought'")], transformations=[rename]) == "FILTERED_BY_RULES"
    assert EVENT["properties"] == {"email": "a@x.com"}


def test_what_can_not_be_transformed_goes_nowhere() -> None:
    for condition in ("length(properties) > 1", "event ="):
        hide = Transformation(id="t", condition=condition, drop=("email",))
        with pytest.raises(TransformationError):
            routed(transformations=[hide])
        *_, last = explain(route.compile(spec(transformations=[hide])), EVENT, Random(1))
        assert (last.stage, last.passed, last.code) == ("transformations", False, "INTERNAL")


def test_what_a_transformation_drops_is_filtered() -> None:
    gone = Transformation(id="t", condition="event='Bought'", drops_event=True)
    stopped = routed(transformations=[gone])
    assert stopped == "FILTERED_BY_RULES" and "the transformation t" in stopped.message
    *_, last = explain(route.compile(spec(transformations=[gone])), EVENT, Random(1))
    assert (last.stage, last.passed, last.code) == ("transformations", False, "FILTERED_BY_RULES")
    other = Transformation(id="t", condition="event='Else'", drops_event=True)
    assert len(routed(transformations=[other])) == 2


def test_a_transformation_is_explained() -> None:
    rename = Transformation(id="t", condition="all", new_event_name="Sold")
    sold = SubscriptionSpec('event = "Sold"', {})
    steps = explain(route.compile(spec(transformations=[rename], subscriptions=(sold,))), EVENT, Random(1))
    assert [step.stage for step in steps] == [
        "admission",
        "transformations",
        "trigger",
        "triggers",
        "mapping",
    ]
    assert all(step.passed for step in steps)
    assert steps[1].output["event"] == "Sold"


@pytest.mark.parametrize(
    ("integrations", "passes"),
    [
        ({}, False),
        ({"All": True}, False),
        ({"Webhooks": True}, True),
        ({"Webhooks (Actions)": {"option": 1}}, True),
        ({"Webhooks": None}, False),
        ({"Webhooks": False}, False),
        ({"Other": True}, False),
    ],
)
def test_the_schema_keeps_events_back_unless_they_ask_for_the_destination(
    integrations: dict[str, Any], passes: bool
) -> None:
    kept_back = frozenset({("track", "Bought"), ("page", "")})
    result = routed(EVENT | {"integrations": integrations}, kept_back=kept_back)
    assert isinstance(result, list) is passes
    if not passes:
        assert result == "FILTERED_BY_INTEGRATIONS_OBJECT"
    assert isinstance(routed(EVENT | {"event": "Other"}, kept_back=kept_back), list)
    assert routed(EVENT | {"type": "page"}, kept_back=kept_back) == "FILTERED_BY_INTEGRATIONS_OBJECT"
