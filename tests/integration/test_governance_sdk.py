"""Tracking plans, schema settings and transformations through Segment's official TypeScript SDK."""

import json
from typing import Any

import pytest
from harness import TOKEN, Onward

from .test_api_sdk import deno
from .test_api_sdk import sdk as sdk


@pytest.mark.timeout(400)
def test_every_operation_of_governance(onward: Onward, sdk: None) -> None:
    flags = ("--allow-all", "--no-prompt", "--frozen")
    output = deno("run", *flags, "governance.js", f"{onward.url}/api", TOKEN, timeout=120)
    seen: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    assert seen == {
        "plan": {"name": "Plan", "type": "LIVE", "description": "d", "created": "string"},
        "updated": "SUCCESS",
        "renamed": "Renamed",
        "templates": 0,
        "live": ["Renamed"],
        "rules": ["A2", "B", "C", "D"],
        "removed": "SUCCESS",
        "left": ["A2", "D"],
        "connected": "SUCCESS",
        "sources": ["one"],
        "planOfSource": True,
        "settings": {"track": False, "common": "BLOCK", "identify": False, "group": True, "forwarded": True},
        "disconnected": "SUCCESS",
        "hash": {"algorithm": "SHA256", "key": "••••••••", "encoding": "HEX", "paths": ["email"]},
        "transformation": "Renamed",
        "one": "type='identify'",
        "all": ["Renamed", "Values"],
        "deleted": "SUCCESS",
        "wrong": 422,
        "missing": 404,
        "planDeleted": "SUCCESS",
    }
