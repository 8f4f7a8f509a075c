"""Functions saved and tried by the Public API of a real server, before anything is deployed."""

import json
from typing import Any

from harness import Onward, Sink, http, wait_until

CODE = """async function onTrack(event: any, settings: any): Promise<void> {
  console.log('key', settings.key, event.event)
  if (event.event === 'refuse') throw new ValidationError('no ' + settings.key)
  const response = await fetch(settings.url, {
    method: 'POST', headers: { authorization: 'Bearer ' + settings.key }, body: JSON.stringify(event) })
  if (response.status >= 500) throw new RetryError(`HTTP ${response.status}`)
}
async function onBatch(events: any[]) {
  return events.map((event) => ({ status: event.event === 'bad' ? 400 : 200, errormessage: 'as asked' }))
}
"""
SETTINGS = [
    {"name": "url", "type": "STRING", "required": True},
    {"name": "key", "type": "STRING", "sensitive": True},
]


def test_from_writing_to_watching(onward: Onward, sink: Sink) -> None:
    body = {"displayName": "Forward", "resourceType": "DESTINATION", "settings": SETTINGS}
    refused = onward.api(
        "POST", "/functions", body | {"code": CODE.replace("settings.url,", "settings.url")}, 422
    )
    assert refused["errors"][0]["field"] == "code"
    assert "line 4: SyntaxError" in refused["errors"][0]["message"]

    function = onward.api("POST", "/functions", body | {"code": CODE})["function"]
    assert (function["language"], function["handlers"]) == ("TYPESCRIPT", ["onBatch", "onTrack"])
    assert function["code"] == CODE
    path = f"/functions/{function['id']}"
    values = {"url": sink.url, "key": "s3cret-key"}

    def run(expect: int | None = None, **given: Any) -> Any:
        return onward.api("POST", f"{path}/test", {"settings": values} | given, expect)

    sent = {"type": "track", "event": "Bought", "userId": "u"}
    test = run(payload=sent)["test"]
    assert (test["ok"], test["handler"], test["action"]) == (True, "onTrack", "delivered")
    (line,) = test["logs"]
    assert line["text"].startswith("key ") and line["text"].endswith(" Bought")
    (exchange,) = test["requests"]
    assert (exchange["request"]["method"], exchange["response"]["status"]) == ("POST", 200)
    assert "s3cret-key" not in json.dumps(test)
    assert sink.events() == [sent], "what a test run sends is sent"

    test = run(payload=sent | {"event": "refuse"})["test"]
    assert (test["kind"], test["action"], test["line"]) == ("Message Rejected", "discarded", 3)
    assert "s3cret" not in test["message"]
    sink.behave(status=503)
    test = run(payload=sent)["test"]
    assert (test["kind"], test["action"], test["message"]) == ("Retry", "retry", "HTTP 503")
    test = run(payload={"type": "page", "userId": "u"})["test"]
    assert test["kind"] == "Unsupported Event Type"
    test = run(payload=[sent, sent | {"event": "bad"}])["test"]
    assert [item["action"] for item in test["items"]] == ["delivered", "discarded"]
    test = run(payload=sent, code="async function onTrack() {\n  for (;;) {}\n}")["test"]
    assert (test["kind"], test["action"]) == ("Timeout", "retry")

    for wrong, field in (
        ({}, "payload"),
        ({"payload": {"type": "nope"}}, "payload.type"),
        ({"payload": sent, "handler": "onBatch"}, "handler"),
        ({"messageId": "m"}, "sourceId"),
        ({"request": {"body": "{}"}}, "request"),
        ({"payload": sent, "code": "a b"}, "code"),
    ):
        assert run(422, **wrong)["errors"][0]["field"] == field, wrong

    # The second version is what is tried now; the first one can be tried by its id.
    first = onward.api("GET", f"{path}/versions")["versions"][0]["id"]
    onward.api("PATCH", path, {"code": "function onTrack() { return 2 }"})
    assert run(payload=sent)["test"]["value"] == 2
    assert run(payload=sent, versionId=first)["test"]["kind"] == "Retry"


def test_with_an_event_of_the_debugger_and_code_that_is_not_saved(onward: Onward) -> None:
    source = onward.create_source()
    event = {"type": "track", "event": "Seen", "userId": "u", "messageId": "m-1", "properties": {}}
    onward.send(source, [event])
    debugger = f"/sources/{source.id}/debugger"
    wait_until(lambda: onward.api("GET", debugger)["events"], what="the debugger shows the event")

    body = {
        "code": "async function onTrack(event) { event.properties.seen = true; return event }",
        "resourceType": "INSERT_DESTINATION",
        "sourceId": source.id,
        "messageId": "m-1",
    }
    value = onward.api("POST", "/functions/preview", body)["preview"]["value"]
    assert (value["event"], value["properties"], bool(value["receivedAt"])) == ("Seen", {"seen": True}, True)
    preview = onward.api("POST", "/functions/preview", body | {"code": "function onTrack() {}"})["preview"]
    assert (preview["kind"], preview["action"]) == ("Dropped", "filtered")
    batch = {
        "code": "async function onBatch(events) { return [events[1]] }",
        "resourceType": "INSERT_DESTINATION",
        "payload": [event, event | {"messageId": "m-2"}, event | {"messageId": "m-3"}],
    }
    items = onward.api("POST", "/functions/preview", batch)["preview"]["items"]
    assert [item["action"] for item in items] == ["filtered", "delivered", "filtered"]
    assert items[1]["event"] == event | {"messageId": "m-2"}
    gone = body | {"messageId": "m-2"}
    assert onward.api("POST", "/functions/preview", gone, 422)["errors"][0]["field"] == "messageId"

    # Nothing on this machine can be reached but what the operator allows, and the metadata service never.
    body = {
        "code": "async function onTrack() { await fetch('http://169.254.169.254/latest') }",
        "payload": event,
    }
    preview = onward.api("POST", "/functions/preview", body)["preview"]
    assert preview["kind"] == "Bad Request"
    assert preview["requests"][0]["error"]["code"] == "BLOCKED_ADDRESS"


def test_a_source_function_is_tried_with_a_request(onward: Onward) -> None:
    code = """async function onRequest(request, settings) {
      const body = request.json()
      Segment.track({ event: body.kind, userId: body.user, properties: {
        agent: request.headers.get('user-agent'), q: request.url.searchParams.get('q') } })
      body.kind = 'changed later'
      Segment.identify({ userId: body.user, traits: { text: request.text().length } })
    }"""
    request = {"body": {"kind": "paid", "user": "u"}, "headers": {"User-Agent": "hook/1"}, "query": "q=1"}
    body = {"code": code, "resourceType": "SOURCE", "request": request}
    preview = onward.api("POST", "/functions/preview", body)["preview"]
    assert (preview["handler"], preview["ok"]) == ("onRequest", True)
    assert preview["events"] == [
        {"type": "track", "event": "paid", "userId": "u", "properties": {"agent": "hook/1", "q": "1"}},
        {"type": "identify", "userId": "u", "traits": {"text": 26}},
    ]
    form = {"headers": {"content-type": "application/x-www-form-urlencoded"}, "body": "kind=form&user=u"}
    preview = onward.api("POST", "/functions/preview", body | {"request": form})["preview"]
    assert preview["events"][0]["event"] == "form"
    broken = onward.api("POST", "/functions/preview", body | {"request": {"body": "{"}})["preview"]
    assert (broken["kind"], broken["line"], broken["events"]) == ("Bad Request", 2, [])
    assert http("GET", f"{onward.url}/healthz").status == 200


def test_a_source_function_is_tried_with_what_a_tool_sent_to_its_preview_webhook(onward: Onward) -> None:
    code = """async function onRequest(request, settings) {
      if (request.headers.get('x-sign') !== 'signed') throw new ValidationError('not signed')
      Segment.track({ event: request.json().kind, userId: request.url.searchParams.get('user') })
    }"""
    body = {"displayName": "Hook", "resourceType": "SOURCE", "code": code}
    function = onward.api("POST", "/functions", body)["function"]
    url, path = function["previewWebhookUrl"], f"/functions/{function['id']}"
    assert url == f"{onward.url}/v1/functions/preview/{function['id']}"
    assert onward.api("GET", f"{path}/preview-requests")["requests"] == []
    for number in range(12):
        answer = http("POST", f"{url}?user=u{number}", {"kind": f"paid {number}"}, {"x-sign": "signed"})
        assert (answer.status, answer.json()) == (200, {"success": True})
    kept = onward.api("GET", f"{path}/preview-requests")["requests"]
    assert [each["query"] for each in kept] == [f"user=u{number}" for number in range(11, 1, -1)]
    assert kept[0]["body"] == '{"kind": "paid 11"}' and kept[0]["headers"]["x-sign"] == "signed"
    request = {name: kept[0][name] for name in ("body", "headers", "query")}
    test = onward.api("POST", f"{path}/test", {"request": request})["test"]
    assert test["events"] == [{"type": "track", "event": "paid 11", "userId": "u11"}], test
    assert http("GET", url).status == 405
    assert http("POST", url, b"x" * (512 * 1024 + 1)).status == 413
    assert http("POST", f"{url}x", {}).status == 404
    other = onward.api("POST", "/functions", body | {"displayName": "D", "resourceType": "DESTINATION"})
    assert "previewWebhookUrl" not in other["function"]
    assert http("POST", f"{onward.url}/v1/functions/preview/{other['function']['id']}", {}).status == 404
    assert onward.api("GET", "/usage/functions")["usage"]["functions"] == [], "nothing was called"
