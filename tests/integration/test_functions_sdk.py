"""Functions, warehouses and reverse ETL through Segment's official TypeScript SDK; and what becomes of events
for a destination that is a function without handlers."""

import json
from typing import Any

import pytest
from harness import TOKEN, Onward, Sink, wait_until

from onward.workspace.warehouse_catalogue import WAREHOUSES

from .test_api_sdk import deno
from .test_api_sdk import sdk as sdk

FLAGS = ("--allow-all", "--no-prompt", "--frozen")


def run(onward: Onward, script: str, *arguments: str) -> dict[str, Any]:
    output = deno("run", *FLAGS, script, f"{onward.url}/api", TOKEN, *arguments, timeout=120)
    return dict(json.loads(output.strip().splitlines()[-1]))


@pytest.mark.timeout(400)
def test_every_operation_of_functions(onward: Onward, sink: Sink, sdk: None) -> None:
    source = onward.create_source("web")
    webhook = onward.create_webhook(source, sink.url)
    seen = run(onward, "functions.js", source.id, webhook)
    destination = seen.pop("destination")
    mask = "••••••••"
    assert seen == {
        "made": ["Forwarder (Default)", "DESTINATION", "// 1", None, False, 2],
        "again": {"status": 422, "field": "displayName"},
        "changed": ["Sender (Default)", "// 2"],
        "versions": [["// 2", False, "string"], ["// 1", False, "string"]],
        "version": "// 1",
        "restored": "// 1",
        "deployed": "SUCCESS",
        "latest": [True, "string"],
        "entry": ["Sender (Default)", [["url", "string", True], ["apiKey", "password", False]]],
        "connected": ["Sender (Default)", {"url": "https://t.example", "apiKey": mask}, True],
        "used": {"status": 422, "field": None},
        "instance": [True, True, False, {"apiKey": mask}, {"apiKey": mask}],
        "enabling": {"status": 422, "field": "settings.url"},
        "renamed": ["New", {"url": "u", "apiKey": mask}],
        "got": ["New", True],
        "instances": [["New"], 1],
        "instanceDeleted": "SUCCESS",
        "instanceGone": {"status": 404, "field": None},
        "listed": [["Sender (Default)", "A (Default)"], ["B (Default)"]],
        "deleted": "SUCCESS",
        "gone": {"status": 404, "field": None},
        "stranger": {"status": 401, "field": None},
        "noEdge": {"status": 404, "field": None},
        "upload": {"status": 422, "field": None},
        "bundle": [1, "https://cdn.example.com/e.js", True],
        "latestBundle": True,
        "disabled": [2, ""],
    }

    # The function that was deployed is a comment: nothing of its events is delivered, and each says why.
    onward.send(source, [{"type": "track", "userId": "u", "event": "E"}] * 3)
    sink.wait_for_events(3)

    def books() -> dict[str, int]:
        return dict(onward.api("GET", f"/destinations/{destination}/delivery")["delivery"])

    wait_until(lambda: books()["discarded"] == 3, what=f"all are discarded: {books()}")
    discards = onward.api("GET", f"/destinations/{destination}/discards")["discards"]
    assert {each["code"] for each in discards} == {"UNSUPPORTED_EVENT_TYPE"}


@pytest.mark.timeout(400)
def test_every_operation_of_warehouses_and_reverse_etl(onward: Onward, sink: Sink, sdk: None) -> None:
    source = onward.create_source("web")
    webhook = onward.create_webhook(source, sink.url)
    listed = onward.api("GET", f"/destinations/{webhook}/subscriptions")["subscriptions"]
    seen = run(onward, "storage.js", source.id, listed[0]["id"])
    times = {"times": [{"hourOfDay": 6, "enabled": True}], "timezone": "Europe/Berlin"}
    assert seen == {
        "catalog": list(WAREHOUSES),
        "options": [
            ["hostname", "string", True],
            ["port", "string", False],
            ["database", "string", True],
            ["username", "string", True],
            ["password", "password", True],
        ],
        "made": [
            201,
            True,
            "redshift",
            {
                "hostname": "db.example.com",
                "port": "5439",
                "database": "d",
                "username": "u",
                "password": "••••••••",
                "name": "Main",
            },
        ],
        "incomplete": {"status": 422, "field": "settings.hostname"},
        "validation": "FAILED",
        "state": "FAILED",
        "changed": [False, "New", "••••••••"],
        "read": "db.example.com",
        "listed": [["New", "a"], ["b"]],
        "connected": "CONNECTED",
        "sources": [True],
        "warehouses": [True],
        "updated": {"status": "UPDATED", "warnings": []},
        "items": [["orders", True, {"total": False}], ["products", False, {}]],
        "reports": [[], []],
        "replaced": {"enabled": True, "schedule": times},
        "schedule": {"enabled": True, "schedule": times},
        "wrong": {"status": 422, "field": "schedule.timezone"},
        "disconnected": "SUCCESS",
        "deleted": "SUCCESS",
        "gone": {"status": 404, "field": None},
        "model": ["Customers", "PERIODIC", {"interval": "1h"}],
        "tooOften": {"status": 422, "field": "scheduleConfig.interval"},
        "edited": [False, False],
        "models": ["Customers"],
        "started": {"status": 422, "field": None},
        "sync": {"status": 404, "field": None},
        "modelDeleted": "SUCCESS",
    }
