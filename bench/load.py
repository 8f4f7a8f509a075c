"""A load generator: keep-alive connections, one request at a time on each, as fast as answers come, or
at a steady rate.

Run as a process of its own (`python -m bench.load …`), so that its cost is not mixed up with the server's;
prints one JSON object: requests, seconds, latency percentiles in ms, statuses, own CPU seconds.
"""

import argparse
import asyncio
import json
import os
import resource
import time
from collections import Counter
from typing import cast

import uvloop

from bench.events import Bodies


class Connection(asyncio.Protocol):
    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        if self._load.over():
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        body = self._load.bodies.next()
        self._transport.write(self._load.head % len(body) + body)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        self._buffer = b""
        now = time.perf_counter()
        self._load.answered(int(head[9:12]), now - self._sent_at)
        if self._load.pace:
            wait = self._sent_at + self._load.pace - now
            asyncio.get_running_loop().call_later(max(0.0, wait), self._send)
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._load.closed()


class Load:
    def __init__(self, args: argparse.Namespace) -> None:
        self.bodies = Bodies(args.write_key.split(","), args.batch, f"{os.getpid()}{time.time_ns() % 10**9}")
        path = "/v1/track" if args.batch == 1 else "/v1/batch"
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            "Content-Length: %d\r\n\r\n"
        ).encode()
        self._until = time.perf_counter() + args.seconds
        self._open = args.connections
        self.pace = args.connections / args.rate if args.rate else 0.0
        """Seconds between two requests of a connection; 0 for no pause."""
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.done = asyncio.Event()

    def over(self) -> bool:
        return time.perf_counter() >= self._until

    def answered(self, status: int, latency: float) -> None:
        self.statuses[status] += 1
        self.latencies.append(latency)

    def closed(self) -> None:
        self._open -= 1
        if not self._open:
            self.done.set()


async def run(args: argparse.Namespace) -> dict[str, object]:
    load = Load(args)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for _ in range(args.connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", args.port)
    await load.done.wait()
    seconds = time.perf_counter() - started
    latencies = sorted(load.latencies)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "requests": len(latencies),
        "events": len(latencies) * args.batch,
        "event_bytes": round(load.bodies.event_bytes),
        "seconds": seconds,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "statuses": dict(load.statuses),
        "load_cpu_s": usage.ru_utime + usage.ru_stime,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--write-key", required=True, help="or several, with commas between")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0 for as many as go")
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
