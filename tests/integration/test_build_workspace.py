"""A workspace built by the example script with Segment's SDK, and events through it."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from harness import TOKEN, Onward, Sink, deno_install, wait_until

FOLDER = Path(__file__).parents[2] / "examples" / "public-api"
PROMISE = 2.0
"""Seconds after the last call, from when on events flow as it says."""

TOOLS = {
    "website": {"crm": False, "ads": True, "mail": False, "search": True},
    "server": {"billing": False, "support": True, "warehouse-loader": True},
    "app": {"push": False, "crashes": True, "usage": False},
}
"""Source → destination → whether it is told about debugging."""


def deno(*arguments: str, timeout: float) -> str:
    program = Path(sys.executable).parent / "deno"
    environment = {**os.environ, "DENO_TLS_CA_STORE": "system", "NO_COLOR": "1"}
    done = subprocess.run(
        [program, *arguments], cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def events(round: int) -> list[dict[str, Any]]:
    made = [
        {"type": "track", "event": "Order Completed"},
        {"type": "track", "event": "Debug"},
        {"type": "page", "name": "Home"},
        {"type": "identify", "traits": {}},
    ]
    return [event | {"userId": "u", "messageId": f"{round}-{at}"} for at, event in enumerate(made)]


def expected(round: int) -> Counter[tuple[str, str]]:
    """`(path, messageId)` of what is to arrive of one round, and how often."""
    return Counter(
        (f"/{source}/{tool}/{what}", f"{source}-{round}-{at}")
        for source, tools in TOOLS.items()
        for tool, debugged in tools.items()
        for what, at in [("tracks", 0), *([("tracks", 1)] if debugged else []), ("pages", 2), ("people", 3)]
    )


@pytest.mark.timeout(400)
def test_it_is_built_and_events_flow_accordingly(onward: Onward, sink: Sink) -> None:
    deno_install(FOLDER)
    receiver = sink.url.removesuffix(urlsplit(sink.url).path)
    script = ["run", "--check", "--allow-all", "--no-prompt", "--frozen", "build_workspace.ts"]
    made = json.loads(deno(*script, f"{onward.url}/api", TOKEN, receiver, timeout=120).splitlines()[-1])
    last_call = time.monotonic()
    assert [len(made["sources"]), made["destinations"], made["mappings"], made["filters"]] == [3, 10, 30, 5]
    assert len(onward.api("GET", "/destinations")["destinations"]) == 10
    assert len(onward.api("GET", f"/warehouses/{made['warehouse']}/connected-sources")["sources"]) == 3
    assert onward.api("GET", f"/functions/{made['function']}")["function"]["isLatestVersion"]

    sent: list[float] = []

    def flows() -> int | None:
        """The first round of which everything arrived; sends another one."""
        sent.append(time.monotonic() - last_call)
        for slug, source in made["sources"].items():
            batch = [event | {"messageId": f"{slug}-{event['messageId']}"} for event in events(len(sent) - 1)]
            assert onward.post("/v1/batch", {"batch": batch}, source["writeKey"]).status == 200
        arrived = Counter(
            (request["path"], json.loads(request["body"])["messageId"]) for request in sink.requests()
        )
        return next((round for round in range(len(sent)) if expected(round) <= arrived), None)

    round = wait_until(lambda: (found := flows()) is not None and [found], what="events flow")[0]
    assert sent[round] <= PROMISE, f"events flow only since {sent[round]:.1f} s after the last call"
    total = sum((expected(each) for each in range(round, len(sent))), Counter())
    wait_until(lambda: len(sink.requests()) >= sum(total.values()), what="the rest arrives")
    for path, message_id in Counter(
        (request["path"], json.loads(request["body"])["messageId"]) for request in sink.requests()
    ):
        _, slug, tool, _ = path.split("/")
        assert message_id.startswith(f"{slug}-"), "only to its own source's destinations"
        assert not message_id.endswith("-1") or TOOLS[slug][tool], "no debugging where it is filtered"
