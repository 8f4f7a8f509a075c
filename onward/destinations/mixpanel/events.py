"""A payload of the track actions → the events that Mixpanel imports for it. Pure but for clock and dice."""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from onward.destinations.definition import Json, Payload
from onward.destinations.mixpanel.browser import browser_of
from onward.destinations.moments import milliseconds

Build = Callable[[Payload, Mapping[str, Any]], list[Json]]
"""`(payload, settings)`."""

RESERVED: Final = frozenset({"time", "id", "$anon_id", "distinct_id", "$group_id", "$insert_id", "$user_id"})
"""What the event's own properties may not say."""

_MEMBERS: Final = {
    "ip": "ip",
    "distinct_id": "id",
    "app_build": "$app_build_number",
    "app_version": "$app_version_string",
    "app_namespace": "$app_namespace",
    "app_name": "$app_name",
    "bluetooth": "$bluetooth_enabled",
    "cellular": "$cellular_enabled",
    "carrier": "$carrier",
    "url": "$current_url",
    "device_type": "$device_type",
    "group_id": "$group_id",
    "idfa": "$ios_ifa",
    "library_version": "$lib_version",
    "language": "$locale",
    "device_manufacturer": "$manufacturer",
    "device_model": "$model",
    "os_name": "$os",
    "os_version": "$os_version",
    "referrer": "$referrer",
    "screen_height": "$screen_height",
    "screen_width": "$screen_width",
    "screen_density": "$screen_density",
    "wifi": "$wifi_enabled",
    "country": "mp_country_code",
    "advertising_id": "advertising_id",
    "ad_tracking_enabled": "ad_tracking_enabled",
    "timezone": "timezone",
    "app_platform": "app_platform",
    "name": "event_original_name",
}
"""Fields, and the properties that they are under another name."""
_TWICE: Final = (
    ("anonymous_id", ("$anon_id", "$device_id")),
    ("device_name", ("$device", "$device_name")),
    ("user_id", ("$identified_id", "$user_id")),
)
_HINTS: Final = ("mobile", "platform", "bitness", "platformVersion", "uaFullVersion", "wow64")
_UTM: Final = ("utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term")

OF_ORDER: Final = frozenset(
    {
        *("affiliation", "subtotal", "total", "revenue", "shipping", "tax", "discount", "coupon", "currency"),
        *("order_number", "products"),
    }
)
"""Properties of an order that its products' events don't repeat."""


def track(payload: Payload, settings: Mapping[str, Any]) -> list[Json]:
    """Track Event."""
    moment, insert_id = _moment(payload), _insert_id(payload)
    return [{"event": payload["event"], "properties": _properties(payload, settings, moment, insert_id)}]


def purchase(payload: Payload, settings: Mapping[str, Any]) -> list[Json]:
    """Track Purchase: the order, and an event for each of its products.

    These are dated a millisecond apart, backwards from the order, and their insert ids count up before it.
    """
    moment, insert_id = _moment(payload), _insert_id(payload)
    order = _properties(payload, settings, moment, insert_id)
    events = [{"event": payload["event"], "properties": order}]
    if not payload.get("generatePurchaseEventPerProduct"):
        return events
    shared = {name: value for name, value in order.items() if name not in OF_ORDER}
    for place, product in enumerate(payload.get("products") or ()):
        own = {"$insert_id": f"{place}{insert_id}", "time": moment - place - 1}
        events.append({"event": "Product Purchased", "properties": {**shared, **own, **product}})
    return events


def _moment(payload: Payload) -> int:
    mapped = payload.get("time")
    moment = milliseconds(mapped) if mapped else None
    return int(time.time() * 1000) if moment is None else moment


def _insert_id(payload: Payload) -> str:
    mapped = payload.get("insert_id")
    return secrets.token_hex(8) if mapped is None else mapped


def _properties(payload: Payload, settings: Mapping[str, Any], moment: int, insert_id: str) -> Json:
    told: Json = {"time": moment, "distinct_id": payload.get("distinct_id", ""), "$insert_id": insert_id}
    for name, value in payload.items():
        if own := _MEMBERS.get(name):
            told[own] = value
    for name, (first, second) in _TWICE:
        if name in payload:
            told[first] = told[second] = payload[name]
    if user_agent := payload.get("userAgent"):
        told["$browser"], version = browser_of(user_agent)
        if version is not None:
            told["$browser_version"] = version
    if (library := payload.get("library_name")) is not None:
        told["mp_lib"] = f"Segment Actions: {library}" if library else ""
    told["$source"] = "Iterable" if _is_iterable(payload.get("context")) else "segment"
    if (source := settings.get("sourceName")) is not None:
        told["segment_source_name"] = source
    if utm := payload.get("utm_properties"):
        told.update({name: utm[name] for name in _UTM if name in utm})
    if hints := payload.get("userAgentData"):
        told.update({f"${name}": hints[name] for name in _HINTS if name in hints})
    if own_properties := payload.get("event_properties"):
        if not RESERVED.isdisjoint(own_properties):
            own_properties = {name: value for name, value in own_properties.items() if name not in RESERVED}
        told.update(own_properties)
    return told


def _is_iterable(context: Any) -> bool:
    """Whether the event comes from Iterable, which Mixpanel tells apart."""
    integration = context.get("integration") if isinstance(context, dict) else None
    return isinstance(integration, dict) and integration.get("name") == "Iterable"
