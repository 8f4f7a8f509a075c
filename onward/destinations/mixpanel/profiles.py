"""The actions on people and groups: forms with JSON in them, one payload a request."""

import math
from collections.abc import Mapping
from typing import Any

from onward.destinations.definition import Call, Json, Payload
from onward.destinations.exchange import FORM, Refused, ask, encode, form, one_by_one, outcome_of
from onward.destinations.mixpanel.upload import server
from onward.destinations.outcome import DELIVERED, Outcome, discarded
from onward.egress.http import Response
from onward.pipeline.javascript import to_number, to_string, truthy

MOST_INCREMENTS = 20

_TRAITS = {
    "email": "$email",
    "firstName": "$first_name",
    "lastName": "$last_name",
    "username": "$username",
    "phone": "$phone",
}
"""Traits that Mixpanel has a name of its own for."""
_CREATED = ("created", "createdAt", "created_at")


@one_by_one
async def identify(call: Call, payload: Payload) -> Outcome:
    """Ties the anonymous id to the user id, then sets the profile; either where there is something to say."""
    token = _token(call)
    if anonymous_id := payload.get("anonymous_id"):
        tie = {"$anon_id": anonymous_id, **_present(payload, {"user_id": "$identified_id"})}
        outcome = await _track(call, "$identify", tie)
        if outcome is not DELIVERED:
            return outcome
    if not (traits := payload.get("traits")):
        return DELIVERED
    return await _post(call, "engage", {**_whose(token, payload), "$set": _profile(traits)})


@one_by_one
async def identify_group(call: Call, payload: Payload) -> Outcome:
    """Sets a group's profile. A trait under the group key is the group's id, rather than the mapped one."""
    traits = payload.get("traits")
    if traits is None:
        raise Refused("traits is empty; a group's profile needs some")
    key = payload.get("group_key") or "$group_id"
    own_id = traits.get(key)
    group = {
        "$token": call.settings.get("projectToken"),
        "$group_key": key,
        "$group_id": own_id if truthy(own_id) else payload["group_id"],
        "$set": {
            **{name: value for name, value in traits.items() if name != "name" and name not in _CREATED},
            **_present(traits, {"name": "$name"}),
            **_created(traits),
        },
    }
    return await _post(call, "groups", group)


@one_by_one
async def alias(call: Call, payload: Payload) -> Outcome:
    """Gives a person another id, in projects with Mixpanel's older identity management."""
    return await _track(
        call, "$create_alias", _present(payload, {"distinct_id": "distinct_id", "alias": "alias"})
    )


@one_by_one
async def increment(call: Call, payload: Payload) -> Outcome:
    """Adds to numbers of a profile. What is no number and no text of one is left out, or refused."""
    token = _token(call)
    asked = payload.get("increment")
    if not asked:
        return DELIVERED
    if len(asked) > MOST_INCREMENTS:
        raise Refused(f"increment has {len(asked)} properties; Mixpanel takes {MOST_INCREMENTS}")
    added: Json = {}
    for name, value in asked.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        number = to_number(value)
        if math.isnan(number):
            raise Refused(f"increment.{name} is {value!r}, not a number")
        added[name] = number
    return await _post(call, "engage", {**_whose(token, payload), "$add": added})


def _token(call: Call) -> str:
    token = call.settings.get("projectToken")
    if not token:
        raise Refused("projectToken is empty; people's profiles need it", "INVALID_SETTINGS")
    return str(token)


def _whose(token: str, payload: Payload) -> Json:
    """The profile that is meant."""
    whose: Json = {"$token": token, **_present(payload, {"ip": "$ip"})}
    user_id = payload.get("user_id")
    if user_id is not None:
        whose["$distinct_id"] = user_id
    elif "anonymous_id" in payload:
        whose["$distinct_id"] = payload["anonymous_id"]
    return whose


def _profile(traits: Mapping[str, Any]) -> Json:
    taken = {*_TRAITS, *_CREATED, "name"}
    profile = {name: value for name, value in traits.items() if name not in taken}
    profile |= _present(traits, _TRAITS) | _created(traits)
    first, last, name = traits.get("firstName"), traits.get("lastName"), traits.get("name")
    if name is None and truthy(first) and truthy(last):
        name = f"{to_string(first)} {to_string(last)}"
    return profile if name is None else {**profile, "$name": name}


def _created(traits: Mapping[str, Any]) -> Json:
    """When it came to be, under whichever name; null only if the last of the names says so."""
    for name in _CREATED:
        if traits.get(name) is not None:
            return {"$created": traits[name]}
    return _present(traits, {_CREATED[-1]: "$created"})


def _present(source: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    """The members that are there, under their new names."""
    return {new: source[old] for old, new in names.items() if old in source}


async def _track(call: Call, event: str, properties: Json) -> Outcome:
    told = {**properties, "token": call.settings.get("projectToken")}
    if (source := call.settings.get("sourceName")) is not None:
        told["segment_source_name"] = source
    return await _post(call, "track", {"event": event, "properties": told})


async def _post(call: Call, api: str, data: Json) -> Outcome:
    body = form({"data": encode(data).decode()})
    answer = await ask(call, f"{server(call.settings)}/{api}", body, FORM)
    if isinstance(answer, Response) and answer.status == 200 and answer.body.strip() == b"0":
        # These APIs answer 1 or 0 rather than with a status.
        return discarded("MESSAGE_REJECTED", f"Mixpanel's /{api} answered 0: the data is not valid")
    return outcome_of(answer)
