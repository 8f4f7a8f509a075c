"""Whether a dead and a slow destination slow down 98 healthy ones: their p99, without and with."""

import argparse
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.processes import Server, free_port, load, sink, wait_until

SOURCES = 4
"""A source has at most 25 instances of a destination."""
HEALTHY = 98
HEALTHY_OF = (23, 25, 25, 25)
RATE = 20.0
"""Events a second and source; each goes to every destination of the source."""


def run(args: argparse.Namespace) -> list[dict[str, object]]:
    with (
        tempfile.TemporaryDirectory(prefix="onward-bench-") as folder,
        sink("--out", f"{folder}/healthy.jsonl") as (url, _),
        sink("--latency", "5") as (slow, _),
        Server(Path(folder) / "data").running() as server,
    ):
        sources = [server.create_source(f"bench-{n}") for n in range(SOURCES)]
        keys = ",".join(key for _, key in sources)
        troubled = [
            server.create_webhook(sources[0][0], f"http://127.0.0.1:{free_port()}/", name="dead"),
            server.create_webhook(sources[0][0], slow, name="slow"),
        ]
        for n in range(HEALTHY):
            server.create_webhook(sources[(n + 2) // 25][0], url, name=f"healthy {n}")
        out = Path(folder) / "healthy.jsonl"
        _p99(server, keys, out, args.seconds / 2)
        alone, beside = [], []
        for _ in range(2):
            for enabled, seen in ((False, alone), (True, beside)):
                for id in troubled:
                    server.api("PATCH", f"/destinations/{id}", {"enabled": enabled})
                _p99(server, keys, out, 2.0)
                seen.append(_p99(server, keys, out, args.seconds))
    return [
        {
            "figure": "isolation",
            "healthy_p99_ms_alone": [round(each, 1) for each in alone],
            "healthy_p99_ms_beside_dead_and_slow": [round(each, 1) for each in beside],
            "ratio": round(sum(beside) / sum(alone), 3),
            "target_ratio": 1.1,
        }
    ]


def _p99(server: Server, keys: str, out: Path, seconds: float) -> float:
    """Milliseconds between receipt and arrival at the healthy destinations' sink, in one run of load."""
    before = _lines(out)
    sent = load(server.port, keys, batch=1, seconds=seconds, connections=1, rate=RATE * SOURCES)
    expected = sum(HEALTHY_OF[n % SOURCES] for n in range(sent["requests"]))
    wait_until(lambda: _lines(out) - before >= expected)
    requests = [json.loads(line) for line in out.read_bytes().splitlines()[before:]]
    delays = sorted(_delay_ms(request) for request in requests)
    return delays[int(len(delays) * 0.99)]


def _lines(out: Path) -> int:
    return out.read_bytes().count(b"\n") if out.exists() else 0


def _delay_ms(request: dict[str, Any]) -> float:
    received_at = json.loads(request["body"])["receivedAt"]
    return (request["time"] - datetime.fromisoformat(received_at).timestamp()) * 1000
