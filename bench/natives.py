"""How fast the native destinations of the analytics tools send: mapping, action, and all the way to a sink.

- `map_us`: an event into a payload, by the action's default mapping and fields.
- `perform_us`: a payload into a request, to a client that answers at once. Of the thread's own time.
- `events_per_s`, `cpu_us_per_event`: perform again, through the real egress to `onward sink`.
"""

import argparse
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from bench.bridge import BATCH, measure
from bench.engines import best_us
from bench.events import event
from bench.processes import cpu_seconds, sink
from onward.destinations import amplitude, google_analytics_4, mixpanel
from onward.destinations.definition import Action, Call, Definition
from onward.egress.client import HttpClient
from onward.egress.http import Client, Request, Response
from onward.pipeline import payloads
from onward.settings import Settings

CASES: tuple[tuple[Definition, str, dict[str, Any]], ...] = (
    (amplitude.DEFINITION, "logEventV2", {"apiKey": "k", "secretKey": "s"}),
    (amplitude.DEFINITION, "logPurchase", {"apiKey": "k", "secretKey": "s"}),
    (mixpanel.DEFINITION, "trackEvent", {"projectToken": "t", "apiSecret": "s"}),
    (google_analytics_4.DEFINITION, "customEvent", {"apiSecret": "s", "measurementId": "G-1"}),
    (google_analytics_4.DEFINITION, "purchase", {"apiSecret": "s", "measurementId": "G-1"}),
)
EVENTS = 1_000


class Instant:
    """A client that answers 200 at once."""

    async def send(self, request: Request) -> Response:
        return Response(status=200, headers={}, body=b"{}")

    async def close(self) -> None: ...


def call(settings: dict[str, Any], http: Client) -> Call:
    return Call(
        settings=settings, http=http, timeout=10.0, workspace_id="w", source_id="s", destination_id="d"
    )


def perform_us(action: Action, settings: dict[str, Any], parts: Sequence[Sequence[dict[str, Any]]]) -> float:
    """Microseconds an event."""
    stub = call(settings, Instant())  # type: ignore[arg-type]
    return best_us(lambda part: drive(action.perform(stub, part)), parts) / len(parts[0])


def drive(coroutine: Any) -> None:
    """Run what never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something")


async def figures(seconds: float, url: str, sink_pid: int) -> list[dict[str, object]]:
    origin = url.removesuffix("/hook")
    settings = Settings(data=Path("."), egress_allow=("127.0.0.0/8",), egress_override=(f"*={origin}",))
    http = HttpClient.of(settings)
    dice = random.Random(1)
    events = [event(dice, f"m-{at}") for at in range(EVENTS)]
    rows: list[dict[str, object]] = []
    for definition, name, given in CASES:
        action = definition.actions[name]
        for batched in (False, True) if action.batches else (False,):
            mapping = {
                key: field.default for key, field in action.fields.items() if field.default is not None
            }
            mapping["enable_batching"] = batched
            build = payloads.compile(mapping, action.fields, batches=action.batches)
            items = [build(each) for each in events]
            size = BATCH if batched else 1
            parts = [items[at : at + size] for at in range(0, len(items), size)]
            row: dict[str, object] = {
                "figure": f"native-{'batched' if batched else 'single'}",
                "destination": definition.slug,
                "action": name,
                "map_us": best_us(build, events),
                "perform_us": round(perform_us(action, given, parts), 2),
            }
            pids = {"": os.getpid(), "sink_": sink_pid}
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            began = time.perf_counter()
            sent, took = await measure(action, call(given, http), parts[0], seconds)
            share = took / (time.perf_counter() - began)  # the rest was for warming up
            spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
            row["events_per_s"] = round(sent / took)
            for name_, cpu in spent.items():
                row[f"{name_}cpu_us_per_event"] = round(cpu * share / sent * 1e6, 1)
            rows.append(row)
    await http.close()
    return rows


def run(args: argparse.Namespace) -> list[dict[str, object]]:
    with sink() as (url, pid):
        return uvloop.run(figures(args.seconds / 2, url, pid))
