"""What became of a destination's events (ours): its books, and what was given up on and why."""

import re
from typing import Any

from litestar import Router, get

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Discarded, Id, InContext, Pages
from onward.egress import redact
from onward.workspace import destinations as edit
from onward.workspace.errors import Invalid

CURSOR = re.compile(r"[0-9]{1,18}")
"""A discard's id, which the database can hold."""


@get("/delivery", operation_id="getDestinationDelivery", sync_to_thread=True)
def get_delivery(context: InContext, destination_id: Id) -> Json:
    """received = delivered + filtered + discarded + pending, at any time."""
    with context.reading() as session:
        destination = edit.get_destination(session, context.workspace_id, destination_id)
        source_id = destination.source_id
    books = context.delivery.books(destination_id, source_id)
    return answer(
        delivery={
            "received": books.received,
            "delivered": books.delivered,
            "filtered": books.filtered,
            "discarded": books.discarded,
            "pending": books.pending,
            "retrying": books.retrying,
            "pausedSince": None if books.paused_since is None else timestamp(int(books.paused_since * 1000)),
        }
    )


@get("/discards", operation_id="listDestinationDiscards", sync_to_thread=True)
def list_discards(context: InContext, request: ApiRequest, destination_id: Id, paging: Pages) -> Json:
    """The newest first; `?code=` and `?messageId=` narrow it down."""
    with context.reading() as session:
        edit.get_destination(session, context.workspace_id, destination_id)
    if paging.cursor is not None and not CURSOR.fullmatch(paging.cursor):
        raise Invalid("this is not a cursor that a page has given", field="pagination.cursor")
    before = int(paging.cursor) if paging.cursor is not None else None
    query = request.query_params
    found = context.delivery.discards(
        destination_id, paging.count + 1, before, query.get("code"), query.get("messageId")
    )
    more = len(found) > paging.count
    found = found[: paging.count]
    return answer(
        discards=[_view(each) for each in found],
        pagination={"current": paging.cursor, "next": str(found[-1].id) if more else None},
    )


def _view(discard: Discarded) -> dict[str, Any]:
    return {
        "id": str(discard.id),
        "discardedAt": timestamp(discard.at),
        "code": discard.code,
        "message": discard.message,
        "attempts": discard.attempts,
        "messageId": discard.message_id,
        "eventType": discard.event_type,
        "eventName": discard.event_name,
        "subscriptionId": discard.subscription_id or None,
        "payload": redact.payload(discard.payload),
        "event": discard.event,
    }


router = Router("/destinations/{destination_id:str}", route_handlers=[get_delivery, list_discards])
