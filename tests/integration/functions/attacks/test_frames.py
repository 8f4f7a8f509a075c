# ruff: noqa: E501  (lines of JavaScript)
"""Code that speaks to the host itself: forged frames harm nobody but the function that forged them."""

import pytest
from integration.functions.tools import CONFINEMENT, PATIENT, endpoint, http, run, value

from onward.egress.masking import Masking
from onward.functions.errors import Kind
from onward.functions.process import Limits, Runner

FORGE = """
function frame(text) {
  const body = new TextEncoder().encode(text), f = new Uint8Array(body.length + 4);
  new DataView(f.buffer).setUint32(0, body.length); f.set(body, 4); globalThis.Deno.stdout.writeSync(f);
}
const raw = (...bytes) => globalThis.Deno.stdout.writeSync(new Uint8Array(bytes));
"""
IGNORED = {
    "another's result": """frame('{"t":"res","id":999,"ok":true,"value":1}')""",
    "late loading": """frame('{"t":"loaded","ok":true,"handlers":["onTrack"]}')""",
    "ready again": """frame('{"t":"ready"}')""",
    "an abort of nothing": """frame('{"t":"fabort","id":5}')""",
    "a request of another": """frame('{"t":"fetch","id":9,"inv":77,"url":"http://127.0.0.1:1/"}')""",
}
FATAL = {
    "garbage": "raw(0, 0, 0, 3, 1, 2, 3)",
    "no JSON": "frame('nonsense')",
    "an unknown type": """frame('{"t":"eval","code":"1"}')""",
    "no type": "frame('{}')",
    "a list": "frame('[1]')",
    "a wrong type": """frame('{"t":"res","id":"1","ok":true}')""",
    "too long": "raw(255, 255, 255, 255)",
    "deeply nested": """frame('{"t":"res","id":1,"ok":true,"error":' + '['.repeat(1e5) + ']'.repeat(1e5) + '}')""",
    "too many": """for (let i = 0; i < 5000; i++) frame('{"t":"fabort","id":5}')""",
    "a flood of requests": """for (let i = 0; i < 5000; i++)
        frame(JSON.stringify({ t: 'fetch', id: i, inv: 1, url: 'http://127.0.0.1:1/' }))""",
    "text between": "globalThis.Deno.stdout.writeSync(new TextEncoder().encode('hello world, I am no frame'))",
}


def script(body: str) -> str:
    return f"{FORGE}\nasync function onTrack() {{ {body}; await new Promise((d) => setTimeout(d, 300)); return 'mine' }}"


@pytest.mark.parametrize("name", IGNORED)
async def test_frames_about_what_nobody_asked_for_are_ignored(name: str) -> None:
    made = await run(script(IGNORED[name]))
    assert (made.ending.kind, value(made)) == (Kind.OK, "mine")


@pytest.mark.parametrize("name", FATAL)
async def test_what_is_no_frame_ends_the_process(name: str) -> None:
    made = await run(script(FATAL[name]))
    assert made.ending.kind is Kind.BAD_REQUEST, made
    assert "protocol" in made.ending.message
    assert made.died


async def test_handlers_are_those_that_there_can_be() -> None:
    runner = await Runner.start(CONFINEMENT, PATIENT)
    forged = (
        """frame('{"t":"loaded","ok":true,"handlers":["onTrack","onNothing","' + 'x'.repeat(1e6) + '"]}')"""
    )
    assert await runner.load(FORGE + forged) == {"onTrack"}
    await runner.close()


async def test_half_a_frame_is_waited_for_and_no_longer() -> None:
    made = await run(script("raw(0, 0, 1, 0, 123)"), limits=Limits(wall=1.0))
    assert made.ending.kind is Kind.TIMEOUT


async def test_prototypes_bent_in_one_process_bend_nothing_else() -> None:
    bend = """
    Object.prototype.toJSON = undefined;
    Object.defineProperty(Object.prototype, 'id', { set() {}, configurable: true });
    Array.prototype.push = () => { throw new Error('bent') };
    Promise.prototype.then = new Proxy(Promise.prototype.then, {});
    JSON.stringify = () => 'bent'; globalThis.fetch = 'bent';
    """
    code = f"async function onTrack(e) {{ {bend} return e.n }}"
    client = http()
    first = await Runner.start(CONFINEMENT, PATIENT)
    second = await Runner.start(CONFINEMENT, PATIENT)
    try:
        await first.load(code)
        await second.load(
            "async function onTrack(e) { return [typeof fetch, [1].push(2), JSON.stringify({})] }"
        )
        bent = await first.invoke("onTrack", {"n": 5}, {}, client, Masking(()))
        assert value(bent) == 5
        straight = await second.invoke("onTrack", {}, {}, client, Masking(()))
        assert value(straight) == ["function", 2, "{}"]
    finally:
        await first.close()
        await second.close()
        await client.close()


async def test_requests_end_with_their_invocation() -> None:
    """Code that goes on after its handler has returned gets nothing sent."""
    code = """async function onTrack(e) {
      if (e.url) { setTimeout(() => fetch(e.url).catch((err) => { globalThis.said = err.code }), 50); return }
      await new Promise((d) => setTimeout(d, 300)); return globalThis.said ?? null }"""
    client = http()
    async with endpoint() as server:
        made = await Runner.start(CONFINEMENT, PATIENT)
        try:
            await made.load(code)
            await made.invoke("onTrack", {"url": server.url}, {}, client, Masking(()))
            said = await made.invoke("onTrack", {}, {}, client, Masking(()))
            assert value(said) == "ECONNABORTED"
            assert server.seen == []
        finally:
            await made.close()
            await client.close()
