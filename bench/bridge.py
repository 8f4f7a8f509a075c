"""How fast the catalogue's JavaScript sends: from payloads to a sink's answers, through real egress."""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import uvloop

from bench.processes import cpu_seconds, sink
from onward.destinations.bridge.definitions import load
from onward.destinations.bridge.host import Bridge
from onward.destinations.bridge.install import install
from onward.destinations.definition import Action, Call
from onward.destinations.outcome import DELIVERED
from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import Request, Response
from onward.pipeline import payloads
from onward.settings import load as load_settings

CONCURRENCY = 32
BATCH = 100
SINGLE_TARGET, BATCHED_TARGET = 2_000, 20_000

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-0",
    "userId": "u-1",
    "anonymousId": "a-1",
    "timestamp": "2026-01-02T03:04:05.000Z",
    "receivedAt": "2026-01-02T03:04:06.000Z",
    "properties": {
        "order_id": "o1",
        "revenue": 12.5,
        "currency": "USD",
        "email": "e@example.com",
        "products": [{"product_id": "p1", "name": "P1", "price": 5, "quantity": 2}],
    },
    "context": {
        "ip": "203.0.113.9",
        "userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36",
        "page": {"url": "https://shop.example/a", "title": "t"},
        "library": {"name": "analytics.js", "version": "2"},
        "traits": {"email": "e@example.com"},
    },
}
CASES: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("actions-webhook", "send", {}, {"url": "http://sink.example/hook"}),
    (
        "actions-braze-cloud",
        "trackEvent",
        {"app_id": "a", "api_key": "k", "endpoint": "http://sink.example"},
        {},
    ),
    ("actions-mixpanel", "trackEvent", {"projectToken": "t", "apiSecret": "s", "apiRegion": "US 🇺🇸"}, {}),
)


class ToSink:
    """A client whose requests all go to one place."""

    def __init__(self, http: HttpClient, url: str) -> None:
        self._http = http
        self._url = url

    async def send(self, request: Request) -> Response:
        return await self._http.send(msgspec.structs.replace(request, url=self._url))

    async def close(self) -> None:
        await self._http.close()


async def measure(
    action: Action, call: Call, items: Sequence[dict[str, Any]], seconds: float
) -> tuple[int, float]:
    """Events sent and seconds taken, by `CONCURRENCY` senders that each send `items` again and again."""
    sent = 0

    async def sender(until: float) -> None:
        nonlocal sent
        while time.perf_counter() < until:
            outcome = await action.perform(call, items)
            assert outcome == DELIVERED or all(each == DELIVERED for each in outcome), outcome
            sent += len(items)

    await asyncio.gather(*(sender(time.perf_counter() + 1.0) for _ in range(CONCURRENCY)))
    sent, began = 0, time.perf_counter()
    await asyncio.gather(*(sender(began + seconds) for _ in range(CONCURRENCY)))
    return sent, time.perf_counter() - began


async def figures(seconds: float, url: str, sink_pid: int) -> list[dict[str, object]]:
    folder = load_settings(None).catalog_folder
    install(folder)
    catalogue = load(folder)
    http = ToSink(HttpClient(Guard(("127.0.0.0/8",)), per_origin=10_000), url)
    rows: list[dict[str, object]] = []
    for slug, name, settings, mapping in CASES:
        bridge = Bridge(folder)
        action = catalogue[slug].actions[name]
        defaults = {key: field.default for key, field in action.fields.items() if field.default is not None}
        for batched in (False, True):
            whole = {**defaults, **mapping, "enable_batching": batched}
            payload = payloads.compile(whole, action.fields, batches=True)(EVENT)
            items = [dict(payload) for _ in range(BATCH if batched else 1)]
            call = Call(
                settings=settings,
                http=http,
                timeout=10.0,
                workspace_id="w",
                source_id="s",
                destination_id=f"{slug}-{batched}",
                mapping=whole,
                events=[EVENT] * len(items),
                runtime=bridge,
            )
            await action.perform(call, items)
            assert bridge.pid is not None
            pids = {"": os.getpid(), "worker_": bridge.pid, "sink_": sink_pid}
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            sent, took = await measure(action, call, items, seconds)
            spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
            rows.append(
                {
                    "figure": f"bridge-{'batched' if batched else 'single'}",
                    "destination": slug,
                    "target_per_s": BATCHED_TARGET if batched else SINGLE_TARGET,
                    "events_per_s": round(sent / took),
                    # The second of warming up is in the processor's time, not in the number of events.
                    **{
                        f"{name}cpu_us_per_event": round(cpu / sent * took / (took + 1) * 1e6, 1)
                        for name, cpu in spent.items()
                    },
                }
            )
        await bridge.close()
    await http.close()
    return rows


def run(args: argparse.Namespace) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="onward-bench-"), sink() as (url, pid):
        return uvloop.run(figures(args.seconds / 2, url, pid))
