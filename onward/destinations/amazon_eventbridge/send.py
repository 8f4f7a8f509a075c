"""The action Send: events to an EventBridge bus, by PutEvents.

Segment is a partner of AWS and uses PutPartnerEvents, which AWS keeps for its partners: there the events go
to a source that belongs to the partner and that the customer joins with a bus. Whoever runs Onward is no
such partner as a rule, so events go straight to a bus. A partner gives its name in `partner_name`, and then
it is as at Segment.
"""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from onward.destinations.aws import endpoints
from onward.destinations.aws.batches import Entry, Outcomes, deliver
from onward.destinations.aws.client import ask
from onward.destinations.aws.credentials import credentials, forget
from onward.destinations.aws.errors import EXPIRED, AwsError, of_code
from onward.destinations.aws.fields import access
from onward.destinations.aws.text import to_json
from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import DELIVERED, Outcome, discarded, retry
from onward.pipeline.javascript_dates import parse_date

MOST_ENTRIES = 10
MOST_PARTNER_ENTRIES = 20
MOST_BYTES = 1_000_000
"""Of one request, and so of one event."""
LONGEST_TYPE = 128
HOOKS = ("onMappingSave", "retlOnMappingSave")

_ACCOUNT = re.compile(r"[0-9]{12}")


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    try:
        common = partner_source(call) if call.settings.get("partner_name") else _to_bus(call.settings)
    except ValueError as error:
        return discarded("INVALID_SETTINGS", str(error))
    outcomes = Outcomes(len(payloads))
    entries: list[Entry] = []
    for place, payload in enumerate(payloads):
        try:
            entries.append(_entry(place, payload, common))
        except ValueError as error:
            outcomes[place] = discarded("MESSAGE_REJECTED", str(error))
    to_partner = "EventBusName" not in common
    operation = "PutPartnerEvents" if to_partner else "PutEvents"

    async def send(events: Sequence[Entry]) -> list[Outcome]:
        answer = await operate(call, operation, {"Entries": [event.body for event in events]})
        results = answer.get("Entries")
        if not isinstance(results, list) or len(results) != len(events):
            raise AwsError(retry("500", "EventBridge did not answer with a result for each event"))
        return [_outcome(result) for result in results]

    most = MOST_PARTNER_ENTRIES if to_partner else MOST_ENTRIES
    await deliver(outcomes, entries, most=most, room=MOST_BYTES, send=send)
    return outcomes.result()


async def operate(call: Call, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Raises `AwsError`."""
    region = region_of(call.settings)
    signing = await credentials(call, region)
    service = endpoints.service("events", region, access(call.settings).endpoint_url)
    try:
        return await ask(call, service, signing, f"AWSEvents.{operation}", arguments)
    except AwsError as error:
        if error.code in EXPIRED:
            forget(call)
        raise


def region_of(settings: Mapping[str, Any]) -> str:
    region = str(settings.get("region") or "")
    if not endpoints.is_region(region):
        raise AwsError(
            discarded("INVALID_SETTINGS", f"region is {region[:50]!r}, not a region such as eu-west-1")
        )
    return region


def bus_arn(settings: Mapping[str, Any]) -> str:
    """Raises ValueError."""
    name = str(settings.get("event_bus_name") or "default").strip()
    if name.startswith("arn:"):
        return name
    account, region = str(settings.get("accountId") or "").strip(), str(settings.get("region") or "")
    if not _ACCOUNT.fullmatch(account):
        raise ValueError(f"accountId is {account[:30]!r}, not the twelve digits of an AWS account")
    return f"arn:{endpoints.partition(region)}:events:{region}:{account}:event-bus/{name}"


def partner_source(call: Call) -> dict[str, str]:
    """The source that the mapping's hook has made. Raises ValueError if there is none."""
    for name in HOOKS:
        hook = call.mapping.get(name)
        outputs = hook.get("outputs") if isinstance(hook, dict) else None
        source = outputs.get("sourceId") if isinstance(outputs, dict) else None
        if isinstance(source, str) and source:
            return {"Source": partner_source_name(call.settings, source)}
    raise ValueError(
        "the mapping has no partner event source: save it with Create Partner Source, or empty partner_name "
        "to send to an event bus"
    )


def partner_source_name(settings: Mapping[str, Any], source: str) -> str:
    return f"aws.partner/{settings.get('partner_name')}/{source}"


def _to_bus(settings: Mapping[str, Any]) -> dict[str, str]:
    return {"Source": str(settings.get("source") or "onward"), "EventBusName": bus_arn(settings)}


def _entry(place: int, payload: Payload, common: dict[str, str]) -> Entry:
    detail, kind = payload.get("data"), payload.get("detailType")
    if not isinstance(detail, dict):
        raise ValueError("data is not an object; check its mapping")
    if not isinstance(kind, str) or not 0 < len(kind) <= LONGEST_TYPE:
        raise ValueError(f"detailType must be a text of 1 to {LONGEST_TYPE} characters; check its mapping")
    resources = payload.get("resources")
    entry: dict[str, Any] = {
        **common,
        "DetailType": kind,
        "Detail": to_json(detail).decode(),
        "Resources": [
            str(each) for each in (resources if isinstance(resources, list) else [resources]) if each
        ],
    }
    time = payload.get("time")
    if isinstance(time, str) and time:
        ms = parse_date(time)
        if not isfinite(ms):
            raise ValueError(f"time is {time[:50]!r}, not a date in ISO 8601")
        entry["Time"] = ms / 1000
    size = _size(entry)
    if size > MOST_BYTES:
        raise ValueError(f"the event has {size} bytes; EventBridge takes {MOST_BYTES}")
    return Entry(place, size, entry)


def _size(entry: dict[str, Any]) -> int:
    """As AWS counts it: docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html."""
    texts = [entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"]]
    return (14 if "Time" in entry else 0) + sum(len(text.encode("utf-8", "replace")) for text in texts)


def _outcome(result: Any) -> Outcome:
    found = result if isinstance(result, dict) else {}
    code, message = found.get("ErrorCode"), found.get("ErrorMessage")
    if code or message:
        return of_code(str(code or "UnknownError"), str(message or ""))
    return DELIVERED


async def test(call: Call) -> str | None:
    """Looks the bus up, or as a partner its sources."""
    try:
        if call.settings.get("partner_name"):
            prefix = partner_source_name(call.settings, "")
            await operate(call, "ListPartnerEventSources", {"NamePrefix": prefix, "Limit": 1})
        else:
            await operate(call, "DescribeEventBus", {"Name": bus_arn(call.settings)})
    except ValueError as error:
        return str(error)
    except AwsError as error:
        if error.code == "AccessDeniedException":
            return (
                f"{error.outcome.message} (the credentials are right; this test needs "
                "events:DescribeEventBus, delivery does not)"
            )
        return f"{error.outcome.code}: {error.outcome.message}"
    return None
