"""How fast users' JavaScript runs: calls of one process, fetches to a sink, starts, recovery, and memory.

Everything in the sandbox as it runs in production, one delivery process's worth of host. Each rate has a bare
floor from the same minute: the same bytes through the same kind of pipe to a program that only echoes them,
or the same requests by the same client without functions. Compare versions by the ratio.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import uvloop

from bench.processes import cpu_seconds, sink
from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import Request
from onward.egress.masking import Masking
from onward.functions.errors import Kind
from onward.functions.install import install
from onward.functions.pool import Key, Pool, PoolLimits
from onward.functions.process import Limits, Runner
from onward.functions.sandbox import Confinement, command, environment, libraries_folder

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
  if (event.spin) for (;;) {}
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
ECHO = """
const { stdin, stdout } = Deno, bytes = new Uint8Array(1 << 20);
for (;;) {
  const read = stdin.readSync(bytes);
  if (read === null) break;
  for (let at = 0; at < read;) at += stdout.writeSync(bytes.subarray(at, read));
}
"""
BATCH = 100
NONE = Masking(())
KEY = Key(version="v", instance="i")

Calls = Callable[[Pool, str], Awaitable[int]]
"""Makes calls, with the address of the sink; how many events those were."""


async def single(pool: Pool, url: str) -> int:
    made = await pool.invoke(KEY, CODE, "onTrack", EVENT, {"url": url}, NONE)
    assert made.ending.kind is Kind.OK, made.ending
    return 1


async def each(pool: Pool, url: str) -> int:
    made = await pool.invoke_each(KEY, CODE, [("onTrack", EVENT)] * BATCH, {"url": url}, NONE)
    assert all(one.ending.kind is Kind.OK for one in made)
    return BATCH


async def batched(pool: Pool, url: str) -> int:
    made = await pool.invoke(KEY, CODE, "onBatch", [EVENT] * BATCH, {"url": url}, NONE)
    assert made.ending.kind is Kind.OK, made.ending
    return BATCH


async def fetching(pool: Pool, url: str) -> int:
    made = await pool.invoke(KEY, CODE, "onPage", EVENT, {"url": url}, NONE)
    assert made.ending.kind is Kind.OK, made.ending
    return 1


async def rate(call: Callable[[], Awaitable[int]], senders: int, seconds: float) -> float:
    """Events a second of so many senders."""
    done = 0

    async def sender(until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            made = await call()
            done += made

    began = time.perf_counter()
    await asyncio.gather(*(sender(began + seconds) for _ in range(senders)))
    return done / (time.perf_counter() - began)


class Echo(asyncio.SubprocessProtocol):
    """The bare floor: as many bytes come back as went out."""

    def __init__(self) -> None:
        self.missing = 0
        self.back: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self.missing -= len(data)
            if self.missing == 0:
                self.back.set_result(None)

    async def send(self, data: bytes) -> int:
        self.missing, self.back = len(data), asyncio.get_running_loop().create_future()
        self.transport.get_pipe_transport(0).write(data)
        await self.back
        return 1


@asynccontextmanager
async def echo(confinement: Confinement) -> AsyncIterator[Echo]:
    with tempfile.TemporaryDirectory(prefix="onward-bench-") as folder:
        Path(folder).chmod(0o755)
        program = Path(folder) / "echo.js"
        program.write_text(ECHO)
        transport, made = await asyncio.get_running_loop().subprocess_exec(
            Echo, *command(confinement, program), env=environment(confinement), cwd="/"
        )
        await made.send(b"x")
        yield made
        transport.kill()
        transport.close()


async def rates(
    confinement: Confinement, http: HttpClient, url: str, seconds: float
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    one = orjson.dumps(EVENT)

    async def post() -> int:
        await http.send(Request(method="POST", url=url, body=one))
        return 1

    name: str
    calls: Calls
    for name, calls, senders, per_key, events, target in (
        ("single", single, 1, 1, 1, 9_000),
        ("each", each, 1, 1, BATCH, None),
        ("batched", batched, 1, 1, BATCH, 100_000),
        ("fetch", fetching, 10, 4, 1, 3_000),
        ("fetch-10-processes", fetching, 10, 10, 1, 3_000),
    ):
        pool = Pool(confinement, http, PoolLimits(per_key=per_key))

        async def call(calls: Calls = calls, pool: Pool = pool) -> int:
            return await calls(pool, url)

        await rate(call, senders, 1.0)  # to warm up
        pids = pool.pids(KEY)
        before = [cpu_seconds(pid) for pid in (os.getpid(), *pids)]
        seen = await rate(call, senders, seconds)
        after = [cpu_seconds(pid) for pid in (os.getpid(), *pids)]
        used = [(late - early) / (seen * seconds) * 1e6 for early, late in zip(before, after, strict=True)]
        await pool.close()
        if calls is fetching:
            bare = await rate(post, senders, seconds / 2)
        else:
            async with echo(confinement) as program:

                async def bounce(program: Echo = program, size: int = events) -> int:
                    return await program.send(one * size) * size

                bare = await rate(bounce, senders, seconds / 2)
        rows.append(
            {
                "figure": f"functions-{name}",
                "target_per_s": target,
                "events_per_s": round(seen),
                "host_cpu_us_per_event": round(used[0], 1),
                "runners_cpu_us_per_event": round(sum(used[1:]), 1),
                "in_flight": senders,
                "processes": per_key,
                "baseline_events_per_s": round(bare),
            }
        )
    return rows


async def started(confinement: Confinement, http: HttpClient, spare: Runner | None = None) -> float:
    """Milliseconds to the first result."""
    began = time.perf_counter()
    runner = spare or await Runner.start(confinement)
    await runner.load(CODE)
    await runner.invoke("onTrack", EVENT, {}, http, NONE)
    took = (time.perf_counter() - began) * 1000
    await runner.close()
    return took


async def empty(confinement: Confinement, program: Path) -> float:
    """Milliseconds that an empty program takes in the same box."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command(confinement, program),
        env=environment(confinement),
        cwd="/",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await process.wait()
    return (time.perf_counter() - began) * 1000


async def starts(confinement: Confinement, http: HttpClient) -> list[dict[str, object]]:
    cold, bare, spare = [], [], []
    with tempfile.TemporaryDirectory(prefix="onward-bench-") as folder:
        Path(folder).chmod(0o755)
        program = Path(folder) / "empty.js"
        program.write_text("")
        for _ in range(15):
            cold.append(await started(confinement, http))
            bare.append(await empty(confinement, program))
            waiting = await Runner.start(confinement)
            await asyncio.sleep(0.2)  # a spare has waited for a while
            spare.append(await started(confinement, http, waiting))
    return [
        {
            **_times("functions-cold-start", cold, 60),
            "baseline_ms": round(statistics.median(bare), 1),
        },
        _times("functions-start-from-a-spare", spare, 5),
    ]


async def recovery(confinement: Confinement, http: HttpClient) -> list[dict[str, object]]:
    """One function spins and is killed, again and again, while another handles its events."""
    wall = 0.3
    pool = Pool(confinement, http, PoolLimits(spares=2), Limits(wall=wall))
    await pool.warm()
    healthy = Key(version="v", instance="healthy")
    await pool.invoke(healthy, CODE, "onTrack", EVENT, {}, NONE)
    back: list[float] = []
    times: dict[bool, list[float]] = {False: [], True: []}
    spinning = False
    stop = False

    async def neighbour() -> None:
        while not stop:
            began = time.perf_counter()
            await pool.invoke(healthy, CODE, "onTrack", EVENT, {}, NONE)
            times[spinning].append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.002)

    task = asyncio.create_task(neighbour())
    await asyncio.sleep(1.5)
    spinning = True
    for number in range(12):
        key = Key(version="v", instance=f"bad-{number}")
        await pool.invoke(key, CODE, "onTrack", EVENT, {}, NONE)
        made = await pool.invoke(key, CODE, "onTrack", {"spin": True}, {}, NONE)
        assert made.ending.kind is Kind.TIMEOUT
        began = time.perf_counter()
        made = await pool.invoke(key, CODE, "onTrack", EVENT, {}, NONE)
        assert made.ending.kind is Kind.OK, made.ending
        back.append((time.perf_counter() - began) * 1000)
    stop = True
    await task
    await pool.close()
    alone, beside = (statistics.quantiles(times[each], n=100)[98] for each in (False, True))
    return [
        _times("functions-recovery-after-a-kill", back, 100),
        {
            "figure": "functions-neighbour-of-a-spinning-one",
            "target_p99_ms": 10,
            "p99_ms": round(beside, 2),
            "median_ms": round(statistics.median(times[True]), 2),
            "baseline_p99_ms": round(alone, 2),
        },
    ]


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
    rows = await rates(confinement, http, url, seconds)
    rows += await starts(confinement, http)
    rows += await recovery(confinement, http)
    size = await memory(confinement, http)
    rows.append({"figure": "functions-memory", "target_mb": 20, "mb_per_idle_function": round(size, 1)})
    await http.close()
    return rows


def _times(figure: str, values: list[float], target: float) -> dict[str, object]:
    return {
        "figure": figure,
        "target_ms": target,
        "median_ms": round(statistics.median(values), 1),
        "least_ms": round(min(values), 1),
        "most_ms": round(max(values), 1),
    }


def run(args: argparse.Namespace) -> list[dict[str, object]]:
    install(libraries_folder())
    with sink() as (url, _):
        return uvloop.run(figures(args.seconds / 2, url))
