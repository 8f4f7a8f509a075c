"""Makes a workspace what a document says, through the same edits as the Public API.

So every rule of the API holds here too. Errors carry the path in the document. What the document does
not mention stays; with `prune`, what it could have mentioned and does not is deleted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec import UNSET
from sqlalchemy import select

from onward.workspace import audit, ids
from onward.workspace import destinations as destination_edits
from onward.workspace import filters as filter_edits
from onward.workspace import sources as source_edits
from onward.workspace import subscriptions as subscription_edits
from onward.workspace.delivery import Delivery
from onward.workspace.document import (
    VARIABLE,
    DestinationPart,
    Document,
    FilterPart,
    SourcePart,
    SubscriptionPart,
    WorkspacePart,
    filter_part,
    placeholder,
    subscription_part,
)
from onward.workspace.entities import Destination, Source
from onward.workspace.errors import Conflict, Invalid, at, naming
from onward.workspace.names import check_name
from onward.workspace.secrets import MASK
from onward.workspace.store import Editor

P = TypeVar("P")
E = TypeVar("E")


@dataclass(frozen=True, kw_only=True)
class Options:
    environment: Mapping[str, str]
    prune: bool = False


def converge(editor: Editor, document: Document, options: Options) -> None:
    """Raises `Invalid` with a field such as `destinations[2].settings.url`; then nothing must be kept."""
    if document.workspace is not UNSET:
        with at("workspace"):
            _workspace(editor, document.workspace)
    sources = _sources_by_slug(editor)
    if document.sources is not UNSET:
        _refuse_twins("sources", [part.slug for part in document.sources])
    if document.destinations is not UNSET:
        _refuse_twins("destinations", [f"{part.source}/{part.name}" for part in document.destinations])
    # Deletions come first: what they free (a write key, a place below a limit) may be taken again.
    if options.prune:
        _prune(editor, document, sources)
        sources = _sources_by_slug(editor)
    for index, source in enumerate(document.sources or ()):
        with at(f"sources[{index}]"), naming(kind="type"):
            _source(editor, source, sources.get(source.slug), options)
    sources = _sources_by_slug(editor)
    for index, destination in enumerate(document.destinations or ()):
        with at(f"destinations[{index}]"), naming(definition="type"):
            _destination(editor, destination, sources, options)


def _workspace(editor: Editor, part: WorkspacePart) -> None:
    check_name(part.name)
    before = audit.state(editor.workspace)
    editor.workspace.name = part.name
    editor.modified(editor.workspace, before)


def _source(editor: Editor, part: SourcePart, source: Source | None, options: Options) -> None:
    if source is None and part.write_keys is UNSET:
        part.write_keys = [ids.write_key()]  # in the document, so that the key of the plan is the key made
    wanted = [] if part.write_keys is UNSET else part.write_keys
    if source is None:
        source_edits.create_source(
            editor,
            slug=part.slug,
            kind=part.type,
            name=part.name,
            enabled=True if part.enabled is UNSET else part.enabled,
            settings=part.settings,
            labels=part.labels,
            rate_limit=part.rate_limit,
            write_keys=wanted,
        )
        return
    source_edits.update_source(
        editor,
        source,
        kind=part.type,
        name=part.slug if part.name is None else part.name,
        enabled=part.enabled,
        settings=part.settings,
        labels=part.labels,
        rate_limit=part.rate_limit,
    )
    there = [key.key for key in source.write_keys]
    for key in wanted:
        if key not in there:
            source_edits.add_write_key(editor, source, key)
    if options.prune and wanted:
        for key in there:
            if key not in wanted:
                source_edits.remove_write_key(editor, source, key)


def _destination(
    editor: Editor, part: DestinationPart, sources: Mapping[str, Source], options: Options
) -> None:
    source = sources.get(part.source)
    if source is None:
        raise Invalid(f"there is no source {part.source}", field="source")
    found = next((each for each in source.destinations if each.name == part.name), None)
    if found is None:
        found = destination_edits.create_destination(
            editor,
            source,
            definition=part.type,
            name=part.name,
            enabled=False if part.enabled is UNSET else part.enabled,
            settings=_resolved(part.settings, None, options),
            delivery=None if part.delivery is UNSET else part.delivery,
        )
    else:
        definition = destination_edits.find_definition(editor.catalogue, part.type)
        if definition.slug != found.definition:
            raise Conflict(
                f"the destination {part.name} is of the type {found.definition}, which can't be changed",
                field="type",
            )
        destination_edits.update_destination(
            editor,
            found,
            enabled=part.enabled,
            settings=_resolved(part.settings, found, options),
            replace_settings=True,
            delivery=Delivery() if part.delivery is UNSET else part.delivery,
            replace_delivery=True,
        )
    if part.subscriptions is not UNSET:
        _subscriptions(editor, found, part.subscriptions, options)
    if part.filters is not UNSET:
        _filters(editor, found, part.filters, options)


def _resolved(settings: dict[str, Any], destination: Destination | None, options: Options) -> dict[str, Any]:
    """Settings with variables replaced. An unset one keeps the secret that export wrote it for."""
    values = dict(settings)
    for name, value in settings.items():
        found = VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            continue
        if len(found[1]) > 1:
            values[name] = value[1:]
        elif found[2] in options.environment:
            values[name] = options.environment[found[2]]
        elif (
            destination is not None
            and name in destination.secrets
            and value == placeholder(destination, name)
        ):
            values[name] = MASK
        else:
            raise Invalid(f"the environment variable {found[2]} is not set", field=f"settings.{name}")
    return values


def _subscriptions(
    editor: Editor, destination: Destination, parts: Sequence[SubscriptionPart], options: Options
) -> None:
    there = [(subscription_part(each), each) for each in destination.subscriptions]
    found, rest = _paired(parts, there, lambda part: part.name)
    if options.prune:
        for leftover in rest:
            subscription_edits.delete_subscription(editor, leftover)
    for index, (part, subscription) in enumerate(zip(parts, found, strict=True)):
        with at(f"subscriptions[{index}]"):
            if subscription is None:
                subscription_edits.create_subscription(
                    editor,
                    destination,
                    name=part.name,
                    action=part.action,
                    trigger=part.trigger,
                    mapping=part.mapping,
                    enabled=False if part.enabled is UNSET else part.enabled,
                )
                continue
            mapping = part.mapping
            if mapping is None:
                definition = destination_edits.definition_of(editor.catalogue, destination.definition)
                action = subscription_edits.find_action(definition, part.action)
                mapping = subscription_edits.default_mapping(action)
            subscription_edits.update_subscription(
                editor,
                subscription,
                action=part.action,
                trigger=part.trigger,
                mapping=mapping,
                enabled=part.enabled,
            )


def _filters(editor: Editor, destination: Destination, parts: Sequence[FilterPart], options: Options) -> None:
    there = [(filter_part(each), each) for each in destination.filters]
    found, rest = _paired(parts, there, lambda part: part.title)
    if options.prune:
        for leftover in rest:
            filter_edits.delete_filter(editor, leftover)
    for index, (part, filter) in enumerate(zip(parts, found, strict=True)):
        with at(f"filters[{index}]"), naming(condition="if"):
            if filter is None:
                filter_edits.create_filter(
                    editor,
                    destination,
                    title=part.title,
                    condition=part.condition,
                    actions=part.actions,
                    description=part.description,
                    enabled=False if part.enabled is UNSET else part.enabled,
                )
            else:
                filter_edits.update_filter(
                    editor,
                    filter,
                    condition=part.condition,
                    actions=part.actions,
                    description=part.description,
                    enabled=part.enabled,
                )


def _prune(editor: Editor, document: Document, sources: Mapping[str, Source]) -> None:
    """Delete the sources and destinations that a list in the document leaves out."""
    if document.sources is not UNSET:
        kept = {part.slug for part in document.sources}
        for slug, source in sources.items():
            if slug not in kept:
                source_edits.delete_source(editor, source)
    if document.destinations is not UNSET:
        named = {(part.source, part.name) for part in document.destinations}
        for slug, source in _sources_by_slug(editor).items():
            for destination in list(source.destinations):
                if (slug, destination.name) not in named:
                    destination_edits.delete_destination(editor, destination)


def _paired(
    parts: Sequence[P], there: Sequence[tuple[P, E]], name: Callable[[P], str]
) -> tuple[list[E | None], list[E]]:
    """For each part the thing it is about, or None; and the things that no part is about.

    Names need not be unique, so of things with one name those that are as the document wants them are
    found first, and the others in their order.
    """
    rest = list(there)
    found: dict[int, E] = {}
    for same in (lambda part, other: part == other, lambda part, other: name(part) == name(other)):
        for index, part in enumerate(parts):
            match = next((pair for pair in rest if index not in found and same(part, pair[0])), None)
            if match is not None:
                found[index] = match[1]
                rest.remove(match)
    return [found.get(index) for index in range(len(parts))], [entity for _, entity in rest]


def _sources_by_slug(editor: Editor) -> dict[str, Source]:
    """As they are now, with their destinations."""
    query = select(Source).where(Source.workspace_id == editor.workspace.id).order_by(Source.slug)
    return {
        source.slug: source
        for source in editor.session.scalars(query, execution_options={"populate_existing": True})
    }


def _refuse_twins(where: str, keys: Sequence[str]) -> None:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise Conflict(f"{key} is in the document twice", field=f"{where}[{index}]")
