"""Pages about destinations in Markdown, made from their definitions: one each, an index, and the charts.

`python -m onward.destinations.docs` makes those of Onward's own destinations, which are kept in
`docs/catalog`. Those of the bridge hold texts that others wrote, so they are made where the packages are
installed (`onward catalog docs FOLDER`) and are not kept.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onward.destinations.catalog import Catalogue
from onward.destinations.definition import Action, Definition, Field, Preset
from onward.destinations.directory import DEVICES, METHODS, Directory, Entry, by_category
from onward.pipeline.fields.conditions import compile_conditional

MADE = "<!-- Made by `onward catalog docs`; what is changed here is lost. -->"
KEPT = Path(__file__).parents[2] / "docs/catalog"

CHARTS = {
    "methods": "Which kinds of events each destination takes",
    "modes": "How each destination is reached",
    "categories": "Destinations by category",
}


def write_pages(catalogue: Catalogue, folder: Path) -> list[Path]:
    """All pages, in a folder that is made if it is missing. Pages of a former time are removed.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = pages(catalogue)
    for path in folder.glob("*.md"):
        if path.name not in texts and path.read_text(errors="replace").startswith(MADE):
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def pages(catalogue: Catalogue) -> dict[str, str]:
    """The pages by file name."""
    entries = Directory(catalogue).entries
    return {
        "README.md": _index(entries),
        "methods.md": _page(CHARTS["methods"], [_methods_chart(entries)]),
        "modes.md": _page(CHARTS["modes"], [_modes_chart(entries)]),
        "categories.md": _page(CHARTS["categories"], _categories_chart(entries)),
        **{f"{entry.slug}.md": destination_page(catalogue[entry.slug]) for entry in entries},
    }


def destination_page(definition: Definition) -> str:
    parts = [definition.description, _quick_info(definition)]
    parts += ["## Settings", _fields(definition.settings, "setting") or "It has none."]
    actions = [action for action in definition.actions.values() if not action.hidden]
    parts += ["## Actions"]
    for action in actions:
        parts += _action(action)
    if definition.presets:
        parts += ["## Presets", _presets(definition.presets)]
    if definition.audiences is not None:
        parts += ["## Audiences", _audiences(definition)]
    parts += ["## Limits", *_limits(definition), "## Try it", *_try_it(definition)]
    if not definition.native:
        parts.append(
            "The texts on this page are those of @segment/action-destinations, under the MIT licence."
        )
    return _page(definition.name, parts)


def _index(entries: Sequence[Entry]) -> str:
    bridged = [entry for entry in entries if not entry.native]
    parts = [
        f"{len(entries)} destinations. Charts: [methods](methods.md), [connection modes](modes.md), "
        "[categories](categories.md)."
    ]
    if not bridged:
        parts.append(
            "These are Onward's own. Segment's open-source destinations run in Onward too. The texts in "
            "their pages are others', so those are made on your machine: `onward catalog update` installs "
            "them, and `onward catalog docs FOLDER` writes the pages of all."
        )
    rows = [
        [_link(entry), f"`{entry.slug}`", "native" if entry.native else "bridge", ", ".join(entry.categories)]
        for entry in entries
    ]
    return _page(
        "Catalogue of destinations", [*parts, _table(["destination", "slug", "runs as", "categories"], rows)]
    )


def _quick_info(definition: Definition) -> str:
    listing = definition.listing
    rows = [
        ["slug", f"`{definition.slug}`"],
        ["metadata id", f"`{definition.id}`"],
        [
            "runs as",
            "native" if definition.native else "Segment's open-source destination, through the bridge",
        ],
        ["kind", listing.kind.replace("_", " ")],
        ["categories", ", ".join(listing.categories)],
        ["methods", _some(METHODS, listing.methods)],
        ["cloud mode", _some(DEVICES, listing.cloud) or "no"],
        ["device mode", _some(DEVICES, listing.device) or "no"],
        ["from warehouses", "yes" if "warehouse" in listing.sources else "no"],
        ["status", listing.status.lower().replace("_", " ")],
        ["regions of the tool", ", ".join(listing.endpoints)],
        ["names in the integrations object", ", ".join(f"`{name}`" for name in definition.integration_names)],
        ["website", listing.website],
        ["documentation of the tool", listing.documentation],
    ]
    return _table(["", ""], [row for row in rows if row[1]])


def _action(action: Action) -> Iterator[str]:
    yield f"### {_inline(action.title)}"
    if action.description:
        yield _text(action.description)
    facts = [f"`{action.slug}`. By default for: {_code(action.default_trigger) or 'nothing'}."]
    if action.batches:
        facts.append(f"Batches of up to {action.max_batch_size:,} events.")
    if action.sync_mode is not None:
        facts.append(f"Sync modes: {', '.join(action.sync_mode.choices)}.")
    facts += [f"When a mapping is saved: {_inline(hook.label)}." for hook in action.hooks.values()]
    yield " ".join(facts)
    yield _fields(action.fields, "field") or "It has no fields."


def _fields(fields: Mapping[str, Field], first: str) -> str:
    rows = [
        [f"`{path}`", _type(field), _required(field), _value(field.default), _what(field)]
        for path, field in flattened(fields)
        if not field.hidden
    ]
    return _table([first, "type", "required", "default", "what it is"], rows) if rows else ""


def flattened(fields: Mapping[str, Field], above: str = "") -> Iterator[tuple[str, Field]]:
    """Fields, and after an object its known members, by path."""
    for name, field in fields.items():
        yield above + name, field
        if field.properties:
            yield from flattened(field.properties, f"{above}{name}.")


def _type(field: Field) -> str:
    kind = f"{field.type}, several" if field.multiple else field.type
    return f"{kind}, secret" if field.secret else kind


def _required(field: Field) -> str:
    if isinstance(field.required, bool):
        return "yes" if field.required else ""
    return f"if {conditions(field.required)}"


def _what(field: Field) -> str:
    parts = [_inline(field.description or field.label)]
    if field.choices:
        parts.append(f"One of: {', '.join(_value(choice) for choice in field.choices)}.")
    if field.dynamic:
        parts.append("The tool can be asked for choices.")
    if field.minimum is not None or field.maximum is not None:
        least = "" if field.minimum is None else f"from {field.minimum:g} "
        most = "" if field.maximum is None else f"to {field.maximum:g}"
        parts.append(f"{least}{most}".strip().capitalize() + ".")
    if field.depends_on is not None:
        parts.append(f"For when {conditions(field.depends_on)}.")
    return " ".join(parts)


def conditions(rules: Mapping[str, Any]) -> str:
    """`{"match", "conditions"}` in words."""
    told = []
    for rule in rules.get("conditions", ()):
        what = "the sync mode" if rule.get("type") == "syncMode" else f"`{rule.get('fieldKey', '')}`"
        values = rule.get("value")
        values = values if isinstance(values, list) else [values]
        not_ = " not" if rule.get("operator") == "is_not" else ""
        said = " or ".join("empty" if value is None else _value(value) for value in values)
        told.append(f"{what} is{not_} {said}")
    return (" or " if rules.get("match") == "any" else " and ").join(told)


def _presets(presets: Iterable[Preset]) -> str:
    rows = [
        [
            _inline(preset.name),
            f"`{preset.action}`",
            _code(preset.trigger),
            "when it is added" if preset.automatic else f"for `{preset.event}`",
        ]
        for preset in presets
    ]
    return _table(["preset", "action", "trigger", "applied"], rows)


def _audiences(definition: Definition) -> str:
    assert definition.audiences is not None
    text = "Lists at the tool can be made and found by Onward."
    fields = _fields(definition.audiences.fields, "audience setting")
    return f"{text}\n\n{fields}" if fields else text


def _limits(definition: Definition) -> Iterator[str]:
    listing = definition.listing
    lines = []
    batching = [action for action in definition.actions.values() if action.batches and not action.hidden]
    for action in batching:
        bulk = ""
        if action.bulk_from is not None:
            bulk = f"; bulk batches from `batch_size` {action.bulk_from:,} on"
        lines.append(
            f"`{action.slug}`: {action.default_batch_size:,} events in a request unless the mapping says "
            f"otherwise, {action.max_batch_size:,} and {action.max_batch_bytes:,} bytes at most{bulk}."
        )
    if not batching:
        lines.append("One request for each event.")
    if listing.replay_days is not None:
        lines.append(f"The tool takes events of the last {listing.replay_days} days only.")
    if not listing.replay:
        lines.append("Events can't be replayed to it.")
    if not listing.ip_allowlist:
        lines.append("Not for an IP allowlist: what it sends through has no fixed addresses.")
    if listing.own_sockets:
        lines.append("It speaks a protocol of its own rather than HTTP.")
    yield "\n".join(f"* {line}" for line in lines)


def _try_it(definition: Definition) -> Iterator[str]:
    yield "In a workspace file (`onward apply`), with what is required:"
    settings = [
        f"      {name}: {_shown(definition.slug, name, field)}"
        for name, field in _required_settings(definition)
    ]
    lines = [
        "destinations:",
        f"  - name: {json.dumps(definition.name, ensure_ascii=False)}",
        "    source: website",
        f"    type: {definition.slug}",
        *(["    settings:", *settings] if settings else []),
    ]
    yield "```yaml\n" + "\n".join(lines) + "\n```"
    test = "can be tested" if definition.test is not None else "has no test"
    yield (
        f"Its connection {test}. `onward catalog show {definition.slug}` shows what is here in a terminal."
    )
    if not definition.listing.own_sockets:
        yield (
            "To see what it sends without the tool, start `onward sink`, and let requests go there by the "
            "setting `egress_override`."
        )


def _required_settings(definition: Definition) -> list[tuple[str, Field]]:
    """Settings that must be given, defaults and those before being what they are."""
    values = {name: field.default for name, field in definition.settings.items() if field.default is not None}
    needed = []
    for name, field in definition.settings.items():
        wrong = field.choices and field.default is not None and field.default not in field.choices
        empty = values.get(name) in (None, "")
        if isinstance(field.required, Mapping):
            asked = bool(compile_conditional(None, name, field.required).missing(values))
        else:
            asked = bool(field.required) and empty
        if asked or wrong:
            needed.append((name, field))
            values[name] = _example(field)
    return needed


def _shown(slug: str, name: str, field: Field) -> str:
    if field.secret or field.type == "password":
        return "${" + re.sub(r"\W+", "_", f"{slug}_{name}").upper() + "}"
    return json.dumps(_example(field), ensure_ascii=False)


def _example(field: Field) -> Any:
    kinds: dict[str, Any] = {"number": 1, "integer": 1, "boolean": True, "object": {}}
    value = field.choices[0] if field.choices else kinds.get(field.type, f"<{field.label}>")
    return [value] if field.multiple else value


def _methods_chart(entries: Sequence[Entry]) -> str:
    rows = [[_link(entry), *(_tick(name in entry.listing.methods) for name in METHODS)] for entry in entries]
    return _table(["destination", *METHODS], rows)


def _modes_chart(entries: Sequence[Entry]) -> str:
    columns = [*(f"cloud: {name}" for name in DEVICES), "device: web", "device: mobile"]
    rows = [
        [
            _link(entry),
            *(_tick(name in entry.listing.cloud) for name in DEVICES),
            _tick("web" in entry.listing.device),
            _tick("mobile" in entry.listing.device),
        ]
        for entry in entries
    ]
    return _table(["destination", *columns], rows)


def _categories_chart(entries: Sequence[Entry]) -> Iterator[str]:
    for category, members in by_category(entries).items():
        yield f"## {category}"
        yield _modes_chart(members)


def _page(title: str, parts: Iterable[str]) -> str:
    body = "\n\n".join(part for part in parts if part)
    return f"{MADE}\n\n# {_inline(title)}\n\n{body}\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _link(entry: Entry) -> str:
    beta = " (beta)" if entry.listing.status == "PUBLIC_BETA" else ""
    return f"[{_inline(entry.name)}]({entry.slug}.md){beta}"


def _value(value: Any) -> str:
    """A value as code; nothing for none."""
    if value is None:
        return ""
    return _code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _code(text: str) -> str:
    text = " ".join(text.split()).replace("|", "\\|")
    if not text:
        return ""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _inline(text: str) -> str:
    """Text in one line, which neither ends a table's cell nor is taken for HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _text(text: str) -> str:
    return text.strip().replace("<", "&lt;")


def _some(order: Sequence[str], given: frozenset[str]) -> str:
    return ", ".join(name for name in order if name in given)


def _tick(yes: bool) -> str:
    return "✓" if yes else ""


if __name__ == "__main__":
    print(f"{len(write_pages(Catalogue(), KEPT))} pages in {KEPT}")
