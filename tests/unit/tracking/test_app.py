import asyncio
import base64
import gzip
import json
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec
import pytest

from onward.tracking import intake
from onward.tracking.limits import BATCH_BYTES, EVENT_BYTES
from onward.workspace.snapshot import Snapshot

from .door import APP, OFF, OTHER, SITE, SNAPSHOT, Door, basic, track, zipped

OK = {"success": True}
CALLS = {
    "identify": {"userId": "u", "traits": {"email": "a@b.c"}},
    "track": {"userId": "u", "event": "e"},
    "page": {"anonymousId": "a", "name": "Home"},
    "screen": {"anonymousId": "a", "name": "Home"},
    "group": {"userId": "u", "groupId": "g"},
    "alias": {"userId": "u", "previousId": "p"},
}


@pytest.mark.parametrize("type", CALLS)
@pytest.mark.parametrize("path", ["/v1/{}", "/v1/{0[0]}", "/v1/{}/", "/v1/{}?x=1"])
async def test_every_call_has_a_long_and_a_short_path(door: Door, type: str, path: str) -> None:
    reply = await door.post(path.format(type), CALLS[type])
    assert (reply.status, reply.json) == (200, OK)
    assert [event["type"] for event in door.stored()] == [type]
    assert door.counts() == {("accepted", "", type): 1}


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import", "/v1/b", "/v1/batch/"])
async def test_a_batch_is_kept_as_it_came(door: Door, path: str) -> None:
    items = [{"type": type, "messageId": type, **call} for type, call in CALLS.items()]
    reply = await door.post(path, {"batch": items, "sentAt": "2024-01-01T00:00:00Z", "context": {"a": 1}})
    assert (reply.status, reply.json) == (200, OK)
    assert door.ids() == list(CALLS)
    assert {event["context"]["a"] for event in door.stored()} == {1}
    assert door.counts() == {("accepted", "", type): 1 for type in CALLS}


async def test_client_metrics_are_answered_and_counted(door: Door) -> None:
    reply = await door.post("/v1/m", {"series": [{"metric": "a"}, {"metric": "b"}]}, key=None)
    assert (reply.status, reply.json) == (200, OK)
    assert door.tracking.client_metrics == 2
    assert door.log.heads() == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic " + base64.b64encode(b"key-a:").decode()},
        {"authorization": "Basic " + base64.b64encode(b"key-a").decode()},
        {"authorization": "Basic " + base64.b64encode(b"key-a:").decode().rstrip("=")},
        {"authorization": "basic " + base64.b64encode(b"key-a:secret").decode()},
    ],
)
async def test_basic_auth_with_and_without_colon_and_padding(door: Door, headers: dict[str, str]) -> None:
    assert (await door.request("POST", "/v1/track", json.dumps(track()).encode(), headers)).status == 200
    assert len(door.stored()) == 1


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic !!!", "Basic " + "A" * 5000, "Bearer abc", "Basic /////w==", "\xff"]
)
async def test_a_bad_header_leaves_the_key_in_the_body(door: Door, authorization: str) -> None:
    reply = await door.post(
        "/v1/track", {**track(), "writeKey": "key-b"}, key=None, authorization=authorization
    )
    assert reply.status == 200
    assert len(door.stored()) == 1
    assert "writeKey" not in door.stored()[0]


async def test_the_key_of_a_batch_may_stand_in_its_first_event(door: Door) -> None:
    await door.post("/v1/b", {"batch": [{**track("1"), "writeKey": "key-a"}, track("2")]}, key=None)
    assert door.ids() == ["1", "2"]


async def test_unknown_and_disabled_sources_get_200_and_are_discarded(door: Door) -> None:
    assert (await door.post("/v1/track", track(), key="nobody")).json == OK
    assert (await door.post("/v1/track", track(), key=None)).json == OK
    assert (await door.post("/v1/batch", {"batch": [track(), track()]}, key="key-off")).json == OK
    assert door.log.heads() == {}
    assert door.counts("") == {("discarded", "unknown_source", "track"): 2}
    assert door.counts(OFF) == {("discarded", "source_disabled", "track"): 2}


async def test_a_source_that_was_just_made_is_known(tmp_path: Path) -> None:
    asked = []

    async def newest() -> Snapshot:
        asked.append(door.snapshot.version)
        door.snapshot = SNAPSHOT
        return SNAPSHOT

    async with Door(tmp_path, snapshot=Snapshot(version=0), newest=newest) as door:
        await door.post("/v1/track", track("1"))
        assert door.ids() == ["1"]
        await door.post("/v1/track", track("2"))
        assert (door.ids(), asked) == (["1", "2"], [0]), "asked only for keys that are unknown"
        await door.post("/v1/track", track("3"), key="nobody")
        assert door.counts("") == {("discarded", "unknown_source", "track"): 1}
        assert (await door.request("GET", "/v1/projects/key-a/settings")).status == 200


async def test_a_new_snapshot_counts_at_once(door: Door) -> None:
    door.snapshot = Snapshot(version=2, sources=(msgspec.structs.replace(SITE, enabled=False),))
    await door.post("/v1/track", track())
    assert door.codes() == {"source_disabled": 1}


async def test_text_plain_and_no_content_type_are_json(door: Door) -> None:
    await door.post("/v1/t", {**track("1"), "writeKey": "key-a"}, key=None, content_type="text/plain")
    await door.post("/v1/t", {**track("2"), "writeKey": "key-a"}, key=None)
    await door.post("/v1/t", b"\xef\xbb\xbf" + json.dumps(track("3")).encode())
    await door.post("/v1/b", b"\xef\xbb\xbf" + json.dumps({"batch": [track("4")]}).encode())
    assert door.ids() == ["1", "2", "3", "4"]


async def test_gzip_with_and_without_its_header(door: Door) -> None:
    await door.post("/v1/batch", zipped({"batch": [track("1")]}), content_encoding="gzip")
    await door.post("/v1/track", zipped(track("2")))
    two_members = zipped({"batch": [track("3")]})
    await door.post("/v1/batch", two_members + zipped(" ")[:0] + b"\0\0", content_encoding="GZIP")
    assert door.ids() == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (zipped({"batch": [track()]})[:-9], "gzip"),
        (b"{}", "gzip"),
        (b"", "gzip"),
        (b"{}", "br"),
        (zipped("x" * 10_000_000), "gzip"),
        (zipped({"batch": []}) * 3000, "gzip"),
    ],
    ids=["cut off", "not zipped", "empty", "no gzip", "long", "of many members"],
)
async def test_bad_encodings_and_bombs_are_400(door: Door, body: bytes, encoding: str) -> None:
    reply = await door.post("/v1/batch", body, content_encoding=encoding)
    assert reply.status == 400
    assert reply.json["success"] is False
    assert door.total("rejected") == 1


async def test_broken_json_is_400(door: Door) -> None:
    for body in (b"", b"{", b'{"batch": [}', b"nonsense", b'{"a": NaN}', b"{} x"):
        for path in ("/v1/track", "/v1/batch"):
            reply = await door.post(path, body)
            assert reply.status == 400, body
    assert door.log.heads() == {}
    assert door.total("rejected") == 12


async def test_an_event_of_32_kb_passes_and_one_byte_more_is_400(door: Door) -> None:
    room = EVENT_BYTES - len(json.dumps(track("m", properties={"x": ""})))
    fits = json.dumps(track("m", properties={"x": "a" * room})).encode()
    assert len(fits) == EVENT_BYTES
    assert (await door.post("/v1/track", fits)).status == 200
    assert (await door.post("/v1/track", fits + b" ")).status == 400
    assert (await door.post("/v1/track", zipped(track(x="a" * EVENT_BYTES)))).status == 400
    assert door.ids() == ["m"]


async def test_a_batch_over_500_kb_is_400_and_under_it_is_not(door: Door) -> None:
    items = [track(f"{at}", properties={"x": "a" * 10_000}) for at in range(50)]
    raw = json.dumps({"batch": items}).encode()
    padding = b" " * (BATCH_BYTES - len(raw))
    assert (await door.post("/v1/batch", raw + padding)).status == 200
    assert (await door.post("/v1/batch", raw + padding + b" ")).status == 400
    assert len(door.stored()) == 50


async def test_content_length_over_the_limit_is_refused_before_reading(door: Door) -> None:
    reply = await door.post("/v1/batch", {"batch": [track()]}, content_length=str(BATCH_BYTES * 2))
    assert reply.status == 400
    assert door.log.heads() == {}


async def test_an_event_over_32_kb_in_a_batch_costs_itself(door: Door) -> None:
    items = [track("1"), track("2", properties={"x": "a" * EVENT_BYTES}), track("3")]
    reply = await door.post("/v1/batch", {"batch": items})
    assert reply.status == 400
    assert "1; the other 2 events" in reply.json["message"]
    assert door.ids() == ["1", "3"]
    assert door.codes() == {"BAD_REQUEST": 1}


async def test_2500_events_pass_and_2501_are_discarded(door: Door) -> None:
    event = {"type": "track", "userId": "u", "event": "e"}
    assert (await door.post("/v1/batch", {"batch": [event] * 2500})).json == OK
    assert (await door.post("/v1/batch", {"batch": [event] * 2501})).json == OK
    assert len(door.stored()) == 2500
    assert door.codes() == {"BAD_REQUEST": 2501}


@pytest.mark.parametrize(
    ("item", "number", "counted"),
    [(b"0", 200_000, 200_000), (b"{}", 150_000, 150_000), (b"1e999", 80_000, 2501)],
)
@pytest.mark.parametrize(("key", "code"), [("key-a", "BAD_REQUEST"), ("no key", "unknown_source")])
async def test_of_far_too_many_events_few_are_looked_at(
    door: Door, item: bytes, number: int, counted: int, key: str, code: str
) -> None:
    """A kilobyte of gzip makes as many, and needs no write key."""
    body = b'{"batch":[' + b",".join([item] * number) + b"]}"
    assert len(intake.batch(body).discards) == 2500
    assert (await door.post("/v1/batch", body, key=key)).json == OK
    assert door.codes(SITE if key == "key-a" else "") == {code: counted}


async def test_what_is_wrong_with_an_event_is_a_discard_and_its_neighbours_stay(door: Door) -> None:
    items = [
        track("1"),
        {"type": "track", "event": "e", "messageId": "2"},
        {"type": "track", "userId": "u", "messageId": "3"},
        5,
        None,
        track("6"),
    ]
    assert (await door.post("/v1/batch", {"batch": items})).json == OK
    assert door.ids() == ["1", "6"]
    assert door.codes() == {"no_user_anon_id": 1, "event_not_defined": 1, "BAD_REQUEST": 2}


async def test_empty_and_shapeless_batches_are_discarded(door: Door) -> None:
    for body in ({"batch": []}, {"batch": 5}, {}, [], 5, "x", {"batch": {"a": 1}}):
        assert (await door.post("/v1/batch", body)).json == OK
    assert door.codes() == {"empty_batch": 1, "BAD_REQUEST": 6}
    for body in ([], 5, "x", None):
        assert (await door.post("/v1/track", body)).json == OK
    assert door.codes() == {"empty_batch": 1, "BAD_REQUEST": 10}


async def test_missing_message_ids_are_assigned_and_shown(door: Door) -> None:
    await door.post("/v1/batch", {"batch": [track(), track("mine"), track(messageId=""), track(messageId=7)]})
    ids = door.ids()
    assert ids[1] == "mine"
    assert len(set(ids)) == 4
    assert all(ids)
    door.ledger.flush()
    assert [line.message_id for line in reversed(door.reader.recent(SITE.id))] == ids


async def test_repeats_are_counted_and_not_stored(door: Door) -> None:
    await door.post("/v1/track", track("1"))
    await door.post("/v1/batch", {"batch": [track("1"), track("2"), track("2"), track("3")]})
    assert (await door.post("/v1/track", track("3"))).json == OK
    assert door.ids() == ["1", "2", "3"]
    assert door.counts() == {("accepted", "", "track"): 3, ("duplicate", "", "track"): 3}


async def test_repeats_at_the_same_moment(door: Door) -> None:
    replies = await asyncio.gather(*(door.post("/v1/track", track("same")) for _ in range(50)))
    assert {reply.status for reply in replies} == {200}
    assert door.ids() == ["same"]
    assert door.total("duplicate") == 49


@pytest.mark.parametrize(("scope", "app", "other"), [("workspace", 0, 1), ("source", 1, 1), ("global", 0, 0)])
async def test_where_a_message_id_counts_as_seen(tmp_path: Path, scope: str, app: int, other: int) -> None:
    async with Door(tmp_path, dedupe_scope=scope) as door:
        await door.post("/v1/track", track("1"))
        await door.post("/v1/track", track("1"), key="key-app")
        await door.post("/v1/track", track("1"), key="key-other")
        assert (len(door.stored(APP)), len(door.stored(OTHER))) == (app, other)


async def test_a_full_disk_is_503_and_recovers_by_itself(door: Door) -> None:
    door.log.full = True
    reply = await door.post("/v1/track", track("1"))
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) > 0
    door.log.full = False
    assert (await door.post("/v1/track", track("1"))).status == 200
    assert door.ids() == ["1"]
    assert door.counts() == {("accepted", "", "track"): 1, ("rejected", "unavailable", ""): 1}


async def test_rate_limit_is_429_with_its_headers(tmp_path: Path) -> None:
    source = msgspec.structs.replace(SITE, rate_limit=2.0)
    async with Door(tmp_path, snapshot=Snapshot(version=1, sources=(source, OTHER))) as door:
        replies = [await door.post("/v1/track", track()) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert replies[2].headers["retry-after"] == replies[2].headers["x-ratelimit-reset"] == "1"
        assert (await door.post("/v1/track", track(), key="key-other")).status == 200
        assert door.counts()["rejected", "too_many_requests", ""] == 1


async def test_other_paths_and_methods(door: Door) -> None:
    assert (await door.request("GET", "/v1/nope")).status == 404
    assert (await door.request("POST", "/v1/pixel/nope")).json["success"] is False
    reply = await door.request("GET", "/v1/track")
    assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")
    assert (await door.request("DELETE", "/v1/batch")).status == 405
    assert (await door.request("POST", "/v1/pixel/track")).status == 405
    assert (await door.request("POST", "/v1/projects/key-a/settings")).status == 405


async def test_browsers_may_post_from_any_page(door: Door) -> None:
    asked = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-mine",
    }
    reply = await door.request("OPTIONS", "/v1/t", headers=asked)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "https://shop.example"
    assert reply.headers["access-control-allow-headers"] == "authorization,content-type,x-mine"
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert reply.headers["access-control-allow-credentials"] == "true"
    for body in (json.dumps(track()).encode(), b"{"):
        reply = await door.request("POST", "/v1/t", body, {"origin": "null", **basic("key-a")})
        assert reply.headers["access-control-allow-origin"] == "null"
        assert "Retry-After" in reply.headers["access-control-expose-headers"]
    reply = await door.request(
        "OPTIONS", "/v1/t", headers={**asked, "access-control-request-headers": "a\tb"}
    )
    assert "Content-Type" in reply.headers["access-control-allow-headers"]


def pixel_data(event: object) -> str:
    return base64.b64encode(json.dumps(event).encode()).decode()


@pytest.mark.parametrize("form", ["plain", "escaped", "unpadded", "urlsafe"])
async def test_pixel_with_base64(door: Door, form: str) -> None:
    event = {"writeKey": "key-a", "userId": "ü?>~u", "event": "Opened", "messageId": "1"}
    data = pixel_data(event)
    data = {
        "plain": data,
        "escaped": quote(data, safe=""),
        "unpadded": data.rstrip("="),
        "urlsafe": data.replace("+", "-").replace("/", "_"),
    }[form]
    reply = await door.request("GET", f"/v1/pixel/track?data={data}", headers={"user-agent": "Mail/1"})
    assert (reply.status, reply.headers["content-type"]) == (200, "image/gif")
    assert reply.body.startswith(b"GIF89a")
    (stored,) = door.stored()
    assert (stored["type"], stored["userId"], stored["event"]) == ("track", "ü?>~u", "Opened")
    assert stored["context"]["ip"] == "203.0.113.7"
    assert stored["context"]["userAgent"] == "Mail/1"


async def test_pixel_with_dotted_keys(door: Door) -> None:
    query = urlencode({"writeKey": "key-a", "userId": "u", "event": "e", "properties.plan": "pro"})
    assert (await door.request("GET", f"/v1/pixel/track?{query}")).status == 200
    assert door.stored()[0]["properties"] == {"plan": "pro"}


@pytest.mark.parametrize(
    "query",
    ["", "data=%%%", "data=e30", "data=" + "A" * 100_000, "x" * 70_000, "a.b=1&a=2&" + "a." * 5000 + "z=1"],
)
async def test_pixel_always_has_its_image(door: Door, query: str) -> None:
    reply = await door.request("GET", f"/v1/pixel/page?{query}")
    assert (reply.status, reply.headers["content-type"]) == (200, "image/gif")
    assert door.log.heads() == {}
    assert sum(door.codes("").values()) == 1


async def test_a_pixel_that_could_not_be_stored_says_so(door: Door) -> None:
    door.log.full = True
    event = {"writeKey": "key-a", "userId": "u", "event": "e"}
    reply = await door.request("GET", f"/v1/pixel/track?data={pixel_data(event)}")
    assert (reply.status, reply.headers["content-type"]) == (503, "image/gif")
    assert "retry-after" in reply.headers


async def test_cdn_settings(door: Door) -> None:
    path, host = "/v1/projects/key-a/settings", {"host": "events.example:8080", "origin": "https://a.example"}
    reply = await door.request("GET", path, headers=host)
    segment = reply.json["integrations"]["Segment.io"]
    assert (segment["apiKey"], segment["apiHost"]) == ("key-a", "events.example:8080/v1")
    assert segment["protocol"] == "http"
    assert reply.headers["access-control-allow-origin"] == "https://a.example"
    assert "max-age" in reply.headers["cache-control"]
    again = await door.request("GET", path, headers={**host, "if-none-match": reply.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert (await door.request("GET", "/v1/projects/nobody/settings")).status == 404
    for asked in ({}, {"if-none-match": "*"}, {"origin": "https://a.example"}):
        assert (await door.request("GET", path, headers=asked)).headers["vary"] == "Origin"
    assert (await door.request("OPTIONS", path, headers=host)).status == 204
    proxied = {"host": "a.example", "x-forwarded-proto": "https"}
    reply = await door.request("GET", path, headers=proxied, client=("10.0.0.1", 1))
    assert reply.json["integrations"]["Segment.io"]["protocol"] == "https"


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("93.184.215.14", "198.51.100.1", "93.184.215.14"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.1", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("::ffff:93.184.215.14", None, "93.184.215.14"),
    ],
)
async def test_whose_address_it_is(door: Door, peer: str, forwarded: str | None, ip: str) -> None:
    headers = basic("key-a") | ({"x-forwarded-for": forwarded} if forwarded else {})
    body = json.dumps(track(context={"direct": True})).encode()
    await door.request("POST", "/v1/track", body, headers, client=(peer, 1))
    assert door.stored()[0]["context"]["ip"] == ip


async def test_a_body_in_pieces_and_one_that_never_ends(door: Door) -> None:
    raw = json.dumps({"batch": [track("1")], "writeKey": "key-a"}).encode()
    assert (await door.request("POST", "/v1/batch", [raw[:9], raw[9:30], raw[30:]])).status == 200
    assert (await door.request("POST", "/v1/batch", [b"x" * 65536] * 20)).status == 400
    assert door.ids() == ["1"]


async def test_a_client_that_leaves_gets_nothing_and_harms_nobody(door: Door) -> None:
    scope = {"type": "http", "method": "POST", "path": "/v1/track", "headers": [], "query_string": b""}
    messages = [{"type": "http.request", "body": b'{"a"', "more_body": True}, {"type": "http.disconnect"}]
    sent: list[object] = []

    async def receive() -> object:
        return messages.pop(0)

    async def send(message: object) -> None:
        sent.append(message)

    await door.tracking(scope, receive, send)  # type: ignore[arg-type]
    assert sent == []
    assert (await door.post("/v1/track", track())).status == 200


async def test_a_body_that_is_too_slow_is_given_up(tmp_path: Path) -> None:
    async with Door(tmp_path, read_seconds=0.05) as door:
        scope = {"type": "http", "method": "POST", "path": "/v1/track", "headers": [], "query_string": b""}
        sent: list[dict[str, object]] = []

        async def receive() -> object:
            await asyncio.Event().wait()

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        await door.tracking(scope, receive, send)  # type: ignore[arg-type]
        assert sent[0]["status"] == 408
        assert door.counts("") == {("rejected", "too_slow", ""): 1}


async def test_stop_answers_what_waits(tmp_path: Path) -> None:
    async with Door(tmp_path) as door:
        waiting = [asyncio.ensure_future(door.post("/v1/track", track(f"{at}"))) for at in range(200)]
        await asyncio.sleep(0)
    assert {(await each).status for each in waiting} == {200}
    assert sorted(map(int, door.ids())) == list(range(200))
    assert not door.tracking.alive


async def test_what_comes_during_a_stop_is_told_to_come_again(tmp_path: Path) -> None:
    async with Door(tmp_path) as door:
        assert door.tracking.alive
        await door.tracking._committer.stop()
        assert (await door.post("/v1/track", track())).status == 503
        assert door.log.heads() == {}


async def test_the_debugger_shows_every_verdict_without_the_write_key(door: Door) -> None:
    await door.post("/v1/track", {**track("1"), "writeKey": "key-a"})
    await door.post("/v1/track", track("1"))
    await door.post("/v1/track", {"messageId": "2", "writeKey": "key-a"})
    await door.post("/v1/track", b'{"messageId":"3","x":1e400,"writeKey": "key-a"}')
    door.ledger.flush()
    lines = door.reader.recent(SITE.id)
    assert [(line.verdict, line.code) for line in reversed(lines)] == [
        ("accepted", ""),
        ("duplicate", ""),
        ("discarded", "no_user_anon_id"),
        ("discarded", "BAD_REQUEST"),
    ]
    assert lines[0].payload.startswith(b'{"messageId":"3","x":1e400')
    assert not any(b"key-a" in line.payload for line in lines)
    (sample,) = door.reader.discards(SITE.id, "no_user_anon_id")
    assert (sample.message_id, json.loads(sample.payload)) == ("2", {"messageId": "2"})


def test_every_source_of_the_snapshot_is_used() -> None:
    assert set(SNAPSHOT.source_by_id) == {SITE.id, APP.id, OTHER.id, OFF.id}


@pytest.mark.parametrize("size", [32_769, 33_000, 33_792, 33_793, 200_000])
@pytest.mark.parametrize("chunks", [1, 3])
async def test_an_oversize_body_is_answered_at_once_however_much_of_it_was_read(
    door: Door, size: int, chunks: int
) -> None:
    body = json.dumps({"userId": "u", "event": "x" * size}).encode()[:size]
    step = -(-size // chunks)
    parts = [body[at : at + step] for at in range(0, size, step)]
    async with asyncio.timeout(5):
        for headers in ({}, {"content-length": str(size)}):
            assert (await door.request("POST", "/v1/track", parts, headers)).status == 400


async def test_a_gzip_bomb_is_answered_at_once(door: Door) -> None:
    async with asyncio.timeout(5):
        reply = await door.post("/v1/batch", gzip.compress(b" " * 50_000_000), content_encoding="gzip")
    assert reply.status == 400
