"""`onward sources …`: sources and their latest events, by the Public API."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from onward.commands import assignments, output
from onward.commands.client import Api, Json, segment
from onward.commands.common import CommandError
from onward.commands.destinations import Assigned
from onward.commands.output import AsJson

app = cyclopts.App(name="sources", help="Sources of events.")

POLL = 0.5
"""Seconds between two looks at the debugger."""
RING = 500
HERE = Api()

Slug = Annotated[str, Parameter(help="Slug or id of a source.")]


@app.command(name="list")
def list_(*, as_json: AsJson = False, api: Api = HERE) -> None:
    """List sources with their write keys."""
    found = list(api.all("/sources", "sources"))
    if as_json:
        output.print_json(found)
        return
    rows = [
        (each["slug"], each["metadata"]["slug"], _on(each), ", ".join(each["writeKeys"]), each["id"])
        for each in found
    ]
    output.table(("slug", "type", "enabled", "write keys", "id"), rows)


@app.command
def add(
    slug: Annotated[str, Parameter(help="What the source is called in URLs and files.")],
    /,
    *,
    type: Annotated[str, Parameter(help="Kind of source.")] = "http-api",
    name: Annotated[str | None, Parameter(help="Name (default: the slug).")] = None,
    assigned: Assigned = (),
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Add a source. A source function is named by its id, as `function-ID`, and has settings of its own."""
    body: Json = {"slug": slug, "metadataId": type} | ({} if name is None else {"name": name})
    if assigned:
        entry = api.get(f"/catalog/sources/{segment(type)}")["sourceMetadata"]
        body["settings"] = assignments.settings(assigned, entry["options"])
    made = api.post("/sources", body)["source"]
    if as_json:
        output.print_json(made)
        return
    output.say(f"Added the source {made['slug']} ({made['id']}). Write key: {made['writeKeys'][0]}")
    if made["webhookPath"] is not None:
        output.say(f"Its webhook: {api.url.rstrip('/')}{made['webhookPath']}")


@app.command
def events(
    slug: Slug,
    /,
    *,
    count: Annotated[int, Parameter(help="How many at most, 1 to 500.")] = 20,
    trigger: Annotated[str, Parameter(help='Only those that meet it, such as: event = "Bought"')] = "",
    follow: Annotated[bool, Parameter(help="Go on with new ones, until Ctrl-C.", negative=())] = False,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Show a source's latest events with the verdict of the front door, the newest last."""
    if not 1 <= count <= RING:
        raise CommandError(f"--count must be between 1 and {RING}")
    source = api.source(slug)
    latest = _latest(api, source, count, trigger)
    if as_json and not follow:
        output.print_json(latest)
        return
    try:
        seen: list[Json] = []
        while True:
            for event in latest:
                if event not in seen:
                    _show(event, as_json)
            if not follow:
                return
            seen = latest
            time.sleep(POLL)
            latest = _latest(api, source, RING, trigger)
    except KeyboardInterrupt:
        return


def _latest(api: Api, source: Json, count: int, trigger: str) -> list[Json]:
    more = {"trigger": trigger} if trigger else {}
    found: list[Json] = api.get(f"/sources/{source['id']}/debugger", count=count, **more)["events"]
    return found[::-1]


def _show(event: Mapping[str, Any], as_json: bool) -> None:
    import json

    if as_json:
        print(json.dumps(event, ensure_ascii=False), flush=True)
        return
    payload = event["payload"] if isinstance(event["payload"], dict) else {}
    name = payload.get("event") or payload.get("name") or payload.get("userId") or ""
    verdict = event["verdict"] if event["code"] is None else f"{event['verdict']} ({event['code']})"
    parts = (
        event["receivedAt"][11:23],
        f"{event['type']:<8}",
        f"{str(name)[:40]:<40}",
        f"{verdict:<9}",
        event["messageId"] or "",
    )
    print("  ".join(parts).rstrip(), flush=True)


def _on(thing: Mapping[str, Any]) -> str:
    return "yes" if thing["enabled"] else "no"
