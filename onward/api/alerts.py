"""Alerts and notifications (ours; spec §12.6): rules, their channels, and what was said because of them."""

from collections.abc import Sequence
from typing import Literal, TypedDict, cast

import anyio.to_thread
import msgspec
from litestar import delete, get, patch, post
from litestar.params import RawBody
from msgspec import UNSET, UnsetType
from sqlalchemy import select, tuple_

from onward.api.answers import SUCCESS, Done, Json, Pagination, paged, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, Context, Id, InContext, Pages
from onward.api.delivery import NewestFirst
from onward.api.numbers import instant
from onward.api.query import read_query
from onward.egress.notify import Message, NotSent, say
from onward.workspace import alerts as edit
from onward.workspace.alerts import KINDS, Channel, ChannelType, KindName
from onward.workspace.entities import Alert, AlertState, Notification
from onward.workspace.pages import make_cursor, page, parse_cursor
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json


class CreateAlert(Body):
    name: str
    type: KindName
    channels: list[Channel]
    source_id: str | None = None
    """Of this source, or the destinations of it, alone."""
    destination_id: str | None = None
    threshold: float | UnsetType = UNSET
    minutes: int | UnsetType = UNSET
    enabled: bool = True


class UpdateAlert(Body):
    name: str | UnsetType = UNSET
    channels: list[Channel] | UnsetType = UNSET
    """All of them; addresses that show as a mask may be sent back so."""
    source_id: str | UnsetType | None = UNSET
    destination_id: str | UnsetType | None = UNSET
    threshold: float | UnsetType = UNSET
    minutes: int | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class NotificationsQuery(msgspec.Struct, rename="camel", kw_only=True):
    alert_id: str | None = None
    since: str | None = None
    """Said at this time or later."""


class ChannelView(TypedDict):
    type: ChannelType
    address: str | None


class TroubleView(TypedDict):
    target: str | None
    """Id of the source or destination; null for the workspace or the installation."""
    since: str
    summary: str


class AlertView(TypedDict):
    id: str
    name: str
    type: KindName
    sourceId: str | None
    destinationId: str | None
    threshold: float
    minutes: int
    enabled: bool
    channels: list[ChannelView]
    triggered: list[TroubleView]
    """By what it is broken now."""


class AlertAnswer(TypedDict):
    alert: AlertView


class AlertsAnswer(TypedDict):
    alerts: list[AlertView]
    pagination: Pagination


class AlertTypeView(TypedDict):
    type: KindName
    about: Literal["SOURCE", "DESTINATION", "WORKSPACE", "INSTALLATION"]
    description: str
    threshold: float
    """Unless given."""
    leastThreshold: float
    mostThreshold: float
    minutes: int


class AlertTypesAnswer(TypedDict):
    alertTypes: list[AlertTypeView]


class NotificationView(TypedDict):
    id: str
    time: str
    status: Literal["TRIGGERED", "RESOLVED"]
    alertId: str
    name: str
    type: str
    sourceId: str | None
    target: str | None
    summary: str


class NotificationsAnswer(TypedDict):
    notifications: list[NotificationView]
    pagination: NewestFirst


class SaidView(TypedDict):
    type: ChannelType
    sent: bool
    error: str | None


class TestAnswer(TypedDict):
    test: list[SaidView]


KEY = tuple_(Notification.created_at, Notification.id)


@get("/alert-types", operation_id="listAlertTypes", sync_to_thread=False, answer=AlertTypesAnswer)
def list_alert_types() -> Json:
    """What an alert can be about, and what its threshold and minutes mean."""
    return answer(
        alertTypes=[
            {
                "type": name,
                "about": kind.about,
                "description": kind.means,
                "threshold": kind.threshold,
                "leastThreshold": kind.least,
                "mostThreshold": kind.most,
                "minutes": kind.minutes,
            }
            for name, kind in KINDS.items()
        ]
    )


@get("/alerts", operation_id="listAlerts", sync_to_thread=True, answer=AlertsAnswer)
def list_alerts(context: InContext, paging: Pages) -> Json:
    """The alerts of the workspace, with what they are about now."""
    with context.reading() as session:
        query = select(Alert).where(Alert.workspace_id == context.workspace_id)
        found = page(session, query, Alert, paging.count, paging.cursor)
        return paged("alerts", found, lambda alert: _view(context, alert))


@post(
    "/alerts",
    operation_id="createAlert",
    sync_to_thread=True,
    status_code=201,
    body=CreateAlert,
    answer=AlertAnswer,
)
def create_alert(context: InContext, body: RawBody) -> Json:
    data = from_json(CreateAlert, body)
    with context.changing() as editor:
        alert = edit.create_alert(
            editor,
            name=data.name,
            kind=data.type,
            channels=data.channels,
            source_id=data.source_id,
            destination_id=data.destination_id,
            threshold=data.threshold,
            minutes=data.minutes,
            enabled=data.enabled,
        )
        return answer(alert=_shown(alert, []))


@get("/alerts/{alert_id:str}", operation_id="getAlert", sync_to_thread=True, answer=AlertAnswer)
def get_alert(context: InContext, alert_id: Id) -> Json:
    with context.reading() as session:
        return answer(alert=_view(context, edit.get_alert(session, context.workspace_id, alert_id)))


@patch(
    "/alerts/{alert_id:str}",
    operation_id="updateAlert",
    sync_to_thread=True,
    body=UpdateAlert,
    answer=AlertAnswer,
)
def update_alert(context: InContext, alert_id: Id, body: RawBody) -> Json:
    """What it is about can't be changed: make another one."""
    data = from_json(UpdateAlert, body)
    with context.changing() as editor:
        alert = edit.get_alert(editor.session, context.workspace_id, alert_id)
        edit.update_alert(
            editor,
            alert,
            name=data.name,
            channels=data.channels,
            source_id=data.source_id,
            destination_id=data.destination_id,
            threshold=data.threshold,
            minutes=data.minutes,
            enabled=data.enabled,
        )
        states = editor.session.scalars(select(AlertState).where(AlertState.alert_id == alert.id))
        return answer(alert=_shown(alert, states.all()))


@delete(
    "/alerts/{alert_id:str}", operation_id="deleteAlert", sync_to_thread=True, status_code=200, answer=Done
)
def delete_alert(context: InContext, alert_id: Id) -> Json:
    with context.changing() as editor:
        edit.delete_alert(editor, edit.get_alert(editor.session, context.workspace_id, alert_id))
    return SUCCESS


@get(
    "/notifications",
    operation_id="listNotifications",
    sync_to_thread=True,
    query=NotificationsQuery,
    answer=NotificationsAnswer,
)
def list_notifications(context: InContext, request: ApiRequest, paging: Pages) -> Json:
    """What alerts said in the last 31 days, the newest first, of what the caller may see."""
    asked = read_query(request, NotificationsQuery)
    query = select(Notification).where(Notification.workspace_id == context.workspace_id)
    ids = context.access.ids(Permission.SOURCE_READ)
    if ids is not None:
        query = query.where(Notification.source_id.in_(ids))
    if asked.alert_id is not None:
        query = query.where(Notification.alert_id == asked.alert_id)
    if asked.since is not None:
        query = query.where(Notification.created_at >= instant(asked.since, "since"))
    if paging.cursor is not None:
        query = query.where(parse_cursor(paging.cursor) >= KEY)
    newest = query.order_by(Notification.created_at.desc(), Notification.id.desc())
    with context.reading() as session:
        found = session.scalars(newest.limit(paging.count + 1)).all()
        more = found[paging.count :]
        return answer(
            notifications=[_notification(each) for each in found[: paging.count]],
            pagination={
                "current": paging.cursor,
                "next": make_cursor((more[0].created_at, more[0].id)) if more else None,
            },
        )


@post(
    "/alerts/{alert_id:str}/test",
    operation_id="testAlert",
    status_code=200,
    answer=TestAnswer,
)
async def test_alert(context: InContext, request: ApiRequest, alert_id: Id) -> Json:
    """Say over every channel that this is a test, and tell how that went."""
    alert, channels = await anyio.to_thread.run_sync(_opened, context, alert_id)
    message = Message(
        alert_id=alert_id,
        name=alert,
        type="TEST",
        status="TEST",
        summary="This is a test. Nothing is wrong.",
        target="",
        time=timestamp(context.store.now()),
    )
    results: list[SaidView] = []
    for channel in channels:
        error = None
        try:
            await say(context.http, request.app.state.settings, channel.type, channel.address, message)
        except NotSent as reason:
            error = str(reason)
        results.append({"type": channel.type, "sent": error is None, "error": error})
    return answer(test=results)


def _opened(context: Context, alert_id: str) -> tuple[str, list[Channel]]:
    with context.reading() as session:
        alert = edit.get_alert(session, context.workspace_id, alert_id)
        return alert.name, edit.opened(alert, context.store.cipher)


def _view(context: Context, alert: Alert) -> AlertView:
    with context.reading() as session:
        states = session.scalars(
            select(AlertState).where(AlertState.alert_id == alert.id).order_by(AlertState.since)
        ).all()
    return _shown(alert, states)


def _shown(alert: Alert, states: Sequence[AlertState]) -> AlertView:
    return {
        "id": alert.id,
        "name": alert.name,
        "type": cast(KindName, alert.kind),
        "sourceId": alert.source_id,
        "destinationId": alert.destination_id,
        "threshold": alert.threshold,
        "minutes": alert.minutes,
        "enabled": alert.enabled,
        "channels": cast(list[ChannelView], edit.shown(alert)),
        "triggered": [
            {"target": state.target or None, "since": timestamp(state.since), "summary": state.summary}
            for state in states
        ],
    }


def _notification(said: Notification) -> NotificationView:
    return {
        "id": said.id,
        "time": timestamp(said.created_at),
        "status": "TRIGGERED" if said.status == "TRIGGERED" else "RESOLVED",
        "alertId": said.alert_id,
        "name": said.name,
        "type": said.kind,
        "sourceId": said.source_id,
        "target": said.target or None,
        "summary": said.summary,
    }


ROUTES = [
    list_alert_types,
    list_alerts,
    create_alert,
    get_alert,
    update_alert,
    delete_alert,
    test_alert,
    list_notifications,
]
