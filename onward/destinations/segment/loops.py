"""The guard against events that go round in circles: `context.repeatChain` (spec §13.4). Pure.

The chain lists the MD5 of every write key that an event has come in by or was sent to. Two sources that
forward to each other would otherwise multiply an event for ever.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import md5
from typing import Any

KEY = "repeatChain"
MAX_LENGTH = 32
"""No honest road is longer."""


@lru_cache(maxsize=4096)
def link(write_key: str) -> str:
    return md5(write_key.encode(), usedforsecurity=False).hexdigest()


def read(context: Any) -> list[str]:
    """The chain of an event's context; anything odd in it is left out."""
    chain = context.get(KEY) if isinstance(context, dict) else None
    return [each for each in chain if isinstance(each, str)] if isinstance(chain, list) else []


def extend(chain: list[str], origins: Iterable[str], target: str) -> list[str] | None:
    """The chain with the write keys of the event's source and of the target; None if that closes a circle."""
    last = link(target)
    known = [*chain]
    for origin in origins:
        each = link(origin)
        if each not in known:
            known.append(each)
    if last in known or len(known) >= MAX_LENGTH:
        return None
    return [*known, last]
