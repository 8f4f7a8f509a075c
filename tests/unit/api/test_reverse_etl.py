"""Reverse ETL models, and edge functions."""

from typing import Any

import pytest

from .conftest import Call, ClientOf

Json = dict[str, Any]

MODEL = {
    "name": "Customers",
    "description": "All of them.",
    "enabled": True,
    "scheduleStrategy": "PERIODIC",
    "scheduleConfig": {"interval": "15m"},
    "query": "SELECT id, email FROM customers",
    "queryIdentifierColumn": "id",
}
PATH = "/reverse-etl-models"


async def make(call: Call, source: Json, **more: Any) -> Json:
    body = MODEL | {"sourceId": source["id"]} | more
    return dict((await call("POST", PATH, body, status=201))["reverseEtlModel"])


async def test_a_model_is_made_read_changed_and_deleted(call: Call, source: Json) -> None:
    made = await make(call, source)
    assert made == MODEL | {"id": made["id"], "sourceId": source["id"]}
    path = f"{PATH}/{made['id']}"
    assert (await call("GET", path))["reverseEtlModel"] == made
    await call("PATCH", path, {"name": "New"})
    await call("PATCH", path, {"enabled": False})
    changed = (await call("PATCH", path, {"scheduleStrategy": "MANUAL"}))["reverseEtlModel"]
    expected = made | {"name": "New", "enabled": False, "scheduleStrategy": "MANUAL", "scheduleConfig": {}}
    assert changed == expected
    assert await call("DELETE", path) == {"status": "SUCCESS"}
    for method in ("GET", "PATCH", "DELETE"):
        await call(method, path, {} if method == "PATCH" else None, status=404)
    kinds = [each["type"] for each in (await call("GET", "/audit-events"))["events"]]
    assert kinds[:5] == [
        "Model Deleted",
        "Model Settings Saved",
        "Model State Change Toggled",
        "Model Settings Saved",
        "Model Created",
    ]


async def test_a_schedule_need_not_be_said(call: Call, source: Json) -> None:
    """As newer SDKs and the Terraform provider, for which it belongs to the subscription."""
    body = {
        name: MODEL[name] for name in ("name", "description", "enabled", "query", "queryIdentifierColumn")
    }
    made = (await call("POST", PATH, body | {"sourceId": source["id"]}, status=201))["reverseEtlModel"]
    assert (made["scheduleStrategy"], made["scheduleConfig"]) == ("MANUAL", {})


async def test_models_are_listed_across_pages(call: Call, source: Json) -> None:
    for name in ("a", "b", "c"):
        await make(call, source, name=name)
    listed: list[str] = []
    cursor: str | None = "MA=="
    while cursor:
        query = {"pagination[count]": 2, "pagination[cursor]": cursor}
        found = await call("GET", PATH, params=query)
        listed += [each["name"] for each in found["models"]]
        cursor = found["pagination"].get("next")
    assert listed == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sourceId": "nope"}, "sourceId"),
        ({"name": ""}, "name"),
        ({"query": " "}, "query"),
        ({"query": "x" * 65_536}, "query"),
        ({"queryIdentifierColumn": "c" * 192}, "queryIdentifierColumn"),
        ({"scheduleStrategy": "SOMETIMES"}, "scheduleStrategy"),
        ({"scheduleConfig": {"interval": "14m"}}, "scheduleConfig.interval"),
        ({"scheduleConfig": {}}, "scheduleConfig.interval"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_model_is_refused_with_the_field(
    call: Call, source: Json, body: Json, field: str
) -> None:
    whole = MODEL | {"sourceId": source["id"]} | body
    (error,) = await call("POST", PATH, whole, status=422)
    assert error["field"] == field
    if "sourceId" not in body:
        made = await make(call, source)
        (error,) = await call("PATCH", f"{PATH}/{made['id']}", body, status=422)
        assert error["field"] == field
        assert (await call("GET", f"{PATH}/{made['id']}"))["reverseEtlModel"] == made


async def test_another_strategy_needs_its_configuration(call: Call, source: Json) -> None:
    path = f"{PATH}/{(await make(call, source))['id']}"
    (error,) = await call("PATCH", path, {"scheduleStrategy": "CRON"}, status=422)
    assert error["field"] == "scheduleConfig.spec"
    config = {"spec": "0 */2 * * *", "timezone": "UTC"}
    changed = await call("PATCH", path, {"scheduleStrategy": "CRON", "scheduleConfig": config})
    assert changed["reverseEtlModel"]["scheduleConfig"] == config


async def test_a_sync_can_not_be_started_yet(call: Call, source: Json, destination: Json) -> None:
    model = await make(call, source)
    body = {"name": "s", "actionId": "send", "trigger": 'type = "track"'}
    path = f"/destinations/{destination['id']}/subscriptions"
    subscription = (await call("POST", path, body))["destinationSubscription"]
    whole = {"sourceId": source["id"], "modelId": model["id"], "subscriptionId": subscription["id"]}
    (error,) = await call("POST", "/reverse-etl-syncs", whole, status=422)
    assert "does not run" in error["message"] and "field" not in error
    for field in whole:
        (error,) = await call("POST", "/reverse-etl-syncs", whole | {field: "nope"}, status=422)
        assert error["field"] == field
    await call("GET", f"{PATH}/{model['id']}/syncs/nope", status=404)
    await call("GET", f"{PATH}/nope/syncs/nope", status=404)


async def test_models_belong_to_their_source(call: Call, source: Json, client_of: ClientOf) -> None:
    other = (await call("POST", "/sources", {"slug": "other", "metadataId": "python"}, status=201))["source"]
    mine, theirs = await make(call, source), await make(call, other)
    async with client_of({"source-admin": [{"type": "SOURCE", "id": source["id"]}]}) as client:
        listed = (await client.get(PATH)).json()["data"]["models"]
        assert [each["id"] for each in listed] == [mine["id"]]
        for model, status in ((mine, 200), (theirs, 403)):
            assert (await client.get(f"{PATH}/{model['id']}")).status_code == status
            changed = await client.patch(f"{PATH}/{model['id']}", json={"enabled": False})
            assert changed.status_code == status
        created = await client.post(PATH, json=MODEL | {"sourceId": other["id"]})
        assert created.status_code == 403
        started = {"sourceId": other["id"], "modelId": theirs["id"], "subscriptionId": "x"}
        assert (await client.post("/reverse-etl-syncs", json=started)).status_code == 403
    async with client_of({"entities-read-only": []}) as client:
        assert len((await client.get(PATH)).json()["data"]["models"]) == 2
        assert (await client.delete(f"{PATH}/{mine['id']}")).status_code == 403
    await call("DELETE", f"/sources/{other['id']}")
    await call("GET", f"{PATH}/{theirs['id']}", status=404)


async def test_edge_functions_have_versions(call: Call, source: Json, client_of: ClientOf) -> None:
    path = f"/sources/{source['id']}/edge-functions"
    for method, where in (("GET", "latest"), ("PATCH", "disable")):
        await call(method, f"{path}/{where}", status=404)
    bundle = "https://cdn.example.com/edge-1.js"
    made = (await call("POST", path, {"uploadURL": bundle}))["edgeFunctions"]
    assert (made["downloadURL"], made["version"], made["sourceId"]) == (bundle, 1, source["id"])
    assert made["createdBy"] and made["createdAt"]
    second = (await call("POST", path, {"uploadURL": bundle}))["edgeFunctions"]
    assert second["version"] == 2
    assert (await call("GET", f"{path}/latest"))["edgeFunctions"] == second
    disabled = (await call("PATCH", f"{path}/disable"))["edgeFunctions"]
    assert (disabled["version"], disabled["downloadURL"]) == (3, "")
    assert (await call("PATCH", f"{path}/disable"))["edgeFunctions"] == disabled
    for wrong in ("http://cdn.example.com/e.js", "/local/file.js", "https://x.example/a b"):
        (error,) = await call("POST", path, {"uploadURL": wrong}, status=422)
        assert error["field"] == "uploadURL"
    (error,) = await call("POST", f"{path}/upload-url", status=422)
    assert "keeps no bundles" in error["message"]
    await call("POST", "/sources/nope/edge-functions/upload-url", status=404)
    async with client_of({"source-read-only": []}) as client:
        assert (await client.get(f"{path}/latest")).status_code == 200
        assert (await client.post(path, json={"uploadURL": bundle})).status_code == 403
    kinds = [each["type"] for each in (await call("GET", "/audit-events"))["events"]]
    assert kinds.count("Edge Function Created") == 3
