"""Events as sources send them, of every type, and as mappings like to be surprised by them.

`Events` fills in what a mapping asks for: wherever it has a path, an event may have a value there that looks
as its name says, one of another kind, or none. All comes from a seeded generator, so a case can be repeated
from its seed.
"""

import copy
import random
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

Json = dict[str, Any]

TYPES = ("track", "identify", "page", "screen", "group", "alias")
WORDS = ("Order Completed", "Ärger", "naïve café", "日本", "😀 smile", "O'Brien & Söhne", "x", "null", "true")
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        3.5,
        12.0,
        1e21,
        2**53,
        -0.0,
        "",
        " ",
        "0",
        "5",
        " 7 ",
        "1e3",
        "-0",
        "0x1F",
    ),
    *("abc", "true", "false", "null", "😀", "ſK", "[1]", '{"a":1}', "a@b.co", "2026-02-30", "1700000000"),
    *([], [[]], ["a"], [1, "2"], [None], [None, "", 3], [{}], [{"id": 1}], {}, {"a": None}, {"a": {"b": ""}}),
)
BY_NAME: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("email", ("ada@example.com", " ADA@Example.com ", "no address")),
    ("phone", ("+41 44 668 18 00", "0446681800", 41446681800)),
    (
        "(time|date|_at|At)$",
        ("2026-01-31T10:20:30.456Z", "2026-01-31", 1700000000, 1700000000000, "31 Jan 2026", "soon"),
    ),
    ("(url|href|referrer)", ("https://shop.example/a?b=c#d", "shop.example", "/a b", "http://[::1]:8/x")),
    ("ip$", ("203.0.113.9", "2001:db8::1", "256.1.1.1")),
    ("(price|total|revenue|value|tax|shipping|discount|amount)", (9.99, "9.99", "12,50", 0, -3, 1e-7)),
    ("(quantity|count|size|width|height|position|age|year)", (2, "2", 2.5, "two")),
    ("(currency|country|locale|language)", ("EUR", "eur", "CH", "de-CH", "")),
    ("(id|Id|ID|key|token)$", ("u-1", "b0a4e0a1-7d5c-4c5e-9b9a-0f1e2d3c4b5a", 42, "")),
    ("(products|items|contents)$", ([{"product_id": "p1", "price": "9.99", "quantity": 1, "name": "Shoe"}],)),
    ("(is_|has_|enabled|consent|opt)", (True, False, "true", "no")),
    ("(traits|properties|address|company|group)$", ({"name": "Ada", "plan": "pro", "n": 1, "at": None},)),
)


class Events:
    """Events for a mapping: `Events(mapping, seed)` is an endless iterator."""

    def __init__(self, mapping: Json, seed: str, types: tuple[str, ...] = TYPES) -> None:
        self.dice = random.Random(seed)
        self.paths = sorted(set(_paths(mapping)))
        self.types = types

    def __iter__(self) -> Iterator[Json]:
        while True:
            yield self.event()

    def event(self) -> Json:
        dice = self.dice
        event = self.realistic(dice.choice(self.types))
        # Most values fit on some events, on others all is at odds.
        oddness = dice.choice((0.0, 0.02, 0.1, 0.5))
        absence = dice.choice((0.0, 0.0, 0.05, 0.3, 0.7))
        for steps in self.paths:
            if dice.random() >= absence:
                _put(event, steps, self.value(steps[-1] if steps else "", oddness))
        return event

    def realistic(self, kind: str) -> Json:
        dice = self.dice
        event: Json = {
            "type": kind,
            "messageId": f"m-{dice.randrange(10**6)}",
            "anonymousId": f"{dice.getrandbits(64):016x}",
            "timestamp": "2026-01-31T10:20:30.456Z",
            "receivedAt": "2026-01-31T10:20:31.000Z",
            "originalTimestamp": "2026-01-31T10:20:30Z",
            "context": {
                "ip": "203.0.113.9",
                "locale": "en-GB",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
                "library": {"name": "analytics.js", "version": "2.1.0"},
                "page": {"url": "https://shop.example/a", "path": "/a", "title": "A", "referrer": ""},
                "traits": {"email": "ada@example.com"},
                "device": {"id": "d-1", "type": "ios", "advertisingId": "IDFA", "adTrackingEnabled": True},
                "personas": {
                    "computation_class": "audience",
                    "computation_key": "vip",
                    "computation_id": "c",
                },
            },
            "integrations": {},
        }
        if dice.random() < 0.8:
            event["userId"] = f"u-{dice.randrange(100)}"
        if kind == "track":
            event |= {
                "event": dice.choice(WORDS),
                "properties": {"revenue": 9.5, "vip": True, "currency": "EUR"},
            }
        elif kind == "identify":
            event["traits"] = {"email": "ada@example.com", "firstName": "Ada", "vip": True, "age": 36}
        elif kind == "group":
            event |= {"groupId": "g-1", "traits": {"name": "Analytical Engines", "employees": 2}}
        elif kind == "alias":
            event["previousId"] = "old"
        else:
            event |= {"name": dice.choice(WORDS), "category": "Docs", "properties": {"url": "https://a.b/c"}}
        return event

    def value(self, name: str, oddness: float) -> Any:
        dice = self.dice
        if dice.random() < oddness:
            return copy.deepcopy(dice.choice(ODD))
        for pattern, values in BY_NAME:
            if re.search(pattern, name):
                return copy.deepcopy(dice.choice(values))
        return dice.choice((*WORDS, 7, "seven", True))


def _paths(node: Any) -> Iterator[tuple[str, ...]]:
    """The steps of all paths of a mapping; those of `@arrayPath`'s items below an index of its list."""
    if isinstance(node, list):
        for item in node:
            yield from _paths(item)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "@path" and isinstance(value, str):
            yield _steps(value)
        elif key in ("@template", "@liquid") and isinstance(value, str):
            yield from map(_steps, re.findall(r"{{[{ -]*([A-Za-z_.$]+)", value))
        elif key == "@arrayPath" and isinstance(value, list) and value and isinstance(value[0], str):
            for shape in value[1:]:
                yield from ((*_steps(value[0]), at, *steps) for steps in _paths(shape) for at in ("0", "1"))
            yield _steps(value[0])
        else:
            yield from _paths(value)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step for step in re.split(r"[.\[\]'\"]+", path.replace("$.", "", 1)) if step)


def _put(value: Any, steps: tuple[str, ...], new: Any) -> None:
    """Set what is at a path, making objects and lists on the way; what is something else there stays."""
    if not steps:
        return
    for step, following in pairwise(steps):
        missing: Any = [] if following in ("0", "1") else {}
        if isinstance(value, dict):
            if not isinstance(value.get(step), dict | list):
                value[step] = missing
            value = value[step]
        elif isinstance(value, list) and step in ("0", "1"):
            if len(value) <= int(step):
                value.append(missing)
            value = value[min(int(step), len(value) - 1)]
        else:
            return
    if isinstance(value, dict):
        value[steps[-1]] = new
    elif isinstance(value, list) and steps[-1] in ("0", "1"):
        value[int(steps[-1]) :] = [new]
