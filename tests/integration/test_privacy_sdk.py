"""Deletion, suppression, Delivery Overview, volume and usage through Segment's official TypeScript SDK."""

import json
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness import TOKEN, Onward, Sink, wait_until

from .test_api_sdk import deno
from .test_api_sdk import sdk as sdk


@pytest.mark.timeout(400)
def test_every_operation_of_privacy_and_numbers(onward: Onward, sink: Sink, sdk: None) -> None:
    source = onward.create_source("web")
    destination = onward.create_webhook(source, sink.url)
    event = {"type": "track", "event": "A", "userId": "u1"}
    onward.send(source, [event, {**event, "context": {"app": {"version": "1"}}}, {**event, "userId": "u2"}])
    onward.send(source, [{"type": "track", "userId": "u1"}])
    sink.wait_for_events(3)
    now = datetime.now(UTC)
    query = {
        "sourceId": source.id,
        "granularity": "MINUTE",
        "startTime": (now - timedelta(hours=1)).isoformat(),
        "endTime": (now + timedelta(minutes=10)).isoformat(),
    }

    def counted(step: str, **more: str) -> int:
        asked = urllib.parse.urlencode(query | more)
        return int(onward.api("GET", f"/delivery-overview/{step}?{asked}")["total"])

    wait_until(lambda: counted("successfully-received") == 3 and counted("failed-on-ingest") == 1)
    wait_until(lambda: counted("successful-delivery", destinationConfigId=destination) == 3)
    flags = ("--allow-all", "--no-prompt", "--frozen")
    arguments = (f"{onward.url}/api", TOKEN, source.id, destination)
    output = deno("run", *flags, "privacy.js", *arguments, timeout=120)
    seen: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    assert seen == {
        "finished": [True, "FINISHED", "string", []],
        "suppressed": ["USER_ID", ["a", "b"]],
        "more": [["c"], 3],
        "ofSource": [True],
        "refused": {"status": 422, "field": "subjectIds"},
        "listed": [[True, "SUPPRESS_WITH_DELETE", "INITIALIZED", ["d"]]],
        "stream": [True, [[True, "INITIALIZED"]]],
        "deleted": "SUCCESS",
        "gone": {"status": 404, "field": None},
        "cloud": {"status": 422, "field": "collection"},
        "received": [3, [["A", "", 2], ["A", "1", 1]]],
        "narrow": [[1, 1]],
        "failed": [["event_not_defined", 1]],
        "blocked": 0,
        "success": [["successes.attempt.1", 3, 0, 0]],
        "lost": 0,
        "filtered": 0,
        "range": {"status": 422, "field": "endTime"},
        "summary": [["successes", 3], ["retried", 0], ["filtered", 0], ["discarded", 0]],
        "volume": [[True, "track", 3]],
        "calls": "3",
        "callsOfSource": "3",
        "users": "2",
        "usersOfSource": "2",
    }
