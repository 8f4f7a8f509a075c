"""All sources and destinations at a glance, with their books (ours): what the web app's first page shows.

One small answer for everything, however many destinations there are. Counters only grow, so that whoever asks
twice has the rates.
"""

import time
from typing import TypedDict

from litestar import get
from sqlalchemy import select

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, InContext
from onward.api.delivery import BooksView, books_view
from onward.api.function_entries import entry_definition, source_entry
from onward.api.numbers import HOUR, numbers
from onward.metering.outcomes import Tally
from onward.workspace.entities import Destination, Source
from onward.workspace.roles import Permission

MINUTE = 60_000
NOTHING = Tally()


class ConnectedSource(TypedDict):
    id: str
    name: str
    slug: str
    kind: str
    """Slug of its entry in the catalogue."""
    kindName: str
    enabled: bool
    accepted: int
    """Events that were ever accepted."""
    refusedLately: int
    """Events that the front door discarded in the last hour."""


class ConnectedDestination(TypedDict):
    id: str
    name: str
    kind: str
    kindName: str
    sourceId: str
    enabled: bool
    delivery: BooksView
    deliveredLately: int
    """Deliveries of the last hour."""
    discardedLately: int
    """Events given up on in the last hour."""


class Connections(TypedDict):
    sources: list[ConnectedSource]
    destinations: list[ConnectedDestination]


class ConnectionsAnswer(TypedDict):
    connections: Connections


@get(
    "/connections",
    operation_id="getConnections",
    sync_to_thread=True,
    answer=ConnectionsAnswer,
    tag="Delivery Overview",
)
def get_connections(context: InContext, request: ApiRequest) -> Json:
    """All sources and destinations that the caller may see, with their books."""
    now = int(time.time() * 1000)
    hour = context.delivery.ask.tallies((now - HOUR) // MINUTE, now // MINUTE + 1)
    refused = numbers(request).refused(now - HOUR, now + MINUTE)
    with context.reading() as session:
        sources = session.scalars(
            context.narrowed(
                select(Source).where(Source.workspace_id == context.workspace_id).order_by(Source.name),
                Source.id,
                Permission.SOURCE_READ,
            )
        ).all()
        ids = {each.id for each in sources if context.access.to(Permission.DESTINATION_READ, each.id)}
        destinations = session.scalars(
            select(Destination)
            .join(Source, Source.id == Destination.source_id)
            .where(Source.workspace_id == context.workspace_id)
            .order_by(Destination.name)
        ).all()
        of = {each.id: each.source_id for each in destinations if each.source_id in ids}
        accepted, books = context.delivery.accepted(), context.delivery.all_books(of)
        entries = {each.definition: entry_definition(context, each) for each in destinations if each.id in of}
        kinds = {each.kind: source_entry(context, each) for each in sources}
        return answer(
            connections={
                "sources": [
                    {
                        "id": each.id,
                        "name": each.name,
                        "slug": each.slug,
                        "kind": kinds[each.kind]["slug"],
                        "kindName": kinds[each.kind]["name"],
                        "enabled": each.enabled,
                        "accepted": accepted.get(each.id, 0),
                        "refusedLately": refused.get(each.id, 0),
                    }
                    for each in sources
                ],
                "destinations": [
                    {
                        "id": each.id,
                        "name": each.name,
                        "kind": entries[each.definition].slug,
                        "kindName": entries[each.definition].name,
                        "sourceId": each.source_id,
                        "enabled": each.enabled,
                        "delivery": books_view(books[each.id]),
                        "deliveredLately": hour.get(each.id, NOTHING).delivered,
                        "discardedLately": hour.get(each.id, NOTHING).discarded,
                    }
                    for each in destinations
                    if each.id in of
                ],
            }
        )
