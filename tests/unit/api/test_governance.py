"""Tracking plans, schema settings and transformations through the API, down to the snapshot."""

from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import text

from onward.pipeline.governance.spec import Controls, Hash
from onward.workspace import snapshot
from onward.workspace.compile import current_snapshot
from onward.workspace.store import Store

from .conftest import Call
from .test_scopes import client_with as client_with

ORDER = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"properties": {"type": "object", "properties": {"total": {"type": "number"}}}},
}
SECRET = "quite-a-secret-key"


def compiled(store: Store) -> snapshot.Snapshot:
    with store.reading() as session:
        return current_snapshot(session, store.cipher)


def governance(store: Store, source: dict[str, Any]) -> Any:
    return compiled(store).source_by_id[source["id"]].governance


@pytest.fixture
async def plan(call: Call) -> str:
    body = {"name": "Our Plan", "type": "LIVE", "description": "All of it"}
    return str((await call("POST", "/tracking-plans", body))["trackingPlan"]["id"])


@pytest.fixture
async def other(call: Call) -> dict[str, Any]:
    created = await call("POST", "/sources", {"slug": "other", "metadataId": "python"}, status=201)
    return dict(created["source"])


def rule(key: str | None = "Order Completed", version: int = 1, type: str = "TRACK", **more: Any) -> Any:
    made = {"type": type, "version": version, "jsonSchema": ORDER, **more}
    return made if key is None else made | {"key": key}


async def test_a_plan_is_made_shown_changed_and_deleted(call: Call, plan: str) -> None:
    shown = (await call("GET", f"/tracking-plans/{plan}"))["trackingPlan"]
    assert (shown["name"], shown["slug"], shown["type"], shown["description"]) == (
        "Our Plan",
        "our-plan",
        "LIVE",
        "All of it",
    )
    again = await call("POST", "/tracking-plans", {"name": "Our plan!", "type": "TEMPLATE"})
    assert again["trackingPlan"]["slug"] == "our-plan-2"
    assert "description" not in again["trackingPlan"]
    live = await call("GET", "/tracking-plans?type=LIVE&pagination[count]=1")
    assert [each["id"] for each in live["trackingPlans"]] == [plan]
    changed = await call("PATCH", f"/tracking-plans/{plan}", {"name": "Renamed", "description": None})
    assert changed == {"status": "SUCCESS"}
    shown = (await call("GET", f"/tracking-plans/{plan}"))["trackingPlan"]
    assert (shown["name"], "description" in shown) == ("Renamed", False)
    assert await call("DELETE", f"/tracking-plans/{plan}") == {"status": "SUCCESS"}
    await call("GET", f"/tracking-plans/{plan}", status=404)


async def test_rules(call: Call, plan: str) -> None:
    path = f"/tracking-plans/{plan}/rules"
    given = [rule("A"), rule("B"), rule(None, type="IDENTIFY"), rule("B", 2)]
    assert await call("PUT", path, {"rules": given}) == {"status": "SUCCESS"}
    listed = (await call("GET", path))["rules"]
    assert [(each["type"], each.get("key"), each["version"]) for each in listed] == [
        ("TRACK", "A", 1),
        ("TRACK", "B", 1),
        ("IDENTIFY", None, 1),
        ("TRACK", "B", 2),
    ]
    assert listed[0]["jsonSchema"] == ORDER
    first = await call("GET", f"{path}?pagination[count]=3")
    assert len(first["rules"]) == 3
    rest = await call("GET", f"{path}?pagination[count]=3&pagination[cursor]={first['pagination']['next']}")
    assert [each["version"] for each in rest["rules"]] == [2]

    changed = [rule("A", newKey="A2"), rule("B", jsonSchema=None), rule("C")]
    await call("PATCH", path, {"rules": changed})
    found = {
        (each.get("key"), each["version"]): each["jsonSchema"] for each in (await call("GET", path))["rules"]
    }
    assert found == {("A2", 1): ORDER, ("B", 1): None, (None, 1): ORDER, ("B", 2): ORDER, ("C", 1): ORDER}

    query = (
        "rules[0][type]=TRACK&rules[0][key]=B&rules[0][version]=2&rules[1].type=IDENTIFY&rules[1].version=1"
    )
    assert await call("DELETE", f"{path}?{query}") == {"status": "SUCCESS"}
    await call("PUT", path, {"rules": [rule("C"), rule("D")]})
    assert [each["key"] for each in (await call("GET", path))["rules"]] == ["C", "D"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([rule(None)], "rules[0].key"),
        ([rule("A"), rule("A")], "rules[1]"),
        ([rule("A", jsonSchema={"type": "wrong"})], "rules[0].jsonSchema"),
        ([rule("A", jsonSchema={"$ref": "https://example.com"})], "rules[0].jsonSchema"),
        ([rule("A", jsonSchema={"pattern": "(?!x)"})], "rules[0].jsonSchema"),
        ([rule("A", -1)], "rules[0].version"),
        ([rule("A", type="OTHER")], "rules[0].type"),
        ([{"type": "TRACK", "key": "A", "version": 1}], "rules[0].jsonSchema"),
        ([rule(f"K{n}") for n in range(201)], "rules"),
    ],
)
async def test_rules_that_are_refused(call: Call, plan: str, given: Any, field: str) -> None:
    errors = await call("PUT", f"/tracking-plans/{plan}/rules", {"rules": given}, status=422)
    assert errors[0]["field"] == field
    assert (await call("GET", f"/tracking-plans/{plan}/rules"))["rules"] == []


async def test_rules_to_remove_must_be_there(call: Call, plan: str) -> None:
    path = f"/tracking-plans/{plan}/rules"
    await call("DELETE", f"{path}?rules[0][type]=TRACK&rules[0][key]=X&rules[0][version]=1", status=404)
    await call("DELETE", f"{path}?rules[0][type]=TRACK&rules[0][key]=X", status=422)
    await call("DELETE", path, status=422)
    await call("PATCH", path, {"rules": [rule("A"), rule("B")]})
    errors = await call("PATCH", path, {"rules": [rule("A", newKey="B")]}, status=422)
    assert "already" in errors[0]["message"]


async def test_a_source_keeps_to_one_plan(call: Call, plan: str, source: Any, store: Store) -> None:
    await call("PUT", f"/tracking-plans/{plan}/rules", {"rules": [rule()]})
    assert governance(store, source) is None
    path = f"/tracking-plans/{plan}/sources"
    assert await call("POST", path, {"sourceId": source["id"]}) == {"status": "SUCCESS"}
    await call("POST", path, {"sourceId": source["id"]})
    shown = governance(store, source)
    assert [(each.kind, each.key, each.schema) for each in shown.plan.rules] == [
        ("TRACK", "Order Completed", ORDER)
    ]
    assert (await call("GET", f"/sources/{source['id']}"))["trackingPlanId"] == plan
    assert [each["id"] for each in (await call("GET", path))["sources"]] == [source["id"]]

    second = (await call("POST", "/tracking-plans", {"name": "Two", "type": "LIVE"}))["trackingPlan"]["id"]
    template = (await call("POST", "/tracking-plans", {"name": "T", "type": "TEMPLATE"}))["trackingPlan"][
        "id"
    ]
    body = {"sourceId": source["id"]}
    assert (
        "disconnect"
        in (await call("POST", f"/tracking-plans/{second}/sources", body, status=422))[0]["message"]
    )
    await call("POST", f"/tracking-plans/{template}/sources", body, status=422)
    await call("POST", path, {"sourceId": "nothing"}, status=404)

    assert await call("DELETE", f"{path}?sourceId={source['id']}") == {"status": "SUCCESS"}
    await call("DELETE", f"{path}?sourceId={source['id']}", status=404)
    assert governance(store, source) is None
    assert (await call("GET", f"/sources/{source['id']}"))["trackingPlanId"] is None
    await call("POST", f"/tracking-plans/{second}/sources", body)
    await call("DELETE", f"/tracking-plans/{second}")
    assert governance(store, source) is None


async def test_connecting_takes_both_permissions(
    call: Call, plan: str, source: Any, client_with: Any
) -> None:
    path = f"/tracking-plans/{plan}/sources"
    async with client_with("tracking-plan-admin") as client:
        assert (await client.post(path, json={"sourceId": source["id"]})).status_code == 403
        await call("POST", path, {"sourceId": source["id"]})
        assert (await client.delete(path, params={"sourceId": source["id"]})).status_code == 403
        assert (await client.put(f"/tracking-plans/{plan}/rules", json={"rules": []})).status_code == 200
        assert (await client.patch(f"/sources/{source['id']}/settings", json={})).status_code == 403
        assert (await client.get("/transformations")).status_code == 403
    async with client_with("source-admin") as client:
        assert (await client.post(path, json={"sourceId": source["id"]})).status_code == 403
    async with client_with("tracking-plan-read-only") as client:
        assert (await client.get(path)).json()["data"]["sources"] == []
        assert (await client.patch(f"/tracking-plans/{plan}", json={})).status_code == 403


async def test_schema_settings(call: Call, source: Any, other: Any, plan: str, store: Store) -> None:
    path = f"/sources/{source['id']}/settings"
    default = await call("GET", path)
    assert default["sourceId"] == source["id"]
    assert default["settings"]["track"] == {
        "allowUnplannedEvents": True,
        "allowUnplannedEventProperties": True,
        "allowEventOnViolations": True,
        "allowPropertiesOnViolations": True,
        "commonEventOnViolations": "ALLOW",
    }
    assert default["settings"].keys() == {"track", "identify", "group"}
    body = {
        "track": {"allowUnplannedEvents": False, "commonEventOnViolations": "OMIT_PROPERTIES"},
        "group": {"allowTraitsOnViolations": False, "commonEventOnViolations": "BLOCK"},
        "forwardingBlockedEventsTo": other["id"],
    }
    changed = (await call("PATCH", path, body))["settings"]
    assert changed["track"] == default["settings"]["track"] | body["track"]  # type: ignore[operator]
    assert changed["forwardingBlockedEventsTo"] == other["id"]
    await call(
        "PATCH", path, {"track": {"allowEventOnViolations": False}, "forwardingViolationsTo": other["id"]}
    )
    await call("POST", f"/tracking-plans/{plan}/sources", {"sourceId": source["id"]})
    rules = governance(store, source)
    assert rules.track == Controls(
        allow_unplanned_events=False, allow_events_on_violations=False, on_common_violation="OMIT"
    )
    assert rules.identify == Controls()
    assert rules.group == Controls(allow_fields_on_violations=False, on_common_violation="BLOCK")
    assert (rules.violations_to, rules.blocked_to) == (other["id"], other["id"])

    await call("PATCH", path, {"forwardingViolationsTo": None})
    assert "forwardingViolationsTo" not in (await call("GET", path))["settings"]
    await call("DELETE", f"/sources/{other['id']}")
    assert "forwardingBlockedEventsTo" not in (await call("GET", path))["settings"]
    assert governance(store, source).blocked_to is None


async def test_schema_settings_that_are_refused(call: Call, source: Any) -> None:
    path = f"/sources/{source['id']}/settings"
    for body, field in (
        ({"track": {"allow": True}}, "track.allow"),
        ({"track": {"commonEventOnViolations": "OMIT_TRAITS"}}, "track.commonEventOnViolations"),
        ({"forwardingViolationsTo": source["id"]}, "forwardingViolationsTo"),
        ({"forwardingBlockedEventsTo": "nothing"}, "forwardingBlockedEventsTo"),
    ):
        assert (await call("PATCH", path, body, status=422))[0]["field"] == field


async def test_toggles_of_the_schema(call: Call, source: Any, store: Store) -> None:
    path = f"/sources/{source['id']}/schema/events"
    body = [
        {"type": "TRACK", "name": "Seen", "enabled": False},
        {"type": "TRACK", "name": "Bought", "integrations": {"Webhooks (Actions)": False, "Slack": True}},
        {"type": "IDENTIFY", "omitted": ["phone"]},
    ]
    listed = (await call("PATCH", path, {"events": body}))["events"]
    assert [(each["type"], each["name"], each["enabled"]) for each in listed] == [
        ("IDENTIFY", "", True),
        ("TRACK", "Bought", True),
        ("TRACK", "Seen", False),
    ]
    assert len(governance(store, source).events) == 3
    kept = (await call("PATCH", path, {"events": [{"type": "TRACK", "name": "Seen", "enabled": True}]}))[
        "events"
    ]
    assert [each["name"] for each in kept] == ["", "Bought"]
    await call(
        "PATCH",
        path,
        {
            "events": [
                {"type": "TRACK", "name": "Bought", "integrations": {}},
                {"type": "IDENTIFY", "omitted": []},
            ]
        },
    )
    assert (await call("GET", path))["events"] == []
    assert governance(store, source) is None
    for wrong in (
        {"type": "TRACK"},
        {"type": "PAGE", "name": "x"},
        {"type": "TRACK", "name": "a", "omitted": [""]},
    ):
        await call("PATCH", path, {"events": [wrong]}, status=422)


def transformation(source: Any, **more: Any) -> dict[str, Any]:
    return {"name": "Fix", "sourceId": source["id"], "enabled": True, "if": "event='order_done'", **more}


async def test_a_transformation_is_made_shown_changed_and_deleted(
    call: Call, source: Any, destination: Any, store: Store
) -> None:
    body = transformation(
        source,
        newEventName="Order Done",
        propertyRenames=[{"oldName": "plan", "newName": "account.plan"}],
        propertyValueTransformations=[{"propertyPaths": ["properties.currency"], "propertyValue": "EUR"}],
        allowProperties=["account.plan", "currency"],
        dropProperties=["x"],
    )
    made = (await call("POST", "/transformations", body))["transformation"]
    id = made.pop("id")
    assert made == body
    (spec,) = governance(store, source).transformations
    assert (spec.new_event_name, spec.renames, spec.allow) == (
        "Order Done",
        (("plan", "account.plan"),),
        ("account.plan", "currency"),
    )
    changed = await call(
        "PATCH",
        f"/transformations/{id}",
        {"destinationMetadataId": "actions-webhook", "dropProperties": [], "newEventName": None},
    )
    shown = changed["transformation"]
    assert "dropProperties" not in shown and "drop" not in shown
    dropping = (await call("PATCH", f"/transformations/{id}", {"drop": True}))["transformation"]
    assert dropping == shown | {"drop": True}
    assert compiled(store).destination_by_id[destination["id"]].transformations[0].drops_event
    assert (await call("PATCH", f"/transformations/{id}", {"drop": None}))["transformation"] == shown
    assert "newEventName" not in shown
    assert shown["destinationMetadataId"] == destination["metadata"]["id"]
    assert (await call("GET", f"/transformations/{id}"))["transformation"] == shown
    assert governance(store, source) is None
    assert len(compiled(store).destination_by_id[destination["id"]].transformations) == 1
    await call("PATCH", f"/transformations/{id}", {"enabled": False})
    assert compiled(store).destination_by_id[destination["id"]].transformations == ()
    assert [each["id"] for each in (await call("GET", "/transformations"))["transformations"]] == [id]
    assert await call("DELETE", f"/transformations/{id}") == {"status": "SUCCESS"}
    await call("GET", f"/transformations/{id}", status=404)


async def test_the_key_of_a_hash_is_a_secret(
    client: httpx.AsyncClient, call: Call, source: Any, store: Store
) -> None:
    config = {"algorithm": "SHA256", "key": SECRET, "encoding": "BASE64", "paths": ["email"], "prefix": "h-"}
    body = transformation(source, hashPropertiesConfiguration=config)
    made = (await call("POST", "/transformations", body))["transformation"]
    masked = made["hashPropertiesConfiguration"]
    assert masked == config | {"key": "••••••••"}
    (spec,) = governance(store, source).transformations
    assert spec.hash == Hash(algorithm="SHA256", paths=("email",), key=SECRET, encoding="BASE64", prefix="h-")
    path = f"/transformations/{made['id']}"
    await call("PATCH", path, {"hashPropertiesConfiguration": masked | {"paths": ["email", "phone"]}})
    (spec,) = governance(store, source).transformations
    assert (spec.hash.key, spec.hash.paths) == (SECRET, ("email", "phone"))
    await call("PATCH", path, {"hashPropertiesConfiguration": {"algorithm": "MD5", "paths": ["email"]}})
    (spec,) = governance(store, source).transformations
    assert spec.hash.key == ""
    fresh = transformation(source, **{"if": "type='identify'"}, hashPropertiesConfiguration=masked)
    errors = await call("POST", "/transformations", fresh, status=422)
    assert errors[0]["field"] == "hashPropertiesConfiguration.key"
    told = (await client.get("/audit-events")).text
    assert "Transformation Updated" in told
    assert SECRET not in told
    with store.reading() as session:
        rows = session.execute(text("select changes, secrets from transformation")).all()
    assert SECRET not in msgspec.json.encode([tuple(row) for row in rows]).decode()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"if": "event ="}, "if"),
        ({"name": " "}, "name"),
        ({"propertyRenames": [{"oldName": "a..b", "newName": "c"}]}, "propertyRenames[0].oldName"),
        ({"propertyRenames": [{"oldName": "context.ip", "newName": "c"}]}, "propertyRenames[0].oldName"),
        (
            {"propertyValueTransformations": [{"propertyPaths": ["userId"], "propertyValue": "x"}]},
            "propertyValueTransformations[0].propertyPaths",
        ),
        (
            {"propertyValueTransformations": [{"propertyPaths": ["a"] * 2, "propertyValue": "x"}]},
            "propertyValueTransformations[0].propertyPaths",
        ),
        (
            {
                "propertyRenames": [{"oldName": "a", "newName": "b"}],
                "propertyValueTransformations": [{"propertyPaths": ["properties.a"], "propertyValue": 1}],
            },
            "propertyValueTransformations[0].propertyPaths",
        ),
        (
            {
                "propertyValueTransformations": [
                    {"propertyPaths": [f"properties.a{n}"], "propertyValue": 1} for n in range(11)
                ]
            },
            "propertyValueTransformations",
        ),
        ({"fqlDefinedProperties": [{"fql": "nope(a)", "propertyName": "b"}]}, "fqlDefinedProperties[0].fql"),
        (
            {"newEventName": "N", "fqlDefinedProperties": [{"fql": "userId", "propertyName": "b"}]},
            "fqlDefinedProperties",
        ),
        ({"allowProperties": ["a.b.c.d.e"]}, "allowProperties[0]"),
        (
            {"hashPropertiesConfiguration": {"algorithm": "ROT13", "paths": ["a"]}},
            "hashPropertiesConfiguration",
        ),
        ({"destinationMetadataId": "nothing"}, "destinationMetadataId"),
        ({"other": 1}, "other"),
    ],
)
async def test_transformations_that_are_refused(call: Call, source: Any, more: Any, field: str) -> None:
    errors = await call("POST", "/transformations", transformation(source, **more), status=422)
    assert errors[0]["field"] == field
    assert (await call("GET", "/transformations"))["transformations"] == []


async def test_one_rule_for_each_source_type_event_and_destination(
    call: Call, source: Any, other: Any, destination: Any
) -> None:
    rename = {"newEventName": "N"}
    await call("POST", "/transformations", transformation(source, **rename))
    same = transformation(source, newEventName="M", **{"if": 'event = "order_done"'})
    assert "already" in (await call("POST", "/transformations", same, status=422))[0]["message"]
    for fine in (
        transformation(source, **rename, **{"if": "event='other'"}),
        transformation(source, **rename, destinationMetadataId="actions-webhook"),
        transformation(other, **rename),
        transformation(source, dropProperties=["a"]),
    ):
        await call("POST", "/transformations", fine)


async def test_transformations_are_had_for_their_source(
    call: Call, source: Any, other: Any, client_with: Any
) -> None:
    mine = (await call("POST", "/transformations", transformation(source, newEventName="N")))[
        "transformation"
    ]
    theirs = (await call("POST", "/transformations", transformation(other, newEventName="N")))[
        "transformation"
    ]
    async with client_with("source-admin", {"type": "SOURCE", "id": source["id"]}) as client:
        listed = (await client.get("/transformations")).json()["data"]["transformations"]
        assert [each["id"] for each in listed] == [mine["id"]]
        assert (await client.get(f"/transformations/{theirs['id']}")).status_code == 403
        assert (await client.delete(f"/transformations/{theirs['id']}")).status_code == 403
        moved = await client.patch(f"/transformations/{mine['id']}", json={"sourceId": other["id"]})
        assert moved.status_code == 403
        made = await client.post("/transformations", json=transformation(other, dropProperties=["a"]))
        assert made.status_code == 403
        settings = {"forwardingViolationsTo": other["id"]}
        refused = await client.patch(f"/sources/{source['id']}/settings", json=settings)
        assert refused.status_code == 403


async def test_what_was_done_is_in_the_audit_trail(
    client: httpx.AsyncClient, call: Call, plan: str, source: Any
) -> None:
    await call("PUT", f"/tracking-plans/{plan}/rules", {"rules": [rule()]})
    await call("POST", f"/tracking-plans/{plan}/sources", {"sourceId": source["id"]})
    await call("PATCH", f"/sources/{source['id']}/settings", {"track": {"allowUnplannedEvents": False}})
    await call("PATCH", f"/sources/{source['id']}/settings", {"track": {"allowUnplannedEvents": False}})
    await call("POST", "/transformations", transformation(source, newEventName="N"))
    events = (await client.get("/audit-events?pagination[count]=50")).json()["data"]["events"]
    told = [event["type"] for event in events]
    for type in (
        "Tracking Plan Created",
        "Tracking Plan Modified",
        "Source Modified",
        "Transformation Created",
    ):
        assert type in told
    assert told.count("Source Settings Modified") == 1
