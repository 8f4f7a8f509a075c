"""A payload → the request of the Measurement Protocol, or why Google would not take it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import quote

from onward.destinations.definition import Json, Payload
from onward.destinations.exchange import Refused
from onward.destinations.google_analytics_4.currencies import CODES
from onward.destinations.google_analytics_4.fields import MOBILE_APP
from onward.destinations.moments import milliseconds_of_date
from onward.pipeline.javascript import WHITESPACE, to_number

COLLECT = "https://www.google-analytics.com/mp/collect"

_UNDERSCORES = str.maketrans(dict.fromkeys(WHITESPACE, "_"))


@dataclass(frozen=True)
class Shape:
    """What an action's event looks like, and what it must have."""

    event: str
    """Its name; empty where the payload gives it."""
    params: tuple[str, ...] = ()
    """The members of the payload that are parameters of the event."""
    client: str = "client_id"
    """The member of the payload that is the client id."""
    priced: bool = False
    """Whether a value must have a currency."""
    currency: Literal["", "of the first item", "a non-empty one of the first item"] = ""
    """What may stand in for a currency of its own; empty where it need not have any."""
    filled: bool = False
    """Whether there must be an item."""


def request(shape: Shape, payload: Payload, settings: Mapping[str, Any]) -> tuple[str, Json]:
    """Address and body. Raises `Refused`."""
    address, body = _stream(shape, payload, settings)
    _check(shape, payload)
    params = {name: payload[name] for name in shape.params if name in payload}
    if "items" in shape.params:
        params.setdefault("items", [])
    if "engagement_time_msec" in payload:
        params["engagement_time_msec"] = payload["engagement_time_msec"]
    params.update(payload.get("params") or {})
    if "user_id" in payload:
        body["user_id"] = payload["user_id"]
    body["events"] = [{"name": shape.event or _name(payload), "params": params}]
    if (properties := payload.get("user_properties")) is not None:
        body["user_properties"] = {name: {"value": value} for name, value in properties.items()}
    if moment := payload.get("timestamp_micros"):
        body["timestamp_micros"] = microseconds(moment)
    if consent := _consent(payload):
        body["consent"] = consent
    return address, body


def microseconds(moment: str) -> float | None:
    """Of a number in text, which is taken as it is, or of a date; None if it is neither."""
    number = to_number(moment)
    if number == number:
        return number
    found = milliseconds_of_date(moment)
    return None if found is None else found * 1000


def _stream(shape: Shape, payload: Payload, settings: Mapping[str, Any]) -> tuple[str, Json]:
    """The address, and who it is of."""
    if payload.get("data_stream_type") == MOBILE_APP:
        stream, setting, setting_label = "firebase_app_id", "firebaseAppId", "the Firebase app ID"
        key, who, stream_label = "app_instance_id", payload.get("app_instance_id"), "streams of apps"
    else:
        stream, setting, setting_label = "measurement_id", "measurementId", "the measurement ID"
        key, who, stream_label = "client_id", payload.get(shape.client), "web streams"
    if not (stream_id := settings.get(setting)):
        raise Refused(f"{setting_label} is not set; {stream_label} require it", "INVALID_SETTINGS")
    if not who:
        field = shape.client if key == "client_id" else key
        raise Refused(f"{field} is empty; {stream_label} require it")
    return _address(settings.get("apiSecret") or "", stream, stream_id), {key: who}


@lru_cache(maxsize=1024)
def _address(secret: str, stream: str, stream_id: str) -> str:
    return f"{COLLECT}?api_secret={quote(secret, safe=':')}&{stream}={quote(stream_id, safe=':')}"


def _check(shape: Shape, payload: Payload) -> None:
    currency = payload.get("currency")
    items = payload.get("items") or ()
    if shape.filled and not items:
        raise Refused(f"items is empty; {shape.event} needs a product")
    if currency:
        _check_currency(currency)
    if shape.priced and payload.get("value") and currency is None:
        raise Refused("value is set, so currency must be, too")
    if shape.currency and currency is None:
        first = items[0].get("currency") if items else None
        if first is None or (not first and shape.currency != "of the first item"):
            raise Refused("neither the event nor its first item has a currency")
    for place, item in enumerate(items):
        if "item_id" not in item and "item_name" not in item:
            raise Refused(f"items[{place}] has neither item_id nor item_name")
        if item.get("currency"):
            _check_currency(item["currency"])
    _check_values("params", payload.get("params"), ("items",), null=False)
    _check_values("user_properties", payload.get("user_properties"), (), null=True)


def _check_currency(code: str) -> None:
    if code.upper() not in CODES:
        raise Refused(f"{code} is no currency of ISO 4217")


def _check_values(name: str, values: Json | None, lists: Iterable[str], *, null: bool) -> None:
    """Google takes texts, numbers and booleans only; `lists`: members that may be lists all the same."""
    for key, value in (values or {}).items():
        if isinstance(value, list) and key in lists:
            continue
        if isinstance(value, dict | list) or (value is None and not null):
            kind = "null" if value is None else "a list" if isinstance(value, list) else "an object"
            raise Refused(f"{name}.{key} is {kind}, which Google Analytics does not take")


def _name(payload: Payload) -> str:
    """The mapped name, without spaces."""
    name: str = payload["name"].strip(WHITESPACE).translate(_UNDERSCORES)
    return name.lower() if payload.get("lowercase") else name


def _consent(payload: Payload) -> Json:
    asked = {
        "ad_user_data": payload.get("ad_user_data_consent"),
        "ad_personalization": payload.get("ad_personalization_consent"),
    }
    return {name: value for name, value in asked.items() if value}
