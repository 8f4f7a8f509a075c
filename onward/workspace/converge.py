"""Makes a workspace what a document says, through the same edits as the Public API.

So every rule of the API holds here too. Errors carry the path in the document. What the document does
not mention stays; with `prune`, what it could have mentioned and does not is deleted.
"""

from collections.abc import Mapping, Sequence

from msgspec import UNSET
from sqlalchemy import select

from onward.workspace import audit, ids
from onward.workspace import destinations as destination_edits
from onward.workspace import filters as filter_edits
from onward.workspace import labels as label_edits
from onward.workspace import sources as source_edits
from onward.workspace import subscriptions as subscription_edits
from onward.workspace.audit_forwarding import set_forwarding
from onward.workspace.delivery import Delivery
from onward.workspace.document import (
    DestinationPart,
    Document,
    FilterPart,
    SourcePart,
    SubscriptionPart,
    WorkspacePart,
    filter_part,
    subscription_part,
)
from onward.workspace.entities import Destination, Source
from onward.workspace.errors import Conflict, Invalid, at, naming
from onward.workspace.function_catalogue import definition_of as function_definition
from onward.workspace.function_catalogue import slug_of
from onward.workspace.names import check_name
from onward.workspace.parts.alerts import converge_alerts
from onward.workspace.parts.base import Options, paired, refuse_twins, resolved
from onward.workspace.parts.functions import (
    Place,
    converge_edge_functions,
    converge_functions,
    converge_inserted,
    function_named,
    place_of_destination,
    place_of_inserted,
    place_of_source,
    prune_functions,
)
from onward.workspace.parts.governance import (
    converge_schema,
    converge_schema_events,
    converge_tracking_plans,
    converge_transformations,
)
from onward.workspace.parts.people import (
    converge_groups,
    converge_labels,
    converge_people,
    prune_groups,
    prune_labels,
)
from onward.workspace.parts.storage import converge_models, converge_warehouses
from onward.workspace.people import keeping_an_owner
from onward.workspace.store import Editor

__all__ = ["Options", "converge"]


def converge(editor: Editor, document: Document, options: Options) -> None:
    """Raises `Invalid` with a field such as `destinations[2].settings.url`; then nothing must be kept."""
    if document.workspace is not UNSET:
        with at("workspace"):
            _workspace(editor, document.workspace)
    _refuse_twins(document)
    _check_labels(document, options)
    # Deletions come first: what they free (a write key, a place below a limit) may be taken again.
    if options.prune:
        _prune(editor, document, _sources_by_slug(editor))
    converge_labels(editor, document.labels or ())
    converge_functions(editor, document.functions or (), _held(document))
    sources = _sources_by_slug(editor)
    for index, source in enumerate(document.sources or ()):
        with at(f"sources[{index}]"), naming(kind="type"):
            _source(editor, source, sources.get(source.slug), options)
    sources = _sources_by_slug(editor)
    for index, source in enumerate(document.sources or ()):
        with at(f"sources[{index}]"):
            _below_source(editor, source, sources, options)
    for index, destination in enumerate(document.destinations or ()):
        with at(f"destinations[{index}]"), naming(definition="type"):
            _destination(editor, destination, sources, options)
    if options.prune and document.functions is not UNSET:
        prune_functions(editor, document.functions)
    if document.tracking_plans is not UNSET:
        converge_tracking_plans(editor, document.tracking_plans, sources, options)
    if document.warehouses is not UNSET:
        converge_warehouses(editor, document.warehouses, sources, options)
    if document.alerts is not UNSET:
        converge_alerts(editor, document.alerts, sources, options)
    _access(editor, document, options)
    if document.workspace is not UNSET and document.workspace.audit_forwarding is not UNSET:
        with at("workspace"):
            _audit_forwarding(editor, document.workspace.audit_forwarding, sources)


def _access(editor: Editor, document: Document, options: Options) -> None:
    """Who may do what. The workspace may be handed over: only in the end it needs an owner."""
    with keeping_an_owner(editor):
        if options.prune and document.groups is not UNSET:
            prune_groups(editor, document.groups)
        if document.people is not UNSET:
            converge_people(editor, document.people, options)
        if document.groups is not UNSET:
            converge_groups(editor, document.groups, options)
    if options.prune and document.labels is not UNSET:
        prune_labels(editor, document.labels, frozenset(part.slug for part in document.sources or ()))


def _audit_forwarding(editor: Editor, slug: str | None, sources: Mapping[str, Source]) -> None:
    if slug is not None and slug not in sources:
        raise Invalid(f"there is no source {slug}", field="auditForwarding")
    set_forwarding(editor, sources[slug] if slug is not None else None)


def _workspace(editor: Editor, part: WorkspacePart) -> None:
    check_name(part.name)
    before = audit.state(editor.workspace)
    editor.workspace.name = part.name
    editor.modified(editor.workspace, before)


def _source(editor: Editor, part: SourcePart, source: Source | None, options: Options) -> None:
    if source is None and part.write_keys is UNSET:
        part.write_keys = [ids.write_key()]  # in the document, so that the key of the plan is the key made
    wanted = [] if part.write_keys is UNSET else part.write_keys
    if (part.type is None) == (part.function is None):
        raise Invalid("give either a type or the name of a function", field="type")
    _refuse_held(part)
    labels = label_edits.borne(editor, [{"key": each.key, "value": each.value} for each in part.labels])
    kind, settings = str(part.type), part.settings
    if part.function is not None:
        function = function_named(editor, "SOURCE", part.function, "function")
        kind = slug_of(function)
        secrets = source.secrets if source is not None else {}
        settings = resolved(part.settings, secrets, options, part.slug)
        if source is not None and source.kind == kind:
            version_id = source.function_version_id
            known = function_definition(editor.session, editor.workspace, function, version_id).settings
            settings = dict.fromkeys(known) | settings
    if source is None:
        source_edits.create_source(
            editor,
            slug=part.slug,
            kind=kind,
            name=part.name,
            enabled=True if part.enabled is UNSET else part.enabled,
            settings=settings,
            labels=labels,
            rate_limit=part.rate_limit,
            write_keys=wanted,
        )
        return
    source_edits.update_source(
        editor,
        source,
        kind=kind,
        name=part.slug if part.name is None else part.name,
        enabled=part.enabled,
        settings=settings,
        labels=labels,
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


def _check_labels(document: Document, options: Options) -> None:
    """Raises `Invalid` for a source that would bear a label that is to be deleted."""
    if not options.prune or document.labels is UNSET:
        return
    kept = {(label.key, label.value) for label in document.labels}
    for index, source in enumerate(document.sources or ()):
        for place, label in enumerate(source.labels):
            if (label.key, label.value) not in kept:
                raise Invalid(
                    f"{label.key}:{label.value} is not among the labels of the document",
                    field=f"sources[{index}].labels[{place}]",
                )


def _below_source(editor: Editor, part: SourcePart, sources: Mapping[str, Source], options: Options) -> None:
    """What a source has that may name other things."""
    source = sources[part.slug]
    if part.schema is not UNSET:
        with at("schema"):
            converge_schema(editor, part.schema, source, sources)
    if part.schema_events is not UNSET:
        with naming(events="schemaEvents"):
            converge_schema_events(editor, part.schema_events, source, options)
    if part.transformations is not UNSET:
        converge_transformations(editor, part.transformations, source, options)
    if part.insert_function is not UNSET:
        with at("insertFunction"):
            converge_inserted(editor, part.insert_function, source, options)
    if part.edge_functions is not UNSET:
        converge_edge_functions(editor, part.edge_functions, source)
    if part.models is not UNSET:
        converge_models(editor, part.models, source, options)


def _destination(
    editor: Editor, part: DestinationPart, sources: Mapping[str, Source], options: Options
) -> None:
    source = sources.get(part.source)
    if source is None:
        raise Invalid(f"there is no source {part.source}", field="source")
    definition = _definition(editor, part)
    found = next((each for each in source.destinations if each.name == part.name), None)
    if found is None:
        found = destination_edits.create_destination(
            editor,
            source,
            definition=definition,
            name=part.name,
            enabled=False if part.enabled is UNSET else part.enabled,
            settings=resolved(part.settings, (), options),
            delivery=None if part.delivery is UNSET else part.delivery,
        )
    else:
        if definition != found.definition:
            raise Conflict(
                f"the destination {part.name} is of the type {found.definition}, which can't be changed",
                field="type",
            )
        destination_edits.update_destination(
            editor,
            found,
            enabled=part.enabled,
            settings=resolved(part.settings, found.secrets, options, source.slug, found.name),
            replace_settings=True,
            delivery=Delivery() if part.delivery is UNSET else part.delivery,
            replace_delivery=True,
        )
    if part.subscriptions is not UNSET:
        _subscriptions(editor, found, part.subscriptions, options)
    if part.filters is not UNSET:
        _filters(editor, found, part.filters, options)
    if part.insert_function is not UNSET:
        with at("insertFunction"):
            converge_inserted(editor, part.insert_function, found, options)


def _definition(editor: Editor, part: DestinationPart) -> str:
    """The slug of its definition."""
    if (part.type is None) == (part.function is None):
        raise Invalid("give either a type or the name of a function", field="type")
    _refuse_held(part)
    if part.function is not None:
        return slug_of(function_named(editor, "DESTINATION", part.function, "function"))
    return destination_edits.find_definition(editor.catalogue, str(part.type)).slug


def _held(document: Document) -> set[Place]:
    """The instances of functions that stay with the version that they run."""
    sources = {place_of_source(part.slug): part for part in document.sources or ()}
    destinations = {
        place_of_destination(part.source, part.name): part for part in document.destinations or ()
    }
    held = {place for place, part in (sources | destinations).items() if not part.deployed}
    return held | {
        place_of_inserted(place)
        for place, part in (sources | destinations).items()
        if part.insert_function and not part.insert_function.deployed
    }


def _refuse_held(part: SourcePart | DestinationPart) -> None:
    """Raises `Invalid`."""
    if part.function is None and not part.deployed:
        raise Invalid("only what is a function is deployed", field="deployed")


def _subscriptions(
    editor: Editor, destination: Destination, parts: Sequence[SubscriptionPart], options: Options
) -> None:
    there = [(subscription_part(each), each) for each in destination.subscriptions]
    found, rest = paired(parts, there, lambda part: part.name)
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
    found, rest = paired(parts, there, lambda part: part.title)
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


def _sources_by_slug(editor: Editor) -> dict[str, Source]:
    """As they are now, with their destinations."""
    query = select(Source).where(Source.workspace_id == editor.workspace.id).order_by(Source.slug)
    return {
        source.slug: source
        for source in editor.session.scalars(query, execution_options={"populate_existing": True})
    }


def _refuse_twins(document: Document) -> None:
    refuse_twins("sources", [part.slug for part in document.sources or ()])
    refuse_twins("destinations", [f"{part.source}/{part.name}" for part in document.destinations or ()])
