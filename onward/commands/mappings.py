"""`onward mappings …`: which events a destination gets, and as what (Segment's subscriptions)."""

from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from onward.commands import assignments, output
from onward.commands.client import Api, Json, path, segment
from onward.commands.common import CommandError
from onward.commands.destinations import Key, confirm, show_mappings
from onward.commands.output import AsJson

app = cyclopts.App(name="mappings", help="Mappings of destinations: trigger, action, fields.")

HERE = Api()

Mapping = Annotated[str, Parameter(help="Id or name of a mapping.")]
Name = Annotated[str | None, Parameter(help="What it is called.")]
Trigger = Annotated[str | None, Parameter(help="Which events it is for, such as 'type = \"track\"'.")]
Fields = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        help=(
            "A field, name=value: $.properties.email is a path into the event, JSON is JSON, all else is "
            "text; @FILE and '$NAME' as for settings."
        ),
        negative=(),
        show_default=False,
    ),
]
Whole = Annotated[Path | None, Parameter(name="--mapping", help="JSON file with all fields; - is stdin.")]


@app.command(name="list")
def list_(destination: Key, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """List the mappings of a destination."""
    found = list(api.all(f"{path(api.destination(destination))}/subscriptions", "subscriptions"))
    if as_json:
        output.print_json(found)
    else:
        show_mappings(found)


@app.command
def add(
    destination: Key,
    action: Annotated[str, Parameter(help="Slug of an action (`onward catalog show SLUG`).")],
    /,
    *,
    name: Name = None,
    trigger: Trigger = None,
    fields: Fields = (),
    whole: Whole = None,
    enable: Annotated[bool, Parameter(help="Enable it at once.", negative=())] = False,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Add a mapping, disabled unless --enable is given. Without --mapping it begins with the defaults."""
    found = api.destination(destination)
    known = _action(found, action)
    defaults = {
        field["fieldKey"]: field["defaultValue"]
        for field in known["fields"]
        if field["defaultValue"] is not None
    }
    settings = (defaults if whole is None else _object(whole)) | assignments.mapping(fields)
    body = {
        "name": name or known["name"],
        "actionId": known["id"],
        "trigger": known["defaultTrigger"] or "" if trigger is None else trigger,
        "settings": settings,
        "enabled": enable,
    }
    if not body["trigger"]:
        raise CommandError(f"the action {action} has no default trigger; give one with --trigger")
    made = api.post(f"{path(found)}/subscriptions", body)["destinationSubscription"]
    _told(made, "Added", as_json)


@app.command
def preset(
    destination: Key,
    name: Annotated[str, Parameter(help="Name of a preset (`onward catalog show SLUG`).")],
    /,
    *,
    trigger: Trigger = None,
    action: Annotated[
        str | None, Parameter(help="Slug of its action, where several presets have the name.")
    ] = None,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Add a mapping by one of the destination's presets, disabled."""
    given = {"name": name, "trigger": trigger, "actionId": action}
    body = {key: value for key, value in given.items() if value is not None}
    made = api.post(f"{path(api.destination(destination))}/presets", body)["destinationSubscription"]
    _told(made, "Added", as_json)


@app.command
def show(destination: Key, mapping: Mapping, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """Show a mapping: its trigger, and each field of its action with what it is mapped to."""
    found = api.destination(destination)
    one = api.mapping(found, mapping)
    if as_json:
        output.print_json(one)
        return
    output.say(f"{one['name']} ({one['actionSlug']}), {'enabled' if one['enabled'] else 'disabled'}")
    output.say(f"id {one['id']}")
    output.say(f"trigger {one['trigger']}\n")
    fields = _action(found, one["actionSlug"])["fields"]
    rows = [
        (
            field["fieldKey"],
            field["label"],
            field["type"].lower() + ("[]" if field["multiple"] else ""),
            "yes" if field["required"] else "",
            output.value(one["settings"].get(field["fieldKey"])),
        )
        for field in fields
        if not field["hidden"] or field["fieldKey"] in one["settings"]
    ]
    output.table(("field", "label", "type", "required", "mapped to"), rows)
    for name in one["settings"].keys() - {field["fieldKey"] for field in fields}:
        output.say(f"{name}: {output.value(one['settings'][name])}")


@app.command
def edit(
    destination: Key,
    mapping: Mapping,
    /,
    *,
    name: Name = None,
    trigger: Trigger = None,
    fields: Fields = (),
    unset: Annotated[tuple[str, ...], Parameter(help="A field to take away.", negative=())] = (),
    whole: Whole = None,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Change a mapping: what is not mentioned stays, unless --mapping replaces all fields."""
    found = api.destination(destination)
    one = api.mapping(found, mapping)
    change: Json = {}
    if name is not None:
        change["name"] = name
    if trigger is not None:
        change["trigger"] = trigger
    if fields or unset or whole is not None:
        settings = (one["settings"] if whole is None else _object(whole)) | assignments.mapping(fields)
        change["settings"] = {key: value for key, value in settings.items() if key not in unset}
    if not change:
        raise CommandError("nothing to change: give --name, --trigger, --set, --unset or --mapping")
    _told(api.patch(path(found, one), {"input": change})["subscription"], "Changed", as_json)


@app.command
def enable(destination: Key, mapping: Mapping, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """Use a mapping."""
    _switch(api, destination, mapping, True, as_json)


@app.command
def disable(destination: Key, mapping: Mapping, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """Keep a mapping, unused."""
    _switch(api, destination, mapping, False, as_json)


@app.command
def duplicate(destination: Key, mapping: Mapping, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """Make a disabled copy of a mapping."""
    found = api.destination(destination)
    one = api.mapping(found, mapping)
    _told(api.post(f"{path(found, one)}/duplicate")["destinationSubscription"], "Added", as_json)


@app.command
def remove(
    destination: Key,
    mapping: Mapping,
    /,
    *,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=())] = False,
    api: Api = HERE,
) -> None:
    """Delete a mapping."""
    found = api.destination(destination)
    one = api.mapping(found, mapping)
    confirm(f"Delete {one['name']} ({one['id']})?", yes)
    api.delete(path(found, one))
    output.say(f"Deleted {one['name']} ({one['id']}).")


@app.command
def choices(
    destination: Key,
    action: Annotated[str, Parameter(help="Slug of an action.")],
    field: Annotated[str, Parameter(help="Key of a field whose choices the tool has.")],
    /,
    *,
    fields: Fields = (),
    page: Annotated[str | None, Parameter(help="The page after the one that named it.")] = None,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Ask the tool for the choices of a field."""
    found = api.destination(destination)
    body = {"payload": assignments.mapping(fields)} | ({} if page is None else {"page": page})
    asked = api.post(f"{path(found)}/actions/{segment(action)}/fields/{segment(field)}/choices", body)
    if as_json:
        output.print_json(asked)
        return
    if asked["error"]:
        raise CommandError(f"{found['name']}: {asked['error']}")
    rows = [(output.value(each.get("value")), str(each.get("label", ""))) for each in asked["choices"]]
    output.table(("value", "label"), rows)
    if asked["nextPage"]:
        output.say(f"There is more: --page {asked['nextPage']}")


@app.command
def hook(
    destination: Key,
    mapping: Mapping,
    name: Annotated[str, Parameter(help="Name of a hook, such as onMappingSave.")],
    /,
    *,
    fields: Fields = (),
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Let a hook do its work at the tool, such as make a list, and keep its outputs in the mapping."""
    found = api.destination(destination)
    one = api.mapping(found, mapping)
    body = {"inputs": assignments.mapping(fields)}
    done = api.post(f"{path(found, one)}/hooks/{segment(name)}", body)
    if as_json:
        output.print_json(done)
    else:
        output.say(f"{name}: {output.value(done['outputs'])}")


def _switch(api: Api, destination: str, mapping: str, on: bool, as_json: bool) -> None:
    found = api.destination(destination)
    one = api.mapping(found, mapping)
    done = api.patch(path(found, one), {"input": {"enabled": on}})["subscription"]
    if as_json:
        output.print_json(done)
    else:
        output.say(f"{'Enabled' if on else 'Disabled'} the mapping {done['name']} ({done['id']}).")


def _action(destination: Json, slug: str) -> Json:
    actions = destination["metadata"]["actions"]
    for action in actions:
        if slug in (action["slug"], action["id"]):
            return dict(action)
    known = ", ".join(action["slug"] for action in actions) or "none"
    raise CommandError(f"{destination['metadata']['name']} has no action {slug}; it has: {known}")


def _object(file: Path) -> Json:
    found = assignments.read_json(str(file))
    if not isinstance(found, dict):
        raise CommandError(f"{file}: this must be a JSON object, field by field")
    return found


def _told(mapping: Any, verb: str, as_json: bool) -> None:
    if as_json:
        output.print_json(mapping)
    else:
        state = "enabled" if mapping["enabled"] else "disabled"
        output.say(f"{verb} the mapping {mapping['name']} ({mapping['id']}), {state}.")
