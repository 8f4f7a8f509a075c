"""What the operations do, beyond the rules that the workspace's own tests prove."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select

from onward.workspace.entities import AuditEvent
from onward.workspace.store import Store
from onward.workspace.watch import SnapshotWatcher
from onward.workspace.yaml import export_workspace, plan

from .conftest import Call

Json = dict[str, Any]
MAPPING = {"url": "https://example.com", "method": "POST", "data": {"@path": "$."}}


async def test_a_new_source_has_a_write_key_and_is_enabled(source: Json) -> None:
    assert source["enabled"] is True and source["name"] == "web"
    assert source["metadata"]["name"] == "Javascript"
    (key,) = source["writeKeys"]
    assert len(key) == 32


async def test_changes_reach_the_data_plane(call: Call, store: Store, destination: Json) -> None:
    watcher = SnapshotWatcher(store.engine, store.cipher)
    body = {"enabled": True, "delivery": {"maxRetries": 2}, "settings": {"sharedSecret": "s3cret"}}
    shown = (await call("PATCH", f"/destinations/{destination['id']}", body))["destination"]
    assert shown["delivery"]["maxRetries"] == 2 and shown["delivery"]["retryWindow"] == 14400
    assert watcher.refresh()
    (seen,) = watcher.current.destinations
    assert seen.enabled and seen.policy.max_retries == 2 and seen.settings["sharedSecret"] == "s3cret"


async def test_secrets_never_come_back(
    call: Call, client: httpx.AsyncClient, source: Json, store: Store
) -> None:
    body = {"sourceId": source["id"], "metadataId": "actions-webhook", "settings": {"sharedSecret": "s3cret"}}
    created = await client.post("/destinations", json=body)
    path = f"/destinations/{created.json()['data']['destination']['id']}"
    answers = [created]
    answers += [
        await client.get(url)
        for url in (path, "/destinations", f"/sources/{source['id']}/connected-destinations")
    ]
    settings = created.json()["data"]["destination"]["settings"]
    answers.append(await client.patch(path, json={"settings": settings, "name": "Other"}))
    for answer in answers:
        assert answer.status_code == 200
        assert "s3cret" not in answer.text and "••••••••" in answer.text
    watcher = SnapshotWatcher(store.engine, store.cipher)
    assert watcher.current.destinations[0].settings["sharedSecret"] == "s3cret", "the mask kept it"


async def test_presets_are_made_if_asked_for(call: Call, source: Json) -> None:
    body = {"sourceId": source["id"], "metadataId": "actions-webhook", "applyPresets": True}
    destination = (await call("POST", "/destinations", body))["destination"]
    assert destination["enabled"] is False
    (made,) = (await call("GET", f"/destinations/{destination['id']}/subscriptions"))["subscriptions"]
    assert made["enabled"] is False and made["actionSlug"] == "send"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"trigger": "type ="}, "trigger"),
        ({"actionId": "nope"}, "actionId"),
        ({"settings": {}}, "settings.url"),
        ({"settings": MAPPING | {"colour": 1}}, "settings.colour"),
        ({"settings": MAPPING | {"data": {"@path": 1}}}, "settings.data.@path"),
        ({"enabled": None}, "enabled"),
    ],
)
async def test_subscription_errors_have_the_fields_of_the_api(
    call: Call, destination: Json, change: Json, field: str
) -> None:
    path = f"/destinations/{destination['id']}/subscriptions"
    body = {
        "name": "n",
        "actionId": "send",
        "trigger": 'type = "track"',
        "enabled": True,
        "settings": MAPPING,
    }
    assert (await call("POST", path, body | change, status=422))[0]["field"] == field
    if "actionId" not in change:
        id = (await call("POST", path, body))["destinationSubscription"]["id"]
        (error,) = await call("PATCH", f"{path}/{id}", {"input": change}, status=422)
        assert error["field"] == f"input.{field}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"if": "a b"}, "if"),
        ({"actions": [{"type": "NOPE"}]}, "actions[0]"),
        ({"title": ""}, "title"),
        ({"sourceId": "other"}, "sourceId"),
        ({"actions": [1]}, "actions[0]"),
    ],
)
async def test_filter_errors_have_the_fields_of_the_api(
    call: Call, source: Json, destination: Json, change: Json, field: str
) -> None:
    body = {
        "sourceId": source["id"],
        "if": "all",
        "title": "t",
        "actions": [{"type": "DROP"}],
        "enabled": True,
    }
    path = f"/destination/{destination['id']}/filters"
    assert (await call("POST", path, body | change, status=422))[0]["field"] == field


async def test_a_filters_description_can_be_removed(call: Call, source: Json, destination: Json) -> None:
    path = f"/destination/{destination['id']}/filters"
    body = {
        "sourceId": source["id"],
        "if": "all",
        "title": "t",
        "actions": [{"type": "DROP"}],
        "enabled": True,
    }
    made = (await call("POST", path, body | {"description": "why"}))["filter"]
    assert made["description"] == "why" and made["createdAt"].endswith("Z")
    changed = (await call("PATCH", f"{path}/{made['id']}", {"description": None}))["filter"]
    assert "description" not in changed


async def test_previews(call: Call) -> None:
    payload = {"type": "track", "userId": "u"}
    for actions, result in [
        ([{"type": "DROP"}], None),
        ([{"type": "DROP_PROPERTIES", "fields": {"": ["userId"]}}], {"type": "track"}),
    ]:
        body = {"filter": {"if": "all", "actions": actions}, "payload": payload}
        assert await call("POST", "/destination/filters/preview", body) == {
            "inputPayload": payload,
            "result": result,
        }
    body = {"filter": {"if": "a b", "actions": [{"type": "DROP"}]}, "payload": payload}
    (error,) = await call("POST", "/destination/filters/preview", body, status=422)
    assert error["field"] == "filter.if"


async def test_pages(call: Call) -> None:
    for number in range(7):
        await call("POST", "/sources", {"slug": f"s{number}", "metadataId": "go"}, status=201)
    pages: list[Json] = []
    query = "pagination[count]=3"
    while True:
        pages.append(await call("GET", f"/sources?{query}"))
        cursor = pages[-1]["pagination"].get("next")
        if cursor is None:
            break
        query = f"pagination.count=3&pagination.cursor={cursor}"
    slugs = [[source["slug"] for source in page["sources"]] for page in pages]
    assert [len(part) for part in slugs] == [3, 3, 1]
    assert sorted(slug for part in slugs for slug in part) == [f"s{number}" for number in range(7)]
    assert "previous" not in pages[0]["pagination"]
    for index, page in enumerate(pages):
        assert page["pagination"]["totalEntries"] == 7
        again = await call(
            "GET", f"/sources?pagination.count=3&pagination.cursor={page['pagination']['current']}"
        )
        assert again["sources"] == page["sources"]
        if index:
            back = page["pagination"].get("previous")
            before = await call("GET", f"/sources?pagination.count=3&pagination.cursor={back}")
            assert before["sources"] == pages[index - 1]["sources"]
    # A page stays where it is when an item before it goes away.
    await call("DELETE", f"/sources/{pages[0]['sources'][0]['id']}")
    again = await call(
        "GET", f"/sources?pagination.count=3&pagination.cursor={pages[1]['pagination']['current']}"
    )
    assert again["sources"] == pages[1]["sources"]


@pytest.mark.parametrize(
    "query", ["count]=0", "count]=1001", "count]=x", "count]=-1", "count]=", "cursor]=zz", "cursor]=WzFd"]
)
@pytest.mark.parametrize("path", ["/sources", "/destinations", "/catalog/sources", "/catalog/destinations"])
async def test_bad_pages(call: Call, path: str, query: str) -> None:
    (error,) = await call("GET", f"{path}?pagination[{query}", status=422)
    assert error["field"] == ("pagination.cursor" if "cursor" in query else "pagination.count")


async def test_things_of_others_are_not_found(call: Call, source: Json, destination: Json) -> None:
    other = {"sourceId": source["id"], "metadataId": "actions-webhook", "name": "Other"}
    other_id = (await call("POST", "/destinations", other))["destination"]["id"]
    body = {"name": "n", "actionId": "send", "trigger": 'type = "track"', "enabled": False}
    made = await call("POST", f"/destinations/{other_id}/subscriptions", body)
    id = made["destinationSubscription"]["id"]
    for path in (
        f"/destinations/{destination['id']}/subscriptions/{id}",
        f"/destination/{destination['id']}/filters/{id}",
        "/destinations/nope",
        "/destinations/nope/subscriptions",
        "/destination/nope/filters",
        "/sources/nope",
        "/sources/nope/debugger",
        "/sources/nope/connected-destinations",
        "/catalog/sources/nope",
        "/catalog/destinations/nope",
    ):
        (error,) = await call("GET", path, status=404)
        assert (error["type"] == "not-found" and "nope" in error["message"]) or id in error["message"]
    body = {"sourceId": "nope", "metadataId": "actions-webhook"}
    assert (await call("POST", "/destinations", body, status=422))[0]["field"] == "sourceId"
    body = {"sourceId": source["id"], "metadataId": "nope"}
    assert (await call("POST", "/destinations", body, status=422))[0]["field"] == "metadataId"


async def test_the_debugger_shows_payloads_as_they_came(call: Call, source: Json) -> None:
    path = f"/sources/{source['id']}/debugger"
    first, second, _ = (await call("GET", path))["events"]
    assert first == {
        "receivedAt": "2023-11-14T22:13:20.123Z",
        "type": "track",
        "messageId": "m2",
        "verdict": "accepted",
        "code": None,
        "payload": {"type": "track", "event": "A"},
    }
    assert second["payload"] == "{broken" and second["code"] == "id_not_string"
    assert len((await call("GET", f"{path}?count=1"))["events"]) == 1
    assert (await call("GET", f"{path}?count=501", status=422))[0]["field"] == "count"


async def test_the_debugger_by_trigger(call: Call, source: Json) -> None:
    path = f"/sources/{source['id']}/debugger"

    async def found(trigger: str) -> list[str]:
        query = urlencode({"count": 1, "trigger": trigger})
        return [each["messageId"] for each in (await call("GET", f"{path}?{query}"))["events"]]

    assert await found('type = "track"') == ["m2"]
    assert await found('type = "track" and event = "B"') == ["m3"], "the path says its type"
    assert await found('event = "C"') == []
    problem = (await call("GET", f"{path}?trigger=type+%3D", status=422))[0]
    assert problem["field"] == "trigger" and "at character" in problem["message"]


async def test_the_audit_trail_names_the_token(call: Call, source: Json, store: Store) -> None:
    with store.reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.resource_id == source["id"])).one()
    assert event.type == "Source Created" and event.resource_name == "web"
    assert len(event.actor) == 22


async def test_a_write_key_is_added_and_removed(call: Call, source: Json) -> None:
    path = f"/sources/{source['id']}/writekey"
    keys = (await call("POST", path))["source"]["writeKeys"]
    assert keys[0] == source["writeKeys"][0] and len(set(keys)) == 2
    assert await call("DELETE", f"{path}/{keys[0]}") == {"status": "SUCCESS"}
    assert (await call("DELETE", f"{path}/{keys[1]}", status=422))[0]["field"] == "writeKey"
    await call("DELETE", f"{path}/{keys[0]}", status=404)


async def test_changes_at_once_are_made_one_after_the_other(call: Call, store: Store) -> None:
    async def create(number: int) -> None:
        await call("POST", "/sources", {"slug": f"s{number}", "metadataId": "go"}, status=201)

    await asyncio.gather(*(create(number) for number in range(30)))
    with store.reading() as session:
        versions = session.scalars(select(AuditEvent.version).order_by(AuditEvent.version)).all()
    assert versions == list(range(1, 32)), "the first is the token's"
    assert len(SnapshotWatcher(store.engine, store.cipher).current.sources) == 30


async def test_what_is_nested_too_deeply_for_a_document_is_refused(
    call: Call, store: Store, source: Json, destination: Json
) -> None:
    nested: Json = {}
    for _ in range(98):
        nested = {"a": nested}
    for levels, status in ((nested, 200), ({"a": {"a": nested}}, 422)):
        await call("PATCH", f"/sources/{source['id']}", {"settings": levels}, status=status)
        mapping = {"url": "https://example.com", "data": levels}
        body = {"name": "m", "actionId": "send", "trigger": 'type = "track"', "settings": mapping}
        await call("POST", f"/destinations/{destination['id']}/subscriptions", body, status=status)
    with store.reading() as session:
        text = export_workspace(session, store.default_workspace_id())
    assert not plan(store, store.default_workspace_id(), text, {})
