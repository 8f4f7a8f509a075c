"""Functions, their versions, their deployment, and destinations that are functions."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from onward.workspace.compile import current_snapshot
from onward.workspace.entities import Destination, Function
from onward.workspace.functions import MAX_CODE
from onward.workspace.store import Store

from .conftest import Call, ClientOf

Json = dict[str, Any]

CODE = "async function onTrack(event, settings) { await fetch(settings.url) }"
URL = {"name": "url", "label": "URL", "description": "Where to.", "type": "STRING", "required": True}
KEY = {"name": "apiKey", "label": "Key", "description": "", "type": "STRING", "sensitive": True}


async def make(call: Call, name: str = "Forwarder", kind: str = "DESTINATION", **more: Any) -> Json:
    body = {"displayName": name, "resourceType": kind, "code": CODE} | more
    return dict((await call("POST", "/functions", body))["function"])


async def test_a_function_is_made_read_changed_and_deleted(call: Call) -> None:
    settings = [URL, KEY]
    made = await make(call, settings=settings, description="Forwards.", logoUrl="https://x.example/l.svg")
    workspace = (await call("GET", "/"))["workspace"]
    assert made["displayName"] == f"Forwarder ({workspace['name']})"
    assert made["settings"] == [
        {"sensitive": False} | URL,
        {"required": False} | KEY,
    ]
    shown = {name: made[name] for name in ("code", "resourceType", "description", "logoUrl", "deployedAt")}
    assert shown == {
        "code": CODE,
        "resourceType": "DESTINATION",
        "description": "Forwards.",
        "logoUrl": "https://x.example/l.svg",
        "deployedAt": None,
    }
    assert (made["isLatestVersion"], made["deployedVersionId"], made["batchMaxCount"]) == (False, None, 20)
    path = f"/functions/{made['id']}"
    assert (await call("GET", path))["function"] == made
    # What an answer says can be sent back.
    body = {"displayName": made["displayName"], "description": None, "batchMaxCount": 400}
    changed = (await call("PATCH", path, body))["function"]
    del made["description"]
    assert changed == made | {"batchMaxCount": 400}
    assert (await call("DELETE", path)) == {"status": "SUCCESS"}
    assert (await call("GET", path, status=404))[0]["type"] == "not-found"


async def test_functions_are_listed_by_kind_across_pages(call: Call) -> None:
    for number in range(3):
        await make(call, f"D{number}")
    await make(call, "S", "SOURCE")
    listed: list[str] = []
    cursor: str | None = "MA=="  # Segment's first
    while cursor:
        query = {"resourceType": "DESTINATION", "pagination[count]": 2, "pagination[cursor]": cursor}
        found = await call("GET", "/functions", params=query)
        listed += [each["displayName"].split()[0] for each in found["functions"]]
        assert found["pagination"]["totalEntries"] == 3
        cursor = found["pagination"].get("next")
    assert listed == ["D0", "D1", "D2"]
    every = (await call("GET", "/functions"))["functions"]
    assert [each["displayName"] for each in every][-1] == "S", "source functions keep their name"
    assert "code" not in every[0]
    (error,) = await call("GET", "/functions", params={"resourceType": "NOPE"}, status=422)
    assert error["field"] == "resourceType"


async def test_every_save_is_a_version_and_an_old_one_comes_back_as_the_latest(call: Call) -> None:
    made = await make(call, settings=[URL])
    path = f"/functions/{made['id']}"
    await call("PATCH", path, {"code": "// 2"})
    await call("PATCH", path, {"code": "// 2", "description": "no new version"})
    await call("PATCH", path, {"settings": []})
    versions = (await call("GET", f"{path}/versions"))["versions"]
    assert [(each["number"], each["code"], len(each["settings"])) for each in versions] == [
        (3, "// 2", 0),
        (2, "// 2", 1),
        (1, CODE, 1),
    ]
    assert [each["isLatest"] for each in versions] == [True, False, False]
    restored = (await call("POST", f"{path}/versions", {"versionId": versions[2]["id"]}))["version"]
    assert (restored["number"], restored["code"], restored["isLatest"]) == (4, CODE, True)
    shown = (await call("GET", path))["function"]
    assert (shown["code"], shown["settings"]) == (CODE, made["settings"])
    assert (await call("GET", f"{path}/versions/{restored['id']}"))["version"] == restored
    await call("GET", f"{path}/versions/nope", status=404)
    await call("POST", f"{path}/versions", {"versionId": "nope"}, status=404)


async def test_versions_are_listed_across_pages_while_new_ones_are_saved(call: Call) -> None:
    path = f"/functions/{(await make(call))['id']}"
    for number in range(2, 6):
        await call("PATCH", path, {"code": f"// {number}"})
    first = await call("GET", f"{path}/versions", params={"pagination[count]": 2})
    await call("PATCH", path, {"code": "// 6"})
    query = {"pagination[count]": 2, "pagination[cursor]": first["pagination"]["next"]}
    second = await call("GET", f"{path}/versions", params=query)
    query["pagination[cursor]"] = second["pagination"]["next"]
    third = await call("GET", f"{path}/versions", params=query)
    numbers = [[each["number"] for each in part["versions"]] for part in (first, second, third)]
    assert numbers == [[5, 4], [3, 2], [1]]
    assert third["pagination"].get("next") is None
    query["pagination[cursor]"] = second["pagination"]["previous"]
    back = await call("GET", f"{path}/versions", params=query)
    assert [each["number"] for each in back["versions"]] == [5, 4]
    other = f"/functions/{(await make(call, 'Other'))['id']}/versions"
    (error,) = await call("GET", other, params=query, status=422)
    assert error["field"] == "pagination.cursor"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * (MAX_CODE + 1)}, "code"),
        ({"displayName": "n" * 121}, "displayName"),
        ({"displayName": "taken"}, "displayName"),
        ({"resourceType": "INSERT_MAGIC"}, "resourceType"),
        ({"settings": [URL, URL]}, "settings[1].name"),
        ({"settings": [URL | {"name": ""}]}, "settings[0].name"),
        ({"settings": [URL | {"type": "NUMBER"}]}, "settings[0].type"),
        ({"settings": [URL | {"secret": True}]}, "settings[0].secret"),
        ({"logoUrl": "javascript:alert(1)"}, "logoUrl"),
        ({"batchMaxCount": 401}, "batchMaxCount"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_function_is_refused_with_the_field(call: Call, body: Json, field: str) -> None:
    await make(call, "taken")
    whole = {"displayName": "f", "resourceType": "DESTINATION", "code": CODE} | body
    (error,) = await call("POST", "/functions", whole, status=422)
    assert error["field"] == field


async def test_a_workspace_has_so_many_functions(call: Call, app: Any) -> None:
    app.state.store._max_functions = 2
    await make(call, "one")
    await make(call, "two", "SOURCE")
    body = {"displayName": "three", "resourceType": "DESTINATION", "code": CODE}
    (error,) = await call("POST", "/functions", body, status=422)
    assert "max_functions" in error["message"]


async def test_deploying_marks_the_latest_version(call: Call) -> None:
    path = f"/functions/{(await make(call))['id']}"
    assert await call("POST", f"{path}/deploy") == {"functionDeployment": {"status": "SUCCESS"}}
    shown = (await call("GET", path))["function"]
    assert shown["isLatestVersion"] and shown["deployedAt"]
    await call("PATCH", path, {"code": "// later"})
    assert not (await call("GET", path))["function"]["isLatestVersion"]
    versions = (await call("GET", f"{path}/versions"))["versions"]
    assert [(each["isDeployed"], bool(each["deployedAt"])) for each in versions] == [
        (False, False),
        (True, True),
    ]
    await call("POST", f"{path}/deploy")
    versions = (await call("GET", f"{path}/versions"))["versions"]
    assert [each["isDeployed"] for each in versions] == [True, False]
    kinds = [each["type"] for each in (await call("GET", "/audit-events"))["events"]]
    assert kinds[:4] == ["Function Deployed", "Function Modified", "Function Deployed", "Function Created"]


async def test_a_deployed_function_is_in_the_catalogue_and_can_be_connected(
    call: Call, source: Json, store: Store
) -> None:
    made = await make(call, settings=[URL, KEY])
    catalogue = "/catalog/destinations?category=Functions"
    assert (await call("GET", catalogue))["destinationsCatalog"] == []
    # Its entry is known before, so that a script can name it.
    entry = (await call("GET", f"/catalog/destinations/{made['catalogId']}"))["destinationMetadata"]
    assert [option["name"] for option in entry["options"]] == ["url", "apiKey"]
    await call("POST", f"/functions/{made['id']}/deploy")
    assert (await call("GET", catalogue))["destinationsCatalog"] == [entry]
    everything = (await call("GET", "/catalog/destinations"))["destinationsCatalog"]
    assert everything[-1] == entry
    assert (await call("GET", "/catalog/destinations?search=forwarder"))["destinationsCatalog"] == [entry]
    charts = await call("GET", "/catalog/destinations/charts")
    assert [each["category"] for each in charts["categories"]].count("Functions") == 1

    body = {
        "sourceId": source["id"],
        "metadataId": made["catalogId"],
        "settings": {"url": "https://t.example", "apiKey": "s3cret"},
        "enabled": True,
    }
    for missing in ("url", "nope"):
        wrong = body | {"settings": {"nope": 1} if missing == "nope" else {}}
        (error,) = await call("POST", "/destinations", wrong, status=422)
        assert error["field"] == f"settings.{missing}"
    destination = (await call("POST", "/destinations", body))["destination"]
    assert destination["name"] == made["displayName"]
    assert destination["metadata"] == entry
    assert destination["settings"] == {"url": "https://t.example", "apiKey": "••••••••"}
    assert (await call("GET", f"/destinations/{destination['id']}"))["destination"] == destination
    listed = (await call("GET", f"/sources/{source['id']}/connected-destinations"))["destinations"]
    assert listed == [destination]
    path = f"/destinations/{destination['id']}"
    changed = await call("PATCH", path, {"settings": destination["settings"] | {"url": "https://u.example"}})
    assert changed["destination"]["settings"]["url"] == "https://u.example"
    with store.reading() as session:
        compiled = current_snapshot(session, store.cipher).destination_by_id[destination["id"]]
    assert compiled.definition == f"function-{made['id']}"
    assert compiled.settings == {"url": "https://u.example", "apiKey": "s3cret"}
    (error,) = await call(
        "POST", f"{path}/subscriptions", {"name": "s", "actionId": "x", "trigger": "all"}, status=422
    )
    assert error["field"] == "actionId"
    (error,) = await call("POST", f"{path}/test-event", {"payload": {"type": "track"}}, status=422)
    assert "tried by testing the function" in error["message"]

    (error,) = await call("DELETE", f"/functions/{made['id']}", status=422)
    assert destination["name"] in error["message"]
    await call("DELETE", path)
    await call("DELETE", f"/functions/{made['id']}")


async def test_connecting_a_function_deploys_it(call: Call, source: Json) -> None:
    made = await make(call)
    await call("POST", "/destinations", {"sourceId": source["id"], "metadataId": made["catalogId"]})
    assert (await call("GET", f"/functions/{made['id']}"))["function"]["isLatestVersion"]
    for kind in ("SOURCE", "INSERT_DESTINATION"):
        other = await make(call, "Other", kind)
        body = {"sourceId": source["id"], "metadataId": other["catalogId"]}
        (error,) = await call("POST", "/destinations", body, status=422)
        assert error["field"] == "metadataId"


async def test_stored_settings_follow_a_deployment_and_secrets_stay_secret(
    call: Call, source: Json, store: Store, client: httpx.AsyncClient
) -> None:
    plain = [{"name": each, "type": "STRING"} for each in ("a", "b", "c")]
    made = await make(call, settings=[*plain[:2], plain[2] | {"sensitive": True}])
    path = f"/functions/{made['id']}"
    values = {"a": "aa", "b": "bb-secret", "c": "cc-secret"}
    body = {"sourceId": source["id"], "metadataId": made["catalogId"], "settings": values}
    destination = (await call("POST", "/destinations", body))["destination"]
    await call("PATCH", path, {"settings": [plain[1] | {"sensitive": True}, plain[2] | {"sensitive": True}]})
    await call("POST", f"{path}/deploy")
    shown = (await call("GET", f"/destinations/{destination['id']}"))["destination"]
    assert shown["settings"] == {"b": "••••••••", "c": "••••••••"}
    with store.reading() as session:
        compiled = current_snapshot(session, store.cipher).destination_by_id[destination["id"]]
        stored = session.scalars(select(Destination)).one()
        assert "secret" not in f"{stored.settings}{stored.secrets}"
    assert compiled.settings == {"b": "bb-secret", "c": "cc-secret"}
    await call("PATCH", path, {"settings": plain})
    (error,) = await call("POST", f"{path}/deploy", status=422)
    assert error["field"] == "settings[1].sensitive"
    trail = (await client.get("/audit-events")).text
    assert "cc-secret" not in trail


async def test_settings_have_their_types(call: Call, source: Json) -> None:
    kinds = {"text": "STRING", "flag": "BOOLEAN", "list": "ARRAY", "map": "TEXT_MAP"}
    made = await make(call, settings=[{"name": name, "type": kind} for name, kind in kinds.items()])
    right = {"text": "t", "flag": True, "list": ["a"], "map": {"k": "v"}}
    body = {"sourceId": source["id"], "metadataId": made["catalogId"], "name": "n"}
    destination = (await call("POST", "/destinations", body | {"settings": right}))["destination"]
    assert destination["settings"] == right
    for name, value in (("text", 1), ("flag", "yes"), ("list", "a"), ("map", {"k": 1}), ("map", ["k"])):
        wrong = body | {"settings": {name: value}, "name": "other"}
        (error,) = await call("POST", "/destinations", wrong, status=422)
        assert error["field"].startswith(f"settings.{name}")


async def test_permissions_are_for_all_functions_or_some(
    call: Call, client_of: ClientOf, source: Json
) -> None:
    mine, other = await make(call, "Mine"), await make(call, "Other")
    connect = {"sourceId": source["id"], "metadataId": mine["catalogId"]}
    async with client_of({"function-admin": [{"type": "FUNCTION", "id": mine["id"]}]}) as client:
        listed = (await client.get("/functions")).json()["data"]
        assert [each["id"] for each in listed["functions"]] == [mine["id"]]
        for function, status in ((mine, 200), (other, 403)):
            path = f"/functions/{function['id']}"
            for reply in (
                await client.get(path),
                await client.get(f"{path}/versions"),
                await client.patch(path, json={"description": "d"}),
            ):
                assert reply.status_code == status
        body = {"displayName": "New", "resourceType": "SOURCE", "code": CODE}
        assert (await client.post("/functions", json=body)).status_code == 403
        # To deploy or connect takes Source Admin as well.
        assert (await client.post(f"/functions/{mine['id']}/deploy")).status_code == 403
        assert (await client.post("/destinations", json=connect)).status_code == 403
    async with client_of({"function-read-only": []}) as client:
        assert len((await client.get("/functions")).json()["data"]["functions"]) == 2
        assert (await client.delete(f"/functions/{mine['id']}")).status_code == 403
    async with client_of({"source-admin": []}) as client:
        assert (await client.get("/functions")).status_code == 403
        assert (await client.post("/destinations", json=connect)).status_code == 403
        assert (await client.get(f"/catalog/destinations/{mine['catalogId']}")).status_code == 404
    await call("POST", "/destinations", connect)


async def test_deploying_takes_the_sources_of_all_instances(
    call: Call, source: Json, client_of: ClientOf
) -> None:
    made = await make(call)
    other = (await call("POST", "/sources", {"slug": "other", "metadataId": "python"}, status=201))["source"]
    for each in (source, other):
        await call("POST", "/destinations", {"sourceId": each["id"], "metadataId": made["catalogId"]})
    await call("PATCH", f"/functions/{made['id']}", {"code": "// new"})
    roles = {"function-admin": [], "source-admin": [{"type": "SOURCE", "id": source["id"]}]}
    async with client_of(roles) as client:
        reply = await client.post(f"/functions/{made['id']}/deploy")
        assert reply.status_code == 403 and other["id"] in reply.text
    roles["source-admin"].append({"type": "SOURCE", "id": other["id"]})
    async with client_of(roles) as client:
        assert (await client.post(f"/functions/{made['id']}/deploy")).status_code == 200


async def test_deleting_a_function_leaves_nothing(call: Call, store: Store) -> None:
    path = f"/functions/{(await make(call))['id']}"
    await call("PATCH", path, {"code": "// 2"})
    await call("DELETE", path)
    with store.reading() as session:
        assert session.scalars(select(Function)).all() == []
        assert session.connection().exec_driver_sql("SELECT count(*) FROM function_version").scalar() == 0


async def test_versions_are_compared(call: Call) -> None:
    made = await make(call, code="a\nb\nc", settings=[URL])
    path = f"/functions/{made['id']}"
    await call("PATCH", path, {"code": "a\nB\nc\n", "settings": [KEY]})
    await call("PATCH", path, {"code": "a"})
    third, second, first = (await call("GET", f"{path}/versions"))["versions"]
    diff = (await call("GET", f"{path}/versions/{second['id']}/diff"))["diff"]
    assert (diff["before"], diff["after"], diff["added"], diff["removed"]) == (1, 2, 2, 2)
    assert diff["code"].splitlines() == [
        "--- version 1",
        "+++ version 2",
        "@@ -1,3 +1,3 @@",
        " a",
        "-b",
        "-c",
        "\\ No newline at end of file",
        "+B",
        "+c",
    ]
    changes = [(each["name"], each["before"] is None, each["after"] is None) for each in diff["settings"]]
    assert changes == [("url", False, True), ("apiKey", True, False)]
    query = {"from": first["id"]}
    diff = (await call("GET", f"{path}/versions/{third['id']}/diff", params=query))["diff"]
    assert (diff["before"], diff["after"], diff["removed"]) == (1, 3, 3)
    diff = (await call("GET", f"{path}/versions/{first['id']}/diff"))["diff"]
    assert (diff["code"], diff["settings"]) == ("", [])
    await call("GET", f"{path}/versions/{first['id']}/diff", params={"from": "nope"}, status=404)


async def test_templates_are_listed_by_kind(call: Call) -> None:
    every = (await call("GET", "/functions/templates"))["templates"]
    assert len(every) >= 12
    of_sources = (await call("GET", "/functions/templates", params={"resourceType": "SOURCE"}))["templates"]
    assert [each["slug"] for each in of_sources] == ["json-webhook", "stripe-webhook"]
    names = ("resourceType", "code", "settings")
    for template in every:
        body = {name: template[name] for name in names} | {"displayName": template["slug"]}
        assert (await call("POST", "/functions", body))["function"]["settings"] == template["settings"]


async def test_a_source_function_becomes_a_source_by_who_may_do_both(call: Call, client_of: ClientOf) -> None:
    made = await make(call, "Hook", "SOURCE", settings=[URL, KEY])
    body = {"slug": "hook", "metadataId": made["catalogId"], "settings": {"url": "https://t.example"}}
    for roles, status in (
        ({"function-admin": []}, 403),
        ({"source-admin": []}, 403),
        ({"source-admin": [], "function-read-only": []}, 403),
        ({"source-admin": [], "function-admin": [{"type": "FUNCTION", "id": made["id"]}]}, 201),
    ):
        async with client_of(roles) as client:
            assert (await client.post("/sources", json=body)).status_code == status, roles
    (source,) = (await call("GET", "/sources"))["sources"]
    assert source["webhookPath"] == f"/v1/functions/{source['writeKeys'][0]}"
    assert source["metadata"]["categories"] == ["Functions"]
    assert source["settings"] == {"url": "https://t.example"}

    path = f"/sources/{source['id']}"
    (error,) = await call("PATCH", path, {"settings": {"url": None}}, status=422)
    assert error["field"] == "settings.url", "it is required"
    changed = (await call("PATCH", path, {"settings": {"apiKey": "s3cret"}}))["source"]
    assert changed["settings"] == {"url": "https://t.example", "apiKey": "••••••••"}, "merged, and masked"
    assert "s3cret" not in str(await call("GET", "/audit-events"))
    (error,) = await call("DELETE", f"/functions/{made['id']}", status=422)
    assert "in use by hook" in error["message"]
    # What is no setting of the deployed version any more is forgotten.
    await call("PATCH", f"/functions/{made['id']}", {"settings": [URL]})
    await call("POST", f"/functions/{made['id']}/deploy")
    assert (await call("GET", path))["source"]["settings"] == {"url": "https://t.example"}
    await call("DELETE", path)
    await call("DELETE", f"/functions/{made['id']}")


async def test_a_source_function_is_deployed_by_who_may_change_its_sources(
    call: Call, client_of: ClientOf, source: Json
) -> None:
    made = await make(call, "Hook", "SOURCE")
    hook = (await call("POST", "/sources", {"slug": "h", "metadataId": made["catalogId"]}, status=201))[
        "source"
    ]
    for resource, status in ((source["id"], 403), (hook["id"], 200)):
        roles = {"function-admin": [], "source-admin": [{"type": "SOURCE", "id": resource}]}
        async with client_of(roles) as client:
            answer = await client.post(f"/functions/{made['id']}/deploy")
            assert answer.status_code == status
