"""Sending again what was given up on (ours): one discard, some, or all that match."""

import time
from typing import Literal, TypedDict

import msgspec
from litestar import Router, get, post
from litestar.params import RawBody

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import Id, InContext
from onward.api.numbers import instant
from onward.metering.fates import Redrive
from onward.workspace import destinations as edit
from onward.workspace.errors import Invalid
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json

MOST = 100
"""Discards that one request can name."""


class RedriveDiscards(Body):
    """Without any condition, all that were given up on until now."""

    discard_ids: list[str] = msgspec.field(default_factory=list)
    """These alone, up to 100."""
    code: str | None = None
    subscription_id: str | None = None
    message_id: str | None = None
    start_time: str | None = None
    """Given up on at this time or later."""
    end_time: str | None = None
    mapping: Literal["ANEW", "AS_IT_WAS"] = "ANEW"
    """ANEW: filters, trigger and mapping as they are now, so that what was mended is; AS_IT_WAS: the payload
    that was made then, where there is one."""


class RedriveView(TypedDict):
    id: str
    askedAt: str
    status: Literal["PENDING", "DONE"]
    """PENDING also while the destination is off or takes nothing."""
    sentAgain: int
    """Events that have come to an end again, or wait for a retry."""
    finishedAt: str | None
    discardId: str | None
    code: str | None
    subscriptionId: str | None
    messageId: str | None
    mapping: Literal["ANEW", "AS_IT_WAS"]


class RedrivesAnswer(TypedDict):
    redrives: list[RedriveView]


@post(
    "/discards/redrive",
    operation_id="redriveDestinationDiscards",
    sync_to_thread=True,
    status_code=200,
    body=RedriveDiscards,
    answer=RedrivesAnswer,
)
def redrive(context: InContext, destination_id: Id, body: RawBody) -> Json:
    """Send discards again, as if their events had come just now, but to the mapping alone that gave up."""
    asked = from_json(RedriveDiscards, body)
    if len(asked.discard_ids) > MOST:
        raise Invalid(f"at most {MOST} can be named; say by code or time which", field="discardIds")
    wanted = [_wanted(asked, id) for id in asked.discard_ids] or [_wanted(asked, None)]
    with context.changing() as editor:
        destination = edit.get_destination(editor.session, context.workspace_id, destination_id)
        context.access.require(Permission.DELIVERY_READ, destination.source_id)
        shown = {name: value for name, value in msgspec.to_builtins(asked).items() if value}
        editor.record(destination, "Destination Discards Redriven", None, shown)
    ids = {context.delivery.redrive(destination_id, each, time.time()) for each in wanted}
    found = context.delivery.redrives(destination_id, MOST)
    return answer(redrives=[_view(each) for each in found if each.id in ids])


@get("/redrives", operation_id="listDestinationRedrives", sync_to_thread=True, answer=RedrivesAnswer)
def list_redrives(context: InContext, destination_id: Id) -> Json:
    """The last twenty requests to send discards again, and how far they are, the newest first."""
    with context.reading() as session:
        edit.get_destination(session, context.workspace_id, destination_id)
    return answer(redrives=[_view(each) for each in context.delivery.redrives(destination_id, 20)])


def _wanted(asked: RedriveDiscards, discard_id: str | None) -> Redrive:
    if discard_id is not None and not (
        discard_id.isascii() and discard_id.isdigit() and len(discard_id) < 19
    ):
        raise Invalid(f"this is not the id of a discard: {discard_id}", field="discardIds")
    return Redrive(
        code=asked.code,
        subscription_id=asked.subscription_id,
        message_id=asked.message_id,
        discard_id=None if discard_id is None else int(discard_id),
        start=0 if asked.start_time is None else instant(asked.start_time, "startTime"),
        end=1 << 60 if asked.end_time is None else instant(asked.end_time, "endTime"),
        as_it_was=asked.mapping == "AS_IT_WAS",
    )


def _view(redrive: Redrive) -> RedriveView:
    finished = redrive.finished_at
    return {
        "id": str(redrive.id),
        "askedAt": timestamp(redrive.asked_at),
        "status": "PENDING" if finished is None else "DONE",
        "sentAgain": redrive.done,
        "finishedAt": None if finished is None else timestamp(finished),
        "discardId": None if redrive.discard_id is None else str(redrive.discard_id),
        "code": redrive.code,
        "subscriptionId": redrive.subscription_id,
        "messageId": redrive.message_id,
        "mapping": "AS_IT_WAS" if redrive.as_it_was else "ANEW",
    }


router = Router("/destinations/{destination_id:str}", route_handlers=[redrive, list_redrives])
