"""What a source hands on to another one: the events it blocked, and word of each violation (spec §5).

Both are complete events, as they stand in the log, and have ids that follow from the original's. So if a
client sends a batch again, what was handed on of it is a duplicate there.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from onward.pipeline.governance.governor import Judgement
from onward.pipeline.types import Event

VIOLATION_EVENT = "Violation Generated"
VIOLATION_USER = "schema-violations"


class Origin(NamedTuple):
    """The source that hands on, and its plan."""

    source_id: str
    source_name: str
    source_slug: str
    plan_id: str = ""
    plan_name: str = ""


def blocked(origin: Origin, judgement: Judgement) -> Event:
    """A blocked event as the other source gets it: as it was, and where it comes from."""
    return {**judgement.event, "forwardedFromProject": origin.source_id}


def violations(origin: Origin, judgement: Judgement) -> Iterator[Event]:
    """A track call for each violation."""
    event = judgement.event
    context = event.get("context")
    context = context if type(context) is dict else {}
    app = context.get("app")
    version = app.get("version") if type(app) is dict else None
    name = event.get("event" if event["type"] == "track" else "name")
    for violation in judgement.violations:
        yield {
            "type": "track",
            "event": VIOLATION_EVENT,
            "userId": VIOLATION_USER,
            "messageId": _id(origin.source_id, event["messageId"], violation.field, violation.kind),
            "properties": {
                "appVersion": version if type(version) is str else "",
                "eventMessageID": event["messageId"],
                "eventName": name if type(name) is str else "",
                "eventSentAt": event.get("sentAt"),
                "eventTimestamp": event["timestamp"],
                "eventType": event["type"],
                "sourceID": origin.source_id,
                "sourceName": origin.source_name,
                "sourceSlug": origin.source_slug,
                "trackingPlanID": origin.plan_id,
                "trackingPlanName": origin.plan_name,
                "violationDescription": violation.description,
                "violationField": violation.field,
                "violationType": violation.kind,
            },
            "context": {"app": app, "library": context.get("library")},
            "integrations": {},
            "timestamp": event["receivedAt"],
            "originalTimestamp": event["receivedAt"],
            "receivedAt": event["receivedAt"],
            "version": event["version"],
            "channel": "server",
            "forwardedFromProject": origin.source_id,
        }


def _id(*parts: str) -> str:
    digest = hashlib.blake2b("\x00".join(parts).encode("utf-8", "surrogatepass"), digest_size=16)
    return f"sch-{digest.hexdigest()}"
