# ruff: noqa: E501  (lines of JavaScript)
"""Every example of Segment's page on destination functions (as of February 2021) gives the documented result.

The page's text leaves out addresses and some lines; they are completed here.
"""

import re
from typing import Any

import msgspec
import pytest
from integration.functions.tools import CONFINEMENT, PATIENT, endpoint, http, run, runner, value

from onward.egress.masking import Masking
from onward.functions.errors import Kind
from onward.functions.sandbox import Confinement
from onward.functions.trial import handler_for, strip_types, try_out

FIRST = """
async function onTrack(event) {
  await fetch(event.url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json'
    },
    body: JSON.stringify({
      event_name: event.event,
      timestamp: event.timestamp
    })
  })
}
"""
ERRORS = """
async function onGroup(event) {
  if (!event.traits.company) {
    throw new InvalidEventPayload('Company name is required')
  }
}

async function onPage(event) {
  if (!event.properties.pageName) {
    throw new ValidationError('Page name is required')
  }
}

async function onAlias(event) {
  throw new EventNotSupported('Alias event is not supported')
}

async function onTrack(event) {
  let res
  try {
    res = await fetch(event.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json'
      },
      body: JSON.stringify({ event })
    })
  } catch (err) {
    // Retry on connection error
    throw new RetryError(err.message)
  }
  if (res.status >= 500 || res.status === 429) {
    // Retry on 5xx and 429s (ratelimits)
    throw new RetryError(`HTTP Status ${res.status}`)
  }
}
"""
CACHED = """
async function onTrack(event) {
  const ttl = 5 * 60 * 1000 // 5 minutes
  const val = await cache.load("mycachekey", ttl, async () => {
    const res = await fetch(event.url)
    const data = await res.json()
    return data
  })
  if (event.forget) cache.delete("mycachekey")
  return val
}
"""
SETTING = """
async function onTrack(request, settings) {
  const apiKey = settings.apiKey
  //=> "super_secret_string"
  return apiKey
}
"""
TO_BATCH = """
async function onBatch(events, settings) {
  await fetch(settings.url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json'
    },
    body: JSON.stringify(events) // send a JSON array
  })
}
"""
BY_TYPE = """
async function onBatch(events, settings) {
  // group events by type
  const eventsByType = {}
  for (const event of events) {
    if (!(event.type in eventsByType)) {
      eventsByType[event.type] = []
    }
    eventsByType[event.type].push(event)
  }

  // concurrently process sub-batches of a specific event type
  const promises = Object.entries(eventsByType).map(([type, events]) => {
    switch (type) {
    case 'track':
      return onTrackBatch(events, settings)
    case 'identify':
      return onIdentifyBatch(events, settings)
    // ...handle other event types here...
    }
  })
  return Promise.all(promises)
}

async function onTrackBatch(events, settings) {
  return ['track', events.length]
}

async function onIdentifyBatch(events, settings) {
  return ['identify', events.length]
}
"""
DEFER = """
async function onTrack(event, settings) {
  return onBatch([event], settings) // defer to onBatch
}

async function onIdentify(event, settings) {
  return onBatch([event], settings) // defer to onBatch
}

async function onBatch(events, settings) {
  return events.map((event) => event.type)
}
"""
LOGS = """
async function onTrack(event, settings) {
  const userId = event.userId

  console.log('User ID is', userId)

  if (typeof userId !== 'string' || userId.length < 8) {
    throw new ValidationError('User ID is invalid')
  }

  console.log('User ID is valid')
}
"""
TOKEN = """
const TOKEN_EXPIRE_MS = 60 * 60 * 1000 // 1 hour
let token = null
async function getAccessToken () {
  const now = new Date().getTime()
  if (!token || now - token.ts > TOKEN_EXPIRE_MS) {
    const resp = await fetch(address, {
      method: 'POST'
    }).then(resp => resp.json())
    token = {
      ts: now,
      value: resp.token
    }
  }
  return token.value
}
async function onTrack(event) { address = event.url; return getAccessToken() }
"""


async def test_the_first_example() -> None:
    async with endpoint() as server:
        event = {
            "type": "track",
            "event": "Signed Up",
            "timestamp": "2021-02-08T00:00:00Z",
            "url": server.url,
        }
        made = await run(FIRST, payload=event)
        assert made.ending.kind is Kind.OK
        ((method, path, headers, body),) = server.seen
        assert (method, path, headers["content-type"]) == ("POST", "/", "application/json")
        assert msgspec.json.decode(body) == {"event_name": "Signed Up", "timestamp": event["timestamp"]}


@pytest.mark.parametrize(
    ("handler", "event", "kind", "message"),
    [
        ("onGroup", {"traits": {}}, Kind.MESSAGE_REJECTED, "Company name is required"),
        ("onGroup", {"traits": {"company": "x"}}, Kind.OK, ""),
        ("onPage", {"properties": {}}, Kind.MESSAGE_REJECTED, "Page name is required"),
        ("onAlias", {}, Kind.UNSUPPORTED_EVENT_TYPE, "Alias event is not supported"),
        ("onScreen", {}, Kind.UNSUPPORTED_EVENT_TYPE, "screen not supported"),
    ],
)
async def test_the_errors(handler: str, event: Any, kind: Kind, message: str) -> None:
    made = await run(ERRORS, handler, event)
    assert (made.ending.kind, made.ending.message) == (kind, message)
    assert made.ending.action == ("delivered" if kind is Kind.OK else "discarded")


@pytest.mark.parametrize("status", [200, 400, 429, 500, 503])
async def test_retry_on_ratelimits_and_server_errors(status: int) -> None:
    async with endpoint(lambda *_: (status, {}, b"")) as server:
        made = await run(ERRORS, payload={"url": server.url})
    retried = status >= 500 or status == 429
    assert made.ending.kind is (Kind.RETRY if retried else Kind.OK)
    assert made.ending.action == ("retry" if retried else "delivered")
    assert made.ending.message == (f"HTTP Status {status}" if retried else "")


async def test_retry_on_connection_error() -> None:
    async with endpoint() as server:
        url = server.url
    made = await run(ERRORS, payload={"url": url})
    assert made.ending.kind is Kind.RETRY
    assert made.ending.message.startswith(f"request to {url}/ failed, reason: ")


async def test_any_other_error_is_a_bad_request_and_tells_the_line() -> None:
    made = await run("async function onTrack(event) {\n  const a = 1;\n  return event.missing.name;\n}")
    assert made.ending.kind is Kind.BAD_REQUEST
    assert made.error is not None
    assert (made.error.name, made.error.line) == ("TypeError", 3)
    assert "runner/" not in (made.error.stack or "")


async def test_the_cache() -> None:
    answers = iter(range(10))
    client = http()
    async with (
        endpoint(lambda *_: (200, {}, b'{"n":%d}' % next(answers))) as server,
        runner(CACHED) as made,
    ):
        seen = []
        for event in ({}, {}, {"forget": True}, {}):
            one = await made.invoke("onTrack", {**event, "url": server.url}, {}, client, Masking(()))
            seen.append(value(one)["n"])
        assert seen == [0, 0, 0, 1]
        assert len(server.seen) == 2
    await client.close()


async def test_the_cache_forgets_in_time() -> None:
    code = """let n = 0;
    async function onTrack(e) { return cache.load('k', e.ttl, async () => ++n) }"""
    client = http()
    async with runner(code) as made:
        seen = []
        for ttl in (0, 0, -1, None, 5):
            one = await made.invoke("onTrack", {"ttl": ttl}, {}, client, Masking(()))
            seen.append(value(one))
    await client.close()
    assert seen == [1, 2, 3, 3, 3]


async def test_settings() -> None:
    made = await run(SETTING, settings={"apiKey": "super_secret_string"})
    assert value(made) == "super_secret_string"


async def test_a_batch_endpoint() -> None:
    events = [{"type": "track", "n": 1}, {"type": "identify", "n": 2}]
    async with endpoint() as server:
        made = await run(TO_BATCH, "onBatch", events, {"url": server.url})
        assert [each.kind for each in made.endings(2)] == [Kind.OK, Kind.OK]
        assert msgspec.json.decode(server.seen[0][3]) == events


async def test_batches_by_type() -> None:
    events = [{"type": "track"}, {"type": "identify"}, {"type": "track"}]
    made = await run(BY_TYPE, "onBatch", events)
    assert value(made) == [["track", 2], ["identify", 1]]
    assert [each.kind for each in made.endings(3)] == [Kind.OK] * 3


async def test_single_handlers_that_defer_to_the_batch() -> None:
    for handler, kind in (("onTrack", "track"), ("onIdentify", "identify")):
        assert value(await run(DEFER, handler, {"type": kind})) == [kind]


@pytest.mark.parametrize(
    ("user", "lines", "kind"),
    [
        ("long-enough", ["User ID is long-enough", "User ID is valid"], Kind.OK),
        ("short", ["User ID is short"], Kind.MESSAGE_REJECTED),
    ],
)
async def test_logs(user: str, lines: list[str], kind: Kind) -> None:
    made = await run(LOGS, payload={"userId": user})
    assert [text for _, _, text in made.logs] == lines
    assert made.ending.kind is kind


async def test_a_token_kept_in_a_global() -> None:
    client = http()
    async with endpoint(lambda *_: (200, {}, b'{"token":"t-1"}')) as server, runner(TOKEN) as made:
        for _ in range(3):
            one = await made.invoke("onTrack", {"url": server.url}, {}, client, Masking(()))
            assert value(one) == "t-1"
        assert [each[0] for each in server.seen] == ["POST"]
    await client.close()


@pytest.mark.parametrize(
    ("thrown", "action"),
    [
        ("new Error('x')", "discarded"),
        ("new InvalidEventPayload('x')", "discarded"),
        ("new ValidationError('x')", "discarded"),
        ("new EventNotSupported('x')", "discarded"),
        ("new RetryError('x')", "retry"),
        ("Object.assign(new Error('x'), { name: 'RetryError' })", "retry"),
        ("'a string'", "discarded"),
        ("null", "discarded"),
        ("new DropEvent('x')", "filtered"),
    ],
)
async def test_a_batch_that_throws_goes_as_a_whole(thrown: str, action: str) -> None:
    made = await run(f"async function onBatch() {{ throw {thrown} }}", "onBatch", [{}, {}, {}])
    assert [each.action for each in made.endings(3)] == [action] * 3


async def test_a_batch_that_tells_of_each_event() -> None:
    code = """async function onBatch(events) {
      return events.map((e) => ({ status: e.status, errormessage: 'said' })) }"""
    made = await run(code, "onBatch", [{"status": s} for s in (200, 400, 429, 500)])
    assert [each.action for each in made.endings(4)] == ["delivered", "discarded", "retry", "retry"]
    assert made.endings(4)[3].message == "status 500: said"


async def test_secrets_show_nowhere_in_a_trial() -> None:
    code = """async function onTrack(e, settings) {
      console.log('key', settings.apiKey);
      await fetch(e.url + '?k=' + settings.apiKey, { method: 'POST', body: settings.apiKey,
        headers: { 'X-Mine': settings.apiKey, Authorization: 'Basic ' + btoa('u:' + settings.apiKey) } });
      throw new Error('failed with ' + settings.apiKey) }"""
    client = http()
    async with endpoint(lambda *_: (200, {}, b"k=super_secret_string")) as server:
        trial = await try_out(
            CONFINEMENT,
            code,
            {"type": "track", "url": server.url},
            {"apiKey": "super_secret_string"},
            client,
            limits=PATIENT,
        )
        assert server.seen[0][3] == b"super_secret_string"
    await client.close()
    assert trial.kind is Kind.BAD_REQUEST
    assert len(trial.requests) == 1
    assert "super_secret_string" not in repr(msgspec.to_builtins(trial))


async def test_typescript() -> None:
    code = "interface A { b: string }\nasync function onTrack(e: A): Promise<string> {\n  return e.b as string\n}"
    stripped = await strip_types(CONFINEMENT, code)
    assert len(stripped.splitlines()) == len(code.splitlines())
    assert value(await run(stripped, payload={"b": "x"})) == "x"
    client = http()
    enums = await try_out(
        CONFINEMENT,
        "enum A { X = 7 }\nasync function onTrack(e: any) { return A.X }",
        {"type": "track"},
        {},
        client,
        typescript=True,
        limits=PATIENT,
    )
    await client.close()
    assert enums.value == 7


REWRITTEN = """enum Kind {
  Low = 1,
  High,
}
namespace Words { export const hi = 'hi' }
class Point {
  constructor(private x: number, readonly y: number) {}
  sum() {
    if (this.x < 0) throw new ValidationError(Words.hi)
    return this.x + this.y
  }
}

async function onTrack(event: { x: number }) {
  // a comment
  const point: Point = new Point(
    event.x,

    Kind.High,
  )
  return point.sum()
}
async function onBatch(events: { ok: boolean }[]) {
  for (const event of events) {

    if (!event.ok) throw new RetryError('not ok')
  }
}
"""


@pytest.mark.parametrize(
    ("payload", "kind", "stack"),
    [
        ({"type": "track", "x": 2}, Kind.OK, None),
        ({"type": "track", "x": -1}, Kind.MESSAGE_REJECTED, [9, 21]),
        ([{"ok": True}, {"ok": False}], Kind.RETRY, [26]),
    ],
    ids=["well", "single", "batch"],
)
async def test_typescript_that_is_rewritten_tells_its_own_lines(
    payload: Any, kind: Kind, stack: list[int] | None
) -> None:
    client = http()
    trial = await try_out(CONFINEMENT, REWRITTEN, payload, {}, client, typescript=True, limits=PATIENT)
    await client.close()
    assert trial.kind is kind
    if stack is not None:
        assert trial.line == stack[0]
        assert [int(line) for line in re.findall(r"function\.js:(\d+)", trial.stack or "")] == stack


async def test_what_is_rewritten_and_cannot_be_loaded_tells_its_own_line() -> None:
    client = http()
    code = "enum A { X, Y }\n\nfoo()\nasync function onTrack() {}"
    trial = await try_out(CONFINEMENT, code, {"type": "track"}, {}, client, typescript=True, limits=PATIENT)
    await client.close()
    assert (trial.kind, trial.line) == (Kind.INVALID_SETTINGS, 3)


@pytest.mark.parametrize(
    ("code", "line"),
    [("let a = 1;\nlet b = ;\n", 2), ("let a: number = 1;\n\nlet b: number = ;\n", 3)],
    ids=["javascript", "typescript"],
)
async def test_a_syntax_error_tells_its_line(code: str, line: int) -> None:
    client = http()
    trial = await try_out(
        CONFINEMENT,
        code,
        {"type": "track"},
        {},
        client,
        typescript="number" in code,
        limits=PATIENT,
    )
    await client.close()
    assert (trial.kind, trial.line) == (Kind.INVALID_SETTINGS, line)
    assert "stripTypeScriptTypes" not in trial.message and "\n" not in trial.message


async def test_sloppy_scripts_run() -> None:
    """Functions of Segment's own library assign to names that they never declare."""
    code = "const onTrack = async (e) => { implicit = 1; with ({ a: 2 }) { return implicit + a } };\nlet module = 1"
    assert value(await run(code)) == 3


async def test_redirects_as_node_fetch_follows_them() -> None:
    def answer(
        method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if path == "/end":
            return 200, {}, msgspec.json.encode([method, headers.get("authorization"), body.decode()])
        status = int(path[1:4])
        return status, {"location": "/end"}, b""

    code = """async function onTrack(e) {
      const r = await fetch(e.url, { method: 'POST', body: 'b', headers: { Authorization: 'a' } });
      return [r.redirected, r.url.endsWith('/end'), ...(await r.json())] }"""
    async with endpoint(answer) as server:
        seen = {}
        for status in (301, 302, 303, 307, 308):
            seen[status] = value(await run(code, payload={"url": f"{server.url}/{status}"}))
    assert {s: seen[s][2:] for s in seen} == {
        **{s: ["GET", "a", ""] for s in (301, 302, 303)},
        **{s: ["POST", "a", "b"] for s in (307, 308)},
    }
    assert all(each[:2] == [True, True] for each in seen.values())


async def test_authorization_does_not_follow_to_another_origin() -> None:
    async with endpoint() as other, endpoint(lambda *_: (302, {"location": other.url}, b"")) as server:
        code = "async function onTrack(e) { await fetch(e.url, { headers: { Authorization: 'a', 'X-Api-Key': 'k' } }) }"
        assert (await run(code, payload={"url": server.url})).ending.kind is Kind.OK
        assert server.seen[0][2]["authorization"] == "a"
        assert not {"authorization", "x-api-key"} & other.seen[0][2].keys()


async def test_the_guard_stands_in_the_way() -> None:
    async with endpoint() as server:
        made = await run(FIRST, payload={"url": server.url}, client=http(()))
        assert made.ending.kind is Kind.BAD_REQUEST
        assert "not public" in made.ending.message
        assert server.seen == []


async def test_requests_are_limited() -> None:
    code = """async function onTrack(e) {
      const all = await Promise.allSettled(Array.from({ length: 120 }, () => fetch(e.url)));
      return [all.filter((r) => r.status === 'fulfilled').length, all.at(-1).reason?.code] }"""
    async with endpoint() as server:
        assert value(await run(code, payload={"url": server.url})) == [100, "ELIMIT"]


LIBRARIES = {
    "_": ("_.camelCase('foo bar')", "fooBar"),
    "uuid": ("uuid.v4().length", 36),
    "uuidv5": ("uuidv5.uuidv5('url', 'http://x')", "c059942f-567e-54eb-aeb5-5fd9830bce43"),
    "jsonwebtoken": ("jsonwebtoken.verify(jsonwebtoken.sign({ a: 1 }, 'k'), 'k').a", 1),
    "xml": ("xml({ a: [{ b: '1' }] })", "<a><b>1</b></a>"),
    "xml2js": ("(await xml2js.parseStringPromise('<a><b>1</b></a>')).a.b[0]", "1"),
    "FormData": (
        "(() => { const f = new FormData(); f.append('a', 'b'); return f.getBuffer().length > 99 })()",
        True,
    ),
    "OAuth": ("typeof OAuth.OAuth2", "function"),
    "stripe": ("typeof stripe('sk_x').customers.create", "function"),
    "AWS": ("AWS.VERSION + typeof new AWS.S3().putObject", "2.488.0function"),
    "moment": (
        "moment.tz('2020-01-01T00:00:00Z', 'America/New_York').format()",
        "2019-12-31T19:00:00-05:00",
    ),
    "libphonenumberjslib": ("libphonenumberjslib.libphonenumberjs('+12133734253').country", "US"),
    "zlib": ("zlib.zlib.gunzipSync(zlib.zlib.gzipSync('hey')).toString()", "hey"),
    "https": ("typeof https.request", "function"),
    "crypto": ("crypto.createHash('sha1').update('a').digest('hex').slice(0, 8)", "86f7e437"),
    "fetchretrylib": ("typeof fetchretrylib.fetchretry(fetch)", "function"),
    "hubspotlib": ("typeof new hubspotlib.hubspot.Client({ accessToken: 'x' }).crm.contacts", "object"),
    "jsforce": ("typeof new jsforce.Connection({}).query", "function"),
    "mailchimplib": ("typeof mailchimplib.mailchimp.ping.get", "function"),
    "sendgrid": ("typeof sendgrid.mail.send + typeof sendgrid.client.request", "functionfunction"),
    "twilio": ("typeof twilio('AC' + '0'.repeat(32), 't').messages.create", "function"),
    "winstonlib": ("typeof winstonlib.winston.createLogger", "function"),
    "Buffer": ("Buffer.from('a').toString('base64') + atob(btoa('q'))", "YQ==q"),
}


@pytest.mark.parametrize("name", LIBRARIES)
async def test_libraries(name: str) -> None:
    expression, expected = LIBRARIES[name]
    assert value(await run(f"async function onTrack() {{ return {expression} }}")) == expected


async def test_libraries_reach_the_network_through_the_guard() -> None:
    code = """async function onTrack(e) {
      const s = stripe('sk_test_x', { host: '127.0.0.1', port: e.port, protocol: 'http', maxNetworkRetries: 0 });
      const page = await s.customers.list(); return page.data }"""
    async with endpoint(lambda *_: (200, {"content-type": "application/json"}, b'{"data":[1]}')) as server:
        made = await run(code, payload={"port": int(server.url.rpartition(":")[2])})
        assert value(made) == [1]
        assert server.seen[0][1] == "/v1/customers"


async def test_a_library_that_is_not_installed_says_so(tmp_path: Any) -> None:
    bare = Confinement(libraries=tmp_path)
    made = await run("async function onTrack() { return _.VERSION }", confinement=bare)
    assert made.ending.kind is Kind.BAD_REQUEST
    assert "onward functions install" in made.ending.message


def test_handlers_by_type() -> None:
    assert handler_for({"type": "delete"}) == "onDelete"
    assert handler_for([{}]) == "onBatch"
    with pytest.raises(ValueError, match="it must be one of"):
        handler_for({"type": "nope"})
