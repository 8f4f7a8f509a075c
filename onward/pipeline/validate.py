"""What the front door asks of an event (spec §3.8, §12.4). Whatever fails here got its 200 all the same."""

from typing import Any

from onward.pipeline.types import EVENT_TYPES

ACCEPTED_TYPES = frozenset(EVENT_TYPES) - {"delete"}
"""`delete` events are made by the system, never taken from outside (spec §4.4)."""

CONSENT_EVENT = "Segment Consent Preference Updated"

_NO_KEYS: dict[str, Any] = {}


def discard_code(event: Any, implied_type: str | None = None) -> str | None:
    """Why an event is discarded at ingest, or None if it is accepted.

    `event` is any decoded JSON; `implied_type` is what the path says (`/v1/track`) and beats the event's
    own `type`. An id that is null or empty counts as absent as long as the other one is there: several
    libraries send `"userId": ""` for anonymous users.
    """
    if type(event) is not dict:
        return "BAD_REQUEST"
    kind = implied_type or event.get("type")
    if kind is None or kind == "":
        return "missing_type"
    if type(kind) is not str or kind not in ACCEPTED_TYPES:
        return "invalid_type"
    return (
        _ids(event) or (_track(event) if kind == "track" else _others(event, kind)) or _context(event, kind)
    )


def _ids(event: dict[str, Any]) -> str | None:
    user, anonymous = event.get("userId"), event.get("anonymousId")
    if (user is not None and type(user) is not str) or (anonymous is not None and type(anonymous) is not str):
        return "id_not_string"
    if user or anonymous:
        return None
    return "no_user_anon_id" if user is None and anonymous is None else "id_not_string"


def _track(event: dict[str, Any]) -> str | None:
    name = event.get("event")
    if name is None or name == "":
        return "event_not_defined"
    if type(name) is not str:
        return "event_not_string"
    return None if _object_or_absent(event, "properties") else "properties_not_object"


def _others(event: dict[str, Any], kind: str) -> str | None:
    if kind in ("identify", "group"):
        return None if _object_or_absent(event, "traits") else "traits_not_object"
    if kind in ("page", "screen"):
        for field in ("name", "category"):
            value = event.get(field)
            if value is not None and (type(value) is not str or not value):
                return f"{field}_not_string"
        return None if _object_or_absent(event, "properties") else "properties_not_object"
    return None


def _context(event: dict[str, Any], kind: str) -> str | None:
    context = event.get("context")
    if type(context) is not dict:
        context = _NO_KEYS
    device = context.get("device")
    if type(device) is dict:
        advertising_id = device.get("advertisingId")
        if advertising_id is not None and type(advertising_id) is not str:
            return "device_advertisingid_should_be_string"
    if kind == "track" and event.get("event") == CONSENT_EVENT:
        return _consent(context.get("consent"))
    return None


def _consent(consent: Any) -> str | None:
    """The consent event must say what was consented to (spec §16.6)."""
    preferences = consent.get("categoryPreferences") if type(consent) is dict else None
    if preferences is None:
        return "consent_categorypreferences_should_exist"
    if type(preferences) is not dict:
        return "consent_categorypreferences_fields_should_be_object"
    if not all(type(value) is bool for value in preferences.values()):
        return "consent_categorypreferences_fields_should_be_bool"
    version = consent.get("version")
    if version is not None and type(version) not in (int, float):
        return "consent_version_should_be_number"
    return None


def _object_or_absent(event: dict[str, Any], field: str) -> bool:
    value = event.get(field)
    return value is None or type(value) is dict
