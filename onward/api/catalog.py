"""The catalogues of sources and destinations (spec §8.6). They don't change while a process runs.

Searching and the charts are ours.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import msgspec
from litestar import Router, get

from onward.api.answers import Json, Pagination, numbered_page, position
from onward.api.answers import data as answer
from onward.api.catalog_shapes import DestinationMetadata, SourceMetadata
from onward.api.context import ApiRequest, Context, Id, InContext, Pages
from onward.api.function_entries import (
    CATEGORY,
    deployed_functions,
    deployed_source_functions,
    find_entry,
    find_source_entry,
)
from onward.api.metadata import destination_metadata
from onward.api.query import read_query
from onward.destinations.definition import Definition
from onward.destinations.directory import (
    METHODS,
    Directory,
    Entry,
    Query,
    QueryError,
    by_category,
    connection_modes,
    facets,
)
from onward.workspace.errors import Invalid, NotFound


class Search(msgspec.Struct):
    """What of the catalogue is meant; all that is given must hold."""

    search: str = ""
    """Ours: words that must all occur in what is written about a destination."""
    category: str = ""
    """Ours."""
    method: str = ""
    """Ours: an event type that makes sense for it."""
    mode: str = ""
    """Ours: `cloud` or `device`; with `source` the mode that such sources can reach it in."""
    kind: str = ""
    """Ours."""
    source: str = ""
    """Ours: a kind of sources."""


class DestinationsCatalogAnswer(TypedDict):
    destinationsCatalog: list[DestinationMetadata]
    pagination: Pagination


class DestinationMetadataAnswer(TypedDict):
    destinationMetadata: DestinationMetadata


class SourcesCatalogAnswer(TypedDict):
    sourcesCatalog: list[SourceMetadata]
    pagination: Pagination


class SourceMetadataAnswer(TypedDict):
    sourceMetadata: SourceMetadata


class Brief(TypedDict):
    id: str
    slug: str
    name: str
    status: str


class MethodsOf(Brief):
    methods: dict[str, bool]


class ModesOf(Brief):
    connectionModes: dict[str, dict[str, bool]]


class Category(TypedDict):
    category: str
    destinations: list[ModesOf]


class ChartsAnswer(TypedDict):
    methods: list[MethodsOf]
    connectionModes: list[ModesOf]
    categories: list[Category]
    facets: dict[str, dict[str, int]]
    """How many there are of each value of each parameter."""


@get(
    "/destinations",
    operation_id="getDestinationsCatalog",
    sync_to_thread=True,
    query=Search,
    answer=DestinationsCatalogAnswer,
)
def list_destinations(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """By name, or the best matches first if words are searched for; then the workspace's functions."""
    query, found, functions = _found(context, request)
    given = " ".join(f"{name}={value}" for name, value in query.given.items())
    start, cursors = position(paging, given)
    return numbered_page(
        found,
        "destinationsCatalog",
        paging.count,
        start,
        cursors,
        lambda entry: (
            destination_metadata(functions[entry.slug])
            if entry.slug in functions
            else context.metadata.destination(entry.slug)
        ),
    )


@get(
    "/destinations/charts",
    operation_id="getDestinationsCatalogCharts",
    sync_to_thread=True,
    query=Search,
    answer=ChartsAnswer,
)
def get_charts(context: InContext, request: ApiRequest) -> Json:
    """What Segment's comparison pages show, of the destinations that the same parameters select."""
    _, found, _ = _found(context, request)
    return answer(
        methods=[
            {**_brief(entry), "methods": {name: name in entry.listing.methods for name in METHODS}}
            for entry in found
        ],
        connectionModes=[
            {**_brief(entry), "connectionModes": connection_modes(entry.listing)} for entry in found
        ],
        categories=[
            {
                "category": category,
                "destinations": [
                    {**_brief(entry), "connectionModes": connection_modes(entry.listing)} for entry in entries
                ],
            }
            for category, entries in by_category(found).items()
        ],
        facets=facets(found),
    )


@get(
    "/destinations/{metadata_id:str}",
    operation_id="getDestinationMetadata",
    sync_to_thread=True,
    answer=DestinationMetadataAnswer,
)
def get_destination(context: InContext, metadata_id: Id) -> Json:
    """By id or, ours, by slug."""
    slug = context.metadata.directory.slug(metadata_id)
    if slug is not None:
        return answer(destinationMetadata=context.metadata.destination(slug))
    function = find_entry(context, metadata_id)
    if function is None:
        raise NotFound(f"the catalogue has no destination {metadata_id}")
    return answer(destinationMetadata=destination_metadata(function))


@get("/sources", operation_id="getSourcesCatalog", sync_to_thread=True, answer=SourcesCatalogAnswer)
def list_sources(context: InContext, paging: Pages) -> Json:
    """With the workspace's deployed source functions at the end."""
    start, cursors = position(paging)
    entries = [*context.metadata.sources.values(), *deployed_source_functions(context)]
    return numbered_page(entries, "sourcesCatalog", paging.count, start, cursors, lambda entry: entry)


@get(
    "/sources/{metadata_id:str}",
    operation_id="getSourceMetadata",
    sync_to_thread=True,
    answer=SourceMetadataAnswer,
)
def get_source(context: InContext, metadata_id: Id) -> Json:
    """By id or, ours, by slug."""
    entries = context.metadata.sources
    found = entries.get(metadata_id) or next(
        (each for each in entries.values() if each["id"] == metadata_id), None
    )
    found = found or find_source_entry(context, metadata_id)
    if found is None:
        raise NotFound(f"the catalogue has no source {metadata_id}")
    return answer(sourceMetadata=found)


def _found(context: Context, request: ApiRequest) -> tuple[Query, Sequence[Entry], Mapping[str, Definition]]:
    """What the parameters of a request ask for, the functions last, and all functions by slug.

    Raises `Invalid`.
    """
    given = msgspec.structs.asdict(read_query(request, Search))
    query = Query(**{name: value.strip() for name, value in given.items()})
    with context.reading() as session:
        functions = deployed_functions(context, session)
    of_functions = query.category.casefold() == CATEGORY.casefold()
    try:
        found = [] if of_functions else [*context.metadata.directory.find(query)]
        if functions and (of_functions or not query.category):
            found += Directory(functions).find(query)
        return query, found, functions
    except QueryError as error:
        raise Invalid(str(error), field=error.name) from None


def _brief(entry: Entry) -> Brief:
    return {"id": entry.id, "slug": entry.slug, "name": entry.name, "status": entry.listing.status}


router = Router(
    "/catalog",
    route_handlers=[list_destinations, get_charts, get_destination, list_sources, get_source],
)
