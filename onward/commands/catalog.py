"""`onward catalog …`: look through the destinations there are, and install those of Segment's."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from onward.commands.common import CommandError, Config, read_settings

if TYPE_CHECKING:
    from onward.destinations.catalog import Catalogue
    from onward.destinations.definition import Definition
    from onward.destinations.directory import Directory, Entry

app = cyclopts.App(name="catalog", help="The catalogue of destinations.")

Folder = Annotated[
    Path | None,
    Parameter(help="Where the catalogue is installed (default: $ONWARD_CATALOG, or beside Onward)."),
]
Json = Annotated[bool, Parameter(name="--json", help="Print JSON.", negative=(), show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which destinations; several filters must all hold."""

    search: Annotated[str, Parameter(help="Words that must occur in what is told of it.")] = ""
    category: Annotated[str, Parameter(help="Category, such as Analytics (`charts categories` has all).")] = (
        ""
    )
    method: Annotated[
        Literal["track", "page", "screen", "identify", "group", "alias"] | None,
        Parameter(help="Kind of event that it takes."),
    ] = None
    mode: Annotated[Literal["cloud", "device"] | None, Parameter(help="How it is reached.")] = None
    kind: Annotated[Literal["event_stream", "storage", "reverse_etl"] | None, Parameter(help="Kind.")] = None
    source: Annotated[
        Literal["web", "mobile", "server", "warehouse"] | None,
        Parameter(help="Kind of source; with --mode, the one that can reach it so."),
    ] = None


EVERYTHING = Filters()


@app.command(name="list")
def list_(
    *,
    filters: Filters = EVERYTHING,
    as_json: Json = False,
    folder: Folder = None,
    config: Config = None,
) -> None:
    """List destinations: all, or those that the filters take."""
    from onward.commands import catalog_tables as tables

    catalogue, directory = _open(config, folder)
    found = _find(directory, filters)
    if as_json:
        _print_json([_brief(entry) for entry in found])
        return
    tables.show_list(found, len(catalogue))
    if len(catalogue) == len(catalogue.native):
        print(
            "Only Onward's own: `onward catalog update` installs Segment's open-source ones.", file=sys.stderr
        )


@app.command
def show(
    slug: Annotated[str, Parameter(help="Slug or metadata id of a destination.")],
    /,
    *,
    action: Annotated[str | None, Parameter(help="Show the fields of this action.")] = None,
    as_json: Json = False,
    folder: Folder = None,
    config: Config = None,
) -> None:
    """Show a destination: settings, actions, presets; with --action the fields of one."""
    from onward.api.metadata import destination_metadata
    from onward.commands import catalog_tables as tables

    definition = _definition(*_open(config, folder), slug)
    if action is not None and action not in definition.actions:
        raise CommandError(
            f"{definition.slug} has no action {action}; it has: {', '.join(definition.actions) or 'none'}"
        )
    if as_json:
        view = destination_metadata(definition)
        _print_json(view if action is None else next(a for a in view["actions"] if a["slug"] == action))
    elif action is not None:
        tables.show_action(definition, definition.actions[action])
    else:
        tables.show_definition(definition)


@app.command
def charts(
    chart: Annotated[Literal["methods", "modes", "categories"], Parameter(help="Which chart.")],
    /,
    *,
    filters: Filters = EVERYTHING,
    as_json: Json = False,
    folder: Folder = None,
    config: Config = None,
) -> None:
    """Compare destinations by methods, by connection modes, or by category."""
    from onward.commands import catalog_tables as tables
    from onward.destinations.directory import by_category

    _, directory = _open(config, folder)
    found = _find(directory, filters)
    if as_json:
        groups = by_category(found)
        _print_json(
            {name: [_brief(entry) for entry in entries] for name, entries in groups.items()}
            if chart == "categories"
            else [_brief(entry) for entry in found]
        )
    else:
        tables.CHARTS[chart](found)


@app.command
def update(*, folder: Folder = None, config: Config = None) -> None:
    """Install Segment's open-source destinations, in the versions that this Onward is made for."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from onward.destinations.bridge.install import install
    from onward.npm import InstallError

    target = _folder(config, folder)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("starting", total=1.0)
            installed = install(target, lambda what, done: bar.update(task, description=what, completed=done))
    except InstallError as error:
        raise CommandError(_short(str(error))) from error
    what = (
        f"{installed.destinations} destinations of {installed.name} {installed.version} ({installed.license})"
    )
    if installed.changed:
        print(f"Installed {what} in {target}. Restart a server that is running.")
    else:
        print(f"Up to date: {what} in {target}.")


@app.command
def docs(
    to: Annotated[Path, Parameter(help="The folder that the pages go to; made if it is missing.")],
    /,
    *,
    folder: Folder = None,
    config: Config = None,
) -> None:
    """Write a page for each destination in Markdown, with an index and the charts."""
    from onward.destinations.docs import write_pages

    catalogue, _ = _open(config, folder)
    try:
        pages = write_pages(catalogue, to)
    except OSError as error:
        raise CommandError(f"can't write to {to}: {error.strerror or error}") from error
    print(f"Wrote {len(pages)} pages to {to}.")


def _folder(config: Path | None, folder: Path | None) -> Path:
    return read_settings(config, catalog=folder).catalog_folder


def _open(config: Path | None, folder: Path | None) -> "tuple[Catalogue, Directory]":
    from onward.destinations.catalog import open_catalogue
    from onward.destinations.directory import Directory

    catalogue = open_catalogue(_folder(config, folder))
    return catalogue, Directory(catalogue)


def _find(directory: "Directory", filters: Filters) -> "Sequence[Entry]":
    from onward.destinations.directory import Query, QueryError

    try:
        return directory.find(Query(**{name: value or "" for name, value in asdict(filters).items()}))
    except QueryError as error:
        raise CommandError(f"--{error.name}: {error}") from None


def _definition(catalogue: "Catalogue", directory: "Directory", key: str) -> "Definition":
    slug = directory.slug(key)
    if slug is not None:
        return catalogue[slug]
    close = get_close_matches(key, [*catalogue, *(each.removeprefix("actions-") for each in catalogue)])
    slugs = dict.fromkeys(each if each in catalogue else f"actions-{each}" for each in close)
    hint = f"did you mean {' or '.join(slugs)}?" if slugs else "`onward catalog list` has all"
    raise CommandError(f"the catalogue has no destination {key}; {hint}")


def _brief(entry: "Entry") -> dict[str, Any]:
    from onward.destinations.directory import METHODS, SOURCES, connection_modes

    listing = entry.listing
    return {
        "slug": entry.slug,
        "id": entry.id,
        "name": entry.name,
        "description": entry.description,
        "status": listing.status,
        "kind": listing.kind,
        "categories": list(listing.categories),
        "methods": [name for name in METHODS if name in listing.methods],
        "sources": [name for name in SOURCES if name in listing.sources],
        "connectionModes": connection_modes(listing),
        "native": entry.native,
        "actions": entry.actions,
        "batching": entry.batches,
        "bulk": entry.bulk,
    }


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _short(text: str) -> str:
    """What a program said over many lines, in one, without what only its makers can read."""
    line = " ".join(text.partition("Stack backtrace")[0].split())
    return line if len(line) <= 500 else f"{line[:499]}…"
