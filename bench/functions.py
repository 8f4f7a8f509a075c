"""How fast users' JavaScript runs: calls of one process, fetches to a sink, starts, and memory.

Everything in the sandbox as it runs in production, one delivery process's worth of host.
"""

import argparse
import asyncio
import os
import statistics
import time
from pathlib import Path
from typing import Any

import uvloop

from bench.processes import cpu_seconds, sink
from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.masking import Masking
from onward.functions.install import install
from onward.functions.pool import Key, Pool, PoolLimits
from onward.functions.process import Runner
from onward.functions.sandbox import Confinement, libraries_folder

EVENT: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-0",
    "userId": "u-1",
    "timestamp": "2026-01-02T03:04:05.000Z",
    "properties": {"order_id": "o1", "revenue": 12.5, "products": [{"id": "p1", "price": 5}] * 3},
    "context": {"ip": "203.0.113.9", "page": {"url": "https://shop.example/a"}, "library": {"name": "a.js"}},
}
CODE = """
async function onTrack(event, settings) {
  if (!event.userId) throw new ValidationError('no user')
  return { id: event.userId, name: event.event.toLowerCase(), total: event.properties.revenue }
}
async function onBatch(events, settings) {
  for (const event of events) await onTrack(event, settings)
  return events.map(() => ({ status: 200 }))
}
async function onPage(event, settings) {
  const answer = await fetch(settings.url, { method: 'POST', body: JSON.stringify(event) })
  if (!answer.ok) throw new RetryError(String(answer.status))
}
"""
BATCH = 100
NONE = Masking(())
KEY = Key(version="v", instance="i")


async def rate(pool: Pool, handler: str, payload: Any, settings: Any, senders: int, seconds: float) -> float:
    """Calls a second of so many senders."""
    done = 0

    async def sender(until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            made = await pool.invoke(KEY, CODE, handler, payload, settings, NONE)
            assert not made.ending.code, made.ending
            done += 1

    await asyncio.gather(*(sender(time.perf_counter() + 1.0) for _ in range(senders)))
    done, began = 0, time.perf_counter()
    await asyncio.gather(*(sender(began + seconds) for _ in range(senders)))
    return done / (time.perf_counter() - began)


async def start(confinement: Confinement, http: HttpClient, spare: Runner | None = None) -> float:
    """Milliseconds to the first result."""
    began = time.perf_counter()
    runner = spare or await Runner.start(confinement)
    await runner.load(CODE)
    await runner.invoke("onTrack", EVENT, {}, http, NONE)
    took = (time.perf_counter() - began) * 1000
    await runner.close()
    return took


def proportional(pid: int) -> float:
    """Megabytes of a process, what it shares with others divided among them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def memory(confinement: Confinement, http: HttpClient, many: int = 20) -> float:
    """Of one idle function, of many."""
    runners = [await Runner.start(confinement) for _ in range(many)]
    for runner in runners:
        await runner.load(CODE)
        await runner.invoke("onTrack", EVENT, {}, http, NONE)
    sizes = [proportional(runner.pid) for runner in runners]
    for runner in runners:
        await runner.close()
    return statistics.mean(sizes)


async def figures(seconds: float, url: str) -> list[dict[str, object]]:
    confinement = Confinement(libraries=libraries_folder())
    http = HttpClient(Guard(("127.0.0.0/8",)))
    rows: list[dict[str, object]] = []
    for name, handler, payload, senders, per_key, events, target in (
        ("single", "onTrack", EVENT, 1, 1, 1, 9_000),
        ("batched", "onBatch", [EVENT] * BATCH, 1, 1, BATCH, 100_000),
        ("fetch", "onPage", EVENT, 10, 4, 1, 3_000),
        ("fetch-10-processes", "onPage", EVENT, 10, 10, 1, 3_000),
    ):
        pool = Pool(confinement, http, PoolLimits(per_key=per_key))
        await pool.invoke(KEY, CODE, handler, payload, {"url": url}, NONE)
        pid = pool.pids(KEY)[0]
        host, runner = cpu_seconds(os.getpid()), cpu_seconds(pid)
        calls = await rate(pool, handler, payload, {"url": url}, senders, seconds)
        host, runner = cpu_seconds(os.getpid()) - host, cpu_seconds(pid) - runner
        handled = calls * events * (seconds + 1)  # the second of warming up is in the processor's time, too
        alone = {"runner_cpu_us_per_event": round(runner / handled * 1e6, 1)} if senders == 1 else {}
        rows.append(
            {
                "figure": f"functions-{name}",
                "target_per_s": target,
                "events_per_s": round(calls * events),
                "host_cpu_us_per_event": round(host / handled * 1e6, 1),
                **alone,
                "in_flight": senders,
                "processes": per_key,
            }
        )
        await pool.close()
    cold = [await start(confinement, http) for _ in range(15)]
    rows.append(_times("functions-cold-start", cold, 60))
    spares = []
    for _ in range(15):
        spare = await Runner.start(confinement)
        spares.append(await start(confinement, http, spare))
    rows.append(_times("functions-start-from-a-spare", spares, 5))
    size = await memory(confinement, http)
    rows.append({"figure": "functions-memory", "target_mb": 20, "mb_per_idle_function": round(size, 1)})
    await http.close()
    return rows


def _times(figure: str, values: list[float], target: float) -> dict[str, object]:
    return {
        "figure": figure,
        "target_ms": target,
        "median_ms": round(statistics.median(values), 1),
        "most_ms": round(max(values), 1),
    }


def run(args: argparse.Namespace) -> list[dict[str, object]]:
    install(libraries_folder())
    with sink() as (url, _):
        return uvloop.run(figures(args.seconds / 2, url))
