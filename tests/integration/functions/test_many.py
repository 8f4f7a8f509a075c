# ruff: noqa: E501  (lines of JavaScript)
"""Many events of one function at once: each has its own result, log, requests and time, and blame for its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.functions.tools import CONFINEMENT, PATIENT, endpoint, eventually, http, run, runner, value

from onward.egress.masking import Masking
from onward.functions.errors import Kind
from onward.functions.pool import START_AGAIN, Key, Pool, PoolLimits
from onward.functions.process import Call, Invocation, Limits

KEY = Key(version="v", instance="i")
NONE = Masking(())
OK = Kind.OK


@pytest.fixture
async def pools() -> AsyncIterator[Any]:
    client = http()
    made: list[Pool] = []

    def make(limits: PoolLimits | None = None, process: Limits = PATIENT) -> Pool:
        made.append(Pool(CONFINEMENT, client, limits, process))
        return made[-1]

    yield make
    for pool in made:
        await pool.close()
    await client.close()


async def each(
    pool: Pool, code: str, calls: list[Call], settings: dict[str, Any] | None = None
) -> list[Invocation]:
    made = await pool.invoke_each(KEY, code, calls, settings or {}, NONE)
    assert len(made) == len(calls)
    return made


async def test_each_event_has_its_own_result_log_and_error(pools: Any) -> None:
    code = """let count = 0
    async function onTrack(e, settings) {
      console.log('event', e.n); settings.seen = (settings.seen ?? 0) + 1
      if (e.n % 10 === 3) throw new RetryError(`no ${e.n}`)
      if (e.n % 10 === 4) await new Promise((done) => setTimeout(done, 1))
      return [++count, e.n, settings.seen]
    }
    function onPage(e) { return { page: e.n } }"""
    calls: list[Call] = [("onPage" if n % 7 == 0 else "onTrack", {"n": n}) for n in range(300)]
    calls[50] = ("onGroup", {"n": 50})
    calls[60] = ("onTrack", {"n": {1}})
    made = await each(pools(PoolLimits(per_key=1)), code, calls, {"k": 1})
    assert made[50].ending.kind is Kind.UNSUPPORTED_EVENT_TYPE
    assert made[60].ending.kind is Kind.MESSAGE_REJECTED
    count = 0
    for n, one in enumerate(made):
        if n in (50, 60):
            continue
        if n % 7 == 0:
            assert (value(one), one.logs) == ({"page": n}, ())
            continue
        assert [text for _, _, text in one.logs] == [f"event {n}"]
        if n % 10 == 3:
            assert (one.ending.kind, one.ending.message) == (Kind.RETRY, f"no {n}")
        else:
            count += 1
            assert value(one) == [count, n, 1]
    assert len({one.pid for one in made}) == 1


@pytest.mark.parametrize(
    ("fails", "kind"),
    [
        ("for (;;) {}", Kind.TIMEOUT),
        ("globalThis.Deno.exit(3)", Kind.BAD_REQUEST),
        ("const all = []; for (;;) all.push({ a: [1, 2, 3], b: 'x' + all.length })", Kind.BAD_REQUEST),
        ("await new Promise(() => {})", Kind.TIMEOUT),
    ],
    ids=["loop", "exit", "memory", "await"],
)
async def test_an_event_that_ends_its_process_is_the_only_one_that_fails(
    pools: Any, fails: str, kind: Kind
) -> None:
    code = f"async function onTrack(e) {{ if (e.n === 37) {{ {fails} }} return e.n }}"
    pool = pools(process=Limits(wall=3.0 if kind is Kind.TIMEOUT else 30.0))
    made = await each(pool, code, [("onTrack", {"n": n}) for n in range(120)])
    for n, one in enumerate(made):
        if n == 37:
            assert one.ending.kind is kind
            assert one.died
        else:
            assert (one.ending.kind, value(one)) == (OK, n)
    assert pool.used()[KEY].invocations == 120


async def test_requests_are_made_once_though_the_process_ends(pools: Any) -> None:
    """Those with requests before, and after, the event that ends the process; and the one itself."""
    code = """async function onTrack(e, { url }) {
      if (e.n % 3 === 0) await fetch(`${url}/${e.n}`)
      if (e.n === 24) for (;;) {}
      return e.n }"""
    pool = pools(process=Limits(wall=3.0))
    async with endpoint() as server:
        made = await each(pool, code, [("onTrack", {"n": n}) for n in range(60)], {"url": server.url})
        assert [n for n, one in enumerate(made) if one.ending.kind is not OK] == [24]
        assert made[24].ending.kind is Kind.TIMEOUT
        assert sorted(int(path[1:]) for _, path, _, _ in server.seen) == list(range(0, 60, 3))
    for n, one in enumerate(made):
        assert (len(one.record.exchanges()) if one.record else 0) == (1 if n % 3 == 0 else 0)


async def test_events_survive_that_their_process_is_killed(pools: Any) -> None:
    """Again and again, from outside: one event at most has to be sent again, and the function is not paused."""
    code = "function onTrack(e) { let sum = 0; for (let i = 0; i < e.work; i++) sum += i; return e.n }"
    pool = pools(PoolLimits(per_key=1))
    [first] = await each(pool, code, [("onTrack", {"n": 0, "work": 1})])
    pid = first.pid
    for _ in range(6):
        calls: list[Call] = [("onTrack", {"n": n, "work": 300_000}) for n in range(60)]
        task = asyncio.create_task(each(pool, code, calls))
        await eventually(lambda: not pool.pids(KEY))
        os.kill(pid, 9)
        made = await task
        again = [n for n, one in enumerate(made) if one.ending.kind is Kind.RETRY]
        assert len(again) <= 1
        assert [value(one) for one in made] == [None if n in again else n for n in range(60)]
        pid = made[-1].pid
    assert pool.paused(KEY) == 0


async def test_each_event_has_the_whole_time(pools: Any) -> None:
    code = "async function onTrack() { await new Promise((done) => setTimeout(done, 400)) }"
    pool = pools(PoolLimits(per_key=1), Limits(wall=2.0))
    assert all(one.ending.kind is OK for one in await each(pool, code, [("onTrack", {})] * 8))


async def test_events_that_take_long_are_shared_by_processes(pools: Any) -> None:
    code = "async function onTrack(e) { await new Promise((done) => setTimeout(done, 100)); return e.n }"
    pool = pools(PoolLimits(per_key=3, spares=0))
    made = await each(pool, code, [("onTrack", {"n": n}) for n in range(60)])
    assert [value(one) for one in made] == list(range(60))
    assert len({one.pid for one in made}) == 3


async def test_when_nobody_waits_all_its_processes_end(pools: Any) -> None:
    code = "async function onTrack(e) { await new Promise((done) => setTimeout(done, e.first ? 1 : 60000)) }"
    pool = pools()
    [first] = await each(pool, code, [("onTrack", {"first": 1})])
    task = asyncio.create_task(each(pool, code, [("onTrack", {})] * 10))
    await eventually(lambda: not pool.pids(KEY))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: not Path(f"/proc/{first.pid}").exists())
    assert (await each(pool, code, [("onTrack", {"first": 1})]))[0].ending.kind is OK


async def test_code_that_cannot_be_loaded_fails_each_event(pools: Any) -> None:
    made = await each(pools(), "async function onTrack( {", [("onTrack", {})] * 5)
    assert {one.ending.kind for one in made} == {Kind.INVALID_SETTINGS}


async def test_results_forged_for_later_events_stand_alone(pools: Any) -> None:
    """A function can lie about its own events only, and each still has one result, at its place."""
    code = """let forged = false
    function frame(text) {
      const body = new TextEncoder().encode(text), f = new Uint8Array(body.length + 4)
      new DataView(f.buffer).setUint32(0, body.length); f.set(body, 4); globalThis.Deno.stdout.writeSync(f)
    }
    async function onTrack(e) {
      if (e.n === 5) for (const id of [1, 5, 6, 7, 900]) frame(JSON.stringify({ t: 'res', id, ok: true, value: 'forged' }))
      return e.n }"""
    made = await each(pools(PoolLimits(per_key=1)), code, [("onTrack", {"n": n}) for n in range(40)])
    assert len([one for one in made if value(one) == "forged"]) <= 3, "the fifth, if its result was kept back"
    assert [value(one) for one in made[10:]] == list(range(10, 40))


async def test_what_nothing_waited_for_is_told_with_its_event() -> None:
    made = await run(
        "async function later() { throw new Error('forgotten') }\nasync function onTrack() { later(); return 1 }"
    )
    assert made.ending.kind is OK
    assert [(one.name, one.message, one.line) for one in made.uncaught] == [("Error", "forgotten", 1)]


async def test_what_an_earlier_event_did_not_wait_for_has_failed() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    code = """let shared
    async function onTrack({ url, n }) {
      shared ??= fetch(url)
      if (n > 0) return shared.catch((error) => error.code)
    }"""
    client = http()
    async with await asyncio.start_server(silence, "127.0.0.1", 0) as silent, runner(code) as made:
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
        calls: list[Call] = [("onTrack", {"url": url, "n": n}) for n in range(3)]
        flown = await made.fly(calls, {}, client, NONE)
        assert [value(each) for each in flown.made] == [None, "ECANCELED", "ECANCELED"]
        [[told], *others] = [each.uncaught for each in flown.made]
        assert "an await may be missing" in told.message and others == [(), ()]
    await client.close()


async def test_between_events_a_process_stands_still() -> None:
    """Timers that are left run while the next event is handled, as they do on Segment's side."""
    code = """let ticks = 0; setInterval(() => { ticks++ }, 1)
    async function onTrack(e) { if (e.wait) await new Promise((done) => setTimeout(done, e.wait)); return ticks }"""
    client = http()
    try:
        async with runner(code) as made:
            first = value(await made.invoke("onTrack", {}, {}, client, NONE))
            await asyncio.sleep(0.3)
            second = value(await made.invoke("onTrack", {}, {}, client, NONE))
            third = value(await made.invoke("onTrack", {"wait": 100}, {}, client, NONE))
    finally:
        await client.close()
    assert second <= first + 3
    assert third > second + 3


async def test_processor_time_is_charged_when_it_is_asked_for(pools: Any) -> None:
    code = "async function onTrack() { let sum = 0; for (let i = 0; i < 2e6; i++) sum += i; return sum }"
    pool = pools()
    await each(pool, code, [("onTrack", {})] * 5)
    used = pool.used()[KEY]
    assert used.invocations == 5
    assert used.cpu_ms >= 30
    assert used.wall_ms >= 30
    assert pool.used() == {}


async def test_long_events_and_short_ones_in_turn(pools: Any) -> None:
    """Frames longer than what is read at once, their ends anywhere in it."""
    code = "function onTrack(e) { return [e.n, e.text.length, e.text.at(-1)] }"
    sizes = [1, 5_000_000, 65_000, 65_536, 10, 131_072, 65_532, 3, 1_000_000, 200, 7] * 3
    calls: list[Call] = [("onTrack", {"n": n, "text": "ä" * size}) for n, size in enumerate(sizes)]
    made = await each(pools(PoolLimits(per_key=1)), code, calls)
    assert [value(one) for one in made] == [[n, size, "ä"] for n, size in enumerate(sizes)]
    assert len({one.pid for one in made}) == 1


async def test_a_function_that_never_rests_does_not_keep_others_from_running(pools: Any) -> None:
    pool = pools(PoolLimits(budget_mb=100, per_key=1, spares=0, queue_for=4.0))
    code = "async function onTrack() { await new Promise((done) => setTimeout(done, 20)) }"
    served = asyncio.Event()

    async def busy() -> None:
        while not served.is_set():
            made = await pool.invoke(KEY, code, "onTrack", {}, {}, NONE)
            assert made.ending.kind is OK, made.ending

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(busy())
        await eventually(lambda: bool(pool._entries) and len(pool._entries[KEY].waiting) == 3)
        made = await pool.invoke(Key(version="v", instance="other"), code, "onTrack", {}, {}, NONE)
        served.set()
    assert made.ending.kind is OK, made.ending


async def test_what_is_busy_is_bounded_and_nobody_idle_is_ended_where_that_makes_no_room(pools: Any) -> None:
    pool = pools(PoolLimits(budget_mb=130, per_key=1, spares=0, queue_for=0.1))
    idle, third = Key(version="v", instance="idle"), Key(version="v", instance="third")
    assert (await pool.invoke(idle, "function onTrack() {}", "onTrack", {}, {}, NONE)).ending.kind is OK
    before = pool.pids(idle)
    code = "function onTrack() { return new Promise((done) => { setTimeout(done, 500) }) }"
    busy = asyncio.create_task(pool.invoke(KEY, code, "onTrack", {}, {}, NONE))
    await eventually(lambda: pool._busy == 1)
    for key in (third, idle):
        made = await pool.invoke(key, code, "onTrack", {}, {}, NONE)
        assert made.ending.kind is Kind.TOO_MANY_REQUESTS
    assert pool.pids(idle) == before != []
    assert (await busy).ending.kind is OK


@pytest.mark.parametrize("program", [[sys.executable, "-c", "raise SystemExit(3)"], ["/nowhere"]])
async def test_events_wait_where_no_process_can_be_started(
    pools: Any, monkeypatch: pytest.MonkeyPatch, program: list[str]
) -> None:
    """It is not the function's doing, and may be over soon."""
    monkeypatch.setattr("onward.functions.process.command", lambda confinement: program)
    made = await pools().invoke(KEY, "function onTrack() {}", "onTrack", {}, {}, NONE)
    assert (made.ending.kind, made.ending.retry_after) == (Kind.TOO_MANY_REQUESTS, START_AGAIN)
    assert "a runner can't be started" in made.ending.message
