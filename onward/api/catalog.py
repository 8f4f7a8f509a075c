"""The catalogues of sources and destinations (spec §8.6). They don't change while a process runs."""

from litestar import Router, get

from onward.api.answers import Json, numbered_page
from onward.api.answers import data as answer
from onward.api.context import Id, InContext, Pages, Paging
from onward.workspace.errors import Invalid, NotFound
from onward.workspace.pages import make_cursor, parse_cursor


@get("/destinations", operation_id="getDestinationsCatalog", sync_to_thread=False)
def list_destinations(context: InContext, paging: Pages) -> Json:
    return _page("destinationsCatalog", list(context.metadata.destinations.values()), paging)


@get("/destinations/{metadata_id:str}", operation_id="getDestinationMetadata", sync_to_thread=False)
def get_destination(context: InContext, metadata_id: Id) -> Json:
    """By id or, ours, by slug."""
    return answer(destinationMetadata=_find("destination", context.metadata.destinations, metadata_id))


@get("/sources", operation_id="getSourcesCatalog", sync_to_thread=False)
def list_sources(context: InContext, paging: Pages) -> Json:
    return _page("sourcesCatalog", list(context.metadata.sources.values()), paging)


@get("/sources/{metadata_id:str}", operation_id="getSourceMetadata", sync_to_thread=False)
def get_source(context: InContext, metadata_id: Id) -> Json:
    """By id or, ours, by slug."""
    return answer(sourceMetadata=_find("source", context.metadata.sources, metadata_id))


def _find(what: str, entries: dict[str, Json], key: str) -> Json:
    found = entries.get(key) or next((each for each in entries.values() if each["id"] == key), None)
    if found is None:
        raise NotFound(f"the catalogue has no {what} {key}")
    return found


def _page(name: str, entries: list[Json], paging: Paging) -> Json:
    start = 0 if paging.cursor is None else parse_cursor(paging.cursor)[0]
    if start < 0:
        raise Invalid("this cursor is of another list", field="pagination.cursor")
    return numbered_page(entries, name, paging.count, start, lambda position: make_cursor((position, "")))


router = Router("/catalog", route_handlers=[list_destinations, get_destination, list_sources, get_source])
