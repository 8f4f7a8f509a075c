"""The actions on people and groups: forms with JSON in them, one payload a request."""

import time
from typing import Any

from onward.destinations.amplitude import events
from onward.destinations.amplitude.endpoints import address
from onward.destinations.definition import Call, Json, Payload
from onward.destinations.exchange import FORM, ask, basic, encode, form, one_by_one, outcome_of, post
from onward.destinations.moments import milliseconds
from onward.destinations.outcome import DELIVERED, Outcome, discarded

_NOT_MEMBERS = frozenset(
    {
        *("utm_properties", "referrer", "min_id_length", "library"),
        *("userAgent", "userAgentParsing", "includeRawUserAgent", "userAgentData"),
    }
)


@one_by_one
async def identify(call: Call, payload: Payload) -> Outcome:
    """Identify API: properties of a person."""
    person = {name: value for name, value in payload.items() if name not in _NOT_MEMBERS}
    person.update(events.platform(payload))
    if payload.get("utm_properties") or payload.get("referrer"):
        own = events.own_properties(payload)
        person["user_properties"] = events.merge(own, *events.origin(payload))
    person = {**events.agent(payload), **person, "library": "segment"}
    return await _identify(call, "identify", person, payload)


@one_by_one
async def map_user(call: Call, payload: Payload) -> Outcome:
    """User mapping API: one person under two ids."""
    members = {"api_key": _key(call), "mapping": _text([payload])}
    if options := _options(payload):
        members["options"] = options
    return await post(call, address("usermap", call.settings), form(members), FORM)


@one_by_one
async def identify_group(call: Call, payload: Payload) -> Outcome:
    """A person into a group, where the payload names one; then the group's properties."""
    group_type, group = payload["group_type"], payload["group_value"]
    if payload.get("user_id") or payload.get("device_id"):
        membership = {group_type: group}
        known = ("device_id", "insert_id", "user_id")
        person: Json = {name: payload[name] for name in known if name in payload}
        person |= {"groups": membership, "user_properties": membership, "library": "segment"}
        person["time"] = milliseconds(payload["time"]) if "time" in payload else int(time.time() * 1000)
        outcome = await _identify(call, "identify", [person], payload)
        if outcome is not DELIVERED:
            return outcome
    properties = {"group_value": group, "group_type": group_type, "library": "segment"}
    if "group_properties" in payload:
        properties["group_properties"] = payload["group_properties"]
    return await _identify(call, "groupidentify", [properties], payload)


async def _identify(call: Call, api: str, identification: Json | list[Json], payload: Payload) -> Outcome:
    members = {
        "api_key": _key(call),
        "identification": _text(identification),
        # As Segment's destination writes it, and Amplitude is used to it.
        "options": _options(payload) or "undefined",
    }
    return await post(call, address(api, call.settings), form(members), FORM)


def _options(payload: Payload) -> str | None:
    shortest = payload.get("min_id_length")
    return _text({"min_id_length": shortest}) if shortest and shortest > 0 else None


def _key(call: Call) -> str:
    return str(call.settings.get("apiKey") or "")


def _text(value: Any) -> str:
    return encode(value).decode()


async def forget(call: Call, user_id: str | None, anonymous_id: str | None) -> Outcome:
    """User privacy API: it knows people by user ID only."""
    if not user_id:
        return discarded("MESSAGE_REJECTED", "Amplitude deletes people by user ID, and there is none")
    body = encode({"user_ids": [user_id], "requester": "segment"})
    headers = {"content-type": "application/json", **credentials(call)}
    return outcome_of(await ask(call, address("deletions", call.settings), body, headers))


def credentials(call: Call) -> dict[str, str]:
    settings = call.settings
    return {"authorization": basic(settings.get("apiKey") or "", settings.get("secretKey") or "")}
