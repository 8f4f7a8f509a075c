"""Every operation through Segment's official TypeScript SDK: that each is driven, and how each refuses."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness import TOKEN, Onward
from unit.api.examples import body_of, query_of
from unit.api.things import NAMES, Things, make_things

from onward.api.permissions import OPERATIONS as PERMISSIONS
from onward.workspace.roles import ROLES

from .sdk_models import operations
from .test_api_sdk import FOLDER, deno
from .test_api_sdk import sdk as sdk
from .test_sdk_shapes import OPERATIONS, OUT_OF_SCOPE, SDK

Json = dict[str, Any]

NOTHING = "Nothing0f0This1Kind2Here"
FLAGS = ("--allow-all", "--no-prompt", "--frozen")
RULES = [{"type": "TRACK", "key": "x", "version": 1}]


def test_every_operation_in_scope_is_driven() -> None:
    """A new operation is called in one of the programs, or in a new one."""
    programs = "".join(file.read_text() for file in FOLDER.glob("*.js"))
    left = [name for _, _, name in OPERATIONS if name not in OUT_OF_SCOPE and f".{name}(" not in programs]
    assert not left, f"no program calls {', '.join(left)}"


@pytest.mark.timeout(400)
def test_the_life_of_people(onward: Onward, sdk: None) -> None:
    for email in ("owner@example.com", "member@example.com", "third@example.com"):
        join(onward, email, "owner" if email.startswith("owner") else "member")
    output = deno("run", *FLAGS, "people.js", f"{onward.url}/api", TOKEN, timeout=120)
    seen: Json = json.loads(output.strip().splitlines()[-1])
    assert seen.pop("label") == {"key": "team", "value": "pos", "description": "the pos team"}
    assert {"Workspace Owner", "Workspace Member", "Source Admin"} <= set(seen.pop("roles"))
    assert {"Label Created", "Label Deleted", "User Group Updated", "Users Invited"} <= set(
        seen.pop("audited")
    )
    assert sorted(seen.pop("invites")) == ["a@example.com", "b@example.com", "c@example.com"]
    assert "Source Created" in seen.pop("ofSource")
    assert seen == {
        "labels": ["app", "pos", "web"],
        "added": ["web", "app"],
        "replaced": ["pos"],
        "unlabelled": "SUCCESS",
        "left": [],
        "groups": ["One", "Two", "Three"],
        "group": {"name": "First", "members": 0, "roles": ["Function Read-only", "Source Admin"]},
        "invited": ["a@example.com", "b@example.com", "c@example.com"],
        "ofGroup": ["a@example.com", "b@example.com", "c@example.com"],
        "shortened": "SUCCESS",
        "alone": ["b@example.com"],
        "uninvited": "SUCCESS",
        "users": ["owner@example.com", "member@example.com", "third@example.com"],
        "user": {"name": "Member", "roles": ["Workspace Member"]},
        "members": ["member@example.com"],
        "groupsOfUser": ["First"],
        "removed": "SUCCESS",
        "deleted": ["SUCCESS"] * 3,
    }


@pytest.mark.timeout(400)
def test_how_each_operation_refuses(onward: Onward, sdk: None, tmp_path: Path) -> None:
    document: Json = httpx.get(f"{onward.url}/api/openapi.json").json()
    described = {
        each["operationId"]: each for methods in document["paths"].values() for each in methods.values()
    }
    things = asyncio.run(made(onward))
    token = onward.api("POST", "/tokens", {"name": "m", "roleId": "member"})["secret"]
    nothing = dict.fromkeys(things, NOTHING)
    names = [name for _, _, name in OPERATIONS if name not in OUT_OF_SCOPE]
    given = {
        "basePath": f"{onward.url}/api",
        "owner": TOKEN,
        "member": token,
        "things": things,
        "nothing": nothing,
        "operations": [told(document, described[name], nothing) for name in names],
    }
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given))
    output = deno("run", *FLAGS, "errors.js", str(file), timeout=300)
    seen: dict[str, Json] = json.loads(output.strip().splitlines()[-1])
    assert sorted(seen) == sorted(names)
    problems = [problem for name in names for problem in judged(name, seen[name])]
    assert not problems, "\n".join(problems)


def judged(name: str, seen: Json) -> list[str]:
    allowed = PERMISSIONS[name] in ROLES["member"].permissions
    wanted = {"stranger": 401, "missing": 404, "wrong": 422} | ({} if allowed else {"member": 403})
    problems = [
        f"{name}: {who} got {seen[who]}, not {status}"
        for who, status in wanted.items()
        if who in seen and seen[who]["status"] != status
    ]
    if "wrong" in seen and not seen["wrong"].get("field"):
        problems.append(f"{name}: wrong input is refused without saying where: {seen['wrong']}")
    return problems


async def made(onward: Onward) -> Things:
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=f"{onward.url}/api", headers=headers, timeout=30) as client:
        things = await make_things(client, kind="actions-webhook")
    return things | {"destination_metadata_id": NAMES["metadata_id"], "source_metadata_id": "python"}


def told(document: Json, operation: Json, things: Things) -> Json:
    """What the program is to call, and with what."""
    right = body_of(document, operation) if takes_body(document, operation) else None
    query: Json = query_of(document, operation, things)
    listed = {each["name"] for each in operation["parameters"] if each["schema"].get("type") == "array"}
    query = {name: [value] if name in listed else value for name, value in query.items() if "[" not in name}
    if operation["operationId"] == "removeRulesFromTrackingPlan":
        query["rules"] = RULES
    for each in operation["parameters"]:  # what the SDK insists on though we do not
        name, schema = each["name"], each["schema"]
        wanted = operations(SDK)[operation["operationId"]].query.get(name)
        if wanted is not None and wanted.required and name != "pagination":
            options = [value for option in schema.get("anyOf", [schema]) for value in option.get("enum", ())]
            query.setdefault(name, options[0] if options else "x")
    return {
        "name": operation["operationId"],
        "query": query,
        "named": any(each["in"] == "path" for each in operation["parameters"]),
        "right": right,
        "wrong": None if right is None else wrong_body(document, operation),
    }


def takes_body(document: Json, operation: Json) -> bool:
    """Whether it takes a body in the SDK as well, where everything in it that is ours alone is unknown."""
    if "requestBody" not in operation:
        return False
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    whole = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return not all("x-onward" in property for property in whole["properties"].values())


def wrong_body(document: Json, operation: Json) -> Json:
    """Without what is required, or else with something of another type."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    whole = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if whole.get("required"):
        return {}
    for name, property in whole["properties"].items():
        kinds = {each.get("type") for each in property.get("anyOf", [property])}
        if kinds <= {"boolean", "string", "null"} and "x-onward" not in property:
            return {name: 7}
    raise AssertionError(f"{operation['operationId']}: nothing to be wrong about")


def join(onward: Onward, email: str, role: str) -> None:
    """Make a user of the workspace, by an invitation."""
    permissions = [{"roleId": role, "resources": []}]
    body = {"invites": [{"email": email, "permissions": permissions}]}
    link = onward.api("POST", "/invites", body)["invitations"][0]["link"]
    name = email.partition("@")[0].title()
    body = {"token": link.partition("#")[2], "name": name, "password": "correct horse battery"}
    onward.api("POST", "/invites/accept", body)
