"""Whether a dead and a slow destination slow down 98 healthy ones: their p99, without and with."""

import argparse
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.deliver import delivered
from bench.processes import Server, free_port, load, sink, wait_until

HEALTHY = 98
RATE = 20.0
"""Events a second; each goes to every destination."""


def run(args: argparse.Namespace) -> list[dict[str, object]]:
    with_trouble = _p99(args, trouble=True)
    without = _p99(args, trouble=False)
    return [
        {
            "figure": "isolation",
            "healthy_p99_ms_alone": round(without, 1),
            "healthy_p99_ms_beside_dead_and_slow": round(with_trouble, 1),
            "ratio": round(with_trouble / without, 3),
            "target_ratio": 1.1,
        }
    ]


def _p99(args: argparse.Namespace, trouble: bool) -> float:
    """Milliseconds between receipt and arrival at the healthy destinations' sink."""
    with (
        tempfile.TemporaryDirectory(prefix="onward-bench-") as folder,
        sink("--out", f"{folder}/healthy.jsonl") as (url, _),
        sink("--latency", "5") as (slow, _),
        Server(Path(folder) / "data").running() as server,
    ):
        source_id, write_key = server.create_source()
        for n in range(HEALTHY):
            server.create_webhook(source_id, url, name=f"healthy {n}")
        if trouble:
            server.create_webhook(source_id, f"http://127.0.0.1:{free_port()}/", name="dead")
            server.create_webhook(source_id, slow, name="slow")
        load(server.port, write_key, batch=1, seconds=1.0, connections=1, rate=RATE)
        sent = load(server.port, write_key, batch=1, seconds=args.seconds, connections=1, rate=RATE)
        out = Path(folder) / "healthy.jsonl"
        wait_until(lambda: delivered(server.data) >= HEALTHY * sent["requests"])
        requests = [json.loads(line) for line in out.read_bytes().splitlines()[-HEALTHY * sent["requests"] :]]
    delays = sorted(_delay_ms(request) for request in requests)
    return delays[int(len(delays) * 0.99)]


def _delay_ms(request: dict[str, Any]) -> float:
    received_at = json.loads(request["body"])["receivedAt"]
    return (request["time"] - datetime.fromisoformat(received_at).timestamp()) * 1000
