"""Functions on a real server: as destinations, and before the mappings of others."""

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from harness import Onward, Sink, Source, http, wait_until

QUICK = {"backoffBase": 0.2, "backoffCap": 1, "batchWait": 3}
SETTINGS = [
    {"name": "url", "type": "STRING", "required": True},
    {"name": "key", "type": "STRING", "sensitive": True},
]
SINGLE = """
const VERSION = 1
async function send(event, settings) {
  console.log('for', event.userId, settings.key)
  if (event.event === 'invalid') throw new ValidationError('no ' + settings.key)
  if (event.event === 'broken') event.none.of.this
  const response = await fetch(settings.url, {
    method: 'POST',
    headers: { authorization: 'Bearer ' + settings.key },
    body: JSON.stringify({ id: event.messageId, version: VERSION, user: event.userId })
  })
  if (response.status >= 500) throw new RetryError('HTTP Status ' + response.status)
}
async function onTrack(event, settings) { return send(event, settings) }
async function onIdentify(event) { throw new EventNotSupported('no people') }
async function onDelete(event, settings) {
  await fetch(settings.url, { method: 'POST', body: JSON.stringify({ deleted: event.userId }) })
}
"""
BATCH = """
async function onTrack(event, settings) { await onBatch([event], settings) }
const seen = {}
async function onBatch(events, settings) {
  const body = events.map((event) => ({ id: event.messageId, of: events.length }))
  await fetch(settings.url, { method: 'POST', body: JSON.stringify(body) })
  return events.map((event) => {
    const n = event.properties.n
    seen[n] = (seen[n] || 0) + 1
    if (n === 3) return { status: 400, errormessage: 'never' }
    if (n === 5 && seen[n] === 1) return { status: 500, errormessage: 'not yet' }
    return { status: 200 }
  })
}
"""
INSERT = """
async function onTrack(event, settings) {
  if (event.event === 'drop') throw new DropEvent('not wanted')
  if (event.event === 'nothing') return
  if (event.event === 'broken') throw new Error('broken ' + settings.key)
  if (event.event === 'later') {
    const response = await fetch(settings.url, { method: 'POST', body: '{}' })
    if (response.status >= 500) throw new RetryError('later')
  }
  event.userId = 'hashed-' + event.userId
  event.event = 'renamed'
  return event
}
"""


def make(onward: Onward, code: str, name: str, kind: str = "DESTINATION", **more: Any) -> dict[str, Any]:
    body = {"displayName": name, "resourceType": kind, "code": code, "settings": SETTINGS} | more
    return dict(onward.api("POST", "/functions", body)["function"])


def connect(onward: Onward, source: Source, function: dict[str, Any], url: str, **delivery: Any) -> str:
    body = {
        "sourceId": source.id,
        "metadataId": function["catalogId"],
        "enabled": True,
        "settings": {"url": url, "key": "sesame-open"},
        "delivery": QUICK | delivery,
    }
    return str(onward.api("POST", "/destinations", body)["destination"]["id"])


def books(onward: Onward, id: str) -> dict[str, int]:
    told = onward.api("GET", f"/destinations/{id}/delivery")["delivery"]
    return {name: told[name] for name in ("delivered", "filtered", "discarded", "pending")}


def track(id: str, event: str = "E", **more: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u", "event": event, "messageId": id, **more}


def sent(sink: Sink, status: int = 200) -> list[dict[str, Any]]:
    return [event for event in sink.events(status) if "id" in event]


def settled(onward: Onward, id: str, **expected: int) -> None:
    wanted = {"delivered": 0, "filtered": 0, "discarded": 0, "pending": 0} | expected
    try:
        wait_until(lambda: books(onward, id) == wanted, what=f"the books say {wanted}")
    except AssertionError as error:
        seen = onward.api("GET", f"/destinations/{id}/delivery-samples")["samples"]
        raise AssertionError(f"{error}\n{books(onward, id)}\n{seen}") from None


def discards(onward: Onward, id: str) -> dict[str, str]:
    found = onward.api("GET", f"/destinations/{id}/discards")["discards"]
    return {each["messageId"]: each["code"] for each in found}


def samples(onward: Onward, id: str, code: str) -> list[dict[str, Any]]:
    path = f"/destinations/{id}/delivery-samples?code={code}"
    return list(onward.api("GET", path)["samples"])


def test_a_destination_that_is_a_function(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("web")
    function = make(onward, SINGLE, "Sender")
    id = connect(onward, source, function, sink.url)
    neighbour = onward.create_webhook(source, f"http://127.0.0.1:{sink.port}/neighbour")

    # Every outcome of the documented table.
    onward.send(source, [track("ok"), track("m1", "invalid"), track("m2", "broken")])
    onward.send(source, [{"type": "identify", "userId": "u", "messageId": "m3"}])
    onward.send(source, [{"type": "group", "userId": "u", "groupId": "g", "messageId": "m4"}])
    onward.send(source, [track("m5", integrations={"All": False})])
    settled(onward, id, delivered=1, filtered=1, discarded=4)
    assert [(each["id"], each["version"]) for each in sent(sink)] == [("ok", 1)]
    assert discards(onward, id) == {
        "m1": "MESSAGE_REJECTED",
        "m2": "BAD_REQUEST",
        "m3": "UNSUPPORTED_EVENT_TYPE",
        "m4": "UNSUPPORTED_EVENT_TYPE",
    }
    assert books(onward, neighbour)["delivered"] == 5

    # What it printed and where it failed is with the sample; secrets are not.
    [sample] = wait_until(lambda: samples(onward, id, "BAD_REQUEST"))
    trace = sample["trace"]
    assert (trace["kind"], trace["handler"], trace["error"]["line"]) == ("Bad Request", "onTrack", 6)
    assert [line["text"].startswith("for") for line in trace["logs"]] == [True]
    runs = onward.api("GET", f"/functions/{function['id']}/logs")["logs"]
    [run] = [each for each in runs if each["code"] == "BAD_REQUEST"]
    assert (run["instanceId"], run["versionNumber"], run["line"]) == (id, 1, 6)
    assert [line["text"] for line in run["logs"]] == [line["text"] for line in trace["logs"]]
    [rejected] = samples(onward, id, "MESSAGE_REJECTED")
    assert "sesame" not in json.dumps([sample, rejected])

    # A retry, then recovery.
    sink.behave(status=503)
    onward.send(source, [track("again")])
    wait_until(lambda: any(each["id"] == "again" for each in sent(sink, 503)))
    [retried] = wait_until(lambda: samples(onward, id, "RETRY"))
    assert retried["exchanges"][0]["response"]["status"] == 503
    assert "sesame" not in json.dumps(retried)
    sink.behave(status=None)
    settled(onward, id, delivered=2, filtered=1, discarded=4)

    # Saved, nothing changes; deployed, the new version is called within two seconds.
    changed = SINGLE.replace("VERSION = 1", "VERSION = 2")
    onward.api("PATCH", f"/functions/{function['id']}", {"code": changed})
    onward.send(source, [track("saved")])
    settled(onward, id, delivered=3, filtered=1, discarded=4)
    onward.api("POST", f"/functions/{function['id']}/deploy")
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        time.sleep(0.05)
    onward.send(source, [track("deployed")])
    settled(onward, id, delivered=4, filtered=1, discarded=4)
    versions = {each["id"]: each["version"] for each in sent(sink)}
    assert versions == {"ok": 1, "again": 1, "saved": 1, "deployed": 2}

    # The sandbox is in /readyz, what was used in the account.
    told = http("GET", f"{onward.url}/readyz").json()["functions"]
    assert {role: each["state"] for role, each in told.items()} == {"web": "running", "delivery-0": "running"}
    assert all(each["layers"]["landlock"].startswith("on") for each in told.values())
    assert onward.log.read_text().count("sandbox of functions") == 2, "so does the log, of each process"

    def used() -> dict[str, int]:
        found = onward.api("GET", "/usage/functions")["usage"]["functions"]
        return {each["functionId"]: each["invocations"] for each in found}

    # Two that threw, one of a person, four sent, of which one twice: the group had no handler to call.
    wait_until(lambda: used() == {function["id"]: 8}, what="8 calls are accounted for")

    # Deletions reach its onDelete.
    onward.api(
        "POST",
        f"/regulations/sources/{source.id}",
        {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["u"]},
    )
    wait_until(lambda: {"deleted": "u"} in sink.events(), what="onDelete was called")


def test_batches_with_an_outcome_for_each_event(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("web")
    function = make(onward, BATCH, "Batcher", batchMaxCount=10)
    id = connect(onward, source, function, sink.url, batchWait=1)
    onward.send(source, [track(f"m{n}", properties={"n": n}) for n in range(10)])
    settled(onward, id, delivered=9, discarded=1)
    first, *rest = sink.requests()
    assert [each["of"] for each in json.loads(first["body"])] == [10] * 10
    assert discards(onward, id) == {"m3": "BAD_REQUEST"}
    # Only the one that failed for a time came again, alone, so by the single handler.
    assert [json.loads(each["body"]) for each in rest] == [[{"id": "m5", "of": 1}]]


def test_a_version_that_was_saved_unseen_is_batched_once_it_is_loaded(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("web")
    function = make(onward, BATCH, "Batcher", batchMaxCount=10)
    id = connect(onward, source, function, sink.url, batchWait=1)
    onward.stop()
    with closing(sqlite3.connect(onward.data / "config.db")) as db, db:  # as where the sandbox does not hold
        db.execute("UPDATE function_version SET handlers = 'null'")
    onward.start()
    assert onward.api("GET", f"/functions/{function['id']}")["function"]["handlers"] is None
    onward.api("PATCH", f"/destinations/{id}", {"name": "Unseen"})
    onward.send(source, [track(f"m{n}", properties={"n": n + 10}) for n in range(10)])
    settled(onward, id, delivered=10)
    assert {entry["of"] for each in sink.requests() for entry in json.loads(each["body"])} == {10}


def test_an_insert_function_changes_drops_and_retries(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("web")
    function = make(onward, INSERT, "Hash", "INSERT_DESTINATION")
    id = onward.create_webhook(source, sink.url, delivery=QUICK, drop='event = "filtered"')
    body = {"functionId": function["id"], "integrationId": id, "name": "Before", "enabled": True}
    gate = f"http://127.0.0.1:{sink.port}/gate"
    settings = {"url": gate, "key": "sesame-open"}
    version = onward.api("POST", "/insert-function-instances", body | {"settings": settings})
    assert version["insertFunctionInstance"]["enabled"] is True
    wait_until(lambda: "delivery-0" in http("GET", f"{onward.url}/readyz").json()["functions"])
    names = ("filtered", "plain", "drop", "nothing", "broken")
    onward.send(source, [track(name, name) for name in names])
    onward.send(source, [{"type": "page", "userId": "u", "messageId": "page"}])
    settled(onward, id, delivered=1, filtered=5)
    [event] = sink.events()
    assert (event["userId"], event["event"], event["messageId"]) == ("hashed-u", "renamed", "plain")
    codes = onward.api("GET", f"/destinations/{id}/delivery")["delivery"]
    assert codes["filtered"] == 5
    [sample] = wait_until(lambda: samples(onward, id, "bad_request"))
    assert (sample["outcome"], sample["trace"]["error"]["name"]) == ("filtered", "Error")
    assert "sesame" not in json.dumps(sample)

    # What it asks to be tried again it gets again, and the destination once.
    sink.behave(status=503)
    onward.send(source, [track("later", "later")])
    wait_until(lambda: any(request["path"] == "/gate" for request in sink.requests()))
    sink.behave(status=None)
    settled(onward, id, delivered=2, filtered=5)
    assert [event["messageId"] for event in sink.events() if event] == ["plain", "later"]


def runners(onward: Onward) -> list[int]:
    delivery = onward.pids()["delivery-0"]
    children = Path(f"/proc/{delivery}/task/{delivery}/children").read_text().split()
    return [int(pid) for pid in children if b"/runner/main.js" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_killed_runners_lose_no_event(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("web")
    id = connect(onward, source, make(onward, SINGLE, "Sender"), sink.url)
    onward.send(source, [track("first")])
    settled(onward, id, delivered=1)
    events, killed = 1_500, 0
    for start in range(0, events, 50):
        onward.send(source, [track(f"m{n}") for n in range(start, start + 50)])
        for pid in runners(onward)[:1]:
            os.kill(pid, signal.SIGKILL)
            killed += 1
    settled(onward, id, delivered=events + 1)
    assert killed > 5
    assert {each["id"] for each in sent(sink)} == {"first", *(f"m{n}" for n in range(events))}
