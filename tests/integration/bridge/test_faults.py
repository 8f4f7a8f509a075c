"""Workers that hang, grow, die and talk nonsense: what becomes of the call that does it, and of others."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from integration.bridge.tools import HERE, Caller, Tool, faulty_catalogue

from onward.delivery.item import Batch, Item, Labels, Target
from onward.delivery.sender import send
from onward.destinations.bridge import host, trials
from onward.destinations.bridge.actions import Bridged, Perform
from onward.destinations.bridge.host import Bridge
from onward.destinations.bridge.sandbox import Limits
from onward.destinations.definition import Action, Definition
from onward.destinations.outcome import DELIVERED, Outcome
from onward.egress.http import Request

LIMITS = Limits(heap_mb=128, resident=300 << 20, resident_most=700 << 20, ping_every=0.1, patience=1.0)


@pytest.fixture(scope="module")
def folder(catalogue: Mapping[str, Definition], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faulty_catalogue(tmp_path_factory.mktemp("catalogue") / "catalogue", HERE / "js" / "faults")


def faults(limit: float = 20.0, oauth: bool = False) -> Mapping[str, Definition]:
    """The definition of `js/faults`, whose actions take any payload."""
    of = Bridged("faults", oauth=oauth, refreshes=oauth)
    source = (HERE / "js" / "faults" / "index.js").read_text()
    names = [*source.split("const behaviours = {")[1].split("\n}")[0].replace("async ", "").split("\n  ")]
    actions = {name: name for line in names if (name := line.split("(")[0].split(":")[0]).isidentifier()}
    actions["perItem"] = "perItem"
    return {
        "faults": Definition(
            slug="faults",
            id="0" * 24,
            name="Faults",
            description="",
            actions={
                name: Action(
                    slug=name,
                    title=name,
                    description="",
                    perform=Perform(of, name, True, limit),
                    batches=True,
                    timeout=limit,
                )
                for name in actions
            },
        )
    }


@pytest.fixture
async def bridge(folder: Path) -> AsyncIterator[Bridge]:
    made = Bridge(folder, environment={"ADWORDS_DEVELOPER_TOKEN": "dev", "HOME": "/root"}, limits=LIMITS)
    yield made
    await made.close()


@pytest.fixture
def perform(bridge: Bridge, tool: Tool) -> Caller:
    return Caller(faults(), bridge, tool)


async def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def slow(tool: Tool, started: asyncio.Event | None = None) -> asyncio.Event:
    """The tool answers when the event is set."""
    go = asyncio.Event()

    async def answer(request: Request) -> tuple[int, Any]:
        if started is not None:
            started.set()
        await go.wait()
        return 200, {}

    tool.answer = answer
    return go


# Killed from outside


async def test_a_worker_killed_from_outside_costs_nothing_but_a_retry(
    perform: Caller, bridge: Bridge, tool: Tool
) -> None:
    slow(tool)
    calls = [asyncio.create_task(perform("faults.fine", {"n": n})) for n in range(5)]
    await wait_until(lambda: tool.under_way == 5)
    assert bridge.pid is not None
    os.kill(bridge.pid, signal.SIGKILL)
    outcomes = await asyncio.gather(*calls)
    assert {(outcome.kind, outcome.code) for outcome in outcomes} == {("retry", "ECONNRESET")}
    assert "SIGKILL" in outcomes[0].message
    assert tool.under_way == 0
    tool.answer = lambda request: (200, {})
    assert await perform("faults.fine", {}) == DELIVERED
    assert bridge.deaths == 1


# Faults of actions


@pytest.mark.parametrize("name", ["loop", "loopAfter", "exit", "garbage", "grow", "buffers"])
async def test_what_ends_a_worker_costs_its_neighbours_nothing(
    perform: Caller, bridge: Bridge, tool: Tool, name: str
) -> None:
    started = asyncio.Event()
    go = slow(tool, started)
    neighbours = [
        asyncio.create_task(perform.having(destination_id=f"n{n}")("faults.fine", {"n": n})) for n in range(4)
    ]
    await started.wait()
    if name == "loopAfter":
        go.set()
    bad = asyncio.create_task(perform.having(destination_id="bad")(f"faults.{name}", {"poison": True}))
    await wait_until(lambda: bridge.deaths >= 1)
    go.set()
    assert await asyncio.gather(*neighbours) == [DELIVERED] * 4
    outcome = await bad
    assert (outcome.kind, outcome.code) == ("retry", "ECONNRESET")
    # From now on it can't do that to anyone: it runs where nothing else does.
    deaths = bridge.deaths
    again = asyncio.create_task(perform.having(destination_id="bad")(f"faults.{name}", {"poison": True}))
    beside = [await perform.having(destination_id="n1")("faults.fine", {"n": n}) for n in range(20)]
    assert beside == [DELIVERED] * 20
    with pytest.raises(Exception, match="worker ended"):
        for _ in range(trials.STRIKES):
            outcome = await again
            assert outcome.kind == "retry"
            again = asyncio.create_task(
                perform.having(destination_id="bad")(f"faults.{name}", {"poison": True})
            )
    assert bridge.deaths == deaths + trials.STRIKES - 1


async def test_the_engine_finds_the_one_in_a_batch(perform: Caller, bridge: Bridge, tool: Tool) -> None:
    """As deliveries do: retried as a whole at first, then halved until the poison stands alone."""
    action = perform.action("faults.exit")
    label = Labels().unknown
    payloads = [{"n": n, "enable_batching": True} | ({"poison": True} if n == 5 else {}) for n in range(8)]
    items = [
        Item(Target("sub", action), label, payload, {"messageId": f"m{n}"}, f"m{n}", 0, None)
        for n, payload in enumerate(payloads)
    ]
    call = perform.call([item.event for item in items])
    outcomes: Outcome | list[Outcome] = []
    for _ in range(trials.STRIKES + 1):
        outcomes = await send(Batch(items), call)
        if isinstance(outcomes, list):
            break
        assert outcomes.kind == "retry"
    assert isinstance(outcomes, list)
    assert [outcome.kind for outcome in outcomes] == ["delivered"] * 5 + ["discarded"] + ["delivered"] * 2
    assert outcomes[5].code == "INTERNAL"
    assert "exit status 7" in outcomes[5].message
    assert sum(body["count"] for body in tool.bodies if "count" in body) == 7


async def test_calls_that_take_too_long(folder: Path, tool: Tool) -> None:
    bridge = Bridge(folder, environment={}, limits=LIMITS)
    caller = Caller(faults(), bridge, tool)
    assert await caller("faults.fine", {}) == DELIVERED
    caller = caller.having(catalogue=faults(limit=0.5))
    outcome = await caller("faults.never", {})
    assert (outcome.kind, outcome.code) == ("retry", "ETIMEDOUT")
    slow(tool)
    outcome = await caller("faults.fine", {})
    assert (outcome.kind, outcome.code) == ("retry", "ETIMEDOUT")
    await wait_until(lambda: tool.under_way == 0)
    pid = bridge.pid
    tool.answer = lambda request: (200, {})
    assert await caller.having(catalogue=faults())("faults.fine", {}) == DELIVERED
    assert (bridge.pid, bridge.deaths) == (pid, 0)
    await bridge.close()


async def test_whoever_goes_away_takes_its_requests_along(perform: Caller, tool: Tool) -> None:
    slow(tool)
    call = asyncio.create_task(perform("faults.fine", {}))
    await wait_until(lambda: tool.under_way == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await wait_until(lambda: tool.under_way == 0)


async def test_requests_after_the_end_of_a_call_are_not_made(perform: Caller, tool: Tool) -> None:
    assert await perform("faults.late", {"path": "now"}) == DELIVERED
    await asyncio.sleep(0.2)
    await perform("faults.fine", {"path": "then"})
    assert tool.seen() == ["POST https://tool.example/now", "POST https://tool.example/then"]


async def test_rejections_that_nobody_handles_end_nothing(
    perform: Caller, bridge: Bridge, tool: Tool
) -> None:
    assert await perform("faults.reject", {}) == DELIVERED
    assert await perform("faults.print", {}) == DELIVERED
    assert bridge.deaths == 0


async def test_a_worker_that_has_grown_is_replaced_without_a_loss(folder: Path, tool: Tool) -> None:
    bridge = Bridge(folder, environment={}, limits=replace_limits(resident=1))
    caller = Caller(faults(), bridge, tool)
    go = slow(tool)
    call = asyncio.create_task(caller("faults.fine", {}))
    await wait_until(lambda: tool.under_way == 1)
    (old,) = [worker.pid for worker in bridge._workers]  # which may be the main one no more
    await wait_until(lambda: bridge.pid is None)
    tool.answer = lambda request: (200, {})
    assert await caller("faults.fine", {}) == DELIVERED
    assert Path(f"/proc/{old}").exists()
    go.set()
    assert await call == DELIVERED
    await wait_until(lambda: not running(old))
    assert bridge.deaths == 0
    await bridge.close()


def replace_limits(**changes: Any) -> Limits:
    return msgspec.structs.replace(LIMITS, **changes)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Starting


async def test_a_worker_that_dies_at_its_start(tmp_path: Path, tool: Tool) -> None:
    (tmp_path / "node_modules").mkdir()
    bridge = Bridge(tmp_path, environment={}, limits=LIMITS)
    caller = Caller(faults(), bridge, tool)
    for _ in range(3):
        outcome = await caller("faults.fine", {})
        assert (outcome.kind, outcome.code) == ("retry", "ECONNRESET")
        assert "did not start" in outcome.message
    assert "actions-core" in outcome.message
    assert host.FIRST_PAUSE <= bridge._pause <= host.LONGEST_PAUSE
    await bridge.close()


async def test_after_its_close_there_is_nothing(perform: Caller, bridge: Bridge, tool: Tool) -> None:
    slow(tool)
    call = asyncio.create_task(perform("faults.fine", {}))
    await wait_until(lambda: tool.under_way == 1)
    pid = bridge.pid
    assert pid is not None
    await bridge.close()
    assert (await call).code == "ECONNRESET"
    assert not running(pid)
    assert (await perform("faults.fine", {})).kind == "retry"


PARENT = """
import asyncio, sys
from pathlib import Path
from onward.destinations.bridge.host import Bridge

async def main():
    bridge = Bridge(Path(sys.argv[1]), environment={})
    worker = await bridge._main()
    print(worker.pid, flush=True)
    if len(sys.argv) > 2:  # it never looks at its stdin again
        import orjson
        worker._write(orjson.dumps({"t": "config", "key": 9, "settings": {}, "mapping": {}, "auth": {}}))
        call = {"t": "call", "id": 8, "op": "perform", "config": 9, "directory": "faults", "action": "loop"}
        worker._write(orjson.dumps({**call, "payloads": [{}], "events": [{}]}))
        await asyncio.sleep(0.2)
        print("looping", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("loop", [(), ("loop",)], ids=["idle", "looping"])
def test_it_dies_with_its_parent(folder: Path, loop: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), *loop], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if loop:
            assert parent.stdout.readline() == "looping\n"
        assert running(pid)
        parent.kill()
    until = time.monotonic() + 10
    while running(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


# The sandbox


@pytest.mark.parametrize(
    "what",
    [
        *("read", "readByNode", "write", "connect", "connectByNode", "listen", "run", "runByNode"),
        *("ffi", "system", "worker"),
    ],
)
async def test_it_has_no_right_to(perform: Caller, tool: Tool, what: str, tmp_path: Path) -> None:
    trace = tmp_path / "here"
    assert await perform("faults.attempt", {"what": what, "trace": str(trace)}) == DELIVERED
    said = tool.bodies[0]["said"]
    assert "it could" not in said
    refusals = ("NotCapable", "Requires", "denied", "--allow", "Command failed", "Only file and data URLs")
    assert any(word in said for word in refusals), said
    assert not trace.exists()


async def test_it_sees_no_environment_but_partner_secrets(perform: Caller, tool: Tool) -> None:
    os.environ["ONWARD_SECRET_OF_TEST"] = "x"
    assert await perform("faults.attempt", {"what": "environment"}) == DELIVERED
    said = tool.bodies[0]["said"]
    assert "ADWORDS_DEVELOPER_TOKEN" in said
    for name in ("HOME", "ONWARD_SECRET_OF_TEST"):
        assert f'"{name}"' not in said
    assert os.environ["PATH"] not in said
    del os.environ["ONWARD_SECRET_OF_TEST"]


async def test_its_command_line_names_its_role(perform: Caller, bridge: Bridge) -> None:
    await perform("faults.fine", {})
    line = Path(f"/proc/{bridge.pid}/cmdline").read_bytes().split(b"\0")
    assert b"catalogue" in line
    assert not any(part.startswith((b"--allow-net", b"--allow-run", b"--allow-write")) for part in line)


# Per item, and large batches


async def test_only_items_that_were_refused_are_sent_again(bridge: Bridge, tool: Tool) -> None:
    def answer(request: Request) -> tuple[int, Any]:
        if request.url.endswith("/token"):
            return 200, {"access_token": "NEW"}
        if request.headers["authorization"] == "Bearer OLD":
            return 200, [200, 401, 500, 401, 400]
        return 200, [200, 429]

    tool.answer = answer
    caller = Caller(faults(oauth=True), bridge, tool, {"oauth_access_token": "OLD"})
    outcomes = await caller("faults.perItem", *({"n": n, "enable_batching": True} for n in range(5)))
    assert [outcome.kind for outcome in outcomes] == [
        *("delivered", "delivered", "retry", "retry", "discarded")
    ]
    assert [outcome.code for outcome in outcomes] == ["", "", "500", "429", "400"]
    assert [item["n"] for item in orjson.loads(tool.requests[-1].body)] == [1, 3]


async def test_an_item_without_an_answer_is_retried(perform: Caller, tool: Tool) -> None:
    tool.answer = lambda request: (200, [200, 999, 200])
    outcomes = await perform("faults.perItem", *({"n": n, "enable_batching": True} for n in range(3)))
    assert [outcome.kind for outcome in outcomes] == ["delivered", "retry", "delivered"]


@pytest.mark.timeout(300)
async def test_a_hundred_thousand_items(folder: Path, tool: Tool) -> None:
    """The largest bulk batch, beside calls that must not wait for it, within the memory of a worker."""
    bridge = Bridge(folder, environment={})
    caller = Caller(faults(limit=120.0), bridge, tool)
    batch = [
        {
            "email": f"user-{n}@example.com",
            "phone": f"+1555{n:07}",
            "external_id": f"{n:032}",
            "enable_batching": True,
        }
        for n in range(100_000)
    ]
    assert await caller("faults.fine", {}) == DELIVERED
    large = asyncio.create_task(caller("faults.fine", *batch))
    longest = 0.0
    beside = 0
    while not large.done():
        began = time.perf_counter()
        assert await caller.having(destination_id="other")("faults.fine", {"n": 1}) == DELIVERED
        longest = max(longest, time.perf_counter() - began)
        beside += 1
    assert await large == DELIVERED
    assert {"count": 100_000} in tool.bodies
    assert bridge.deaths == 0
    assert beside > 3
    assert longest < 10
    await bridge.close()
