"""What the machine can do at all: a bare server, and a bare fsync loop."""

import argparse
import os
import tempfile
import time
from pathlib import Path

from bench.processes import cpu_seconds, free_port, listens, load, running, wait_until


def run(args: argparse.Namespace) -> list[dict[str, object]]:
    return [*_bare_server(args), _fsync()]


def _bare_server(args: argparse.Namespace) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for batch in (1, 100):
        port = free_port()
        command = ["-m", "granian", "--interface", "asgi", "--loop", "uvloop", "--port", str(port)]
        with running([*command, "--workers", "1", "--no-ws", "bench.bare:app"]) as process:
            wait_until(lambda port=port: listens(port))
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            before = sum(cpu_seconds(int(pid)) for pid in children)
            result = load(port, "none", batch=batch, seconds=args.seconds / 2)
            cpu = sum(cpu_seconds(int(pid)) for pid in children) - before
        rows.append(
            {
                "figure": f"baseline: bare server, {batch} event{'s' if batch > 1 else ''} a request",
                "events_per_s": round(result["events"] / result["seconds"]),
                "requests_per_s": round(result["requests"] / result["seconds"]),
                "p99_ms": round(result["p99_ms"], 2),
                "cpu_us_per_event": round(cpu / result["events"] * 1e6, 2),
            }
        )
    return rows


def _fsync() -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="onward-bench-") as folder:
        file = os.open(Path(folder) / "file", os.O_CREAT | os.O_WRONLY)
        done, until = 0, time.perf_counter() + 2.0
        while time.perf_counter() < until:
            os.write(file, b"x" * 4096)
            os.fsync(file)
            done += 1
        os.close(file)
    return {"figure": "baseline: bare fsync loop, 4 KB", "fsyncs_per_s": round(done / 2.0)}
