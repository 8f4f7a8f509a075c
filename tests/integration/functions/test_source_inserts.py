"""Insert functions of sources on a real server: what they change and drop is so for every destination."""

from typing import Any

from harness import Onward, Sink, wait_until

CODE = """async function onTrack(event, settings) {
  if (event.event === 'Internal') throw new DropEvent('ours')
  if (event.event === 'Nothing') return
  if (event.event === 'Bad') throw new ValidationError('no')
  if (event.event === 'Later') throw new RetryError('not now')
  if (event.event === 'Nobody') return { event: 'Nobody' }
  if (event.event === 'Old') event.event = 'New'
  event.messageId = event.type = 'mine to say? no'
  const seen = [event.receivedAt, event.context.app.name]
  event.properties = { ...event.properties, key: settings.key, seen }
  return event
}
"""
SETTINGS = [{"name": "key", "type": "STRING", "required": True}]


def test_events_go_on_as_the_function_leaves_them(onward: Onward, sink: Sink) -> None:
    source = onward.create_source()
    onward.create_webhook(source, sink.url)
    renamed = {"name": "t", "sourceId": source.id, "enabled": True}
    onward.api("POST", "/transformations", renamed | {"if": 'event = "New"', "newEventName": "Newest"})
    body = {"displayName": "Tidy", "resourceType": "INSERT_SOURCE", "code": CODE, "settings": SETTINGS}
    function = onward.api("POST", "/functions", body)["function"]
    instance = {"functionId": function["id"], "integrationId": source.id, "name": "Tidy", "enabled": True}
    onward.api("POST", "/insert-function-instances", instance | {"settings": {"key": "k"}})

    def send(*names: str, **more: Any) -> int:
        events = [{"type": "track", "event": each, "userId": "u", "messageId": each} for each in names]
        shared = {"context": {"app": {"name": "Shop"}}, "sentAt": "2030-01-01T00:00:00Z"}
        return onward.post("/v1/batch", {"batch": events} | shared | more, source.write_key).status

    # The function is called once the configuration is in use.
    wait_until(lambda: send("Later") == 503, what="the insert function is called")
    assert send("Old", "Internal", "Kept", "Nothing", "Bad", "Nobody") == 200
    assert send("Old") == 200, "again: a duplicate"
    assert send("Kept 2", "Later") == 503, "nothing of it is taken"
    assert send("Kept 2") == 200
    single = {"event": "Kept 3", "userId": "u", "context": {"app": {"name": "Solo"}}}
    assert onward.post("/v1/track", single, source.write_key).status == 200
    kept = {"Newest", "Kept", "Kept 2", "Kept 3"}
    wait_until(lambda: kept <= {event["event"] for event in sink.events()}, what="four events arrive")
    events = {event["event"]: event for event in sink.events() if event["messageId"] != "Later"}
    assert events.keys() == kept
    newest = events["Newest"]
    assert (newest["messageId"], newest["type"]) == ("Old", "track")
    assert newest["properties"]["key"] == "k"
    assert newest["properties"]["seen"] == [newest["receivedAt"], "Shop"]
    assert newest["sentAt"] == "2030-01-01T00:00:00.000Z"
    assert events["Kept 3"]["properties"]["seen"][1] == "Solo"

    def verdicts() -> dict[str, str]:
        lines = onward.api("GET", f"/sources/{source.id}/debugger")["events"]
        return {line["messageId"]: f"{line['verdict']} {line['code']}" for line in lines if line["code"]}

    wait_until(lambda: len(verdicts()) == 4, what="the debugger tells of what did not go on")
    assert verdicts() == {
        "Internal": "filtered dropped_by_insert_function",
        "Nothing": "filtered dropped_by_insert_function",
        "Bad": "discarded message_rejected",
        "Nobody": "discarded no_user_anon_id",
    }
    # Types without a handler don't pass either.
    assert onward.post("/v1/page", {"name": "Home", "userId": "u"}, source.write_key).status == 200
    wait_until(lambda: "unsupported_event_type" in str(verdicts()), what="a page has no handler")

    def used() -> list[str]:
        return [each["functionId"] for each in onward.api("GET", "/usage/functions")["usage"]["functions"]]

    wait_until(lambda: used() == [function["id"]], what="its use is counted")
