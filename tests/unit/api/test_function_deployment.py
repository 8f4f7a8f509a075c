"""A version of a function deployed to some of its instances: who runs what, and who may say so."""

from typing import Any

import pytest

from onward.workspace.compile import current_snapshot
from onward.workspace.snapshot import Snapshot
from onward.workspace.store import Store

from .conftest import Call, ClientOf

Json = dict[str, Any]

URL = {"name": "url", "type": "STRING"}
KEY = {"name": "key", "type": "STRING"}
SECRET = KEY | {"sensitive": True}


async def make(call: Call, kind: str = "DESTINATION", **more: Any) -> Json:
    body = {"displayName": "Forwarder", "resourceType": kind, "code": "// 1", "settings": [URL]} | more
    return dict((await call("POST", "/functions", body))["function"])


async def connect(call: Call, source: Json, function: Json, name: str, **settings: str) -> Json:
    body = {"sourceId": source["id"], "metadataId": function["catalogId"], "name": name}
    return dict((await call("POST", "/destinations", body | {"settings": settings}))["destination"])


async def add_source(call: Call, slug: str, kind: str = "python") -> Json:
    return dict((await call("POST", "/sources", {"slug": slug, "metadataId": kind}, status=201))["source"])


async def running(call: Call, function: Json) -> dict[str, tuple[int, bool]]:
    """By the instance's name: the number of its version, and whether it is behind."""
    found = (await call("GET", f"/functions/{function['id']}/instances"))["instances"]
    return {each["name"]: (each["version"]["number"], each["version"]["behind"]) for each in found}


def compiled(store: Store) -> Snapshot:
    with store.reading() as session:
        return current_snapshot(session, store.cipher)


async def test_only_the_chosen_instances_get_the_new_version(call: Call, source: Json, store: Store) -> None:
    made = await make(call)
    path = f"/functions/{made['id']}"
    a, b = [await connect(call, source, made, name) for name in ("a", "b")]
    assert a["version"]["number"] == 1 and not a["version"]["behind"]
    await call("PATCH", path, {"code": "// 2"})
    assert await running(call, made) == {"a": (1, False), "b": (1, False)}, "to save is not to deploy"
    await call("POST", f"{path}/deploy", {"instanceIds": [a["id"]]})
    assert await running(call, made) == {"a": (2, False), "b": (1, True)}
    assert (await call("GET", path))["function"]["instancesBehind"] == 1
    second, first = (await call("GET", f"{path}/versions"))["versions"]
    assert (second["isDeployed"], first["isDeployed"]) == (True, False)
    of = compiled(store).destination_by_id
    ran = [each.function and each.function.version for each in (of[a["id"]], of[b["id"]])]
    assert ran == [second["id"], first["id"]]

    c = await connect(call, source, made, "c")
    assert c["version"] == a["version"] | {"versionId": second["id"], "number": 2}, "what is connected later"
    events = (await call("GET", "/audit-events"))["events"]
    assert events[0]["type"] == "Integration Created"
    # What is changed at once has no order.
    assert {each["type"] for each in events[1:3]} == {"Destination Modified", "Function Deployed"}
    await call("POST", f"{path}/deploy")
    assert await running(call, made) == {"a": (2, False), "b": (2, False), "c": (2, False)}
    version = compiled(store).version
    await call("POST", f"{path}/deploy")
    assert compiled(store).version == version, "nothing was left to do"
    assert (await call("GET", f"/destinations/{b['id']}"))["destination"]["version"]["number"] == 2


async def test_a_version_may_be_for_what_is_connected_from_now_on(call: Call, source: Json) -> None:
    made = await make(call)
    await connect(call, source, made, "old")
    await call("PATCH", f"/functions/{made['id']}", {"code": "// 2"})
    await call("POST", f"/functions/{made['id']}/deploy", {"instanceIds": []})
    await connect(call, source, made, "new")
    assert await running(call, made) == {"old": (1, True), "new": (2, False)}


async def test_each_instance_has_the_settings_of_its_version(call: Call, source: Json, store: Store) -> None:
    made = await make(call)
    path = f"/functions/{made['id']}"
    a, b = [await connect(call, source, made, name, url="https://t.example") for name in ("a", "b")]
    await call("PATCH", path, {"settings": [SECRET]})
    await call("POST", f"{path}/deploy", {"instanceIds": [a["id"]]})
    options = {}
    for each, right, wrong in ((a, "key", "url"), (b, "url", "key")):
        at = f"/destinations/{each['id']}"
        changed = (await call("PATCH", at, {"settings": {right: "v4lue"}}))["destination"]
        options[each["id"]] = [option["name"] for option in changed["metadata"]["options"]]
        (error,) = await call("PATCH", at, {"settings": {wrong: "v"}}, status=422)
        assert error["field"] == f"settings.{wrong}"
    assert options == {a["id"]: ["key"], b["id"]: ["url"]}
    of = compiled(store).destination_by_id
    assert (of[a["id"]].settings, of[b["id"]].settings) == ({"key": "v4lue"}, {"url": "v4lue"})


async def test_what_is_a_secret_in_any_version_that_runs_stays_one(call: Call, source: Json) -> None:
    made = await make(call, settings=[SECRET])
    path = f"/functions/{made['id']}"
    behind = await connect(call, source, made, "behind", key="s3cret")
    await call("PATCH", path, {"settings": []})
    await call("POST", f"{path}/deploy", {"instanceIds": []})
    await call("PATCH", path, {"settings": [KEY]})
    for body in ({"instanceIds": []}, {"instanceIds": [behind["id"]]}, {}):
        (error,) = await call("POST", f"{path}/deploy", body, status=422)
        assert error["field"] == "settings[0].sensitive" and "version 1, which runs" in error["message"]
    await call("DELETE", f"/destinations/{behind['id']}")
    await call("POST", f"{path}/deploy")


async def test_a_value_of_another_type_is_not_handed_to_the_code(call: Call, source: Json) -> None:
    made = await make(call, settings=[URL, SECRET])
    path = f"/functions/{made['id']}"
    ones = [await connect(call, source, made, name, **{name: "v"}) for name in ("url", "key")]
    lists = [each | {"type": "ARRAY"} for each in (URL, SECRET)]
    await call("PATCH", path, {"settings": lists})
    await call("POST", f"{path}/deploy", {"instanceIds": []})
    for index, one in enumerate(ones):
        (error,) = await call("POST", f"{path}/deploy", {"instanceIds": [one["id"]]}, status=422)
        assert error["field"] == f"settings[{index}].type"
        assert error["message"].startswith(f"{one['name']} has a value for the setting {one['name']}")
        await call("PATCH", f"/destinations/{one['id']}", {"settings": {one["name"]: None}})
    await call("POST", f"{path}/deploy")
    assert await running(call, made) == {"url": (2, False), "key": (2, False)}


@pytest.mark.parametrize("ids", [["nope"], ["{destination}", "{other}"]])
async def test_what_is_no_instance_is_refused_with_its_place(
    call: Call, source: Json, ids: list[str]
) -> None:
    made = await make(call)
    destination = await connect(call, source, made, "a")
    other = await connect(call, source, await make(call, displayName="Other"), "b")
    given = [each.format(destination=destination["id"], other=other["id"]) for each in ids]
    await call("PATCH", f"/functions/{made['id']}", {"code": "// 2"})
    body = {"instanceIds": given}
    (error,) = await call("POST", f"/functions/{made['id']}/deploy", body, status=422)
    assert error["field"] == f"instanceIds[{len(ids) - 1}]"
    assert await running(call, made) == {"a": (1, False)}


async def test_one_may_deploy_to_the_instances_of_ones_own_sources(
    call: Call, source: Json, client_of: ClientOf
) -> None:
    made = await make(call)
    other = await add_source(call, "other")
    mine = await connect(call, source, made, "mine")
    theirs = await connect(call, other, made, "theirs")
    await call("PATCH", f"/functions/{made['id']}", {"code": "// 2"})
    path = f"/functions/{made['id']}"
    own = [{"type": "SOURCE", "id": source["id"]}]
    async with client_of({"function-admin": [], "source-admin": own}) as client:
        shown = (await client.get(f"{path}/instances")).json()["data"]
        assert [(each["name"], each["mayDeploy"]) for each in shown["instances"]] == [("mine", True)]
        assert shown["hidden"] == 1
        for ids, status in (([theirs["id"]], 403), ([mine["id"], theirs["id"]], 403), ([mine["id"]], 200)):
            reply = await client.post(f"{path}/deploy", json={"instanceIds": ids})
            assert reply.status_code == status, ids
    async with client_of({"function-admin": [], "source-read-only": []}) as client:
        shown = (await client.get(f"{path}/instances")).json()["data"]
        assert [(each["name"], each["mayDeploy"]) for each in shown["instances"]] == [
            ("mine", False),
            ("theirs", False),
        ]
        assert (await client.post(f"{path}/deploy", json={"instanceIds": []})).status_code == 403
    async with client_of({"source-admin": []}) as client:
        assert (await client.get(f"{path}/instances")).status_code == 403
        assert (await client.post(f"{path}/deploy", json={"instanceIds": []})).status_code == 403
    assert await running(call, made) == {"mine": (2, False), "theirs": (1, True)}


@pytest.mark.parametrize("kind", ["INSERT_DESTINATION", "INSERT_SOURCE"])
async def test_insert_functions_run_the_version_of_their_place(
    call: Call, source: Json, store: Store, kind: str
) -> None:
    made = await make(call, kind)
    places = [source, await add_source(call, "other")]
    if kind == "INSERT_DESTINATION":
        hook = {"metadataId": "actions-webhook", "settings": {}}
        places = [
            (await call("POST", "/destinations", hook | {"sourceId": each["id"]}))["destination"]
            for each in places
        ]
    ids = []
    for place in places:
        body = {"functionId": made["id"], "integrationId": place["id"], "name": place["id"], "enabled": True}
        created = await call("POST", "/insert-function-instances", body | {"settings": {"url": "u"}})
        ids.append(created["insertFunctionInstance"]["id"])
    await call("PATCH", f"/functions/{made['id']}", {"code": "// 2", "settings": [SECRET]})
    await call("POST", f"/functions/{made['id']}/deploy", {"instanceIds": ids[1:]})
    first, second = (await call("GET", "/insert-function-instances"))["instances"]
    assert [(each["version"]["number"], each["settings"]) for each in (first, second)] == [
        (1, {"url": "u"}),
        (2, {}),
    ]
    found = compiled(store)
    of = found.source_by_id if kind == "INSERT_SOURCE" else found.destination_by_id
    inserted = [of[place["id"]].inserted for place in places]
    assert [each and each.version for each in inserted] == [
        first["version"]["versionId"],
        second["version"]["versionId"],
    ]
    shown = (await call("GET", f"/functions/{made['id']}/instances"))["instances"]
    at = "destinationId" if kind == "INSERT_DESTINATION" else "sourceId"
    assert [each[at] for each in shown] == [place["id"] for place in places]


async def test_sources_of_a_function_run_the_version_of_theirs(call: Call, store: Store) -> None:
    made = await make(call, "SOURCE")
    first, second = [await add_source(call, slug, made["catalogId"]) for slug in ("first", "second")]
    await call("PATCH", f"/functions/{made['id']}", {"code": "// 2", "settings": [KEY]})
    await call("POST", f"/functions/{made['id']}/deploy", {"instanceIds": [second["id"]]})
    shown = (await call("GET", "/sources"))["sources"]
    assert [(each["slug"], each["version"]["number"]) for each in shown] == [("first", 1), ("second", 2)]
    options = [[option["name"] for option in each["metadata"]["options"]] for each in shown]
    assert options == [["url"], ["key"]]
    of = compiled(store).source_by_id
    functions = [of[each["id"]].function for each in (first, second)]
    assert [each and each.version for each in functions] == [each["version"]["versionId"] for each in shown]


async def test_a_source_or_destination_that_is_no_function_runs_no_version(call: Call, source: Json) -> None:
    body = {"sourceId": source["id"], "metadataId": "actions-webhook"}
    destination = (await call("POST", "/destinations", body))["destination"]
    assert (source["version"], destination["version"]) == (None, None)
