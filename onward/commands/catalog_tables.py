"""The tables of `onward catalog`, for people. Programs use `--json`."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from onward.destinations.definition import Action, Definition, Field, Preset
from onward.destinations.directory import DEVICES, METHODS, Entry, by_category
from onward.destinations.docs import flattened

ROOMY = 140
"""Columns from which methods and modes have room in the list."""
WIDE = 160
"""Columns where there is no terminal whose width could be taken."""


def console() -> Console:
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if known else WIDE, highlight=False, markup=False)


def show_list(entries: Sequence[Entry], total: int) -> None:
    out = console()
    wide = out.width >= ROOMY
    table = _table("slug", "name", "runs as", "categories", *(["methods", "cloud", "device"] if wide else []))
    for entry in entries:
        listing = entry.listing
        modes = [
            _some(METHODS, listing.methods),
            _some(DEVICES, listing.cloud),
            _some(DEVICES, listing.device),
        ]
        table.add_row(
            Text(entry.slug, style="bold"),
            _name(entry),
            "native" if entry.native else "bridge",
            ", ".join(entry.categories),
            *(modes if wide else []),
        )
    if entries:
        out.print(table)
    out.print(
        f"{len(entries)} of {total} destinations." if len(entries) != total else f"{total} destinations."
    )


def methods_chart(entries: Sequence[Entry]) -> None:
    table = _table("destination", *METHODS)
    for entry in entries:
        table.add_row(_name(entry), *(_tick(name in entry.listing.methods) for name in METHODS))
    console().print(table)


def modes_chart(entries: Sequence[Entry]) -> None:
    table = _table("destination", *(f"cloud: {name}" for name in DEVICES), "device: web", "device: mobile")
    for entry in entries:
        table.add_row(_name(entry), *_modes(entry))
    console().print(table)


def categories_chart(entries: Sequence[Entry]) -> None:
    out = console()
    for category, members in by_category(entries).items():
        table = _table(
            "destination", *(f"cloud: {name}" for name in DEVICES), "device: web", "device: mobile"
        )
        for entry in members:
            table.add_row(_name(entry), *_modes(entry))
        out.print(Text(f"{category} ({len(members)})", style="bold"))
        out.print(Padding(table, (0, 0, 1, 0), expand=False))


CHARTS: dict[str, Callable[[Sequence[Entry]], None]] = {
    "methods": methods_chart,
    "modes": modes_chart,
    "categories": categories_chart,
}


def show_definition(definition: Definition) -> None:
    out = console()
    out.print(_head(definition))
    _section(out, "Settings", _fields(definition.settings, settings=True))
    actions = [action for action in definition.actions.values() if not action.hidden]
    if len(actions) == 1:
        show_action(definition, actions[0], out)
    else:
        _section(out, "Actions (`--action SLUG` shows the fields)", _actions(actions))
    _section(out, "Presets", _presets(definition.presets))


def show_action(definition: Definition, action: Action, out: Console | None = None) -> None:
    alone = out is None
    out = out or console()
    title = f"{definition.name}: {action.title}" if alone else f"Action {action.slug}: {action.title}"
    out.print(Text(title, style="bold"))
    rows = [("slug", action.slug), ("description", action.description)]
    rows.append(("default trigger", action.default_trigger or "none"))
    rows.append(("batches", _batches(action)))
    if action.sync_mode is not None:
        rows.append(("sync modes", ", ".join(action.sync_mode.choices)))
    if action.hooks:
        rows.append(("when saved", ", ".join(hook.label for hook in action.hooks.values())))
    out.print(Padding(_pairs(rows), (0, 0, 1, 0), expand=False))
    _section(out, "Fields", _fields(action.fields))
    if alone:
        _section(out, "Presets", _presets([p for p in definition.presets if p.action == action.slug]))


def _head(definition: Definition) -> Group:
    listing = definition.listing
    rows = [
        ("slug", definition.slug),
        ("metadata id", definition.id),
        ("description", definition.description),
        ("runs as", "native (Python)" if definition.native else "Segment's open-source destination"),
        ("kind", listing.kind),
        ("categories", ", ".join(listing.categories) or "none"),
        ("methods", _some(METHODS, listing.methods)),
        ("cloud mode", _some(DEVICES, listing.cloud) or "no"),
        ("device mode", _some(DEVICES, listing.device) or "no"),
        ("status", listing.status),
        ("connection test", "yes" if definition.test else "no"),
        ("audiences", "yes" if definition.audiences else "no"),
        ("replay", _replay(definition)),
        ("website", listing.website or "unknown"),
        ("other names", ", ".join(definition.previous_names) or "none"),
    ]
    return Group(Text(definition.name, style="bold"), Padding(_pairs(rows), (0, 0, 1, 0), expand=False))


def _replay(definition: Definition) -> str:
    listing = definition.listing
    if listing.replay and listing.replay_days is not None:
        return f"events of the last {listing.replay_days} days"
    return "yes" if listing.replay else "no"


def _actions(actions: Sequence[Action]) -> Table:
    table = _table("action", "title", "default trigger", "batches", "fields")
    for action in actions:
        table.add_row(
            Text(action.slug, style="bold"),
            action.title,
            action.default_trigger,
            _batches(action),
            str(len(action.fields)),
        )
    return table


def _batches(action: Action) -> str:
    if not action.batches:
        return "no"
    bulk = f", bulk from {action.bulk_from}" if action.bulk_from is not None else ""
    return f"up to {action.max_batch_size}{bulk}"


def _fields(fields: Mapping[str, Field], settings: bool = False) -> Table:
    table = _table("setting" if settings else "field", "type", "required", "default", "choices", "what it is")
    for path, field in flattened(fields):
        table.add_row(
            Text(path, style="dim" if field.hidden else "bold"),
            kind_of(field),
            required_of(field),
            "" if field.default is None else compact(field.default),
            "asked of the tool" if field.dynamic and not field.choices else _choices(field),
            field.description or field.label,
        )
    return table


def _presets(presets: Sequence[Preset]) -> Table:
    table = _table("preset", "action", "applied", "trigger")
    for preset in presets:
        applied = "when added" if preset.automatic else f"for {preset.event or 'special events'}"
        table.add_row(preset.name, preset.action, applied, " ".join(preset.trigger.split()))
    return table


def kind_of(field: Field) -> str:
    return f"{field.type} list" if field.multiple else field.type


def required_of(field: Field) -> str:
    if isinstance(field.required, bool):
        return "yes" if field.required else ""
    return "if"


def compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _choices(field: Field) -> str:
    return ", ".join(str(choice) for choice in field.choices)


def _section(out: Console, title: str, table: Table) -> None:
    if table.row_count:
        out.print(Text(title, style="bold"))
        out.print(Padding(table, (0, 0, 1, 0), expand=False))


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0, overflow="fold")
    return table


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        if value:
            table.add_row(name, Text(value))
    return table


def _name(entry: Entry) -> Text:
    beta = entry.listing.status == "PUBLIC_BETA"
    return Text(entry.name).append(" (beta)", style="dim") if beta else Text(entry.name)


def _modes(entry: Entry) -> list[Text]:
    listing = entry.listing
    ticks = [name in listing.cloud for name in DEVICES]
    return [_tick(each) for each in [*ticks, "web" in listing.device, "mobile" in listing.device]]


def _tick(yes: bool) -> Text:
    return Text("✓", style="green") if yes else Text("·", style="dim")


def _some(order: Sequence[str], given: frozenset[str]) -> str:
    return " ".join(name for name in order if name in given)
