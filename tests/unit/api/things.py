"""One of everything in a workspace, made through the API: what a path's parameters can name.

A new parameter of a path has its maker here, in the order in which things are made.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from litestar import Litestar

Json = dict[str, Any]
Things = dict[str, str]
"""Name of a path's parameter → an id, or a name that is the same everywhere."""
Ask = Callable[..., Awaitable[Any]]

NAMES: Things = {
    "metadata_id": "actions-webhook",
    "action": "upsert",
    "field": "list",
    "hook": "onMappingSave",
    "external_id": "list-7",
    "warehouse_metadata_id": "postgres",
}
"""What is no thing of a workspace."""
KINDS: dict[str, tuple[Json, str, Json]] = {
    "tool": ({"apiKey": "k"}, "upsert", {"email": {"@path": "$.properties.email"}}),
    "actions-webhook": (
        {},
        "send",
        {"url": "https://example.com", "method": "POST", "data": {"@path": "$."}},
    ),
}
"""Kind of destination → settings, action, mapping."""


def asking(app: Litestar, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://onward/api",
        headers={"authorization": f"Bearer {token}"},
    )


async def make_things(client: httpx.AsyncClient, email: str = "b@example.com", kind: str = "tool") -> Things:
    """`kind`, of the destination: the tool of `tool.py` has all that testers ask for."""
    settings, action, mapping = KINDS[kind]

    async def ask(method: str, path: str, body: Any = None) -> Any:
        response = await client.request(method, path, json=body)
        assert response.is_success, response.text
        return response.json()["data"]

    source = (await ask("POST", "/sources", {"slug": "of-b", "metadataId": "python"}))["source"]
    source = (await ask("POST", f"/sources/{source['id']}/writekey"))["source"]
    body: Json = {"sourceId": source["id"], "metadataId": kind, "settings": settings}
    destination = (await ask("POST", "/destinations", body))["destination"]["id"]
    body = {"name": "s", "actionId": action, "trigger": 'type = "track"', "settings": mapping}
    subscription = await ask("POST", f"/destinations/{destination}/subscriptions", body)
    body = {"sourceId": source["id"], "if": "all", "title": "f", "actions": [{"type": "DROP"}]}
    filter = (await ask("POST", f"/destination/{destination}/filters", body))["filter"]
    group = (await ask("POST", "/groups", {"name": "Group"}))["userGroup"]
    await ask("POST", "/labels", {"label": {"key": "team", "value": "label-of-b"}})
    token = (await ask("POST", "/tokens", {"name": "t", "roleId": "member"}))["token"]
    plan = (await ask("POST", "/tracking-plans", {"name": "Plan", "type": "LIVE"}))["trackingPlan"]
    body = {"name": "t", "sourceId": source["id"], "enabled": True, "if": "all", "newEventName": "New"}
    transformation = (await ask("POST", "/transformations", body))["transformation"]
    body = {"regulationType": "SUPPRESS_ONLY", "subjectType": "USER_ID", "subjectIds": ["of-b"]}
    regulation = (await ask("POST", "/regulations", body))["regulateId"]
    function, instance = await _functions(ask, destination)
    body = {"metadataId": "duckdb", "name": "w", "settings": {}, "disconnectAllSources": False}
    warehouse = (await ask("POST", "/warehouses", body))["warehouse"]
    body = {"sourceId": source["id"], "name": "m", "query": "SELECT 1 AS id", "queryIdentifierColumn": "id"}
    model = (await ask("POST", "/reverse-etl-models", body))["reverseEtlModel"]
    body = {"name": "a", "type": "DISK_FREE", "channels": [{"type": "IN_APP"}]}
    alert = (await ask("POST", "/alerts", body))["alert"]
    bundle = {"uploadURL": "https://cdn.example.com/of-b.js"}
    await ask("POST", f"/sources/{source['id']}/edge-functions", bundle)
    return NAMES | {
        "source_id": source["id"],
        "write_key": source["writeKeys"][0],
        "destination_id": destination,
        "id": subscription["destinationSubscription"]["id"],
        "filter_id": filter["id"],
        "user_id": await _user(ask, email),
        "user_group_id": group["id"],
        "key": "team",
        "value": "label-of-b",
        "token_id": token["id"],
        "tracking_plan_id": plan["id"],
        "transformation_id": transformation["id"],
        "regulate_id": regulation,
        "alert_id": alert["id"],
        "function_id": function["id"],
        "version_id": function["version"],
        "instance_id": instance,
        "warehouse_id": warehouse["id"],
        "model_id": model["id"],
        "sync_id": "of-b",
    }


async def _functions(ask: Ask, destination: str) -> tuple[Json, str]:
    """An insert function, and its instance before the destination."""
    body: Json = {"displayName": "f", "resourceType": "INSERT_DESTINATION", "code": "// of b"}
    function = (await ask("POST", "/functions", body))["function"]
    versions = (await ask("GET", f"/functions/{function['id']}/versions"))["versions"]
    body = {"functionId": function["id"], "integrationId": destination, "name": "i", "settings": {}}
    instance = (await ask("POST", "/insert-function-instances", body))["insertFunctionInstance"]
    return function | {"version": versions[0]["id"]}, str(instance["id"])


async def _user(ask: Ask, email: str) -> str:
    invited = (await ask("POST", "/invites", {"invites": [{"email": email}]}))["invitations"][0]
    token = invited["link"].partition("#")[2]
    body = {"token": token, "name": "B", "password": "correct horse battery"}
    return str((await ask("POST", "/invites/accept", body))["session"]["userId"])
