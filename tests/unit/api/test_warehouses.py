"""Warehouses, the sources connected to them, and what of these is selected to be synced."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from onward.workspace.entities import Warehouse
from onward.workspace.store import Store
from onward.workspace.warehouse_catalogue import WAREHOUSES

from .conftest import Call, ClientOf

Json = dict[str, Any]

POSTGRES = {
    "hostname": "db.example.com",
    "database": "events",
    "username": "loader",
    "password": "pa55-secret",
}


async def make(call: Call, kind: str = "postgres", settings: Any = POSTGRES, **more: Any) -> Json:
    body = {"metadataId": kind, "settings": settings} | more
    return dict((await call("POST", "/warehouses", body, status=201))["warehouse"])


@pytest.fixture
async def warehouse(call: Call) -> Json:
    return await make(call, name="Main")


async def test_the_catalogue_says_what_each_takes(call: Call) -> None:
    listed: list[Json] = []
    cursor: str | None = "MA=="
    while cursor:
        query = {"pagination[count]": 4, "pagination[cursor]": cursor}
        found = await call("GET", "/catalog/warehouses", params=query)
        listed += found["warehousesCatalog"]
        cursor = found["pagination"].get("next")
    assert [each["slug"] for each in listed] == list(WAREHOUSES)
    redshift = (await call("GET", "/catalog/warehouses/aea3c55dsz"))["warehouseMetadata"]
    assert redshift["slug"] == "redshift"
    assert (await call("GET", "/catalog/warehouses/redshift"))["warehouseMetadata"] == redshift
    options = {option["name"]: option for option in redshift["options"]}
    assert options["password"]["type"] == "password" and options["password"]["required"]
    assert options["port"]["defaultValue"] == "5439"
    await call("GET", "/catalog/warehouses/nope", status=404)


async def test_a_warehouse_is_made_read_changed_and_deleted(
    call: Call, store: Store, client: httpx.AsyncClient
) -> None:
    made = await make(call, settings=POSTGRES | {"port": 6000}, name="Main")
    workspace = (await call("GET", "/"))["workspace"]
    assert made["metadata"]["slug"] == "postgres"
    assert (made["enabled"], made["workspaceId"]) == (True, workspace["id"])
    assert made["settings"] == POSTGRES | {"password": "••••••••", "port": "6000", "name": "Main"}
    path = f"/warehouses/{made['id']}"
    assert (await call("GET", path))["warehouse"] == made
    # What an answer says can be sent back, with changes.
    body = {"settings": made["settings"] | {"database": "other", "name": "Second"}, "enabled": False}
    changed = (await call("PATCH", path, body))["warehouse"]
    assert changed["settings"] == made["settings"] | {"database": "other", "name": "Second"}
    assert not changed["enabled"]
    both = {"name": "Third", "settings": changed["settings"]}
    assert (await call("PATCH", path, both))["warehouse"]["settings"]["name"] == "Third"
    unnamed = (await call("PATCH", path, {"settings": {}, "name": None}))["warehouse"]
    assert "name" not in unnamed["settings"]
    with store.reading() as session:
        stored = session.scalars(select(Warehouse)).one()
        identity = f"warehouse/{stored.id}/password"
        assert store.cipher.open_value(stored.secrets["password"], identity) == "pa55-secret"
        assert "pa55" not in f"{stored.settings}{stored.secrets}"
    assert await call("DELETE", path) == {"status": "SUCCESS"}
    for method, where in (("GET", path), ("PATCH", path), ("DELETE", path), ("GET", f"{path}/syncs")):
        body = {"settings": {}} if method == "PATCH" else None
        await call(method, where, body, status=404)
    trail = (await client.get("/audit-events")).text
    assert "Storage Destination Created" in trail and "Storage Destination Deleted" in trail
    assert "pa55" not in trail


async def test_warehouses_are_listed_across_pages(call: Call) -> None:
    for name in ("a", "b", "c"):
        await make(call, "duckdb", {}, name=name)
    listed: list[str] = []
    cursor: str | None = "MA=="
    while cursor:
        query = {"pagination[count]": 2, "pagination[cursor]": cursor}
        found = await call("GET", "/warehouses", params=query)
        listed += [each["settings"]["name"] for each in found["warehouses"]]
        cursor = found["pagination"].get("next")
    assert listed == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metadataId": "nope"}, "metadataId"),
        ({"settings": {}}, "settings.hostname"),
        ({"settings": POSTGRES | {"nope": 1}}, "settings.nope"),
        ({"settings": POSTGRES | {"port": 0}}, "settings.port"),
        ({"settings": POSTGRES | {"port": "65536"}}, "settings.port"),
        ({"settings": POSTGRES | {"port": "x"}}, "settings.port"),
        ({"settings": POSTGRES | {"port": True}}, "settings.port"),
        ({"settings": POSTGRES | {"name": 7}}, "settings.name"),
        ({"settings": POSTGRES | {"password": "••••••••"}}, "settings.password"),
        ({"metadataId": "duckdb", "settings": {"path": "../secret.key"}}, "settings.path"),
        (
            {
                "metadataId": "snowflake",
                "settings": {"account": "a", "warehouse": "w", "database": "d", "username": "u"},
            },
            "settings.password",
        ),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_wrong_settings_are_refused_with_the_field(call: Call, body: Json, field: str) -> None:
    whole = {"metadataId": "postgres", "settings": POSTGRES} | body
    (error,) = await call("POST", "/warehouses", whole, status=422)
    assert error["field"] == field
    if "colour" not in body and field != "settings.name":
        (error,) = await call("POST", "/warehouses/validation", whole, status=422)
        assert error["field"] == field


async def test_nobody_is_told_that_a_warehouse_was_reached(call: Call, warehouse: Json) -> None:
    state = await call("GET", f"/warehouses/{warehouse['id']}/connection-state")
    assert state["connectionState"] == "FAILED" and "not tried" in state["message"]
    body = {"metadataId": "postgres", "settings": POSTGRES}
    answer = await call("POST", "/warehouses/validation", body)
    assert answer["status"] == "FAILED" and "not tried" in answer["message"]


async def test_sources_are_connected_and_disconnected(call: Call, warehouse: Json, source: Json) -> None:
    path = f"/warehouses/{warehouse['id']}/connected-sources"
    assert (await call("GET", path))["sources"] == []
    for _ in range(2):
        assert await call("POST", f"{path}/{source['id']}", status=201) == {"status": "CONNECTED"}
    assert [each["id"] for each in (await call("GET", path))["sources"]] == [source["id"]]
    of_source = f"/sources/{source['id']}/connected-warehouses"
    assert (await call("GET", of_source))["warehouses"] == [warehouse]
    (made,) = [
        each
        for each in (await call("GET", "/audit-events"))["events"]
        if each["type"] == "Storage Destination Modified"
    ]
    assert (made["before"]["sources"], made["after"]["sources"]) == ([], [source["id"]])
    assert await call("DELETE", f"{path}/{source['id']}") == {"status": "SUCCESS"}
    await call("DELETE", f"{path}/{source['id']}", status=404)
    await call("POST", f"{path}/nope", status=404)
    assert (await call("GET", of_source))["warehouses"] == []


async def test_all_sources_may_be_connected_at_once(call: Call, source: Json) -> None:
    for given, connected in ((None, 0), (True, 0), (False, 1)):
        made = await make(call, disconnectAllSources=given)
        listed = await call("GET", f"/warehouses/{made['id']}/connected-sources")
        assert len(listed["sources"]) == connected


async def test_a_source_and_its_connections_go_together(call: Call, warehouse: Json, source: Json) -> None:
    path = f"/warehouses/{warehouse['id']}"
    await call("POST", f"{path}/connected-sources/{source['id']}", status=201)
    override = {"sourceId": source["id"], "collection": "c", "enabled": False}
    await call("PATCH", f"{path}/selective-sync", {"syncOverrides": [override]})
    await call("DELETE", f"/sources/{source['id']}")
    assert (await call("GET", f"{path}/connected-sources"))["sources"] == []
    await call("DELETE", path)


async def test_what_is_synced_is_selected(call: Call, warehouse: Json, source: Json) -> None:
    path = f"/warehouses/{warehouse['id']}"
    items = f"{path}/connected-sources/{source['id']}/selective-syncs"
    await call("GET", items, status=404)

    async def select(*overrides: Json) -> Json:
        body = {"syncOverrides": [{"sourceId": source["id"]} | each for each in overrides]}
        return dict(await call("PATCH", f"{path}/selective-sync", body))

    said = await select({"collection": "products", "enabled": False})
    assert said["status"] == "UPDATED" and "not connected" in said["warnings"][0]
    await call("POST", f"{path}/connected-sources/{source['id']}", status=201)
    ids = {"sourceId": source["id"], "warehouseId": warehouse["id"]}
    products = ids | {"collection": "products", "enabled": False, "properties": {}}
    assert (await call("GET", items))["items"] == [products]
    assert await select({"collection": "products", "enabled": False}) == {
        "status": "UNCHANGED",
        "warnings": [],
    }
    said = await select(
        {"collection": "products", "enabled": True},
        {"collection": "orders", "property": "total", "enabled": False},
        {"collection": "orders", "property": "received_at", "enabled": False},
    )
    assert said["status"] == "UPDATED" and "received_at" in said["warnings"][0]
    orders = ids | {
        "collection": "orders",
        "enabled": True,
        "properties": {"received_at": False, "total": False},
    }
    assert (await call("GET", items))["items"] == [orders, products | {"enabled": True}]
    page = await call("GET", items, params={"pagination[count]": 1})
    assert page["items"] == [orders] and page["pagination"]["totalEntries"] == 2
    query = {"pagination[cursor]": page["pagination"]["next"]}
    assert len((await call("GET", items, params=query))["items"]) == 1
    await select({"enabled": False})
    assert not any(each["enabled"] for each in (await call("GET", items))["items"])
    last = (await call("GET", "/audit-events"))["events"][0]
    assert last["type"] == "Storage Destination Modified"
    assert len(last["after"]["selective_sync"]) == len(last["before"]["selective_sync"]) + 1


@pytest.mark.parametrize(
    ("override", "field"),
    [
        ({"sourceId": "nope"}, "syncOverrides[1].sourceId"),
        ({"property": "p"}, "syncOverrides[1].collection"),
        ({"collection": ""}, "syncOverrides[1].collection"),
        ({"collection": "c" * 256}, "syncOverrides[1].collection"),
        ({"enabled": None}, "syncOverrides[1].enabled"),
    ],
)
async def test_a_wrong_override_changes_nothing(
    call: Call, warehouse: Json, source: Json, override: Json, field: str
) -> None:
    right = {"sourceId": source["id"], "collection": "c", "enabled": False}
    path = f"/warehouses/{warehouse['id']}"
    wrong = {"sourceId": source["id"], "enabled": False} | override
    body = {"syncOverrides": [right, wrong]}
    (error,) = await call("PATCH", f"{path}/selective-sync", body, status=422)
    assert error["field"] == field
    await call("POST", f"{path}/connected-sources/{source['id']}", status=201)
    found = await call("GET", f"{path}/connected-sources/{source['id']}/selective-syncs")
    assert found["items"] == []


async def test_there_are_no_syncs_yet(call: Call, warehouse: Json, source: Json) -> None:
    path = f"/warehouses/{warehouse['id']}"
    found = await call("GET", f"{path}/syncs")
    assert (found["reports"], found["pagination"]["totalEntries"]) == ([], 0)
    of_source = f"{path}/connected-sources/{source['id']}/syncs"
    await call("GET", of_source, status=404)
    await call("POST", f"{path}/connected-sources/{source['id']}", status=201)
    assert (await call("GET", of_source))["reports"] == []


async def test_a_schedule_is_kept(call: Call, warehouse: Json) -> None:
    path = f"/warehouses/{warehouse['id']}/advanced-sync-schedule"
    assert await call("GET", path) == {"enabled": False}
    times = [{"hourOfDay": 6, "enabled": True}, {"hourOfDay": 18, "enabled": False}]
    body = {"enabled": True, "schedule": {"times": times, "timezone": "Europe/Berlin"}}
    assert await call("PUT", path, body) == body
    assert await call("GET", path) == body
    assert await call("PUT", path, {"enabled": False}) == {"enabled": False}
    assert await call("GET", path) == {"enabled": False}


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        (None, "schedule"),
        ({"times": [], "timezone": "Mars/Olympus"}, "schedule.timezone"),
        ({"times": [{"hourOfDay": 24, "enabled": True}], "timezone": "UTC"}, "schedule.times[0].hourOfDay"),
        (
            {"times": [{"hourOfDay": 1, "enabled": True}] * 2, "timezone": "UTC"},
            "schedule.times[1].hourOfDay",
        ),
        ({"times": []}, "schedule.timezone"),
    ],
)
async def test_a_wrong_schedule_is_refused(call: Call, warehouse: Json, schedule: Any, field: str) -> None:
    path = f"/warehouses/{warehouse['id']}/advanced-sync-schedule"
    (error,) = await call("PUT", path, {"enabled": True, "schedule": schedule}, status=422)
    assert error["field"] == field


async def test_permissions_are_for_all_warehouses_or_some(
    call: Call, warehouse: Json, source: Json, client_of: ClientOf
) -> None:
    other = await make(call, "duckdb", {})
    mine: dict[str, list[Any]] = {"warehouse-admin": [{"type": "WAREHOUSE", "id": warehouse["id"]}]}
    async with client_of(mine) as client:
        listed = (await client.get("/warehouses")).json()["data"]["warehouses"]
        assert [each["id"] for each in listed] == [warehouse["id"]]
        for each, status in ((warehouse, 200), (other, 403)):
            path = f"/warehouses/{each['id']}"
            assert (await client.get(path)).status_code == status
            assert (await client.patch(path, json={"name": "n"})).status_code == status
            assert (await client.get(f"{path}/connected-sources")).status_code == status
        body = {"metadataId": "duckdb", "settings": {}}
        assert (await client.post("/warehouses", json=body)).status_code == 403
        # A source is connected by who may edit both.
        connection = f"/warehouses/{warehouse['id']}/connected-sources/{source['id']}"
        assert (await client.post(connection)).status_code == 403
    async with client_of({"source-admin": []}) as client:
        assert (await client.post(connection)).status_code == 403
        assert (await client.get("/warehouses")).status_code == 403
    async with client_of(mine | {"source-admin": [{"type": "SOURCE", "id": source["id"]}]}) as client:
        assert (await client.post(connection)).status_code == 201
        found = (await client.get(f"/sources/{source['id']}/connected-warehouses")).json()["data"]
        assert len(found["warehouses"]) == 1
        assert (await client.delete(connection)).status_code == 200
    async with client_of({"warehouse-read-only": []}) as client:
        assert (await client.delete(f"/warehouses/{other['id']}")).status_code == 403
