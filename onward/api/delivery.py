"""What became of a destination's events (ours): its books, and what was given up on and why."""

import re
from typing import Any, TypedDict

import msgspec
from litestar import Router, get

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Books, Discarded, Id, InContext, Pages
from onward.api.query import read_query
from onward.egress import redact
from onward.pipeline import personal
from onward.workspace import destinations as edit
from onward.workspace.errors import Invalid
from onward.workspace.roles import Permission

CURSOR = re.compile(r"[0-9]{1,18}")
"""A discard's id, which the database can hold."""


class BooksView(TypedDict):
    """received = delivered + filtered + discarded + pending, at any time."""

    received: int
    delivered: int
    filtered: int
    discarded: int
    pending: int
    retrying: int
    """Of those pending."""
    pausedSince: str | None
    """Since when the destination takes nothing."""


class BooksAnswer(TypedDict):
    delivery: BooksView


class DiscardsQuery(msgspec.Struct, rename="camel"):
    code: str | None = None
    message_id: str | None = None


class DiscardView(TypedDict):
    id: str
    discardedAt: str
    code: str
    message: str
    attempts: int
    messageId: str
    eventType: str
    eventName: str
    subscriptionId: str | None
    payload: dict[str, Any]
    """What was to be sent, without what looks like a secret."""
    event: dict[str, Any]


class NewestFirst(TypedDict):
    """Where a page is of a list that is never counted."""

    current: str | None
    next: str | None


class DiscardsAnswer(TypedDict):
    discards: list[DiscardView]
    pagination: NewestFirst


@get("/delivery", operation_id="getDestinationDelivery", sync_to_thread=True, answer=BooksAnswer)
def get_delivery(context: InContext, destination_id: Id) -> Json:
    """A destination's books: received = delivered + filtered + discarded + pending, at any time."""
    with context.reading() as session:
        destination = edit.get_destination(session, context.workspace_id, destination_id)
        source_id = destination.source_id
    books = context.delivery.books(destination_id, source_id)
    return answer(delivery=books_view(books))


def books_view(books: Books) -> BooksView:
    return {
        "received": books.received,
        "delivered": books.delivered,
        "filtered": books.filtered,
        "discarded": books.discarded,
        "pending": books.pending,
        "retrying": books.retrying,
        "pausedSince": None if books.paused_since is None else timestamp(int(books.paused_since * 1000)),
    }


@get(
    "/discards",
    operation_id="listDestinationDiscards",
    sync_to_thread=True,
    query=DiscardsQuery,
    answer=DiscardsAnswer,
)
def list_discards(context: InContext, request: ApiRequest, destination_id: Id, paging: Pages) -> Json:
    """What was given up on, the newest first.

    Personal data is masked for those who have not the permission to see it.
    """
    query = read_query(request, DiscardsQuery)
    with context.reading() as session:
        destination = edit.get_destination(session, context.workspace_id, destination_id)
        unmasked = context.access.to(Permission.PII_READ, destination.source_id)
    if paging.cursor is not None and not CURSOR.fullmatch(paging.cursor):
        raise Invalid("this is not a cursor that a page has given", field="pagination.cursor")
    before = int(paging.cursor) if paging.cursor is not None else None
    found = context.delivery.discards(destination_id, paging.count + 1, before, query.code, query.message_id)
    more = len(found) > paging.count
    found = found[: paging.count]
    return answer(
        discards=[_view(each, unmasked) for each in found],
        pagination={"current": paging.cursor, "next": str(found[-1].id) if more else None},
    )


def _view(discard: Discarded, unmasked: bool) -> DiscardView:
    payload = redact.payload(discard.payload)
    return {
        "id": str(discard.id),
        "discardedAt": timestamp(discard.at),
        "code": discard.code,
        "message": discard.message if unmasked else personal.text(discard.message),
        "attempts": discard.attempts,
        "messageId": discard.message_id,
        "eventType": discard.event_type,
        "eventName": discard.event_name,
        "subscriptionId": discard.subscription_id or None,
        "payload": payload if unmasked else personal.masked(payload),
        "event": discard.event if unmasked else personal.masked(discard.event),
    }


router = Router("/destinations/{destination_id:str}", route_handlers=[get_delivery, list_discards])
