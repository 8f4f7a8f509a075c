"""`onward functions …`: those that put a function to work: connect it, deploy it, see what runs where."""

import re
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from onward.commands import assignments, output
from onward.commands.client import Api, Json, only
from onward.commands.common import CommandError
from onward.commands.destinations import Assigned
from onward.commands.function_edits import HERE, Name, find, instances_of, place
from onward.commands.output import AsJson

_TYPES = {"STRING": "string", "BOOLEAN": "boolean", "ARRAY": "array", "TEXT_MAP": "map"}


def add_to(app: cyclopts.App) -> None:
    """The commands below."""
    for command in (connect, deploy, instances):
        app.command(command)


def deploy(
    key: Name,
    /,
    *,
    to: Annotated[
        tuple[str, ...],
        Parameter(
            help="An instance to deploy to: `source/destination`, the slug of a source, a name or an id. "
            "May be given several times (default: all of them).",
            negative=(),
            show_default=False,
        ),
    ] = (),
    api: Api = HERE,
) -> None:
    """Make the latest version the one that runs: at all instances, or at some."""
    function = find(api, key)
    path = f"/functions/{function['id']}/deploy"
    if to:
        chosen = _instances(api, function, to)
        api.post(path, {"instanceIds": [each["id"] for each in chosen]})
    else:
        api.post(path)
    where = f" to {', '.join(map(place, chosen))}" if to else ""
    output.say(f"Deployed {function['displayName']}{where}.")
    behind = [place(each) for each in instances_of(api, function) if each["version"]["behind"]]
    if behind:
        stay = "stays" if len(behind) == 1 else "stay"
        output.say(
            f"{', '.join(behind)} {stay} with an older version; `onward functions instances {key}` tells "
            "which."
        )


def instances(key: Name, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """List where a function runs, and in which version."""
    found = instances_of(api, find(api, key))
    if as_json:
        output.print_json(found)
        return
    rows = [
        (
            place(each),
            f"{each['version']['number']}{' (behind)' if each['version']['behind'] else ''}",
            "yes" if each["enabled"] else "no",
            each["id"],
        )
        for each in found
    ]
    output.table(("runs at", "version", "enabled", "id"), rows)


def connect(
    key: Name,
    /,
    *,
    source: Annotated[
        str | None,
        Parameter(help="Slug of the source that events come from; of a source function, of the new source."),
    ] = None,
    before: Annotated[
        str | None, Parameter(help="Of an insert function: the destination that it goes before.")
    ] = None,
    name: Annotated[str | None, Parameter(help="Name of what is made.")] = None,
    assigned: Assigned = (),
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Put a function to work, with settings: as a destination of a source, before a destination, or as a
    source. One that was never deployed is by this."""
    found = find(api, key)
    function = api.get(f"/functions/{found['id']}")["function"]
    kind, named = function["resourceType"], {} if name is None else {"name": name}
    options = [{"name": each["name"], "type": _TYPES[each["type"]]} for each in _settings(api, function)]
    body: Json = {"settings": assignments.settings(assigned, options), "enabled": True}
    if kind == "SOURCE":
        slug = source or re.sub(r"[^a-z0-9]+", "-", function["displayName"].lower()).strip("-")
        made = api.post("/sources", body | named | {"slug": slug, "metadataId": function["catalogId"]})[
            "source"
        ]
        told = f"Added the source {made['slug']}. Its webhook: {api.url.rstrip('/')}{made['webhookPath']}"
    elif kind == "DESTINATION":
        body |= named | {"sourceId": api.source(source)["id"], "metadataId": function["catalogId"]}
        made = api.post("/destinations", body)["destination"]
        told = f"Added the destination {made['name']} ({made['id']}), enabled."
    else:
        if kind == "INSERT_SOURCE":
            place = api.source(source)
        elif before is None:
            raise CommandError("an insert function goes before a destination; name one with --before")
        else:
            place = api.destination(before)
        body |= {"functionId": function["id"], "integrationId": place["id"]}
        body["name"] = name or found["ownName"]
        made = api.post("/insert-function-instances", body)["insertFunctionInstance"]
        told = f"Inserted {made['name']} at {place['name']}, enabled."
    output.print_json(made) if as_json else output.say(told)


def _settings(api: Api, function: Json) -> list[Json]:
    """Those of the version that what is connected runs; of a function that was never deployed, the latest."""
    deployed = function["deployedVersionId"]
    if deployed is None or function["isLatestVersion"]:
        return list(function["settings"])
    return list(api.get(f"/functions/{function['id']}/versions/{deployed}")["version"]["settings"])


def _instances(api: Api, function: Json, keys: tuple[str, ...]) -> list[Json]:
    """By id, by place, by the slug of the source, or by name."""
    every = [each | {"place": place(each)} for each in instances_of(api, function)]
    hint = f"`onward functions instances {function['id']}` has all"
    return [only("instance", key, every, hint, "id", "place", "sourceSlug", "name") for key in keys]
