"""Segment's official TypeScript SDK, unmodified but for its base address, against a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import TOKEN, Onward, deno_install

FOLDER = Path(__file__).parent / "js" / "public-api"


def deno(*arguments: str, timeout: float) -> str:
    program = Path(sys.executable).parent / "deno"
    environment = {**os.environ, "DENO_TLS_CA_STORE": "system", "NO_COLOR": "1"}
    done = subprocess.run(
        [program, *arguments], cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sdk() -> None:
    """The pinned SDK, installed."""
    deno_install(FOLDER)


@pytest.mark.timeout(400)
def test_the_life_of_every_entity(onward: Onward, sdk: None) -> None:
    output = deno(
        "run", "--allow-all", "--no-prompt", "--frozen", "calls.js", f"{onward.url}/api", TOKEN, timeout=120
    )
    seen: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    assert seen.pop("workspace").keys() >= {"id", "slug", "name"}
    assert {"http-api", "javascript", "node-js", "python", "apple"} <= set(seen.pop("catalogSources"))
    errors = seen.pop("errors")
    assert {name: each["status"] for name, each in errors.items()} == {
        "missing": 404,
        "twice": 422,
        "stranger": 401,
    }
    assert errors["twice"]["error"]["field"] == "slug"
    listed = [slug for part in seen["listed"] for slug in part]
    assert sorted(listed) == ["five", "four", "one", "three", "two"]
    assert [len(part) for part in seen["listed"]] == [2, 2, 1]
    assert seen.pop("previous") == seen.pop("listed")[1]
    assert seen == {
        "echo": "hello",
        "webhook": "Webhook",
        "createStatus": 201,
        "total": 5,
        "source": {"name": "Renamed", "enabled": False, "metadata": "http-api"},
        "keys": 2,
        "removedKey": "SUCCESS",
        "createdEnabled": False,
        "secret": "••••••••",
        "destination": {"name": "Hooked", "enabled": True, "sourceId": True},
        "destinations": ["Hooked"],
        "connected": 1,
        "actionSlug": "send",
        "subscription": {
            "name": "Pages",
            "trigger": 'type = "page"',
            "enabled": False,
            "settings": {"url": "https://example.com", "method": "POST", "data": {"@path": "$."}},
        },
        "subscriptions": 1,
        "filter": {"title": "No address", "enabled": False, "actions": 1, "dated": True},
        "filters": 1,
        "preview": {"type": "track", "properties": {"plan": "pro"}},
        "deleted": ["SUCCESS"] * 8,
        "left": 0,
    }
