# ruff: noqa: E501  (lines of JavaScript)
"""What code written for Segment's functions takes for granted: node-fetch, Node's modules, sloppy mode."""

import asyncio
from typing import Any

import orjson
import pytest
from integration.functions.tools import endpoint, run, value

from onward.functions.errors import Kind


def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    match path:
        case "/cookies":
            cookies = ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/", "b=2"]
            return 200, {"Set-Cookie": "\r\nSet-Cookie: ".join(cookies)}, b"{}"
        case "/html":
            return 200, {"content-type": "text/html"}, b"<html>"
        case "/nothing":
            return 204, {}, b""
        case "/marked":
            return 200, {}, b"\xef\xbb\xbfhi"
        case "/form":
            return 200, {"content-type": "application/x-www-form-urlencoded"}, b"a=1+2"
        case "/odd":
            return 999, {}, b"odd"
    told = {"method": method, "path": path, "headers": headers, "body": body.decode("latin-1")}
    return 200, {"content-type": "application/json"}, orjson.dumps(told)


# Each is the body of an async function of `url` (a server that tells what it got), `silent` (one that never
# answers) and `post(options)`, and gives true.
FETCH = {
    "methods in lower case": "return (await post({ method: 'post', body: 'x' })).method === 'POST'",
    "null stands for nothing": "return (await post({ method: null, headers: null, body: null, redirect: null })).method === 'GET'",
    "a form": "const r = await post({ method: 'POST', body: new URLSearchParams({ a: '1 2' }) }); return r.headers['content-type'].startsWith('application/x-www-form-urlencoded') && r.body === 'a=1+2'",
    "a Buffer": "return (await post({ method: 'POST', body: Buffer.from('hi') })).body === 'hi'",
    "bytes": "return (await post({ method: 'POST', body: new Uint8Array([104, 105]) })).body === 'hi'",
    "numbers in headers": "return (await post({ headers: { 'X-N': 5 } })).headers['x-n'] === '5'",
    "lists in headers": "return (await post({ headers: { 'X-L': ['a', 'b'] } })).headers['x-l'] === 'a,b'",
    "Headers": "const h = new Headers(); h.append('X-A', '1'); return (await post({ headers: h })).headers['x-a'] === '1'",
    "basic authorization": "return (await post({ headers: { Authorization: 'Basic ' + btoa('a:b') } })).headers.authorization === 'Basic YTpi'",
    "what is no header": "for (const bad of ['a\\nb', '€']) { try { await post({ headers: { 'X-A': bad } }); return false } catch (e) { if (!(e instanceof TypeError)) return e } } return true",
    "a body where none may be": "try { await post({ method: 'GET', body: 'x' }) } catch (e) { return e instanceof TypeError }",
    "URL": "return (await (await fetch(new URL(url))).json()).method === 'GET'",
    "Request": "return (await (await fetch(new Request(url, { method: 'PUT', body: 'q' }))).json()).method === 'PUT'",
    "relative addresses": "try { await fetch('/x') } catch (e) { return e instanceof TypeError && e.message === 'Only absolute URLs are supported' }",
    "form-data": "const f = new FormData(); f.append('a', '1'); f.append('b', Buffer.from('x'), { filename: 'f.txt' }); const r = await post({ method: 'POST', body: f, headers: f.getHeaders() }); return r.headers['content-type'].startsWith('multipart/form-data; boundary=') && r.body.includes('filename=\"f.txt\"')",
    "form-data's own type": "const f = new FormData(); f.append('a', '1'); return (await post({ method: 'POST', body: f })).headers['content-type'].startsWith('multipart/form-data; boundary=')",
    "a stream for a body": "const zipped = zlib.zlib.createGzip(); zipped.end('hi'); const r = await post({ method: 'POST', body: zipped }); return zlib.zlib.gunzipSync(Buffer.from(r.body, 'latin1')).toString() === 'hi'",
    "clone": "const r = await fetch(url), c = r.clone(); return (await r.text()) === (await c.text())",
    "buffer": "return Buffer.isBuffer(await (await fetch(url)).buffer())",
    "arrayBuffer, blob": "return (await (await fetch(url)).arrayBuffer()) instanceof ArrayBuffer && (await (await fetch(url)).blob()).size > 0",
    "headers": "const { headers } = await fetch(url); return headers.get('Content-Type') === 'application/json' && headers.raw()['content-type'][0] === 'application/json'",
    "cookies": "const { headers } = await fetch(url + 'cookies'); const all = headers.raw()['set-cookie']; return all.length === 2 && all[0].includes('Wed, 21 Oct') && all[1] === 'b=2' && headers.getSetCookie().length === 2",
    "Response": "const r = await fetch(url); console.log(r); return r instanceof Response && String(r) === '[object Response]' && r.ok && r.status === 200 && r.statusText === 'OK' && r.url === url && !r.redirected && r.type === 'default' && r.headers === r.headers && !r.bodyUsed",
    "a body in every way once": "for (const way of ['text', 'json', 'buffer', 'arrayBuffer', 'blob', 'bytes']) { const r = await fetch(url), c = r.clone(); const one = await r[way](); if (!r.bodyUsed || c.bodyUsed) return way; for (const again of ['text', 'json', 'blob']) { try { await r[again](); return `${way}, ${again}` } catch (e) { if (!(e instanceof TypeError)) return `${way}: ${e}` } } try { r.clone(); return `${way}, clone` } catch { } await c.json() } return true",
    "a body handed on": "const r = await fetch(url), own = new Response(r.body, { status: 201 }); return own.status === 201 && (await own.json()).method === 'GET'",
    "a body that has been read": "const r = await fetch(url); await r.text(); const reading = r.body; try { reading.getReader(); return false } catch (e) { return e instanceof TypeError }",
    "a clone's headers": "const r = await fetch(url); const c = r.clone(); return c.headers.get('content-type') === 'application/json' && c.status === 200 && c.url === url && (await c.clone().text()) === (await r.text())",
    "a mark before text": "return (await (await fetch(url + 'marked')).text()) === 'hi' && (await (await fetch(url + 'marked')).buffer()).length === 5",
    "a form in an answer": "return (await (await fetch(url + 'form')).formData()).get('a') === '1 2'",
    "nothing": "const r = await fetch(url + 'nothing'); return r.status === 204 && r.ok && (await r.text()) === ''",
    "an odd status": "const r = await fetch(url + 'odd'); return r.status === 999 && !r.ok && (await r.text()) === 'odd'",
    "a body once": "const r = await fetch(url); await r.text(); try { await r.text() } catch (e) { return e instanceof TypeError && r.bodyUsed }",
    "a body as a stream": "const r = await fetch(url); let s = ''; r.body.on('data', (part) => { s += part }); await new Promise((done) => r.body.on('end', done)); return JSON.parse(s).method === 'GET'",
    "a body in parts": "let s = ''; for await (const part of (await fetch(url)).body) s += Buffer.from(part); return JSON.parse(s).method === 'GET'",
    "what is no JSON": "try { await (await fetch(url + 'html')).json() } catch (e) { return e.name === 'FetchError' && e.type === 'invalid-json' && e.message.includes('invalid json response body at') }",
    "nobody there": "try { await fetch('http://127.0.0.1:1/') } catch (e) { return e.name === 'FetchError' && e.code === 'ECONNREFUSED' && e.type === 'system' && /function\\.js/.test(e.stack) }",
    "a timeout": "try { await fetch(silent, { timeout: 100 }) } catch (e) { return e.name === 'FetchError' && e.type === 'request-timeout' && e.message.startsWith('network timeout at:') }",
    "an abort": "const c = new AbortController(); setTimeout(() => c.abort(), 20); try { await fetch(silent, { signal: c.signal }) } catch (e) { return e.name === 'AbortError' }",
    "an abort before": "try { await fetch(silent, { signal: AbortSignal.abort() }) } catch (e) { return e.name === 'AbortError' }",
    "a signal that times out": "try { await fetch(silent, { signal: AbortSignal.timeout(20) }) } catch (e) { return e.name === 'TimeoutError' }",
    "fetch-retry": "return (await fetchretrylib.fetchretry(fetch)(url, { retries: 1 })).status === 200",
    "a body that is too long": "try { await post({ method: 'POST', body: 'x'.repeat(13e6) }) } catch (e) { return e.name === 'FetchError' && e.code === 'ELIMIT' }",
    "many at once": "return (await Promise.all(Array.from({ length: 30 }, (_, n) => fetch(url + n).then((r) => r.json())))).every((r, n) => r.path === `/${n}`)",
}
HTTPS = {
    "a request": "return new Promise((done, fail) => { const asked = https.request(url, { method: 'POST', headers: { 'X-A': '1' } }, (res) => { let s = ''; res.setEncoding('utf8'); res.on('data', (part) => { s += part }); res.on('end', () => { const r = JSON.parse(s); done(res.statusCode === 200 && r.body === 'hi' && r.headers['x-a'] === '1') }) }); asked.on('error', fail); asked.write('h'); asked.end('i') })",
    "options": "const { hostname, port } = new URL(url); return new Promise((done, fail) => https.get({ protocol: 'http:', hostname, port, path: '/x?y=1' }, (res) => { let s = ''; res.on('data', (part) => { s += part }).on('end', () => done(JSON.parse(s).path === '/x?y=1')) }).on('error', fail))",
    "nobody there": "return new Promise((done) => https.get('http://127.0.0.1:1/', () => done(false)).on('error', (e) => done(e.code === 'ECONNREFUSED')))",
    "a timeout": "return new Promise((done) => { const asked = https.get(silent, { timeout: 30 }, () => done(false)); asked.on('timeout', () => asked.destroy()); asked.on('error', (e) => done(e.code === 'ECONNRESET')) })",
    "an abort": "return new Promise((done) => { const asked = https.get(silent, () => done(false)); asked.on('error', (e) => done(e.code === 'ECONNRESET')); setTimeout(() => asked.abort(), 20) })",
    "an error of one's own": "return new Promise((done) => { const asked = https.get(silent, () => done(false)); asked.on('error', (e) => done(e.message === 'mine')); setTimeout(() => asked.destroy(new Error('mine')), 20) })",
}
CRYPTO = {
    "hashes": "return crypto.createHash('sha256').update('x').digest('hex') === '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' && crypto.createHash('md5').update('x').copy().digest('base64') === 'ndTkYSaMgDT1yFZOFVxnpg=='",
    "HMACs": "return crypto.createHmac('sha256', 'k').update('x').digest('hex') === crypto.createHmac('sha256', Buffer.from('k')).update('x', 'utf8').digest().toString('hex')",
    "randomness": "return crypto.randomBytes(8).length === 8 && /^[0-9a-f-]{36}$/.test(crypto.randomUUID()) && crypto.randomInt(10) < 10 && crypto.getRandomValues(new Uint8Array(4)).length === 4",
    "timingSafeEqual": "return crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a'))",
    "AES": "const k = Buffer.alloc(32), iv = Buffer.alloc(16), c = crypto.createCipheriv('aes-256-cbc', k, iv); const x = Buffer.concat([c.update('hi'), c.final()]), d = crypto.createDecipheriv('aes-256-cbc', k, iv); return Buffer.concat([d.update(x), d.final()]).toString() === 'hi'",
    "AES-GCM": "const c = crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12)); c.update('hi'); c.final(); return c.getAuthTag().length === 16",
    "keys from passwords": "return crypto.pbkdf2Sync('p', 's', 10, 16, 'sha256').length === 16 && crypto.scryptSync('p', 's', 16).length === 16",
    "signatures": "const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 }); const s = crypto.createSign('RSA-SHA256').update('x').sign(privateKey); return crypto.createVerify('RSA-SHA256').update('x').verify(publicKey, s)",
    "web": "const one = await crypto.subtle.digest('SHA-256', Buffer.from('x')), two = await crypto.webcrypto.subtle.digest('SHA-256', Buffer.from('x')); return Buffer.from(one).toString('hex') === crypto.createHash('sha256').update('x').digest('hex') && Buffer.from(one).equals(Buffer.from(two))",
}
GLOBALS = {
    "Buffer": "return Buffer.from('a:b').toString('base64') === 'YTpi' && Buffer.from([255, 255]).toString('base64url') === '__8' && new Buffer('x').toString() === 'x' && JSON.stringify(Buffer.from('a')) === '{\"type\":\"Buffer\",\"data\":[97]}'",
    "atob, btoa": "return atob(btoa('hi\\xff')) === 'hi\\xff' && btoa(Buffer.from('é')) === 'w6k=' && typeof btoa('€') === 'string' && atob('aGk') === 'hi'",
    "URL": "const u = new URL('https://a:b@x.y/p?q=1#h'); return u.searchParams.get('q') === '1' && u.username === 'a' && String(new URLSearchParams({ a: 1 })) === 'a=1'",
    "timers": "const t = setTimeout(() => {}, 1); if (typeof t.unref !== 'function') return false; clearTimeout(t); await new Promise((done) => setImmediate(done)); return new Promise((done) => { let n = 0; const i = setInterval((a, b) => { if (++n === 2) { clearInterval(i); done(a + b === 3) } }, 1, 1, 2) })",
    "process": "return process.env.ANYTHING === undefined && process.hrtime().length === 2 && typeof process.hrtime.bigint() === 'bigint' && new Promise((done) => process.nextTick(() => done(true)))",
    "console": "for (const name of ['log', 'info', 'warn', 'error', 'debug', 'dir', 'dirxml', 'table', 'trace', 'assert', 'group', 'groupCollapsed', 'groupEnd', 'time', 'timeEnd', 'timeLog', 'count', 'countReset', 'clear']) console[name]('x'); return true",
    "Intl": "return new Intl.NumberFormat('de').format(1234.5) === '1.234,5' && new Date(0).toLocaleString('en-US', { timeZone: 'America/New_York' }).startsWith('12/31/1969')",
    "errors": "return [RetryError, EventNotSupported, InvalidEventPayload, ValidationError, DropEvent].every((C) => { const e = new C('m'); return e instanceof Error && e instanceof C && e.message === 'm' && e.name === C.name })",
    "sloppy mode": "undeclared = 5; with ({ a: 1 }) { if (a !== 1) return false } return undeclared === 5 && (function () { return this === globalThis })()",
    "no modules": "return typeof require === 'undefined' && typeof Deno === 'undefined' && typeof module === 'object'",
    "global": "return global === globalThis && typeof window === 'undefined'",
    "structuredClone": "return structuredClone({ a: new Date(0) }).a instanceof Date",
    "cache": "let n = 0; const make = async () => ++n; await cache.load('k', 1000, make); await cache.load('k', 1000, make); cache.delete('k'); return (await cache.load('k', -1, make)) === 2",
    "a cache that many ask at once": "let n = 0; const make = async () => { await new Promise((done) => setTimeout(done, 1)); if (++n === 1) throw new Error('no'); return n }; const ask = () => Promise.allSettled([1, 2, 3].map(() => cache.load('many', 1000, make))); return (await ask()).every((one) => one.reason.message === 'no') && (await ask()).every((one) => one.value === 2) && n === 2",
    "winston": "const w = winstonlib.winston; w.createLogger({ transports: [new w.transports.Console()] }).info('hi'); return console._stdout === undefined",
    "zlib": "return zlib.zlib.gunzipSync(zlib.zlib.gzipSync('hi')).toString() === 'hi' && new Promise((done) => zlib.zlib.gzip('hi', (error, made) => done(!error && made.length > 0)))",
    "libraries": "return _.get({ a: { b: 1 } }, 'a.b') === 1 && moment.tz('2020-01-01T00:00:00Z', 'Europe/Berlin').format() === '2020-01-01T01:00:00+01:00' && jsonwebtoken.verify(jsonwebtoken.sign({ a: 1 }, 's'), 's').a === 1 && xml({ a: 1 }) === '<a>1</a>' && (await xml2js.parseStringPromise('<a>1</a>')).a === '1' && uuid.v4().length === 36",
}


def script(snippets: dict[str, str]) -> str:
    checks = "\n".join(
        f"checks[{orjson.dumps(name).decode()}] = async () => {{ {body} }}" for name, body in snippets.items()
    )
    return f"""async function onTrack({{ silent }}, {{ url }}) {{
      const post = async (options) => (await fetch(url, options)).json(), checks = {{}}, found = {{}}
      {checks}
      for (const [name, check] of Object.entries(checks)) {{
        let late
        const patience = new Promise((done) => {{ late = setTimeout(() => done('does not end'), 20000) }})
        try {{ found[name] = await Promise.race([check(), patience]) }} catch (e) {{ found[name] = String(e && e.stack) }}
        clearTimeout(late)
      }}
      return found
    }}"""


@pytest.mark.parametrize(
    "snippets", [FETCH, HTTPS, CRYPTO, GLOBALS], ids=["fetch", "https", "crypto", "globals"]
)
async def test_what_code_takes_for_granted_holds(snippets: dict[str, str]) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(silence, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
    async with endpoint(answer) as server:
        made = await run(script(snippets), payload={"silent": address}, settings={"url": server.url + "/"})
    silent.close()
    assert made.ending.kind is Kind.OK, made.ending
    found: dict[str, Any] = value(made)
    assert {name: said for name, said in found.items() if said is not True} == {}
    assert found.keys() == snippets.keys()


async def test_logs_do_not_tell_where_the_runner_is() -> None:
    made = await run(
        "async function onTrack() { console.error(new Error('mine')); console.log(new Error('mine').stack) }"
    )
    for _, _, text in made.logs:
        assert "mine" in text
        assert "function.js:1:" in text
        assert "handlers.js" not in text


async def test_half_an_emoji_costs_no_event() -> None:
    """A text that is cut within one holds half a surrogate pair, which is no JSON for anybody else."""
    code = """async function onTrack(event) {
      const half = event.name.slice(0, 1), written = String.raw`\\ud83d`
      console.log(half + half + written + 'x'.repeat(8191) + event.name)
      if (event.fail) throw new ValidationError(half)
      return { half, written, whole: event.name }
    }"""
    made = await run(code, payload={"type": "track", "name": "😀"})
    assert made.ending.kind is Kind.OK, made.ending
    assert value(made) == {"half": "\ufffd", "written": r"\ud83d", "whole": "😀"}
    assert made.logs[0][2].startswith("\ufffd\ufffd" + r"\ud83d" + "xxx")
    failed = await run(code, payload={"type": "track", "name": "😀", "fail": True})
    assert (failed.ending.kind, failed.ending.message) == (Kind.MESSAGE_REJECTED, "\ufffd")


async def test_the_line_of_an_error_is_told_however_long_its_message_is() -> None:
    made = await run("async function onTrack() {\n  throw new Error('at function.js:7 '.repeat(1000)) }")
    assert made.error is not None and made.error.line == 2
