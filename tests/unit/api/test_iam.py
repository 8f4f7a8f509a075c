"""Users, groups, invitations, roles."""

from typing import Any

import pytest
from sqlalchemy import select

from onward.workspace import people
from onward.workspace.entities import Invite, User, Workspace
from onward.workspace.ids import resource_id
from onward.workspace.store import Actor, Store

from .conftest import Call


@pytest.fixture
def join(store: Store) -> Any:
    """Accept the invitation of an e-mail address: a user of the workspace."""

    def accept(email: str) -> str:
        with store.reading() as session:
            workspace_id = session.scalars(select(Workspace.id)).one()
        with store.changing(workspace_id, Actor(id="test")) as editor:
            invite = editor.session.scalars(select(Invite).where(Invite.email == email)).one()
            user = User(
                id=resource_id(), email=email, name=email, created_at=editor.now, updated_at=editor.now
            )
            people.accept(editor, invite, user)
            return user.id

    return accept


@pytest.fixture
async def owner(call: Call, join: Any) -> str:
    owner = (await role_ids(call))["Workspace Owner"]
    body = {"invites": [{"email": "Ada@Example.com", "permissions": [{"roleId": owner}]}]}
    made = await call("POST", "/invites", body, status=201)
    assert made["emails"] == ["ada@example.com"]
    assert "/invite#" in made["invitations"][0]["link"]
    return join("ada@example.com")


async def role_ids(call: Call) -> dict[str, str]:
    return {role["name"]: role["id"] for role in (await call("GET", "/roles"))["roles"]}


async def test_who_is_invited_has_the_roles_of_the_invitation_once_accepted(
    call: Call, join: Any, owner: str
) -> None:
    roles = await role_ids(call)
    source = (await call("POST", "/sources", {"slug": "s", "metadataId": "python"}, status=201))["source"]
    resources = [{"id": source["id"], "type": "SOURCE"}]
    await call(
        "POST",
        "/invites",
        {
            "invites": [
                {
                    "email": "bob@example.com",
                    "permissions": [{"roleId": roles["Source Admin"], "resources": resources}],
                }
            ]
        },
        status=201,
    )
    assert (await call("GET", "/invites"))["invites"] == ["bob@example.com"]
    bob = join("bob@example.com")
    assert (await call("GET", "/invites"))["invites"] == []
    (permission,) = (await call("GET", f"/users/{bob}"))["user"]["permissions"]
    assert permission == {
        "roleName": "Source Admin",
        "roleId": roles["Source Admin"],
        "resources": [{"type": "SOURCE", "id": source["id"]}],
    }
    users = await call("GET", "/users?pagination[count]=1")
    assert users["pagination"]["totalEntries"] == 2 and len(users["users"]) == 1


async def test_permissions_are_added_and_replaced(call: Call, owner: str) -> None:
    roles = await role_ids(call)
    added = await call(
        "POST",
        f"/users/{owner}/permissions",
        {"permissions": [{"roleId": roles["Source Read-only"], "resources": []}]},
    )
    assert [each["roleName"] for each in added["permissions"]] == ["Workspace Owner", "Source Read-only"]
    replace = {"permissions": [{"roleId": roles["Source Admin"], "resources": []}]}
    errors = await call("PUT", f"/users/{owner}/permissions", replace, status=422)
    assert "needs a user who is its owner" in errors[0]["message"]
    wrong = {
        "permissions": [{"roleId": roles["Source Admin"], "resources": [{"id": "x", "type": "FUNCTION"}]}]
    }
    errors = await call("POST", f"/users/{owner}/permissions", wrong, status=422)
    assert errors[0]["field"] == "permissions[0].resources"
    unknown = {"permissions": [{"roleId": "nope", "resources": []}]}
    assert (await call("POST", f"/users/{owner}/permissions", unknown, status=422))[0]["field"] == (
        "permissions[0].roleId"
    )


async def test_groups(call: Call, join: Any, owner: str) -> None:
    roles = await role_ids(call)
    group = (await call("POST", "/groups", {"name": "Web"}))["userGroup"]
    await call("POST", "/invites", {"invites": [{"email": "eve@example.com"}]}, status=201)
    emails = {"emails": ["ada@example.com", "eve@example.com"]}
    shown = (await call("POST", f"/groups/{group['id']}/users", emails))["userGroup"]
    assert shown["memberCount"] == 2
    assert (await call("GET", f"/groups/{group['id']}/invites"))["emails"] == ["eve@example.com"]
    users = (await call("GET", f"/groups/{group['id']}/users"))["users"]
    assert [user["email"] for user in users] == ["ada@example.com"]
    eve = join("eve@example.com")
    assert (await call("GET", f"/users/{eve}/groups"))["groups"] == [{"id": group["id"], "name": "Web"}]
    permissions = {"permissions": [{"roleId": roles["Function Admin"], "resources": []}]}
    await call("PUT", f"/groups/{group['id']}/permissions", permissions)
    group = (await call("GET", f"/groups/{group['id']}"))["userGroup"]
    assert group["permissions"][0]["roleName"] == "Function Admin"
    await call("DELETE", f"/group/{group['id']}/users?emails[0]=eve@example.com")
    await call("PUT", f"/group/{group['id']}/users", {"emails": ["nobody@example.com"]}, status=422)
    assert (await call("PATCH", f"/groups/{group['id']}", {"name": "Apps"}))["userGroup"]["name"] == "Apps"
    assert (await call("POST", "/groups", {"name": "Apps"}, status=422))[0]["field"] == "name"
    await call("DELETE", f"/groups/{group['id']}")
    assert (await call("GET", "/groups"))["userGroups"] == []


async def test_the_last_owner_stays(call: Call, owner: str) -> None:
    errors = await call("DELETE", f"/users?userIds[0]={owner}", status=422)
    assert "owner" in errors[0]["message"]
    assert (await call("GET", "/users"))["pagination"]["totalEntries"] == 1
