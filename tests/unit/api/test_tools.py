"""Choices, hooks and audiences of the tool; presets, copies and copied settings."""

from typing import Any

import pytest

from onward.egress.http import EgressError
from onward.workspace.compile import current_snapshot
from onward.workspace.store import Store

from .conftest import Call
from .tool import SECRET, Answering

Json = dict[str, Any]


@pytest.fixture
async def tool(call: Call, source: Json) -> Json:
    body = {"sourceId": source["id"], "metadataId": "tool", "settings": {"apiKey": SECRET, "region": "us"}}
    return dict((await call("POST", "/destinations", body | {"applyPresets": True}))["destination"])


@pytest.fixture
async def mapping(call: Call, tool: Json) -> Json:
    (found,) = (await call("GET", f"/destinations/{tool['id']}/subscriptions"))["subscriptions"]
    return dict(found)


async def test_choices_of_a_dynamic_field(call: Call, tool: Json, http: Answering) -> None:
    url = f"/destinations/{tool['id']}/actions/upsert/fields/list/choices"
    found = await call("POST", url, {"payload": {"email": "a@b.c"}, "page": "1"})
    assert found == {"choices": [{"value": "1", "label": "First •••"}], "nextPage": "2", "error": None}
    assert b'"page":"1"' in http.requests[0].body and b"a@b.c" in http.requests[0].body
    http.status = 500
    assert (await call("POST", url))["error"] == "500 for •••"
    http.error = EgressError("ECONNREFUSED", f"no connection with {SECRET}")
    (error,) = await call("POST", url, status=422)
    assert error["message"] == "Tool refused: ECONNREFUSED: no connection with •••"
    await call("POST", url.replace("/list/", "/nope/"), status=404)


async def test_choices_of_a_hooks_field(call: Call, tool: Json, http: Answering) -> None:
    url = f"/destinations/{tool['id']}/actions/upsert/fields/onMappingSave.folder/choices"
    assert [each["value"] for each in (await call("POST", url))["choices"]] == ["1"]
    assert b'"field":"onMappingSave.folder"' in http.requests[0].body
    await call("POST", url.replace("folder", "nope"), status=404)


async def test_a_hooks_outputs_are_kept_in_the_mapping(
    call: Call, tool: Json, mapping: Json, http: Answering
) -> None:
    url = f"/destinations/{tool['id']}/subscriptions/{mapping['id']}"
    found = await call("POST", f"{url}/hooks/onMappingSave", {"inputs": {"name": "VIPs"}})
    kept = {"inputs": {"name": "VIPs"}, "outputs": {"id": "list-7", "name": "VIPs"}}
    assert found["outputs"] == kept["outputs"]
    assert found["subscription"]["settings"] == mapping["settings"] | {"onMappingSave": kept}
    assert (await call("GET", url))["subscription"] == found["subscription"]
    event = {"type": "identify", "userId": "u", "traits": {"email": "a@b.cd"}}
    tried = (await call("POST", f"{url}/test", {"payload": event}))["test"]
    assert tried["payload"] == {"email": "a@b.cd"}, "they are no part of the payload"
    http.status = 400
    (error,) = await call("POST", f"{url}/hooks/onMappingSave", {"inputs": {}}, status=422)
    assert error["message"] == "Tool refused: no list for •••"
    assert (await call("GET", url))["subscription"]["settings"]["onMappingSave"] == kept
    await call("POST", f"{url}/hooks/nope", status=404)


async def test_audiences(call: Call, tool: Json, destination: Json, http: Answering) -> None:
    url = f"/destinations/{tool['id']}/audiences"
    made = (await call("POST", url, {"name": "VIPs", "settings": {"size": 3}}))["audience"]
    assert made == {"externalId": "audience-VIPs", "name": "VIPs"}
    assert b'"size":3' in http.requests[0].body
    found = await call("GET", f"{url}/audience-VIPs", params={"settings": '{"size":4}'})
    assert found["audience"]["externalId"] == "audience-VIPs" and b'"size":4' in http.requests[1].body
    await call("GET", f"{url}/x", params={"settings": "["}, status=422)
    http.status = 409
    (error,) = await call("POST", url, {"name": "VIPs"}, status=422)
    assert "there is one of that name" in error["message"]
    await call("POST", f"/destinations/{destination['id']}/audiences", {"name": "x"}, status=422)


async def test_a_copy_is_disabled_and_named_so(call: Call, tool: Json, mapping: Json) -> None:
    url = f"/destinations/{tool['id']}/subscriptions"
    await call("PATCH", f"{url}/{mapping['id']}", {"input": {"enabled": True}})
    copy = (await call("POST", f"{url}/{mapping['id']}/duplicate"))["destinationSubscription"]
    assert copy == mapping | {"id": copy["id"], "name": "People (Copy)", "enabled": False}
    long = (await call("PATCH", f"{url}/{mapping['id']}", {"input": {"name": "n" * 255}}))["subscription"]
    copy = (await call("POST", f"{url}/{long['id']}/duplicate"))["destinationSubscription"]
    assert len(copy["name"]) == 255 and copy["name"].endswith("n (Copy)")
    for _ in range(47):
        await call("POST", f"{url}/{mapping['id']}/duplicate")
    await call("POST", f"{url}/{mapping['id']}/duplicate", status=422)


async def test_one_preset_later(call: Call, tool: Json) -> None:
    url = f"/destinations/{tool['id']}/presets"
    made = (await call("POST", url, {"name": "People"}))["destinationSubscription"]
    assert made["actionSlug"] == "upsert" and made["enabled"] is False
    assert made["settings"] == {"email": {"@path": "$.traits.email"}}
    (error,) = await call("POST", url, {"name": "Nope"}, status=422)
    assert error["field"] == "name" and "People, Rows added" in error["message"]
    assert (await call("POST", url, {"name": "Rows added"}, status=422))[0]["field"] == "trigger"
    body = {"name": "Rows added", "trigger": 'event = "New"'}
    assert (await call("POST", url, body))["destinationSubscription"]["trigger"] == 'event = "New"'


async def test_presets_of_one_name_are_told_apart_by_their_action(call: Call, tool: Json) -> None:
    url = f"/destinations/{tool['id']}/presets"
    (error,) = await call("POST", url, {"name": "Step entered"}, status=422)
    assert error["field"] == "actionId"
    assert error["message"] == "Step entered is a preset of the actions upsert, broken: say of which"
    for action in ("upsert", "broken"):
        made = await call("POST", url, {"name": "Step entered", "actionId": action})
        assert made["destinationSubscription"]["actionSlug"] == action


async def test_settings_are_copied_from_another_instance_secrets_included(
    call: Call, tool: Json, destination: Json, source: Json, store: Store
) -> None:
    body = {"sourceId": source["id"], "metadataId": "tool", "copySettingsFrom": tool["id"]}
    made = (await call("POST", "/destinations", body | {"settings": {"region": "ap"}}))["destination"]
    assert made["settings"] == {"apiKey": "••••••••", "region": "ap"} and made["name"] == "Tool 2"
    with store.reading() as session:
        known = current_snapshot(session, store.cipher).destination_by_id
    assert known[made["id"]].settings == {"apiKey": SECRET, "region": "ap"}
    masked = body | {"settings": {"apiKey": "••••••••"}}
    await call("POST", "/destinations", masked)
    for wrong in (destination["id"], "nope"):
        (error,) = await call("POST", "/destinations", body | {"copySettingsFrom": wrong}, status=422)
        assert error["field"] == "copySettingsFrom"
