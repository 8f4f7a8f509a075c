"""Permissions that are had for some resources only (spec §17.1)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from onward.workspace import sources
from onward.workspace.entities import Workspace
from onward.workspace.store import Actor, Store
from onward.workspace.tokens import create_token

from .conftest import Call


@pytest.fixture
async def two(call: Call) -> list[dict[str, Any]]:
    """Two sources, the second with a label, each with a webhook."""
    made = []
    for slug in ("mine", "other"):
        source = (await call("POST", "/sources", {"slug": slug, "metadataId": "python"}, status=201))[
            "source"
        ]
        body = {"sourceId": source["id"], "metadataId": "actions-webhook", "name": "Hook"}
        made.append(source | {"hook": (await call("POST", "/destinations", body))["destination"]["id"]})
    return made


@pytest.fixture
def client_with(app: Litestar, store: Store) -> Callable[..., httpx.AsyncClient]:
    """A client with a token that has a role for some resources."""

    def make(role: str, *resources: dict[str, Any]) -> httpx.AsyncClient:
        with store.reading() as session:
            workspace_id = session.scalars(select(Workspace.id)).one()
        with store.changing(workspace_id, Actor(id="test")) as editor:
            create_token(editor, name=role, token=f"token-of-{role}", role=role, resources=resources)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://onward/api",
            headers={"authorization": f"Bearer token-of-{role}"},
        )

    return make


async def test_a_role_for_one_source_shows_and_changes_just_that(two: Any, client_with: Any) -> None:
    mine, other = two
    async with client_with("source-admin", {"type": "SOURCE", "id": mine["id"]}) as client:
        listed = (await client.get("/sources")).json()["data"]
        assert [source["slug"] for source in listed["sources"]] == ["mine"]
        assert listed["pagination"]["totalEntries"] == 1
        shown = (await client.get("/destinations")).json()["data"]["destinations"]
        assert [destination["id"] for destination in shown] == [mine["hook"]]
        for source, status in ((mine, 200), (other, 403)):
            assert (await client.get(f"/sources/{source['id']}")).status_code == status
            assert (await client.get(f"/sources/{source['id']}/debugger")).status_code == status
            assert (await client.get(f"/destinations/{source['hook']}")).status_code == status
            assert (await client.get(f"/destinations/{source['hook']}/subscriptions")).status_code == status
            assert (await client.get(f"/destination/{source['hook']}/filters")).status_code == status
            renamed = await client.patch(f"/sources/{source['id']}", json={"name": "New"})
            assert renamed.status_code == status
            body = {"sourceId": source["id"], "metadataId": "actions-webhook", "name": "Second"}
            assert (await client.post("/destinations", json=body)).status_code == status
        created = await client.post("/sources", json={"slug": "third", "metadataId": "python"})
        assert created.status_code == 403
        assert created.json()["errors"][0]["type"] == "forbidden"
        assert (await client.get("/sources/nothing")).status_code == 404


async def test_read_only_changes_nothing(two: Any, client_with: Any) -> None:
    mine, _ = two
    async with client_with("source-read-only") as client:
        assert len((await client.get("/sources")).json()["data"]["sources"]) == 2
        assert (await client.patch(f"/sources/{mine['id']}", json={"name": "New"})).status_code == 403
        assert (await client.delete(f"/destinations/{mine['hook']}")).status_code == 403


@pytest.mark.parametrize("role", ["owner", "member", "function-admin", "warehouse-admin", "privacy-admin"])
async def test_only_what_is_for_sources_is_granted_by_label(call: Call, role: str) -> None:
    """Else who is an owner by a label could do what is about no source: make an owner's token, say."""
    label = {"key": "team", "value": "web"}
    await call("POST", "/labels", {"label": label}, status=201)
    workspace = (await call("GET", "/"))["workspace"]["id"]
    of_label = {"type": "WORKSPACE", "id": workspace, "labels": [label]}
    for body in ({"resources": [of_label]}, {"labels": [label]}):
        invite = {"invites": [{"email": "bob@example.com", "permissions": [{"roleId": role} | body]}]}
        (error,) = await call("POST", "/invites", invite, status=422)
        assert error["field"] == "invites[0].permissions[0].resources" and "labels" in error["message"]
    token = {"name": "t", "roleId": role, "resources": [of_label]}
    await call("POST", "/tokens", token, status=422)
    await call("POST", "/tokens", token | {"roleId": "pii-access"}, status=201)


async def test_a_role_by_labels_reaches_what_bears_them_all_at_once(
    two: Any, client_with: Any, store: Store
) -> None:
    mine, _ = two
    labels = [{"key": "team", "value": "web"}, {"key": "env", "value": "prod"}]
    async with client_with("source-admin", {"type": "SOURCE", "id": "", "labels": labels}) as client:
        for borne, seen in ((labels[:1], 0), (labels, 1), ([], 0)):
            with store.reading() as session:
                workspace_id = session.scalars(select(Workspace.id)).one()
            with store.changing(workspace_id, Actor(id="test")) as editor:
                source = sources.get_source(editor.session, workspace_id, mine["id"])
                sources.update_source(editor, source, labels=borne)
            assert len((await client.get("/sources")).json()["data"]["sources"]) == seen
