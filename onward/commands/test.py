"""`onward test …`: try connections, mappings, events, triggers. The exit status is 1 if the answer is no."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from onward.commands import assignments, output
from onward.commands.client import Api, Json, path
from onward.commands.common import CommandError
from onward.commands.destinations import Key
from onward.commands.mappings import Fields, Mapping, Trigger
from onward.commands.output import AsJson

app = cyclopts.App(name="test", help="Try destinations before, and while, events go to them.")

RING = 500
HERE = Api()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Given:
    """The event of a test: one of these."""

    event: Annotated[str | None, Parameter(help="JSON file with an event; - is stdin.")] = None
    message_id: Annotated[str | None, Parameter(help="One in the source's debugger.")] = None
    last: Annotated[bool, Parameter(help="The last one that the source took.", negative=())] = False
    sample: Annotated[
        Literal["track", "identify", "page", "screen", "group", "alias"] | None,
        Parameter(help="A made-up one of this type."),
    ] = None

    def of(self, api: Api, source_id: str) -> Json:
        """As the Public API takes it: a payload or a messageId."""
        ways = (self.event is not None, self.message_id is not None, self.last, self.sample is not None)
        if sum(ways) != 1:
            raise CommandError(
                "name the event by one of --event FILE, --message-id ID, --last, --sample TYPE"
            )
        if self.event is not None:
            return {"payload": read_event(self.event)}
        if self.sample is not None:
            return {"payload": api.get("/catalog/sample-event", type=self.sample)["event"]}
        return {"messageId": self.message_id or _last(api, source_id)}


NONE = Given()


@app.command
def connection(destination: Key, /, *, as_json: AsJson = False, api: Api = HERE) -> int:
    """Ask the tool whether it takes the settings."""
    found = api.destination(destination)
    tried = api.post(f"{path(found)}/test-connection")["connection"]
    if as_json:
        output.print_json(tried)
    else:
        output.say(f"{found['name']}: {tried['status'].lower()}: {tried['message']}")
        output.show_exchanges(tried["exchanges"])
    return 1 if tried["status"] == "FAILED" else 0


@app.command
def mapping(
    destination: Key,
    name: Mapping,
    /,
    *,
    given: Given = NONE,
    trigger: Trigger = None,
    fields: Fields = (),
    send: Annotated[bool, Parameter(help="Send it, or only show the first request.")] = True,
    as_json: AsJson = False,
    api: Api = HERE,
) -> int:
    """Try one mapping, enabled or not, on one event. --trigger and --set try a change without saving it."""
    found = api.destination(destination)
    one = api.mapping(found, name)
    body = given.of(api, found["sourceId"]) | {"send": send}
    if trigger is not None:
        body["trigger"] = trigger
    if fields:
        body["settings"] = one["settings"] | assignments.mapping(fields)
    answer = api.post(f"{path(found, one)}/test", body)
    tried, run = answer["test"], answer["insertFunction"]
    if as_json:
        output.print_json(tried | {"insertFunction": run})
    else:
        output.show_insertion(run)
        output.show_result(tried)
        output.show_outcome(tried)
    good = tried["outcome"]["kind"] == "delivered" if tried["outcome"] else not send
    return 0 if tried["matched"] and tried["problem"] is None and good else 1


@app.command
def event(destination: Key, /, *, given: Given = NONE, as_json: AsJson = False, api: Api = HERE) -> int:
    """Send an event for real, through all enabled mappings and past the filters."""
    found = api.destination(destination)
    body = given.of(api, found["sourceId"])
    answer = api.post(f"{path(found)}/test-event", body)
    tried, run = answer["test"], answer["insertFunction"]
    if as_json:
        output.print_json(tried | {"insertFunction": run})
        return 0 if tried["success"] else 1
    output.show_insertion(run)
    for each in tried["results"]:
        if each["matched"]:
            output.show_result(each)
            output.show_outcome(each)
            output.say("")
    requests = f"{tried['requests']} request{'' if tried['requests'] == 1 else 's'}"
    output.say(f"{found['name']}: {tried['message']}" + (f", {requests}" if tried["matched"] else ""))
    if tried["bypassed"]:
        output.say(f"Without this test the event would have been stopped: {_stop(tried['bypassed'])}")
    return 0 if tried["success"] else 1


@app.command
def preview(destination: Key, /, *, given: Given = NONE, as_json: AsJson = False, api: Api = HERE) -> int:
    """Show step by step what would become of an event. No mapping sends anything."""
    found = api.destination(destination)
    body = given.of(api, found["sourceId"])
    answer = api.post(f"{path(found)}/preview", body)
    seen, run = answer["preview"], answer["insertFunction"]
    good = seen["stopped"] is None and all(each["problem"] is None for each in seen["results"])
    if as_json:
        output.print_json(seen | {"insertFunction": run})
        return 0 if good else 1
    rows = [
        (
            step["stage"],
            step["name"],
            "yes" if step["passed"] else "no",
            " ".join(filter(None, (step["code"], step["message"]))),
        )
        for step in seen["steps"]
    ]
    output.table(("step", "name", "passed", "why"), rows)
    output.say("")
    output.show_insertion(run)
    for each in seen["results"]:
        output.show_result(each)
    if seen["stopped"]:
        output.say(f"Stopped: {_stop(seen['stopped'])}")
    if not seen["enabled"]:
        output.say(f"{found['name']} is disabled: nothing is delivered to it.")
    return 0 if good else 1


@app.command
def trigger(
    text: Annotated[str, Parameter(name="TRIGGER", help="Such as 'type = \"track\"'.")],
    /,
    *,
    given: Given = NONE,
    source: Annotated[
        str | None, Parameter(help="For --last and --message-id (default: the only one).")
    ] = None,
    as_json: AsJson = False,
    api: Api = HERE,
) -> int:
    """Ask whether an event meets a trigger, and how the trigger is read."""
    payload = _payload(api, given, source)
    seen = api.post("/triggers/preview", {"trigger": text, "payload": payload})
    if as_json:
        output.print_json(seen)
    elif seen["error"] is not None:
        output.say(text)
        output.say(" " * seen["error"]["position"] + "^")
        output.say(seen["error"]["message"])
    else:
        _tree(seen["ast"], 0)
        output.say("The event meets it." if seen["matches"] else "The event does not meet it.")
    return 0 if seen["matches"] else 1


def read_event(file: str) -> Json:
    found = assignments.read_json(file)
    if not isinstance(found, dict):
        raise CommandError(f"{file}: an event is a JSON object")
    return found


def _last(api: Api, source_id: str) -> str:
    for line in api.get(f"/sources/{source_id}/debugger", count=RING)["events"]:
        if line["verdict"] == "accepted" and line["messageId"] is not None:
            return str(line["messageId"])
    raise CommandError("the source has taken no event yet; send one with `onward send`")


def _payload(api: Api, given: Given, source: str | None) -> Json:
    """The event itself, for what is about no destination."""
    by_id = given.last or given.message_id is not None
    source_id = str(api.source(source)["id"]) if by_id else ""
    event = given.of(api, source_id)
    if "payload" in event:
        return dict(event["payload"])
    for line in api.get(f"/sources/{source_id}/debugger", count=RING)["events"]:
        if line["messageId"] == event["messageId"] and isinstance(line["payload"], dict):
            return {"type": line["type"]} | line["payload"]
    raise CommandError(f"the source's debugger has no event {event['messageId']}")


def _stop(stop: Json) -> str:
    return " ".join(filter(None, (stop["code"], stop["message"])))


def _tree(node: Any, depth: int) -> None:
    if node["type"] == "group":
        output.say(f"{'  ' * depth}{'all of' if node['operator'] == 'and' else 'any of'}")
        for child in node["children"]:
            _tree(child, depth + 1)
        return
    subject = node["type"] if "name" not in node else f"{node['type'].removeprefix('event-')} {node['name']}"
    value = f" {output.value(node['value'])}" if "value" in node else ""
    output.say(f"{'  ' * depth}{subject} {node['operator']}{value}")
