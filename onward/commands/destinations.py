"""`onward destinations …`: what events are delivered to, by the Public API."""

import sys
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from onward.commands import assignments, output
from onward.commands.client import Api, Json, path
from onward.commands.common import CommandError
from onward.commands.output import AsJson

app = cyclopts.App(name="destinations", help="Destinations that events are delivered to.")

HERE = Api()

Key = Annotated[str, Parameter(help="Id, name, or SOURCE/NAME of a destination.")]
Assigned = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        help="A setting, name=value; @FILE is the content of a file, '$NAME' an environment variable.",
        negative=(),
        show_default=False,
    ),
]


@app.command(name="list")
def list_(*, as_json: AsJson = False, api: Api = HERE) -> None:
    """List destinations."""
    found = list(api.all("/destinations", "destinations"))
    if as_json:
        output.print_json(found)
        return
    slugs = {each["id"]: each["slug"] for each in api.all("/sources", "sources")}
    rows = [
        (
            each["name"],
            each["metadata"]["slug"],
            str(slugs.get(each["sourceId"], each["sourceId"])),
            "yes" if each["enabled"] else "no",
            each["id"],
        )
        for each in found
    ]
    output.table(("name", "type", "source", "enabled", "id"), rows)


@app.command
def add(
    slug: Annotated[str, Parameter(help="Slug of the catalogue (`onward catalog list`).")],
    /,
    *,
    source: Annotated[str | None, Parameter(help="Slug or id of the source (default: the only one).")] = None,
    name: Annotated[str | None, Parameter(help="Name (default: the catalogue's).")] = None,
    assigned: Assigned = (),
    copy_settings_from: Annotated[
        str | None, Parameter(help="Another destination of the kind, to take settings and secrets from.")
    ] = None,
    presets: Annotated[bool, Parameter(help="Add its preset mappings, disabled.", negative=())] = False,
    enable: Annotated[bool, Parameter(help="Enable it at once.", negative=())] = False,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Add a destination of the catalogue to a source, disabled unless --enable is given."""
    definition = api.definition(slug)
    body: Json = {
        "sourceId": api.source(source)["id"],
        "metadataId": definition["slug"],
        "settings": assignments.settings(assigned, definition["options"]),
        "applyPresets": presets,
        "enabled": enable,
    }
    if name is not None:
        body["name"] = name
    if copy_settings_from is not None:
        body["copySettingsFrom"] = api.destination(copy_settings_from)["id"]
    made = api.post("/destinations", body)["destination"]
    if as_json:
        output.print_json(made)
        return
    output.say(f"Added {made['name']} ({made['id']}), {'enabled' if enable else 'disabled'}.")
    mappings = list(api.all(f"{path(made)}/subscriptions", "subscriptions"))
    for each in mappings:
        output.say(f"  mapping {each['name']} ({each['id']}), disabled")
    if not mappings and not definition["slug"].startswith("function-"):
        output.say(f"It has no mappings yet: onward mappings add {made['id']} ACTION")


@app.command
def show(key: Key, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """Show a destination: its settings, mappings and presets."""
    found = api.destination(key)
    mappings = list(api.all(f"{path(found)}/subscriptions", "subscriptions"))
    if as_json:
        output.print_json(found | {"subscriptions": mappings})
        return
    metadata = found["metadata"]
    output.say(f"{found['name']} ({metadata['slug']}), {'enabled' if found['enabled'] else 'disabled'}")
    output.say(f"id {found['id']}, source {found['sourceId']}\n")
    rows = [
        (
            option["name"],
            str(option["label"] or ""),
            option["type"],
            "yes" if option["required"] else "",
            output.value(found["settings"].get(option["name"])),
        )
        for option in metadata["options"]
    ]
    output.table(("setting", "label", "type", "required", "value"), rows)
    output.say("")
    show_mappings(mappings)
    if presets := [each["name"] for each in metadata["presets"]]:
        output.say(f"\nPresets: {', '.join(presets)}")


@app.command(name="set")
def set_(
    key: Key,
    values: Annotated[
        tuple[str, ...],
        Parameter(help="name=value; @FILE is a file's content, '$NAME' an environment variable."),
    ] = (),
    /,
    *,
    unset: Annotated[tuple[str, ...], Parameter(help="A setting to take away.", negative=())] = (),
    name: Annotated[str | None, Parameter(help="A new name.")] = None,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Change settings of a destination, or its name."""
    found = api.destination(key)
    settings = assignments.settings(values, found["metadata"]["options"]) | dict.fromkeys(unset)
    change: Json = ({"settings": settings} if settings else {}) | ({"name": name} if name is not None else {})
    if not change:
        raise CommandError("nothing to change: give name=value, --unset or --name")
    _changed(api.patch(path(found), change)["destination"], "Changed", as_json)


@app.command
def enable(key: Key, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """Deliver to a destination what arrives from now on."""
    found = api.destination(key)
    _changed(api.patch(path(found), {"enabled": True})["destination"], "Enabled", as_json)


@app.command
def disable(key: Key, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """Deliver nothing more that arrives from now on."""
    found = api.destination(key)
    _changed(api.patch(path(found), {"enabled": False})["destination"], "Disabled", as_json)


@app.command
def remove(
    key: Key,
    /,
    *,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=())] = False,
    api: Api = HERE,
) -> None:
    """Delete a destination with its mappings and filters."""
    found = api.destination(key)
    confirm(f"Delete {found['name']} ({found['id']}) with its mappings and filters?", yes)
    api.delete(path(found))
    output.say(f"Deleted {found['name']} ({found['id']}).")


def confirm(question: str, yes: bool) -> None:
    """Raises `CommandError` unless someone says yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("nobody is here to ask; add --yes")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was changed")


def show_mappings(mappings: list[Json]) -> None:
    rows = [
        (each["name"], each["actionSlug"], "yes" if each["enabled"] else "no", each["trigger"], each["id"])
        for each in mappings
    ]
    output.table(("mapping", "action", "enabled", "trigger", "id"), rows)


def _changed(destination: Any, verb: str, as_json: bool) -> None:
    if as_json:
        output.print_json(destination)
    else:
        output.say(f"{verb} {destination['name']} ({destination['id']}).")
