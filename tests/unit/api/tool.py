"""A tool with one of everything that testers ask for, and the client that stands for the network."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from onward.destinations.definition import (
    Action,
    Audiences,
    Call,
    Definition,
    Field,
    Hook,
    HookError,
    Page,
    Payload,
    Preset,
)
from onward.destinations.outcome import Outcome, from_error, from_response
from onward.egress.http import EgressError, Request, Response

BASE = "https://api.tool.example"
SECRET = 'sk_live/"42"'


class Answering:
    """Answers each request with `answer`, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.status = 200
        self.body: Any = {"ok": True}
        self.error: EgressError | None = None
        self.hang = False

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        if self.hang:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return Response(status=self.status, headers={}, body=msgspec.json.encode(self.body))

    async def resolve(self, host: str) -> list[str]:
        return []

    async def close(self) -> None:
        pass


def request(call: Call, path: str, body: Any) -> Request:
    key = call.settings["apiKey"]
    return Request(
        url=f"{BASE}{path}",
        headers={"authorization": f"Bearer {key}", "x-key": str(key)},
        body=msgspec.json.encode({"key": key, **body}),
        timeout=call.timeout,
    )


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome:
    try:
        response = await call.http.send(request(call, "/people", payloads[0]))
    except EgressError as error:
        return from_error(error)
    return from_response(response, 0)


async def broken(call: Call, payloads: Sequence[Payload]) -> Outcome:
    raise RuntimeError(f"a bug, and {call.settings['apiKey']} in its message")


async def connect(call: Call) -> str | None:
    response = await call.http.send(request(call, "/me", {}))
    return None if response.status == 200 else f"refused {call.settings['apiKey']}: {response.body.decode()}"


async def choices(call: Call, action: str, field: str, payload: Payload, page: str | None) -> Page:
    asked = {"field": field, "page": page, **payload}
    response = await call.http.send(request(call, f"/{action}/choices", asked))
    if response.status != 200:
        return Page(error=f"{response.status} for {call.settings['apiKey']}")
    return Page(choices=[{"value": "1", "label": f"First {call.settings['apiKey']}"}], next_page="2")


async def make_list(call: Call, payload: Payload, inputs: Payload) -> dict[str, Any]:
    response = await call.http.send(request(call, "/lists", inputs))
    if response.status != 200:
        raise HookError(f"no list for {call.settings['apiKey']}")
    return {"id": "list-7", "name": inputs.get("name")}


async def create_audience(call: Call, name: str, settings: dict[str, Any]) -> str:
    response = await call.http.send(request(call, "/audiences", {"name": name, **settings}))
    if response.status != 200:
        raise HookError("there is one of that name")
    return f"audience-{name}"


async def get_audience(call: Call, external_id: str, settings: dict[str, Any]) -> str:
    await call.http.send(request(call, f"/audiences/{external_id}", settings))
    return external_id


TOOL = Definition(
    slug="tool",
    id="0123456789abcdef01234567",
    name="Tool",
    description="For tests.",
    settings={
        "apiKey": Field(label="API key", type="password", required=True),
        "region": Field(label="Region", default="eu"),
    },
    actions={
        "upsert": Action(
            slug="upsert",
            title="Upsert a person",
            description="",
            perform=perform,
            default_trigger='type = "identify" or type = "track"',
            fields={
                "email": Field(
                    label="Email", required=True, format="email", default={"@path": "$.properties.email"}
                ),
                "amount": Field(label="Amount", type="number", default={"@path": "$.properties.amount"}),
                "list": Field(label="List", dynamic=True),
            },
            hooks={
                "onMappingSave": Hook(
                    label="Make a list",
                    description="",
                    fields={"name": Field(label="Name"), "folder": Field(label="Folder", dynamic=True)},
                    outputs={"id": Field(label="Id")},
                    perform=make_list,
                )
            },
        ),
        "broken": Action(
            slug="broken", title="Broken", description="", perform=broken, fields={"x": Field(label="X")}
        ),
    },
    presets=(
        Preset(
            name="People",
            action="upsert",
            trigger='type = "identify"',
            mapping={"email": {"@path": "$.traits.email"}},
        ),
        Preset(
            name="Rows added",
            action="upsert",
            trigger="",
            mapping={"email": {"@path": "$.properties.email"}},
            automatic=False,
            event="warehouse_entity_added_track",
        ),
        *(
            Preset(name="Step entered", action=action, trigger='event = "S"', mapping={}, automatic=False)
            for action in ("upsert", "broken")
        ),
    ),
    test=connect,
    choices=choices,
    audiences=Audiences(create=create_audience, get=get_audience, takes_events=True),
)
