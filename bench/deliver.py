"""How fast a backlog is delivered to a webhook, and what a large one costs in memory."""

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from bench.baseline import bare_sender
from bench.events import event, fresh_ids
from bench.processes import Server, cpu_seconds, resident_mb, sink, wait_until
from onward import eventlog
from onward.eventlog.protocol import Draft
from onward.eventlog.record import encode
from onward.pipeline.types import Envelope
from onward.settings import Settings

PER_RECORD = 100


def fill(data: Path, source_id: str, events: int) -> None:
    """Append records as tracking would, with the server stopped."""
    log = eventlog.open_writer(Settings(data=data, disk_reserve_bytes=0))
    ids, dice = fresh_ids("fill"), random.Random(1)
    bodies = [
        orjson.dumps({"batch": [event(dice, "@" * 36) for _ in range(PER_RECORD)]}).split(b"@" * 36)
        for _ in range(8)
    ]
    for start in range(0, events, PER_RECORD * 20):
        now = int(time.time() * 1000)
        drafts = []
        for n in range(start, min(events, start + PER_RECORD * 20), PER_RECORD):
            parts = bodies[n // PER_RECORD % len(bodies)]
            body = b"".join(part + id for part, id in zip(parts, [next(ids) for _ in parts], strict=True))
            body = body[:-36]
            drafts.append(Draft(source_id, now, PER_RECORD, encode(Envelope(now, True), body)))
        log.append(drafts)
    log.close()


def delivered(data: Path) -> int:
    with sqlite3.connect(f"file:{data / 'state.db'}?mode=ro", uri=True) as db:
        row = db.execute("SELECT sum(delivered) FROM destination").fetchone()
    db.close()
    return row[0] or 0


def drain(
    data: Path, events: int, mapping: dict[str, Any], each: Callable[[int, float], None] | None = None
) -> dict[str, object]:
    """Fill a log, then deliver all of it; measured between the first tenth and the last."""
    # A log that was filled from outside has no dedupe index: with a short window, none is made at the start.
    server = Server(data, dedupe_hours="0.0001")
    with sink() as (url, sink_pid):
        with server.running():
            source_id, _ = server.create_source()
            server.create_webhook(source_id, url, **mapping)
        fill(data, source_id, events)
        with server.running():
            pid = server.pid("delivery-0")
            wait_until(lambda: delivered(data) >= events * 0.1, 300)
            first, began = delivered(data), time.perf_counter()
            cpu, sink_cpu = cpu_seconds(pid), cpu_seconds(sink_pid)
            while (done := delivered(data)) < events * 0.95:
                if each is not None:
                    each(done, resident_mb(pid))
                time.sleep(0.05)
            seconds = time.perf_counter() - began
            cpu, sink_cpu = cpu_seconds(pid) - cpu, cpu_seconds(sink_pid) - sink_cpu
    return {
        "events_per_s": round((done - first) / seconds),
        "cpu_us_per_event": round(cpu / (done - first) * 1e6, 2),
        "sink_cpu_us_per_event": round(sink_cpu / (done - first) * 1e6, 2),
    }


def run(args: argparse.Namespace, batched: bool, target: int) -> list[dict[str, object]]:
    mapping = {"enable_batching": True, "batch_size": 100} if batched else {}
    events = args.events if batched else args.events // 8
    with tempfile.TemporaryDirectory(prefix="onward-bench-") as folder:
        figures = drain(Path(folder), events, mapping)
    return [
        {
            "figure": f"deliver-{'batched' if batched else 'unbatched'}",
            "target_per_s": target,
            **figures,
            **bare_sender(PER_RECORD if batched else 1, args.seconds / 2),
        }
    ]


def backlog(args: argparse.Namespace) -> list[dict[str, object]]:
    """Memory and speed while a large backlog is drained: both must stay flat."""
    seen: list[tuple[float, int, float]] = []

    def look(done: int, memory: float) -> None:
        seen.append((time.perf_counter(), done, memory))
        print(f"\r  {done:,} of {args.backlog:,} events, {memory:.0f} MB", end="", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="onward-bench-") as folder:
        figures = drain(Path(folder), args.backlog, {"enable_batching": True, "batch_size": 100}, look)
    print(file=sys.stderr)
    third = len(seen) // 3
    rates = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in ((seen[0], seen[third]), (seen[-third], seen[-1]))]
    return [
        {
            "figure": "backlog",
            "events": args.backlog,
            "memory_mb_start": round(seen[0][2]),
            "memory_mb_most": round(max(memory for _, _, memory in seen)),
            "events_per_s_first_third": round(rates[0]),
            "events_per_s_last_third": round(rates[1]),
            **figures,
        }
    ]
