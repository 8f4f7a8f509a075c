"""Events of a shop with all that sources send, some of it missing, and here and there something odd.

Where `events.py` asks for anything that a mapping might meet, this is what destinations get all day, so that
most of it is sent. All comes from a seeded generator.
"""

import copy
import random
from typing import Any

from conformance.events import ODD
from conformance.user_agents import SAMPLES

Json = dict[str, Any]

NAMES = ("Order Completed", "Product Added", " Übersicht  geöffnet", "Signed Up", "日本", "x")


def _item(dice: random.Random, at: int) -> Json:
    return {
        "product_id": f"p-{at}",
        "productId": f"p-{at}",
        "sku": "S-1",
        "name": dice.choice(("Shoe", "Schuh № 5")),
        "brand": "B",
        "category": "Feet",
        "variant": "red",
        "price": dice.choice((9.99, 20, 0, -3.5, "19.90")),
        "revenue": dice.choice((8.5, "7", 0)),
        "revenueType": "Refund",
        "quantity": dice.choice((1, 2, "3", 2.0)),
        "coupon": "MAY",
        "position": at,
        "url": "https://shop.example/p",
        "image_url": "https://shop.example/p.jpg",
        "affiliation": "Shop",
        "currency": dice.choice((*("USD", "EUR", "eur") * 4, "NOPE")),
    }


def _whole(dice: random.Random) -> Json:
    """An event with everything."""
    traits = {
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "username": "ada",
        "phone": "+41446681800",
        "created": "2020-01-31T00:00:00Z",
        "createdAt": "2021-01-31T00:00:00Z",
        "created_at": 1700000000,
        "plan": None,
        "tags": ["a", None, {"b": ""}],
        "company_id": "c-1",
        "group_type": "company",
        "group_value": "Analytical Engines",
        "$set": {"x": 1},
        "$setOnce": {"y": "z"},
        "referrer": "https://traits.example",
    }
    return {
        "type": dice.choice(("track", "track", "identify", "page", "screen", "group", "alias")),
        "messageId": f"m-{dice.randrange(10**6)}",
        "anonymousId": f"{dice.getrandbits(64):016x}",
        "userId": f"u-{dice.randrange(100)}",
        "previousId": "u-old",
        "groupId": "g-1",
        "event": dice.choice(NAMES),
        "name": "Home",
        "category": "Docs",
        "timestamp": dice.choice(
            (
                *("2026-01-31T10:20:30.456Z", "2026-01-31T10:20:30Z", "2026-02-30T10:20:30.000Z"),
                *("2026-01-31T10:20:30+02:00", "2026-01-31 10:20", "2026-01-31"),
            )
        ),
        "traits": traits,
        "properties": {
            **_item(dice, 0),
            "products": [_item(dice, at) for at in range(dice.randrange(4))],
            "currency": dice.choice((*("USD", "EUR", "eur") * 4, "NOPE")),
            "value": dice.choice((12.5, "13", 0)),
            "total": 99.9,
            "subtotal": 90,
            "tax": 2.5,
            "shipping": "4",
            "discount": 1,
            "order_id": "o-1",
            "order_number": "17",
            "list_id": "l-1",
            "query": "shoes",
            "type": "oauth",
            "payment_method": "card",
            "creative": "banner",
            "promotion_id": "promo-1",
            "increment": {"visits": 1, "points": "-2.5", "flag": True, "nested": {}},
            "time": 1,
            "distinct_id": "other",
            "$browser": "Lynx",
            "nothing": None,
        },
        "context": {
            "ip": "203.0.113.9",
            "locale": "en-GB",
            "timezone": "Europe/Zurich",
            "groupId": "g-2",
            "userAgent": dice.choice(SAMPLES),
            "userAgentData": {
                "mobile": True,
                "platform": "Android",
                "architecture": "arm",
                "bitness": "64",
                "model": "SM-S918B",
                "platformVersion": "14.0.0",
                "uaFullVersion": "125.0.1",
                "wow64": False,
            },
            "app": {"name": "App", "namespace": "x.app", "build": 12, "version": "1.2", "platform": "native"},
            "campaign": {
                "source": "news",
                "medium": "mail",
                "name": "spring",
                "term": "shoes",
                "content": "",
            },
            "device": {
                "id": "d-1",
                "type": dice.choice(("ios", "IOS phone", "android", "Windows")),
                "name": "phone",
                "brand": "B",
                "manufacturer": "M",
                "model": "X1",
                "advertisingId": "ad-1",
                "idfa": "idfa-1",
                "adTrackingEnabled": True,
            },
            "library": {"name": dice.choice(("analytics.js", "analytics-ios", "")), "version": "2.1.0"},
            "location": {
                "country": "CH",
                "region": "ZH",
                "city": "Zürich",
                "latitude": 47.37,
                "longitude": "8.54",
            },
            "network": {"bluetooth": False, "carrier": "C", "cellular": True, "wifi": "true"},
            "os": {"name": "iOS", "version": 17.5},
            "page": {
                "url": "https://shop.example/a?b=c",
                "path": "/a",
                "title": "A & B",
                "referrer": "https://news.example",
            },
            "screen": {"width": 800, "height": 600, "density": 2},
            "integration": {"name": dice.choice(("Iterable", "Other"))},
        },
        "integrations": {
            "Actions Amplitude": {
                "session_id": dice.choice((1700000000123, "1700000000123", "2026-01-31T10:00:00Z"))
            }
        },
    }


def event(seed: str) -> Json:
    dice = random.Random(seed)
    missing = dice.choice((0.0, 0.0, 0.02, 0.1, 0.3, 0.6))
    odd = dice.choice((0.0, 0.0, 0.0, 0.01, 0.05))
    whole = _whole(dice)
    worn = {
        name: _worn(value, dice, missing, odd) for name, value in whole.items() if dice.random() >= missing
    }
    return worn | {"type": whole["type"], "event": worn.get("event", whole["event"])}


def _worn(value: Any, dice: random.Random, missing: float, odd: float) -> Any:
    """With members missing, and odd ones."""
    if dice.random() < odd:
        return copy.deepcopy(dice.choice(ODD))
    if isinstance(value, dict):
        return {
            name: _worn(each, dice, missing, odd) for name, each in value.items() if dice.random() >= missing
        }
    if isinstance(value, list):
        return [_worn(each, dice, missing, odd) for each in value]
    return value
