"""Insert functions: where they are inserted, with which settings."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from onward.workspace.compile import current_snapshot
from onward.workspace.entities import InsertInstance
from onward.workspace.snapshot import DeployedFunction
from onward.workspace.store import Store

from .conftest import Call, ClientOf

Json = dict[str, Any]

SETTINGS = [
    {"name": "field", "type": "STRING", "required": True},
    {"name": "salt", "type": "STRING", "sensitive": True},
]


@pytest.fixture
async def function(call: Call) -> Json:
    body = {"displayName": "Hash", "resourceType": "INSERT_DESTINATION", "code": "//", "settings": SETTINGS}
    return dict((await call("POST", "/functions", body))["function"])


def body_for(function: Json, place: Json, **more: Any) -> Json:
    return {"functionId": function["id"], "integrationId": place["id"], "name": "i", "settings": {}} | more


PATH = "/insert-function-instances"


async def test_an_instance_is_made_read_changed_and_deleted(
    call: Call, function: Json, destination: Json, store: Store, client: httpx.AsyncClient
) -> None:
    body = body_for(function, destination, settings={"salt": "s4lt-secret"})
    made = (await call("POST", PATH, body))["insertFunctionInstance"]
    assert {name: made[name] for name in made if not name.endswith("At")} == {
        "id": made["id"],
        "name": "i",
        "integrationId": destination["id"],
        "classId": function["id"],
        "enabled": False,
        "settings": {"salt": "••••••••"},
        "encryptedSettings": {"salt": "••••••••"},
        "version": made["version"],
    }
    assert (made["version"]["number"], made["version"]["behind"]) == (1, False)
    deployed = (await call("GET", f"/functions/{function['id']}"))["function"]
    assert deployed["isLatestVersion"], "to connect a function is to deploy it"
    path = f"{PATH}/{made['id']}"
    assert (await call("GET", path))["insertFunctionInstance"] == made
    changes = {"name": "new", "settings": {"field": "email", "salt": "••••••••"}}
    changed = (await call("PATCH", path, changes))["insertFunctionInstance"]
    assert (changed["name"], changed["settings"]) == ("new", changes["settings"])
    assert changed["encryptedSettings"] == {"salt": "••••••••"}
    with store.reading() as session:
        stored = session.scalars(select(InsertInstance)).one()
        identity = f"insert-function-instance/{stored.id}/salt"
        assert store.cipher.open_value(stored.secrets["salt"], identity) == "s4lt-secret"
        assert "s4lt" not in f"{stored.settings}{stored.secrets}"
    (error,) = await call("DELETE", f"/functions/{function['id']}", status=422)
    assert "new" in error["message"]
    assert await call("DELETE", path) == {"status": "SUCCESS"}
    await call("GET", path, status=404)
    await call("PATCH", path, {"settings": {}}, status=404)
    await call("DELETE", path, status=404)
    trail = (await client.get("/audit-events")).text
    assert "Insert Function Instance Deleted" in trail and "s4lt" not in trail
    await call("DELETE", f"/functions/{function['id']}")


async def test_one_that_is_enabled_is_in_the_snapshot_with_its_settings(
    call: Call, function: Json, destination: Json, store: Store
) -> None:
    def before() -> DeployedFunction | None:
        with store.reading() as session:
            snapshot = current_snapshot(session, store.cipher)
        return snapshot.destination_by_id[destination["id"]].inserted

    body = body_for(function, destination, settings={"salt": "s4lt-secret"})
    made = (await call("POST", PATH, body))["insertFunctionInstance"]
    assert before() is None
    (error,) = await call("PATCH", f"{PATH}/{made['id']}", {"enabled": True}, status=422)
    assert error["field"] == "settings.field", "it is required"
    await call("PATCH", f"{PATH}/{made['id']}", {"enabled": True, "settings": {"field": "email"}})
    found = before()
    assert found is not None
    assert (found.id, found.instance) == (function["id"], made["id"])
    assert (found.settings, found.sensitive) == ({"field": "email", "salt": "s4lt-secret"}, ("salt",))
    await call("PATCH", f"{PATH}/{made['id']}", {"enabled": False})
    assert before() is None


async def test_one_of_a_source_is_on_the_way_of_its_events_while_it_is_enabled(
    call: Call, source: Json, store: Store
) -> None:
    made = {"displayName": "S", "resourceType": "INSERT_SOURCE", "code": "//", "settings": SETTINGS[1:]}
    function = (await call("POST", "/functions", made))["function"]
    body = body_for(function, source, enabled=True, settings={"salt": "s4lt-secret"})
    instance = (await call("POST", PATH, body))["insertFunctionInstance"]

    def after() -> Any:
        with store.reading() as session:
            return current_snapshot(session, store.cipher).source_by_id[source["id"]].inserted

    found = after()
    assert (found.id, found.instance) == (function["id"], instance["id"])
    assert (found.settings, found.sensitive) == ({"salt": "s4lt-secret"}, ("salt",))
    await call("PATCH", f"{PATH}/{instance['id']}", {"enabled": False})
    assert after() is None


async def test_wrong_places_functions_and_settings_are_refused(
    call: Call, function: Json, destination: Json, source: Json
) -> None:
    other = {"displayName": "D", "resourceType": "DESTINATION", "code": "//"}
    plain = (await call("POST", "/functions", other))["function"]
    connected = {"sourceId": source["id"], "metadataId": plain["catalogId"]}
    of_function = (await call("POST", "/destinations", connected))["destination"]
    inserted_source = other | {"resourceType": "INSERT_SOURCE"}
    at_sources = (await call("POST", "/functions", inserted_source))["function"]
    for body, field in (
        (body_for({"id": "nope"}, destination), "functionId"),
        (body_for(plain, destination), "functionId"),
        (body_for(function, {"id": "nope"}), "integrationId"),
        (body_for(function, source), "integrationId"),
        (body_for(function, of_function), "integrationId"),
        (body_for(at_sources, destination), "integrationId"),
        (body_for(function, destination, settings={"nope": 1}), "settings.nope"),
        (body_for(function, destination, settings={"field": 1}), "settings.field"),
        (body_for(function, destination, settings={"salt": "••••••••"}), "settings.salt"),
        (body_for(function, destination, name=""), "name"),
        (body_for(function, destination, colour="red"), "colour"),
    ):
        (error,) = await call("POST", PATH, body, status=422)
        assert error["field"] == field
    made = await call("POST", PATH, body_for(at_sources, source))
    assert made["insertFunctionInstance"]["integrationId"] == source["id"]


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ("actions-s3-csv", "lists of people"),
        ("adwords-remarketing-lists", "lists of people"),
        ("pinterest-audiences", "lists of people"),
    ],
)
async def test_lists_of_people_take_none(
    call: Call, function: Json, source: Json, metadata: str, why: str
) -> None:
    entry = (await call("GET", f"/catalog/destinations/{metadata}"))["destinationMetadata"]
    assert why in entry["onward"]["insertRefusal"]
    body = {"sourceId": source["id"], "metadataId": metadata, "name": "people", "enabled": False}
    destination = (await call("POST", "/destinations", body))["destination"]
    (error,) = await call("POST", PATH, body_for(function, destination), status=422)
    assert error["field"] == "integrationId" and f"before people: it keeps {why}" in error["message"]
    assert (await call("GET", PATH))["instances"] == []


async def test_warehouses_and_functions_take_none(call: Call, function: Json, source: Json) -> None:
    settings = {"path": "house.duckdb"}
    body = {"metadataId": "duckdb", "name": "House", "enabled": False, "settings": settings}
    warehouse = (await call("POST", "/warehouses", body, status=201))["warehouse"]
    (error,) = await call("POST", PATH, body_for(function, warehouse), status=422)
    assert "House: it is a warehouse" in error["message"]
    other = {"displayName": "D", "resourceType": "DESTINATION", "code": "//"}
    plain = (await call("POST", "/functions", other))["function"]
    body = {"sourceId": source["id"], "metadataId": plain["catalogId"], "name": "code"}
    destination = (await call("POST", "/destinations", body))["destination"]
    assert destination["metadata"]["onward"]["insertRefusal"] == "it is a function itself"
    (error,) = await call("POST", PATH, body_for(function, destination), status=422)
    assert "code: it is a function itself" in error["message"]


async def test_a_destination_has_one(call: Call, function: Json, destination: Json) -> None:
    await call("POST", PATH, body_for(function, destination))
    (error,) = await call("POST", PATH, body_for(function, destination), status=422)
    assert error["field"] == "integrationId" and "already" in error["message"]


async def test_they_are_listed_by_function_across_pages(call: Call, function: Json, source: Json) -> None:
    for name in ("a", "b", "c"):
        body = {"sourceId": source["id"], "metadataId": "actions-webhook", "name": name}
        destination = (await call("POST", "/destinations", body))["destination"]
        await call("POST", PATH, body_for(function, destination, name=name))
    listed: list[str] = []
    cursor: str | None = "MA=="
    while cursor:
        query = {"functionId": function["id"], "pagination[count]": 2, "pagination[cursor]": cursor}
        found = await call("GET", PATH, params=query)
        listed += [each["name"] for each in found["instances"]]
        cursor = found["pagination"].get("next")
    assert listed == ["a", "b", "c"]
    assert (await call("GET", PATH, params={"functionId": "nope"}))["instances"] == []
    assert len((await call("GET", PATH))["instances"]) == 3


async def test_an_instance_goes_with_its_destination(call: Call, function: Json, destination: Json) -> None:
    await call("POST", PATH, body_for(function, destination))
    await call("DELETE", f"/destinations/{destination['id']}")
    assert (await call("GET", PATH))["instances"] == []
    await call("DELETE", f"/functions/{function['id']}")


async def test_connecting_takes_the_function_and_the_source(
    call: Call, function: Json, destination: Json, source: Json, client_of: ClientOf
) -> None:
    of_function: dict[str, list[Any]] = {"function-admin": [{"type": "FUNCTION", "id": function["id"]}]}
    of_source: dict[str, list[Any]] = {"source-admin": [{"type": "SOURCE", "id": source["id"]}]}
    body = body_for(function, destination)
    for roles in (of_function, of_source, of_source | {"function-read-only": []}):
        async with client_of(roles) as client:
            assert (await client.post(PATH, json=body)).status_code == 403
    async with client_of(of_function | of_source) as client:
        made = (await client.post(PATH, json=body)).json()["data"]["insertFunctionInstance"]
    path = f"{PATH}/{made['id']}"
    async with client_of(of_function) as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.patch(path, json={"name": "n"})).status_code == 403
        assert (await client.delete(path)).status_code == 403
    other: dict[str, list[Any]] = {"function-admin": [{"type": "FUNCTION", "id": "another"}]}
    async with client_of(other | of_source) as client:
        assert (await client.get(path)).status_code == 403
        assert (await client.get(PATH)).json()["data"]["instances"] == []
    async with client_of(of_function | of_source) as client:
        assert (await client.delete(path)).status_code == 200
