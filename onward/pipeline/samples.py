"""An event as an SDK would send it, made up, for testers (spec §4.4, §20.1). Pure: dice and time come in.

Track events are orders of the e-commerce specification, as they fill most fields that mappings ask for.
"""

from random import Random
from typing import Any, get_args

from onward.pipeline.timestamps import render
from onward.pipeline.types import Event, EventType

TYPES = tuple(name for name in get_args(EventType) if name != "delete")

_PEOPLE = (("Ada", "Lovelace"), ("Grace", "Hopper"), ("Katherine", "Johnson"), ("Alan", "Turing"))
_PRODUCTS = (
    ("Notebook", "stationery", 4.5),
    ("Fountain pen", "stationery", 32.0),
    ("Kettle", "kitchen", 59.9),
)
_COMPANIES = (("Initech", "software", 120), ("Hooli", "internet", 4200), ("Acme", "manufacturing", 800))
DAY_MS = 86_400_000


def sample_event(type: str, dice: Random, now: int) -> Event:
    """A complete event of one of `TYPES`, that the front door would take. `now`: ms since the epoch."""
    first, last = dice.choice(_PEOPLE)
    number = dice.randrange(10_000)
    time = render(now)
    event: Event = {
        "type": type,
        "messageId": f"sample-{dice.getrandbits(64):016x}",
        "userId": f"user-{number}",
        "anonymousId": f"{dice.getrandbits(128):032x}",
        "timestamp": time,
        "sentAt": time,
        "context": {
            "ip": f"203.0.113.{dice.randrange(1, 255)}",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "locale": "en-GB",
            "timezone": "Europe/London",
            "library": {"name": "onward-sample", "version": "1"},
            "page": _page(dice),
            "campaign": {"name": "spring", "source": "newsletter", "medium": "email"},
        },
        "integrations": {},
    }
    email = f"{first.lower()}.{last.lower()}.{number}@example.com"
    match type:
        case "track":
            event |= {"event": "Order Completed", "properties": _order(dice, number)}
        case "identify":
            event["traits"] = _person(first, last, email, number, now)
        case "page":
            page = _page(dice)
            event |= {"name": page["title"], "category": "Shop", "properties": page}
        case "screen":
            event |= {"name": "Basket", "category": "Shop", "properties": {"items": dice.randrange(1, 9)}}
        case "group":
            name, industry, employees = dice.choice(_COMPANIES)
            event |= {
                "groupId": f"group-{dice.randrange(1000)}",
                "traits": {"name": name, "industry": industry, "employees": employees, "plan": "business"},
            }
        case "alias":
            event["previousId"] = event["anonymousId"]
    if type in ("track", "page", "screen"):
        event["context"]["traits"] = {"email": email, "firstName": first, "lastName": last}
    return event


def _page(dice: Random) -> dict[str, Any]:
    product = dice.choice(_PRODUCTS)[0]
    path = f"/products/{product.lower().replace(' ', '-')}"
    return {
        "path": path,
        "url": f"https://shop.example.com{path}?utm_source=newsletter",
        "search": "?utm_source=newsletter",
        "title": product,
        "referrer": "https://www.example.com/",
    }


def _order(dice: Random, number: int) -> dict[str, Any]:
    products: list[dict[str, Any]] = [
        {
            "product_id": f"p-{at + 1}",
            "sku": f"SKU-{at + 1:03}",
            "name": name,
            "category": category,
            "price": price,
            "quantity": dice.randrange(1, 4),
        }
        for at, (name, category, price) in enumerate(dice.sample(_PRODUCTS, 2))
    ]
    value = round(sum(each["price"] * each["quantity"] for each in products), 2)
    return {
        "order_id": f"order-{number}",
        "currency": "EUR",
        "revenue": value,
        "value": value,
        "total": round(value + 4.9, 2),
        "shipping": 4.9,
        "tax": round(value * 0.19, 2),
        "coupon": "SPRING",
        "products": products,
    }


def _person(first: str, last: str, email: str, number: int, now: int) -> dict[str, Any]:
    return {
        "email": email,
        "firstName": first,
        "lastName": last,
        "name": f"{first} {last}",
        "phone": f"+44 20 7946 {number:04}",
        "plan": "premium",
        "createdAt": render(now - 90 * DAY_MS),
        "address": {"city": "London", "country": "GB", "postalCode": "N1 9GU", "street": "1 Example Street"},
    }
