"""`onward functions …`: those of a workspace, by the Public API: save, compare, restore, delete.

A function is a file of code, and beside it, by the same name, a JSON file that says what it is:
`hello.js` and `hello.json` with `displayName`, `resourceType`, `description` and `settings`.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, get_args

import cyclopts
from cyclopts import Parameter

from onward.commands import output
from onward.commands.client import Api, Json
from onward.commands.common import CommandError
from onward.commands.output import AsJson

HERE = Api()

Name = Annotated[str, Parameter(help="Name or id of a function.")]
Number = Annotated[int | None, Parameter(help="Number of a version (default: the latest).")]


def add_to(app: cyclopts.App) -> None:
    """The commands below."""
    for command in (templates, new, save, versions, diff, restore, delete, usage):
        app.command(command)
    app.command(list_, name="list")


def templates() -> None:
    """List the functions that one can start from."""
    from onward.functions.templates import templates as all_templates

    rows = [(each.slug, each.kind, each.title) for each in all_templates()]
    output.table(("template", "type", "what it is"), rows)


def new(
    template: Annotated[str, Parameter(help="`onward functions templates` lists them.")],
    /,
    *,
    name: Annotated[
        str | None, Parameter(help="Of the function, and of its files (default: the template's).")
    ] = None,
    folder: Annotated[Path, Parameter(help="Where the files go.")] = Path(),
) -> None:
    """Write a template's code, and what it is, to two files."""
    import msgspec

    from onward.functions.templates import find

    found = find(template)
    if found is None:
        raise CommandError(f"there is no template {template}; `onward functions templates` lists them")
    stem = re.sub(r"[^a-z0-9]+", "-", (name or found.slug).lower()).strip("-") or found.slug
    code, told = folder / f"{stem}.js", folder / f"{stem}.json"
    for path in (code, told):
        if path.exists():
            raise CommandError(f"{path} is there already")
    what = {
        "displayName": name or found.title,
        "resourceType": found.kind,
        "description": found.description,
        "settings": msgspec.to_builtins(found.settings),
    }
    try:
        code.write_text(found.code)
        told.write_text(json.dumps(what, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise CommandError(f"can't write {error.filename}: {error.strerror}") from error
    output.say(f"Wrote {code} and {told}. Try it with `onward functions test {code}`, keep it with")
    output.say(f"`onward functions save {code}`.")


def list_(*, as_json: AsJson = False, api: Api = HERE) -> None:
    """List the functions of the workspace."""
    found = list(api.all("/functions", "functions"))
    if as_json:
        output.print_json(found)
        return
    rows = []
    for each in found:
        function = api.get(f"/functions/{each['id']}")["function"]
        handlers = "?" if function["handlers"] is None else ", ".join(function["handlers"])
        rows.append((each["displayName"], each["resourceType"], _standing(function), handlers, each["id"]))
    output.table(("name", "type", "deployed", "handlers", "id"), rows)


def save(
    file: Annotated[Path, Parameter(help="The code; what it is stands in the JSON file beside it.")],
    /,
    *,
    name: Annotated[str | None, Parameter(help="Name (default: of the JSON file, or the file's).")] = None,
    type: Annotated[
        str | None,
        Parameter(
            help="DESTINATION, INSERT_DESTINATION, INSERT_SOURCE or SOURCE (default: of the JSON file, or "
            "DESTINATION)."
        ),
    ] = None,
    deploy: Annotated[bool, Parameter(help="Deploy it as well.", negative=())] = False,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Save a function: a new one, or a new version of the one of this name. Saving deploys nothing."""
    told = _told(file, name, type)
    found = [
        each for each in _named(api, told["displayName"]) if each["resourceType"] == told["resourceType"]
    ]
    if found:
        changes = {key: value for key, value in told.items() if key != "resourceType"}
        function = api.patch(f"/functions/{found[0]['id']}", changes)["function"]
    else:
        function = api.post("/functions", told)["function"]
    if deploy:
        api.post(f"/functions/{function['id']}/deploy")
        function = api.get(f"/functions/{function['id']}")["function"]
    if as_json:
        output.print_json(function)
        return
    version = api.get(f"/functions/{function['id']}/versions", **{"pagination.count": 1})["versions"][0]
    output.say(f"{'Saved' if found else 'Added'} {function['displayName']}, version {version['number']}.")
    handlers = function["handlers"]
    if handlers is not None:
        output.say(f"Handlers: {', '.join(handlers) or 'none'}.")
    if function["isLatestVersion"]:
        output.say("It is deployed.")
    elif function["deployedAt"] is not None:
        output.say("An older version is deployed; `onward functions deploy` deploys this one.")


def versions(key: Name, /, *, as_json: AsJson = False, api: Api = HERE) -> None:
    """List the versions of a function, the newest first, and where each runs."""
    function = find(api, key)
    found = _versions(api, function)
    if as_json:
        output.print_json(found)
        return
    places: dict[str, list[str]] = {}
    for each in instances_of(api, function):
        places.setdefault(each["version"]["versionId"], []).append(place(each))
    rows = [
        (
            str(each["number"]),
            each["createdAt"],
            each["author"],
            " ".join(
                word for word, so in (("LATEST", each["isLatest"]), ("DEPLOYED", each["isDeployed"])) if so
            ),
            ", ".join(places.get(each["id"], [])),
            each["id"],
        )
        for each in found
    ]
    output.table(("version", "saved", "by", "", "runs at", "id"), rows)


def diff(
    key: Name,
    /,
    *,
    version: Number = None,
    before: Annotated[
        int | None, Parameter(name="--from", help="The one to compare with (default: the one before).")
    ] = None,
    api: Api = HERE,
) -> None:
    """Show what a version changed."""
    function = find(api, key)
    found = _versions(api, function)
    query = {} if before is None else {"from": _numbered(found, before)["id"]}
    one = _numbered(found, version) if version is not None else found[0]
    told = api.get(f"/functions/{function['id']}/versions/{one['id']}/diff", **query)["diff"]
    print(told["code"] or "The code is the same.\n", end="")
    for change in told["settings"]:
        sign = "+" if change["before"] is None else "-" if change["after"] is None else "~"
        shown = change["after"] or change["before"]
        output.say(f"{sign} setting {json.dumps(shown, ensure_ascii=False)}")


def restore(
    key: Name, version: Annotated[int, Parameter(help="Number of a version.")], /, *, api: Api = HERE
) -> None:
    """Save an old version as the latest. Nothing is deployed."""
    function = find(api, key)
    one = _numbered(_versions(api, function), version)
    restored = api.post(f"/functions/{function['id']}/versions", {"versionId": one["id"]})["version"]
    output.say(f"Version {version} of {function['displayName']} is now version {restored['number']}, too.")


def delete(key: Name, /, *, api: Api = HERE) -> None:
    """Delete a function that nothing uses, with its versions."""
    function = find(api, key)
    api.delete(f"/functions/{function['id']}")
    output.say(f"Deleted {function['displayName']}.")


def usage(
    *,
    period: Annotated[
        str | None, Parameter(help="A day of the month, such as 2030-01-31 (default: today).")
    ] = None,
    as_json: AsJson = False,
    api: Api = HERE,
) -> None:
    """Show what functions have used in a month (UTC), and their quotas."""
    told = api.get("/usage/functions", **({} if period is None else {"period": period}))["usage"]
    if as_json:
        output.print_json(told)
        return
    of_functions = ((each["displayName"] or each["functionId"], each) for each in told["functions"])
    rows = [
        (
            name,
            f"{each['invocations']:,}",
            f"{each['wallMs'] / 3_600_000:.3f}",
            f"{each['cpuMs'] / 3_600_000:.3f}",
            "" if each["limitHours"] is None else f"{each['limitHours']:g} ({each['percent']:.0f} %)",
            "locked out" if each["lockedOut"] else "",
        )
        for name, each in [*of_functions, ("all of the workspace", told["workspace"])]
    ]
    output.say(f"Functions in {told['month']}, hours:\n")
    output.table(("function", "invocations", "wall time", "processor", "quota", ""), rows)


def find(api: Api, key: str) -> Json:
    """By id or name, with the workspace's appended or not; `ownName` is without it."""
    found = _named(api, key)
    if len(found) > 1:
        ids = ", ".join(f"{each['id']} ({each['resourceType']})" for each in found)
        raise CommandError(f"{len(found)} functions are called {key}; name one by its id: {ids}")
    if not found:
        raise CommandError(f"there is no function {key}; `onward functions list` has all")
    return found[0]


def _named(api: Api, key: str) -> list[Json]:
    """The function with this id, or else those with this name."""
    appended = f" ({api.get('/')['workspace']['name']})"
    functions = []
    for each in api.all("/functions", "functions"):
        shown = each["displayName"]
        own = shown if each["resourceType"] == "SOURCE" else shown.removesuffix(appended)
        functions.append(each | {"ownName": own})
    by_id = [each for each in functions if each["id"] == key]
    return by_id or [each for each in functions if key in (each["displayName"], each["ownName"])]


def _standing(function: Json) -> str:
    """Whether what was saved last is what runs."""
    if function["deployedAt"] is None:
        return "no"
    behind = f", {function['instancesBehind']} behind" if function["instancesBehind"] else ""
    return f"{'yes' if function['isLatestVersion'] else 'older version'}{behind}"


def instances_of(api: Api, function: Json) -> list[Json]:
    """What the function is, or stands before or after."""
    return list(api.all(f"/functions/{function['id']}/instances", "instances"))


def place(instance: Json) -> str:
    """How one names an instance: its source's slug, or `source/destination`."""
    name = instance["destinationName"]
    return str(instance["sourceSlug"]) if name is None else f"{instance['sourceSlug']}/{name}"


def _versions(api: Api, function: Json) -> list[Json]:
    return list(api.all(f"/functions/{function['id']}/versions", "versions"))


def _numbered(versions: list[Json], number: int) -> Json:
    found = next((each for each in versions if each["number"] == number), None)
    if found is None:
        raise CommandError(f"there is no version {number}; `onward functions versions` lists them")
    return found


def beside(file: Path) -> Json:
    """What the JSON file beside a file of code says; nothing if there is none."""
    path = file.with_suffix(".json")
    try:
        told: Any = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"can't read {path}: {error}") from error
    except json.JSONDecodeError as error:
        raise CommandError(f"{path} is not JSON: {error}") from error
    if not isinstance(told, dict):
        raise CommandError(f"{path} must hold an object")
    return told


def _told(file: Path, name: str | None, kind: str | None) -> Json:
    """What the API is to be told of a file."""
    from onward.workspace.functions import Kind

    try:
        code = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"can't read {file}: {error}") from error
    told: Any = beside(file)
    told = {"displayName": file.stem, "resourceType": "DESTINATION"} | told
    told["code"] = code
    if name is not None:
        told["displayName"] = name
    if kind is not None:
        told["resourceType"] = kind.upper()
    if told["resourceType"] not in get_args(Kind):
        raise CommandError(
            f"the type is {told['resourceType']}; it must be one of: {', '.join(get_args(Kind))}"
        )
    return dict(told)
