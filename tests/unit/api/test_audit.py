"""The audit trail, and tokens."""

import json

import httpx
import pytest
from litestar import Litestar

from .conftest import Call


async def test_it_says_who_did_what_before_and_after(call: Call) -> None:
    source = (await call("POST", "/sources", {"slug": "s", "metadataId": "python"}, status=201))["source"]
    await call("PATCH", f"/sources/{source['id']}", {"name": "New"})
    await call("DELETE", f"/sources/{source['id']}")
    listed = await call("GET", f"/audit-events?resourceId={source['id']}")
    deleted, modified, created = listed["events"]
    assert [event["type"] for event in listed["events"]] == [
        "Source Deleted",
        "Source Modified",
        "Source Created",
    ]
    assert (modified["before"]["name"], modified["after"]["name"]) == ("s", "New")
    assert deleted["after"] is None and created["before"] is None
    assert created["resourceType"] == "source" and created["actor"]
    assert created["version"] < modified["version"] < deleted["version"]


async def test_secrets_are_masked(call: Call) -> None:
    source = (await call("POST", "/sources", {"slug": "s", "metadataId": "python"}, status=201))["source"]
    settings = {"sharedSecret": "very-secret"}
    body = {"sourceId": source["id"], "metadataId": "actions-webhook", "settings": settings}
    destination = (await call("POST", "/destinations", body))["destination"]
    settings = {"sharedSecret": "other-secret"}
    await call("PATCH", f"/destinations/{destination['id']}", {"settings": settings})
    trail = json.dumps(await call("GET", "/audit-events"))
    assert "very-secret" not in trail and "other-secret" not in trail
    assert source["writeKeys"][0] not in trail
    assert "(changed)" in trail


async def test_pages_go_back_and_forth(call: Call) -> None:
    for number in range(7):
        await call("POST", "/labels", {"label": {"key": "n", "value": str(number)}}, status=201)
    query = "/audit-events?resourceType=label&pagination[count]=3"
    names, cursors, cursor = [], [], ""
    while True:
        page = await call("GET", query + (f"&pagination[cursor]={cursor}" if cursor else ""))
        names.append([event["resourceName"] for event in page["events"]])
        cursors.append(page["pagination"]["current"])
        assert page["pagination"]["totalEntries"] == 7
        cursor = page["pagination"].get("next")
        if cursor is None:
            break
    assert names == [["n:6", "n:5", "n:4"], ["n:3", "n:2", "n:1"], ["n:0"]]
    middle = await call("GET", f"{query}&pagination[cursor]={cursors[1]}")
    back = await call("GET", f"{query}&pagination[cursor]={middle['pagination']['previous']}")
    assert [event["resourceName"] for event in back["events"]] == names[0]


async def test_filters_and_export(call: Call, client: httpx.AsyncClient) -> None:
    await call("POST", "/labels", {"label": {"key": "a", "value": "1"}}, status=201)
    everything = (await call("GET", "/audit-events"))["events"]
    exported = await client.get("/audit-events/export")
    assert 'filename="audit-trail.ndjson"' in exported.headers["content-disposition"]
    lines = exported.text.splitlines()
    assert [json.loads(line) for line in lines] == everything[::-1]
    label = everything[0]
    for query, found in [
        ("type=Label Created", 1),
        ("type=Label Deleted", 0),
        (f"actor={label['actor']}&resourceType=label", 1),
        (f"startTime={label['timestamp']}&resourceType=label", 1),
        (f"endTime={label['timestamp']}&resourceType=label", 0),
    ]:
        assert len((await call("GET", f"/audit-events?{query}"))["events"]) == found, query
    assert (await call("GET", "/audit-events?startTime=yesterday", status=422))[0]["field"] == "startTime"


@pytest.mark.parametrize("role", ["source-admin", "owner"])
async def test_a_token_is_shown_once_and_ends_when_deleted(app: Litestar, call: Call, role: str) -> None:
    made = await call("POST", "/tokens", {"name": "CI", "roleId": role}, status=201)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://onward/api",
        headers={"authorization": f"Bearer {made['secret']}"},
    ) as program:
        assert (await program.get("/sources")).status_code == 200
        assert (await program.get("/tokens")).status_code == (200 if role == "owner" else 403)
        listed = await call("GET", "/tokens")
        assert made["secret"] not in json.dumps(listed) and made["token"] in listed["tokens"]
        await call("DELETE", f"/tokens/{made['token']['id']}")
        assert (await program.get("/sources")).status_code == 401
    assert (await call("DELETE", f"/tokens/{made['token']['id']}", status=404))[0]["type"] == "not-found"


async def test_it_is_forwarded_to_a_source_that_is_there(call: Call, source: dict[str, str]) -> None:
    path = "/audit-forwarding"
    assert (await call("GET", path))["auditForwarding"] == {"sourceId": None}
    for _ in range(2):
        assert (await call("PUT", path, {"sourceId": source["id"]}))["auditForwarding"] == {
            "sourceId": source["id"]
        }
    [event] = (await call("GET", "/audit-events?type=Audit Forwarding Modified"))["events"]
    assert (event["before"], event["after"]) == ({"forwarded_to": None}, {"forwarded_to": source["id"]})
    assert (await call("PUT", path, {"sourceId": "nope"}, status=422))[0]["field"] == "sourceId"
    await call("PUT", path, {"sourceId": None})
    assert (await call("GET", path))["auditForwarding"] == {"sourceId": None}
