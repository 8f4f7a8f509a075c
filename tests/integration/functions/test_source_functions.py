"""Source functions on a real server: a webhook's request in, events at a destination out."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from harness import Onward, Sink, Source, http, wait_until

from onward import cli

CODE = """async function onRequest(request, settings) {
  const body = request.json()
  console.log('got', body.id, settings.secret)
  if (settings.secret !== request.headers.get('x-secret')) throw new ValidationError('not ' + settings.secret)
  if (body.id === 'later') throw new RetryError('not now')
  if (body.id === 'loop') for (;;) {}
  if (body.id === 'page') throw new EventNotSupported('no pages')
  Segment.track({ event: 'Paid', userId: body.user, messageId: body.id, properties: { amount: body.amount } })
  Segment.identify({ userId: body.user, traits: { paid: true } })
  if (body.object) Segment.set({ collection: 'invoices', id: body.id, properties: {} })
}
"""
SETTINGS = [{"name": "secret", "type": "STRING", "required": True, "sensitive": True}]


def connect(onward: Onward, code: str = CODE, slug: str = "hook", **more: Any) -> tuple[str, dict[str, Any]]:
    body = {"displayName": slug, "resourceType": "SOURCE", "code": code, "settings": SETTINGS} | more
    function = onward.api("POST", "/functions", body)["function"]
    made = {"slug": slug, "metadataId": function["catalogId"], "settings": {"secret": "sesame-open"}}
    return function["id"], onward.api("POST", "/sources", made)["source"]


def test_requests_become_events_and_failures_are_told(onward: Onward, sink: Sink) -> None:
    function_id, source = connect(onward)
    assert list(source["settings"]) == ["secret"] and "sesame" not in str(source)
    assert source["metadata"]["name"] == "hook"
    catalogue = onward.api("GET", "/catalog/sources?pagination[count]=1000")["sourcesCatalog"]
    assert catalogue[-1] == source["metadata"]
    url = onward.url + source["webhookPath"]
    wait_until(lambda: http("GET", url).status == 405, what="the door knows the source function")

    def post(body: Any, **headers: str) -> Any:
        return http("POST", url, body, {"x-secret": "sesame-open"} | headers)

    onward.create_webhook(Source(source["id"], "hook", source["writeKeys"][0]), sink.url)
    answer = post({"id": "m-1", "user": "u", "amount": 5, "object": True})
    assert (answer.status, answer.json()) == (200, {"success": True})
    assert post({"id": "m-1", "user": "u", "amount": 5}).status == 200, "sent again"
    events = sink.wait_for_events(3)
    paid = [event for event in events if event["type"] == "track"]
    assert [(event["messageId"], event["properties"]) for event in paid] == [("m-1", {"amount": 5})]
    assert {event["userId"] for event in events} == {"u"}

    for body, status, kind in (
        ({"id": "later"}, 503, "Retry"),
        ({"id": "page"}, 400, "Unsupported Event Type"),
        (b"{broken", 400, "Bad Request"),
        ({"id": "loop"}, 503, "Timeout"),
    ):
        answer = post(body)
        assert (answer.status, answer.json()["message"].partition(":")[0]) == (status, kind)
        assert (status == 503) == ("retry-after" in answer.headers)
    refused = post({"id": "m-2"}, **{"x-secret": "wrong"})
    assert (refused.status, b"sesame" in refused.body) == (400, False)
    assert post(b"x" * (512 * 1024 + 1)).status == 413
    assert http("POST", onward.url + "/v1/functions/nobody", {}).status == 404

    def discarded() -> dict[str, Any]:
        lines = onward.api("GET", f"/sources/{source['id']}/debugger?count=500")["events"]
        return {line["code"]: line["payload"] for line in lines if line["code"]}

    codes = {"message_rejected", "unsupported_event_type", "bad_request", "objects_not_supported"}
    wait_until(lambda: codes <= discarded().keys(), what=f"the debugger shows {codes}")
    shown = discarded()["message_rejected"]
    assert shown["error"] == {"kind": "Message Rejected", "message": "not •••", "line": 4}
    assert "sesame" not in str(discarded())
    assert shown["logs"] == ["got m-2 •••"]
    assert shown["request"]["body"] == {"id": "m-2"}
    assert source["writeKeys"][0] not in str(discarded())
    assert discarded()["objects_not_supported"]["collection"] == "invoices"
    runs = onward.api("GET", f"/functions/{function_id}/logs")["logs"]
    assert {run["code"] for run in runs} == codes - {"objects_not_supported"}
    assert ["got m-2 •••"] in [[line["text"] for line in run["logs"]] for run in runs]

    # What it is made of can't go while it is one; a new version runs once it is deployed.
    error = onward.api("DELETE", f"/functions/{function_id}", expect=422)["errors"][0]
    assert "in use by hook" in error["message"]
    later = "async function onRequest() { Segment.track({ event: 'New', userId: 'u' }) }"
    onward.api("PATCH", f"/functions/{function_id}", {"code": later})
    assert post({"id": "later"}).status == 503, "saved, not deployed"
    onward.api("POST", f"/functions/{function_id}/deploy")
    wait_until(lambda: post({"id": "later"}).status == 200, what="the new version runs")
    onward.restart()
    assert post({"id": "later"}).status == 200
    onward.api("DELETE", f"/sources/{source['id']}")
    onward.api("DELETE", f"/functions/{function_id}")


def test_looping_functions_do_not_hold_up_others(onward: Onward) -> None:
    _, hook = connect(onward)
    plain = onward.create_source("plain")
    url = onward.url + hook["webhookPath"]
    wait_until(lambda: http("GET", url).status == 405, what="the door knows the source function")
    stopped = threading.Event()
    statuses: list[int] = []

    def hammer() -> None:
        while not stopped.is_set():
            answer = http("POST", url, {"id": "loop"}, {"x-secret": "sesame-open"}, timeout=60)
            statuses.append(answer.status)

    threads = [threading.Thread(target=hammer) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        times = []
        while not statuses:  # until the first of them has timed out
            began = time.perf_counter()
            answer = onward.post("/v1/track", {"event": "E", "userId": "u"}, plain.write_key)
            times.append(time.perf_counter() - began)
            assert answer.status == 200
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {503}
    # Nowhere near the five seconds that a function may take, whatever else this machine does.
    assert sorted(times)[len(times) // 2] < 2.5


def test_a_file_makes_a_source_function_and_is_made_of_one(
    onward: Onward, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, source = connect(onward)
    arguments = ["--data", str(onward.data)]
    exported = tmp_path / "workspace.yaml"
    assert cli.main(["export", *arguments]) == 0
    exported.write_text(capsys.readouterr().out)
    assert "function: hook" in exported.read_text()
    assert "${HOOK_SECRET}" in exported.read_text()
    assert "sesame" not in exported.read_text()
    assert cli.main(["apply", str(exported), "--yes", *arguments]) == 0
    assert "Nothing to change" in capsys.readouterr().out
    onward.api("DELETE", f"/sources/{source['id']}")
    assert cli.main(["apply", str(exported), "--yes", *arguments]) == 2, "the secret is not in the file"
    assert "HOOK_SECRET" in capsys.readouterr().err
    exported.write_text(exported.read_text().replace("${HOOK_SECRET}", "again"))
    assert cli.main(["apply", str(exported), "--yes", *arguments]) == 0
    (made,) = onward.api("GET", "/sources")["sources"]
    assert made | {"id": source["id"]} == source
    wrong = exported.read_text().replace("async function onRequest", "async funtion onRequest")
    exported.write_text(wrong)
    capsys.readouterr()
    assert cli.main(["apply", str(exported), "--yes", *arguments]) == 2
    assert "functions[0].code: the code can't be loaded: line 1" in capsys.readouterr().err


def test_use_is_counted_quotas_are_told_and_end_in_a_lock_out(onward: Onward) -> None:
    code = """async function onRequest(request) {
      const { wait } = request.json()
      await new Promise((done) => setTimeout(done, wait))
      Segment.track({ event: 'E', userId: 'u' })
    }"""
    second = 1 / 3600
    id, source = connect(onward, code, monthlyHours=second)
    url = onward.url + source["webhookPath"]
    wait_until(lambda: http("GET", url).status == 405, what="the door knows the source function")
    assert http("POST", url, {"wait": 800}).status == 200

    def usage() -> Any:
        return onward.api("GET", "/usage/functions")["usage"]

    wait_until(lambda: usage()["reached"], what="75 % are told of")
    (function,) = usage()["functions"]
    assert (function["functionId"], function["displayName"], function["invocations"]) == (id, "hook", 1)
    assert function["wallMs"] >= 800 and function["percent"] >= 75
    assert usage()["workspace"]["limitHours"] is None
    http("POST", url, {"wait": 300})
    wait_until(lambda: http("POST", url, {"wait": 1}).status == 400, what="the function is locked out")
    assert usage()["functions"][0]["lockedOut"]
    used = usage()["functions"][0]["wallMs"]

    def told() -> list[int]:
        events = onward.api("GET", "/audit-events")["events"]
        return sorted(
            each["after"]["percent"] for each in events if each["type"] == "Function Usage Limit Reached"
        )

    wait_until(lambda: told() == [75, 90, 100], what="the audit trail tells of each")
    lines = onward.api("GET", f"/sources/{source['id']}/debugger")["events"]
    wait_until(
        lambda: "FUNCTIONS_LOCK_OUT" in str(onward.api("GET", f"/sources/{source['id']}/debugger")),
        what=f"the debugger says why ({lines})",
    )
    onward.api("PATCH", f"/functions/{id}", {"monthlyHours": None})
    wait_until(lambda: http("POST", url, {"wait": 1}).status == 200, what="there is no limit any more")
    onward.restart()
    assert usage()["functions"][0]["wallMs"] >= used, "what was used is remembered"
