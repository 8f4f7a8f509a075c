"""Alerts and notifications over the API, and in a workspace's file."""

import time
from typing import Any

from sqlalchemy import select

from onward.workspace.converge import Options, converge
from onward.workspace.document import export_workspace, parse
from onward.workspace.entities import Alert, Notification, Workspace
from onward.workspace.store import Actor, Store

from .conftest import Call, ClientOf
from .tool import Answering

Json = dict[str, Any]
HOOK = "https://hooks.example.com/services/hush"
CHANNELS = [{"type": "SLACK", "address": HOOK}, {"type": "IN_APP"}]


async def test_an_alert_from_its_making_to_its_end(call: Call, destination: Json, http: Answering) -> None:
    types = {each["type"]: each for each in (await call("GET", "/alert-types"))["alertTypes"]}
    assert types["DELIVERY_RATE"]["about"] == "DESTINATION" and all(
        each["description"] for each in types.values()
    )
    body = {"name": "Rate", "type": "DELIVERY_RATE", "threshold": 99, "channels": CHANNELS}
    body |= {"destinationId": destination["id"]}
    made = (await call("POST", "/alerts", body, status=201))["alert"]
    assert made["minutes"] == 1440 and made["enabled"] and made["triggered"] == []
    assert "hush" not in str(made) and made["channels"][0]["address"]
    path = f"/alerts/{made['id']}"
    changed = await call("PATCH", path, {"threshold": 95, "channels": made["channels"]})
    assert changed["alert"]["threshold"] == 95
    assert (await call("GET", path))["alert"] == changed["alert"]
    assert [each["id"] for each in (await call("GET", "/alerts"))["alerts"]] == [made["id"]]
    assert [each["type"] for each in (await call("POST", f"{path}/test"))["test"]] == ["SLACK", "IN_APP"]
    assert HOOK in str(http.requests)
    for wrong in (
        {"threshold": 101},
        {"minutes": 0},
        {"sourceId": "nope"},
        {"channels": [{"type": "EMAIL"}]},
    ):
        await call("PATCH", path, wrong, status=404 if "sourceId" in wrong else 422)
    await call("POST", "/alerts", body | {"type": "DISK_FREE", "threshold": 5}, status=422)
    await call("DELETE", path)
    await call("GET", path, status=404)
    events = (await call("GET", "/audit-events"))["events"]
    assert {"Alert Created", "Alert Modified", "Alert Deleted"} <= {each["type"] for each in events}
    assert "hush" not in str(events)


async def test_notifications_are_for_who_may_see_the_source(
    call: Call, source: Json, store: Store, client_of: ClientOf
) -> None:
    now = int(time.time() * 1000)
    with store.plainly() as session:
        workspace = session.scalars(select(Workspace.id)).one()
        for at, (its, status) in enumerate(
            [(source["id"], "TRIGGERED"), (source["id"], "RESOLVED"), (None, "TRIGGERED")]
        ):
            session.add(
                Notification(
                    workspace_id=workspace, created_at=now + at, alert_id="a", name="n", kind="DISK_FREE",
                    source_id=its, target="", status=status, summary="s",
                )
            )  # fmt: skip
    found = await call("GET", "/notifications", params={"pagination.count": 2})
    assert [each["sourceId"] for each in found["notifications"]] == [None, source["id"]]
    more = await call("GET", "/notifications", params={"pagination.cursor": found["pagination"]["next"]})
    assert [each["status"] for each in more["notifications"]] == ["TRIGGERED"]
    async with client_of({"source-read-only": [{"type": "SOURCE", "id": source["id"]}]}) as client:
        seen = (await client.get("/notifications")).json()["data"]["notifications"]
        assert (await client.get("/alerts")).status_code == 403
    assert {each["sourceId"] for each in seen} == {source["id"]}


async def test_a_file_keeps_them_but_not_their_secrets(call: Call, destination: Json, store: Store) -> None:
    body = {"name": "Rate", "type": "DELIVERY_RATE", "destinationId": destination["id"], "channels": CHANNELS}
    await call("POST", "/alerts", body, status=201)
    with store.reading() as session:
        workspace_id = session.scalars(select(Workspace.id)).one()
        text = export_workspace(session, workspace_id)
    assert "hush" not in text and "${ALERT_RATE_0}" in text
    document = parse(text)
    assert document.alerts and document.alerts[0].destination == destination["name"]
    with store.changing(workspace_id, Actor(id="test")) as editor:
        converge(editor, document, Options(environment={}, prune=True))
        assert editor.events == [], "it is as it was, secrets included"
    with store.changing(workspace_id, Actor(id="test")) as editor:
        converge(editor, document, Options(environment={"ALERT_RATE_0": "https://x.example/new"}))
        assert [event.type for event in editor.events] == ["Alert Modified"]
        document.alerts = []
        converge(editor, document, Options(environment={}, prune=True))
        assert editor.session.scalars(select(Alert)).all() == []
