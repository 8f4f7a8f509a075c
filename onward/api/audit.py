"""The audit trail: who did what to which thing, before and after (spec §17.2). Secrets are masked in it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict

import msgspec
from litestar import get, put
from litestar.params import RawBody
from litestar.response import Stream
from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from onward.api.answers import Json, Pagination, pagination, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, Context, InContext, Pages
from onward.api.query import read_query
from onward.workspace import audit_forwarding
from onward.workspace.entities import AuditEvent
from onward.workspace.errors import Invalid, NotFound
from onward.workspace.pages import count, make_cursor, parse_cursor
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source

AT_A_TIME = 500


class AuditQuery(msgspec.Struct, rename="camel"):
    start_time: str | None = None
    """ISO 8601; from then on."""
    end_time: str | None = None
    """ISO 8601; before it."""
    resource_id: str | None = None
    resource_type: str | None = None
    type: str | None = None
    """Ours: such as `Source Created`."""
    actor: str | None = None
    """Ours: id of a token or user, or the name of a command; or a user's e-mail address."""


class AuditEventView(TypedDict):
    id: str
    timestamp: str
    type: str
    actor: str
    actorEmail: NotRequired[str]
    resourceId: str
    resourceType: str
    resourceName: str
    before: dict[str, Any] | None
    """Ours: what it was, secrets masked; null if it is new."""
    after: dict[str, Any] | None
    """Ours: what it is since; null if it was deleted."""
    version: int
    """Ours: the version of the configuration that the change made."""


class AuditEventsAnswer(TypedDict):
    events: list[AuditEventView]
    pagination: Pagination


@get(
    "/audit-events",
    operation_id="listAuditEvents",
    sync_to_thread=True,
    query=AuditQuery,
    answer=AuditEventsAnswer,
)
def list_audit_events(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """The newest first."""
    query = _matching(context, read_query(request, AuditQuery))
    key = tuple_(AuditEvent.timestamp, AuditEvent.id)
    with context.reading() as session:
        newest_first = query.order_by(AuditEvent.timestamp.desc(), AuditEvent.id.desc())
        start = None if paging.cursor is None else parse_cursor(paging.cursor)
        page = newest_first if start is None else newest_first.where(key <= start)
        found = session.scalars(page.limit(paging.count + 1)).all()
        before = []
        if start is not None:
            later = query.where(key > start).order_by(AuditEvent.timestamp, AuditEvent.id)
            before = list(session.scalars(later.limit(paging.count)))
        return answer(
            events=[_view(event) for event in found[: paging.count]],
            pagination=pagination(
                _cursor(found[0]) if found else paging.cursor or make_cursor((-1, "")),
                _cursor(found[paging.count]) if len(found) > paging.count else None,
                _cursor(before[-1]) if before else None,
                count(session, query),
            ),
        )


@get(
    "/audit-events/export",
    operation_id="exportAuditEvents",
    sync_to_thread=True,
    query=AuditQuery,
    answer=AuditEventView,
    media="application/x-ndjson",
)
def export_audit_events(context: InContext, request: ApiRequest) -> Stream:
    """Ours: all that match, oldest first, one JSON object a line."""
    query = _matching(context, read_query(request, AuditQuery))
    named = {"content-disposition": 'attachment; filename="audit-trail.ndjson"'}
    return Stream(_lines(context, query), media_type="application/x-ndjson", headers=named)


class SetForwarding(Body):
    source_id: str | None
    """null to forward nowhere."""


class Forwarding(TypedDict):
    sourceId: str | None


class ForwardingAnswer(TypedDict):
    auditForwarding: Forwarding


@get("/audit-forwarding", operation_id="getAuditForwarding", sync_to_thread=True, answer=ForwardingAnswer)
def get_audit_forwarding(context: InContext) -> Json:
    """Ours: the source that audit events are forwarded to as track events."""
    with context.reading() as session:
        found = audit_forwarding.forwarding_of(session, context.workspace_id)
        return answer(auditForwarding={"sourceId": found})


@put(
    "/audit-forwarding",
    operation_id="updateAuditForwarding",
    sync_to_thread=True,
    body=SetForwarding,
    answer=ForwardingAnswer,
)
def update_audit_forwarding(context: InContext, body: RawBody) -> Json:
    """Ours: forward audit events from now on to this source, through its rules to its destinations.

    Each is a track event named after its type; its messageId is the audit event's id.
    """
    data = from_json(SetForwarding, body)
    with context.changing() as editor:
        source = None
        if data.source_id is not None:
            try:
                source = get_source(editor.session, context.workspace_id, data.source_id)
            except NotFound as error:
                raise Invalid(error.message, field="sourceId") from error
        audit_forwarding.set_forwarding(editor, source)
        return answer(auditForwarding={"sourceId": data.source_id})


def _lines(context: Context, query: Select[AuditEvent]) -> Iterator[bytes]:
    """In portions, so that a long trail takes no memory and blocks nobody."""
    key = tuple_(AuditEvent.timestamp, AuditEvent.id)
    last: tuple[int, str] = (-1, "")
    while True:
        with context.reading() as session:
            portion = _after(session, query.where(key > last))
        if not portion:
            return
        for event in portion:
            yield msgspec.json.encode(_view(event)) + b"\n"
        last = (portion[-1].timestamp, portion[-1].id)


def _after(session: Session, query: Select[AuditEvent]) -> list[AuditEvent]:
    ordered = query.order_by(AuditEvent.timestamp, AuditEvent.id).limit(AT_A_TIME)
    return list(session.scalars(ordered))


def _matching(context: Context, asked: AuditQuery) -> Select[AuditEvent]:
    query = select(AuditEvent).where(AuditEvent.workspace_id == context.workspace_id)
    if asked.start_time is not None:
        query = query.where(AuditEvent.timestamp >= _ms(asked.start_time, "startTime"))
    if asked.end_time is not None:
        query = query.where(AuditEvent.timestamp < _ms(asked.end_time, "endTime"))
    if asked.resource_id is not None:
        query = query.where(AuditEvent.resource_id == asked.resource_id)
    if asked.resource_type is not None:
        query = query.where(AuditEvent.resource_type == asked.resource_type.lower())
    if asked.type is not None:
        query = query.where(AuditEvent.type == asked.type)
    if asked.actor is not None:
        query = query.where((AuditEvent.actor == asked.actor) | (AuditEvent.actor_email == asked.actor))
    return query


def _ms(text: str, field: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("this must be a time in ISO 8601, such as 2030-01-31T12:00:00Z", field=field) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _cursor(event: AuditEvent) -> str:
    return make_cursor((event.timestamp, event.id))


def _view(event: AuditEvent) -> AuditEventView:
    view: AuditEventView = {
        "id": event.id,
        "timestamp": timestamp(event.timestamp),
        "type": event.type,
        "actor": event.actor,
        "resourceId": event.resource_id,
        "resourceType": event.resource_type,
        "resourceName": event.resource_name,
        "before": event.before,
        "after": event.after,
        "version": event.version,
    }
    if event.actor_email is not None:
        view["actorEmail"] = event.actor_email
    return view


ROUTES = [list_audit_events, export_audit_events, get_audit_forwarding, update_audit_forwarding]
