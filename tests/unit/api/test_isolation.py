"""Workspaces are strictly apart: a token of A can't see, touch or probe what is in B.

For every operation with something in its path: the answer about a thing of B is, to the letter, the one about
a thing that does not exist.
"""

from typing import Any

import httpx
import pytest
from litestar import Litestar

from onward.api.openapi import PARAMETER, operations
from onward.api.segment import UNAVAILABLE

from .conftest import TOKEN, Call
from .contract import contract
from .examples import body_of, query_of
from .things import NAMES, Things, asking, make_things

Json = dict[str, Any]

ELSEWHERE = {name for _, _, name in UNAVAILABLE} | {
    "getDestinationMetadata",
    "getSourceMetadata",
    "getWarehouseMetadata",
}
"""What is the same for all: Engage, which nobody has, and the catalogue."""
NOTHING = "Nothing0f0This1Kind2Here"


@pytest.fixture
async def other(call: Call, app: Litestar) -> Json:
    """A second workspace: its token, and what is in it."""
    made = await call("POST", "/workspaces", {"slug": "b"}, status=201)
    async with asking(app, made["token"]) as client:
        return {"token": made["token"], "things": await make_things(client)}


async def everything(app: Litestar, token: str) -> Json:
    """All that the lists of a workspace show, and its audit trail."""
    shown = {}
    async with asking(app, token) as client:
        for method, path, handler in operations(app):
            if method != "get" or "media" in handler.opt or "/catalog/" in path:
                continue
            if path.endswith("/deliverability"):  # it is of a window up to now
                continue
            if "{" not in path:
                reply = await client.get(path.removeprefix("/api"))
                shown[path] = reply.json() if reply.is_success else reply.status_code
    return shown


def told(response: httpx.Response, things: Things) -> str:
    """An answer, without the ids that were asked for."""
    text = response.text
    for name, id in things.items():
        if name not in NAMES:
            text = text.replace(id, NOTHING)
    return f"{response.status_code} {text}"


async def test_a_thing_of_another_workspace_is_like_none(
    app: Litestar, client: httpx.AsyncClient, other: Json
) -> None:
    theirs: Things = other["things"]
    nothing = {name: id if name in NAMES else NOTHING for name, id in theirs.items()}
    before = await everything(app, other["token"])
    document = contract(app).document
    tried = 0
    for method, path, handler in operations(app):
        parameters, name = PARAMETER.findall(path), str(handler.operation_id)
        if not parameters or name in ELSEWHERE:
            continue
        assert set(parameters) <= theirs.keys(), f"{name}: things.py makes nothing for one of {parameters}"
        described = next(
            each for each in document["paths"].values() if each.get(method, {}).get("operationId") == name
        )[method]
        body = body_of(document, described)
        answers = [
            await client.request(
                method, _filled(path, things), json=body, params=query_of(document, described, things)
            )
            for things in (theirs, nothing)
        ]
        assert answers[0].status_code == 404, f"{name}: {answers[0].status_code} {answers[0].text}"
        assert told(answers[0], theirs) == told(answers[1], nothing), name
        tried += 1
    assert tried > 50
    assert await everything(app, other["token"]) == before, "something in B was touched"


async def test_a_thing_of_another_workspace_below_one_of_ones_own(
    app: Litestar, client: httpx.AsyncClient, other: Json
) -> None:
    async with asking(app, TOKEN) as asked:
        mine = await make_things(asked, "a@example.com")
    theirs: Things = other["things"]
    document = contract(app).document
    tried = 0
    for method, path, handler in operations(app):
        parameters, name = PARAMETER.findall(path), str(handler.operation_id)
        things = [each for each in parameters if each not in NAMES]
        if len(things) < 2 or name in ELSEWHERE or "key" in things:
            continue
        described = next(
            each for each in document["paths"].values() if each.get(method, {}).get("operationId") == name
        )[method]
        mixed = mine | {things[-1]: theirs[things[-1]]}
        reply = await client.request(
            method,
            _filled(path, mixed),
            json=body_of(document, described),
            params=query_of(document, described, mixed),
        )
        assert reply.status_code == 404, f"{name}: {reply.status_code} {reply.text}"
        tried += 1
    assert tried > 5


BY_BODY: list[tuple[str, str, Json]] = [
    ("POST", "/destinations", {"sourceId": "{source_id}", "metadataId": "actions-webhook"}),
    (
        "POST",
        "/destinations",
        {"sourceId": "{mine}", "metadataId": "tool", "copySettingsFrom": "{destination_id}"},
    ),
    ("POST", "/transformations", {"name": "t", "sourceId": "{source_id}", "enabled": True, "if": "all"}),
    ("POST", "/invites", {"invites": [{"email": "x@example.com", "groupIds": ["{user_group_id}"]}]}),
    ("PUT", "/sources/{mine}/labels", {"labels": [{"key": "{key}", "value": "{value}"}]}),
    ("DELETE", "/users?userIds[0]={user_id}", {}),
    (
        "POST",
        "/insert-function-instances",
        {"functionId": "{function_id}", "integrationId": "{destination_id}", "name": "i", "settings": {}},
    ),
    (
        "POST",
        "/reverse-etl-models",
        {"sourceId": "{source_id}", "name": "m", "query": "q", "queryIdentifierColumn": "c"},
    ),
    (
        "POST",
        "/reverse-etl-syncs",
        {"sourceId": "{source_id}", "modelId": "{model_id}", "subscriptionId": "{id}"},
    ),
    ("PATCH", "/sources/{mine}/settings", {"forwardingViolationsTo": "{source_id}"}),
]
"""Ids of B in bodies and queries; `{mine}` is a source of A."""


@pytest.mark.parametrize(("method", "path", "body"), BY_BODY)
async def test_a_thing_of_another_workspace_in_a_body_is_like_none(
    client: httpx.AsyncClient, source: Json, other: Json, method: str, path: str, body: Json
) -> None:
    theirs: Things = other["things"]
    nothing = dict.fromkeys(theirs, NOTHING)
    answers = []
    for things in (theirs, nothing):
        known = things | {"mine": source["id"]}
        filled = _put(body, known)
        reply = await client.request(method, path.format(**known), json=filled or None)
        assert reply.status_code in (404, 422), reply.text
        answers.append(told(reply, things))
    assert answers[0] == answers[1]


async def test_slugs_names_and_emails_of_another_workspace_are_free(call: Call, other: Json) -> None:
    await call("POST", "/sources", {"slug": "of-b", "metadataId": "python"}, status=201)
    await call("POST", "/groups", {"name": "Group"})
    await call("POST", "/labels", {"label": {"key": "team", "value": "label-of-b"}}, status=201)
    await call("POST", "/tracking-plans", {"name": "Plan", "type": "LIVE"})
    await call("POST", "/invites", {"invites": [{"email": "b@example.com"}]}, status=201)


def _filled(path: str, things: Things) -> str:
    return PARAMETER.sub(lambda found: things[found[1]], path).removeprefix("/api")


def _put(value: Any, things: Things) -> Any:
    if isinstance(value, dict):
        return {name: _put(each, things) for name, each in value.items()}
    if isinstance(value, list):
        return [_put(each, things) for each in value]
    return value.format(**things) if isinstance(value, str) else value
