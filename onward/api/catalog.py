"""The catalogues of sources and destinations (spec §8.6). They don't change while a process runs.

Searching and the charts are ours.
"""

from collections.abc import Sequence
from dataclasses import fields

from litestar import Router, get

from onward.api.answers import Json, numbered_page, position
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Context, Id, InContext, Pages
from onward.destinations.directory import (
    METHODS,
    Entry,
    Query,
    QueryError,
    by_category,
    connection_modes,
    facets,
)
from onward.workspace.errors import Invalid, NotFound


@get("/destinations", operation_id="getDestinationsCatalog", sync_to_thread=True)
def list_destinations(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """By name; `search`, `category`, `method`, `mode`, `kind` and `source` (ours) narrow it down."""
    query, found = _found(context, request)
    given = " ".join(f"{name}={value}" for name, value in query.given.items())
    start, cursors = position(paging, given)
    return numbered_page(
        found,
        "destinationsCatalog",
        paging.count,
        start,
        cursors,
        lambda entry: context.metadata.destination(entry.slug),
    )


@get("/destinations/charts", operation_id="getDestinationsCatalogCharts", sync_to_thread=True)
def get_charts(context: InContext, request: ApiRequest) -> Json:
    """What Segment's comparison pages show, of the destinations that the same parameters select."""
    _, found = _found(context, request)
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


@get("/destinations/{metadata_id:str}", operation_id="getDestinationMetadata", sync_to_thread=True)
def get_destination(context: InContext, metadata_id: Id) -> Json:
    """By id or, ours, by slug."""
    slug = context.metadata.directory.slug(metadata_id)
    if slug is None:
        raise NotFound(f"the catalogue has no destination {metadata_id}")
    return answer(destinationMetadata=context.metadata.destination(slug))


@get("/sources", operation_id="getSourcesCatalog", sync_to_thread=False)
def list_sources(context: InContext, paging: Pages) -> Json:
    start, cursors = position(paging)
    entries = list(context.metadata.sources.values())
    return numbered_page(entries, "sourcesCatalog", paging.count, start, cursors, lambda entry: entry)


@get("/sources/{metadata_id:str}", operation_id="getSourceMetadata", sync_to_thread=False)
def get_source(context: InContext, metadata_id: Id) -> Json:
    """By id or, ours, by slug."""
    entries = context.metadata.sources
    found = entries.get(metadata_id) or next(
        (each for each in entries.values() if each["id"] == metadata_id), None
    )
    if found is None:
        raise NotFound(f"the catalogue has no source {metadata_id}")
    return answer(sourceMetadata=found)


def _found(context: Context, request: ApiRequest) -> tuple[Query, Sequence[Entry]]:
    """What the parameters of a request ask for; raises `Invalid`."""
    given = {}
    for name in (each.name for each in fields(Query)):
        values = request.query_params.getall(name, [])
        if len(values) > 1:
            raise Invalid("this can be given once only", field=name)
        given[name] = "".join(values).strip()
    query = Query(**given)
    try:
        return query, context.metadata.directory.find(query)
    except QueryError as error:
        raise Invalid(str(error), field=error.name) from None


def _brief(entry: Entry) -> Json:
    return {"id": entry.id, "slug": entry.slug, "name": entry.name, "status": entry.listing.status}


router = Router(
    "/catalog",
    route_handlers=[list_destinations, get_charts, get_destination, list_sources, get_source],
)
