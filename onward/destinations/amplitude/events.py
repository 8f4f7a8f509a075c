"""A payload of the log actions → the events that Amplitude gets for it. Pure."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from onward.destinations.amplitude import user_agent
from onward.destinations.amplitude.fields import REVENUE
from onward.destinations.definition import Json, Payload
from onward.destinations.moments import milliseconds
from onward.pipeline.javascript import truthy, utf16_units

Build = Callable[[Payload], list[Json]]

_ABOUT_AGENT: Final = ("userAgent", "userAgentParsing", "includeRawUserAgent", "userAgentData")
_SPENT: Final = frozenset(
    {
        *("time", "session_id", "min_id_length", "library", "library2"),
        *_ABOUT_AGENT,
        *REVENUE,
        *("enable_batching", "batch_size"),
    }
)
"""What no event has as a member of that name. (`use_batch_endpoint` and `products` it has, at Segment.)"""

_ORIGIN: Final = frozenset({"utm_properties", "referrer"})
_SPENT_EVENT: Final = _SPENT | _ORIGIN
_SPENT_EVENT_V2: Final = _SPENT | {"setOnce", "setAlways", "add"}
_SPENT_PURCHASE: Final = _SPENT | _ORIGIN | {"products", "trackRevenuePerProduct"}

_OPERATIONS: Final = (("setOnce", "$setOnce"), ("setAlways", "$set"), ("add", "$add"))

_DIGITS: Final = re.compile(r"[0-9]+")
_IOS: Final = re.compile("ios", re.IGNORECASE)
_ANDROID: Final = re.compile("android", re.IGNORECASE)


def event(payload: Payload) -> list[Json]:
    """Log Event."""
    common = _common(payload, _SPENT_EVENT)
    _keep_origin(payload, common)
    return [_whole(payload, common)]


def event_v2(payload: Payload) -> list[Json]:
    """Log Event V2: it says itself what is to be set, set once and added."""
    common = _common(payload, _SPENT_EVENT_V2)
    operations = {}
    for key, name in _OPERATIONS:
        asked = payload.get(key)
        if asked and any(value != "" for value in asked.values()):
            operations[name] = asked
    if operations:
        common["user_properties"] = {**spread(common.get("user_properties")), **operations}
    return [_whole(payload, common)]


def purchase(payload: Payload) -> list[Json]:
    """Log Purchase: the order, and an event for each of its products. Revenue is told once: by the order,
    or by its products if `trackRevenuePerProduct`."""
    products = payload.get("products") or []
    per_product = payload.get("trackRevenuePerProduct")
    common = _common(payload, _SPENT_PURCHASE)
    _keep_origin(payload, common)
    order = _whole(payload, common)
    if not (products and per_product):
        order.update(revenue(payload))
    events = [order]
    insert_id = common.pop("insert_id", None)
    for product in products:
        bought = {
            **common,
            **(revenue(product) if per_product else {}),
            "event_properties": product,
            "event_type": "Product Purchased",
        }
        if insert_id:
            bought["insert_id"] = f"{insert_id}-{len(events) + 1}"
        events.append(bought | _library(payload))
    return events


def revenue(payload: Mapping[str, Any]) -> Json:
    """What Amplitude's revenue reports read; nothing where there is no revenue."""
    quantity, price = payload.get("quantity"), payload.get("price")
    total = payload.get("revenue") if quantity is None or price is None else quantity * price
    if not total:
        return {}
    kind = payload.get("revenueType")
    told = {
        "revenue": total,
        "revenueType": "Purchase" if kind is None else kind,
        "quantity": None if quantity is None else math.floor(quantity + 0.5),
        "price": price,
        "productId": payload.get("productId"),
    }
    return {name: value for name, value in told.items() if value is not None}


def agent(payload: Payload) -> Json:
    """What the user agent adds: what it says of the device, and itself."""
    told: Json = {}
    text = payload.get("userAgent")
    if payload.get("userAgentParsing"):
        told.update(user_agent.properties(text, payload.get("userAgentData")))
    if payload.get("includeRawUserAgent") and text is not None:
        told["user_agent"] = text
    return told


def platform(payload: Payload) -> Json:
    """The platform as Amplitude spells it, and `Web` where only the library tells it."""
    named = payload.get("platform")
    if named:
        return {"platform": _ANDROID.sub("Android", _IOS.sub("iOS", named, count=1), count=1)}
    return {"platform": "Web"} if payload.get("library") == "analytics.js" else {}


def origin(payload: Payload) -> list[Json]:
    """Campaign and referrer as operations on user properties: the last, and the first."""
    operations: list[Json] = []
    campaign = payload.get("utm_properties")
    if campaign is not None:
        first = {f"initial_{name}": value for name, value in campaign.items()}
        operations.append({"$set": campaign, "$setOnce": first})
    if referrer := payload.get("referrer"):
        operations.append({"$set": {"referrer": referrer}, "$setOnce": {"initial_referrer": referrer}})
    return operations


def merge(*properties: Json) -> Json:
    """User properties one over the other; of `$set` and `$setOnce` the members."""
    merged: Json = {}
    for each in properties:
        before = merged
        merged = {**before, **each}
        for operation in ("$set", "$setOnce"):
            old, new = before.get(operation), each.get(operation)
            if truthy(old) or truthy(new):
                merged[operation] = {**spread(old), **spread(new)}
    return merged


def own_properties(payload: Payload) -> Json:
    """The mapped user properties, but for those that would stand beside the mapped campaign and referrer."""
    mapped = payload.get("user_properties") or {}
    return {name: value for name, value in mapped.items() if name not in _ORIGIN}


def spread(value: Any) -> Json:
    """`{...value}`: texts and lists by their positions."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        value = utf16_units(value)
    if isinstance(value, list):
        return {str(place): each for place, each in enumerate(value)}
    return {}


def _common(payload: Payload, spent: frozenset[str]) -> Json:
    """The members that all events of a payload share."""
    common = {name: value for name, value in payload.items() if name not in spent}
    common.update(platform(payload))
    if (time := payload.get("time")) and (moment := milliseconds(time)) is not None:
        common["time"] = moment
    if (session := payload.get("session_id")) and (moment := milliseconds(session)) is not None:
        is_number = isinstance(session, str) and _DIGITS.fullmatch(session)
        common["session_id"] = int(session) if is_number else moment
    return common


def _keep_origin(payload: Payload, common: Json) -> None:
    if payload.get("utm_properties") or payload.get("referrer"):
        common["user_properties"] = merge(*origin(payload), own_properties(payload))


def _whole(payload: Payload, common: Json) -> Json:
    return {**agent(payload), **common, **_library(payload)}


def _library(payload: Payload) -> Json:
    chosen = payload.get("library2") or {}
    if chosen.get("behavior") != "use_mapping":
        return {"library": "segment"}
    return {"library": chosen["mapping"]} if "mapping" in chosen else {}
