"""The events that every figure is measured with: about 700 bytes each, unlike one another.

Bodies are made from parts joined around fresh messageIds, so that making them costs the load generator
far less than accepting them costs the server.
"""

import itertools
import random
import string
from collections.abc import Iterator, Sequence

import orjson

ID_BYTES = 36


def event(dice: random.Random, message_id: str) -> dict[str, object]:
    word = "".join(dice.choices(string.ascii_lowercase, k=8))
    return {
        "type": "track",
        "event": dice.choice(["Order Completed", "Product Viewed", "Product Added", "Cart Viewed"]),
        "userId": f"user-{dice.randrange(100_000)}",
        "anonymousId": f"{dice.getrandbits(128):032x}",
        "messageId": message_id,
        "timestamp": f"2026-01-{dice.randrange(1, 29):02d}T10:00:{dice.randrange(60):02d}.000Z",
        "context": {
            "library": {"name": "analytics.js", "version": "next-1.81.0"},
            "page": {"path": f"/{word}", "url": f"https://shop.example/{word}", "title": word.title()},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            "locale": "en-GB",
            "screen": {"width": 1920, "height": 1080, "density": 1},
            "referrer": {"type": "search", "url": "https://search.example/"},
        },
        "properties": {
            "order_id": f"{dice.getrandbits(40):x}",
            "total": round(dice.uniform(1, 500), 2),
            "currency": "EUR",
            "coupon": word,
            "products": [{"product_id": dice.randrange(10_000), "quantity": 1, "price": 9.99}],
        },
    }


def fresh_ids(run: str) -> Iterator[bytes]:
    """messageIds of `ID_BYTES` bytes that no other run has used."""
    prefix = f"{run:>.16}-".encode()
    width = ID_BYTES - len(prefix)
    return (prefix + b"%0*d" % (width, n) for n in itertools.count())


class Bodies:
    """Request bodies with fresh messageIds, to each of some sources in turn: one event, or `size` of them."""

    VARIANTS = 8

    def __init__(self, write_keys: Sequence[str], size: int, run: str) -> None:
        self._ids = fresh_ids(run)
        self._variants = itertools.cycle(
            [
                self._parts(write_key, size, random.Random(seed))
                for seed in range(self.VARIANTS)
                for write_key in write_keys
            ]
        )
        self.size = size
        self.event_bytes = len(self.next()) / size

    @staticmethod
    def _parts(write_key: str, size: int, dice: random.Random) -> list[bytes]:
        events = [event(dice, "@" * ID_BYTES) for _ in range(size)]
        if size == 1:
            body = orjson.dumps(events[0] | {"writeKey": write_key})
        else:
            body = orjson.dumps(
                {"batch": events, "writeKey": write_key, "sentAt": "2026-01-29T00:00:00.000Z"}
            )
        return body.split(b"@" * ID_BYTES)

    def next(self) -> bytes:
        parts = next(self._variants)
        joined = list(itertools.chain.from_iterable(zip(parts, self._ids, strict=False)))
        return b"".join(joined[:-1])
