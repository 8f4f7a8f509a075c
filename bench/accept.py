"""How fast the front door accepts: requests a second, on disk before the 200, deduplicated."""

import argparse
import tempfile
from pathlib import Path

from bench.baseline import bare_server
from bench.processes import Server, cpu_seconds, load


def run(args: argparse.Namespace, batch: int, target: int) -> list[dict[str, object]]:
    with (
        tempfile.TemporaryDirectory(prefix="onward-bench-") as folder,
        Server(Path(folder)).running() as server,
    ):
        _, write_key = server.create_source()
        load(server.port, write_key, batch=batch, seconds=1.0)
        web = server.pid("web")
        before = cpu_seconds(web)
        result = load(server.port, write_key, batch=batch, seconds=args.seconds)
        cpu = cpu_seconds(web) - before
    assert set(result["statuses"]) == {"200"}, result
    rate = result["events"] / result["seconds"]
    return [
        {
            "figure": "accept-single" if batch == 1 else "accept-batch",
            "events_per_s": round(rate),
            "target_per_s": target,
            "requests_per_s": round(result["requests"] / result["seconds"]),
            "p50_ms": round(result["p50_ms"], 2),
            "p99_ms": round(result["p99_ms"], 2),
            "cpu_us_per_event": round(cpu / result["events"] * 1e6, 2),
            "load_cpu_us_per_event": round(result["load_cpu_s"] / result["events"] * 1e6, 2),
            "event_bytes": result["event_bytes"],
            "batch": batch,
            "connections": 32,
            **bare_server(batch, args.seconds / 2),
        }
    ]
