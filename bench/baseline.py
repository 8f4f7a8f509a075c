"""What the machine can do at all, measured in the same run as the figures: machines and hours differ.

* a bare server, which reads the body and answers 200, under the same load as the front door;
* a bare sender, which posts ready-made bodies to the same sink as a destination;
* a bare fsync loop, as fast as the disk lets a commit be.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from bench.processes import cpu_seconds, free_port, listens, load, running, sink, wait_until


def run(args: argparse.Namespace) -> list[dict[str, object]]:
    return [{"figure": "baseline: bare fsync loop, 4 KB", "fsyncs_per_s": fsyncs()}]


def bare_server(batch: int, seconds: float) -> dict[str, object]:
    """What the front door's figures are to be held against."""
    port = free_port()
    command = ["-m", "granian", "--interface", "asgi", "--loop", "uvloop", "--port", str(port)]
    with running([*command, "--workers", "1", "--no-ws", "bench.bare:app"]) as process:
        wait_until(lambda: listens(port))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        before = sum(cpu_seconds(int(pid)) for pid in children)
        result = load(port, "none", batch=batch, seconds=seconds)
        cpu = sum(cpu_seconds(int(pid)) for pid in children) - before
    return {
        "baseline": "a bare server",
        "baseline_events_per_s": round(result["events"] / result["seconds"]),
        "baseline_p99_ms": round(result["p99_ms"], 2),
        "baseline_cpu_us_per_event": round(cpu / result["events"] * 1e6, 2),
    }


def bare_sender(batch: int, seconds: float) -> dict[str, object]:
    """What the delivery figures are to be held against."""
    with sink() as (url, _):
        port = int(url.split(":")[2].split("/")[0])
        result = load(port, "none", batch=batch, seconds=seconds)
    return {
        "baseline": "a bare sender",
        "baseline_events_per_s": round(result["events"] / result["seconds"]),
        "baseline_cpu_us_per_event": round(result["load_cpu_s"] / result["events"] * 1e6, 2),
    }


def fsyncs(seconds: float = 2.0) -> int:
    """4 KB appended and synced, over and over: times a second."""
    with tempfile.TemporaryDirectory(prefix="onward-bench-") as folder:
        file = os.open(Path(folder) / "file", os.O_CREAT | os.O_WRONLY)
        done, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            os.write(file, b"x" * 4096)
            os.fsync(file)
            done += 1
        os.close(file)
    return round(done / seconds)
