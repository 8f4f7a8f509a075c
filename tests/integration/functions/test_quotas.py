"""Quotas on a real server: people are told at 75, 90 and 100 %, and then nothing runs till there is more."""

from collections.abc import Callable
from typing import Any

from harness import Onward, Sink, http, wait_until

SECOND = 1 / 3600
"""In hours."""
DESTINATION = """async function onTrack(event, settings) {
  await new Promise((done) => setTimeout(done, event.properties.wait))
  await fetch(settings.url, { method: 'POST', body: JSON.stringify({ id: event.messageId }) })
}"""
INSERT = """async function onTrack(event) {
  await new Promise((done) => setTimeout(done, event.properties.wait))
  return event
}"""
URL = {"name": "url", "type": "STRING", "required": True}


def track(id: str, wait: int = 0) -> dict[str, Any]:
    return {"type": "track", "event": "E", "userId": "u", "messageId": id, "properties": {"wait": wait}}


def books(onward: Onward, id: str) -> tuple[int, int, int]:
    told = onward.api("GET", f"/destinations/{id}/delivery")["delivery"]
    return told["delivered"], told["filtered"], told["discarded"] + told["pending"]


def usage(onward: Onward) -> Any:
    return onward.api("GET", "/usage/functions")["usage"]


def told(onward: Onward) -> list[tuple[str, int]]:
    events = onward.api("GET", "/audit-events?pagination[count]=200")["events"]
    return sorted(
        (each["resourceName"], each["after"]["percent"])
        for each in events
        if each["type"] == "Function Usage Limit Reached"
    )


def test_a_destination_function_is_locked_out_alone_and_comes_back_with_a_higher_quota(
    onward: Onward, sink: Sink
) -> None:
    alert = {"name": "Quota", "type": "FUNCTION_QUOTA", "threshold": 90, "channels": [{"type": "IN_APP"}]}
    onward.api("POST", "/alerts", alert)
    source = onward.create_source("web")
    ids = {}
    for name, hours in (("limited", SECOND), ("free", None)):
        body = {"displayName": name, "resourceType": "DESTINATION", "code": DESTINATION, "settings": [URL]}
        function = onward.api("POST", "/functions", body | {"monthlyHours": hours})["function"]
        body = {"sourceId": source.id, "metadataId": function["catalogId"], "settings": {"url": sink.url}}
        destination = onward.api("POST", "/destinations", body | {"enabled": True})["destination"]
        ids[name] = (function["id"], destination["id"])
    function, limited = ids["limited"]
    free = ids["free"][1]

    sent: list[str] = []

    def send(id: str, wait: int = 0) -> tuple[int, int, int]:
        onward.send(source, [track(id, wait)])
        sent.append(id)
        wait_until(lambda: sum(books(onward, limited)[:2]) == len(sent), what=f"{id} has an end")
        return books(onward, limited)

    assert send("first", 800) == (1, 0, 0)
    wait_until(lambda: told(onward) == [("limited", 75)], what="75 % are told of")
    [spent] = [each for each in usage(onward)["functions"] if each["functionId"] == function]
    assert spent["percent"] >= 75 and not spent["lockedOut"]
    assert send("last", 300) == (2, 0, 0)
    wait_until(lambda: told(onward) == [("limited", each) for each in (75, 90, 100)], what="90 and 100 %")
    wait_until(lambda: "90 %" in str(onward.api("GET", "/notifications")), what="the alert was said")
    assert [each["percent"] for each in usage(onward)["reached"]] == [75, 90, 100]

    wait_until(lambda: send(f"probe-{len(sent)}")[1] > 0, what="the function is locked out")
    delivered, filtered, _ = books(onward, limited)
    assert send("locked") == (delivered, filtered + 1, 0)
    wait_until(lambda: books(onward, free) == (len(sent), 0, 0), what="the other function goes on")
    [event] = onward.api("GET", f"/trace?sourceId={source.id}&messageId=locked")["traces"]
    [fate] = [each for each in event["destinations"] if each["destinationId"] == limited]
    assert "FUNCTIONS_LOCK_OUT" in str(fate)

    onward.api("PATCH", f"/functions/{function}", {"monthlyHours": 1})
    wait_until(lambda: send(f"after-{len(sent)}")[0] > delivered, what="it is called again")
    assert books(onward, limited)[1] >= filtered + 1, "what was filtered stays so"
    assert not any(each["lockedOut"] for each in usage(onward)["functions"])


def test_the_quota_of_a_workspace_locks_insert_functions_out_over_a_restart(
    onward_factory: Callable[..., Onward], sink: Sink
) -> None:
    onward = onward_factory(function_hours=SECOND).start()
    source = onward.create_source("web")
    id = onward.create_webhook(source, sink.url)
    body = {"displayName": "Slow", "resourceType": "INSERT_DESTINATION", "code": INSERT, "settings": []}
    function = onward.api("POST", "/functions", body)["function"]
    place = {"functionId": function["id"], "integrationId": id, "name": "Slow", "settings": {}}
    onward.api("POST", "/insert-function-instances", place | {"enabled": True})
    wait_until(lambda: "delivery-0" in http("GET", f"{onward.url}/readyz").json()["functions"])
    onward.send(source, [track("first", 1100)])
    wait_until(lambda: usage(onward)["workspace"]["lockedOut"], what="the workspace has used all")
    onward.restart()
    wait_until(lambda: [percent for _, percent in told(onward)] == [75, 90, 100])

    sent = ["first"]

    def filtered() -> int:
        sent.append(f"probe-{len(sent)}")
        onward.send(source, [track(sent[-1])])
        wait_until(lambda: sum(books(onward, id)[:2]) == len(sent), what="it has an end")
        return books(onward, id)[1]

    wait_until(filtered, what="nothing passes by the insert function")
    onward.stop()
    onward.environment["ONWARD_FUNCTION_HOURS"] = "1"
    onward.start()
    delivered = books(onward, id)[0]
    onward.send(source, [track("after")])
    wait_until(lambda: books(onward, id)[0] == delivered + 1, what="there is something left to use")
