"""What the pool keeps of each key: its processes, who waits for one, what it has used. Plain records."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from onward.functions.breaker import Breaker
from onward.functions.process import Runner

IDLE_MB, BUSY_MB = 20, 100


class PoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    budget_mb: int = 2048
    per_key: int = 4
    spares: int = 1
    queue: int = 1000
    """Invocations of one key that may wait."""
    queue_for: float = 30.0
    """Seconds that one waits at most."""
    idle_for: float = 600.0
    most_invocations: int = 1_000_000
    oldest: float = 3600.0
    largest: int = 160 << 20
    """Bytes resident when idle, from which a process is replaced."""


class Key(msgspec.Struct, frozen=True, order=True):
    """Invocations of the same key may share globals and `cache`."""

    version: str
    instance: str
    settings: str = ""
    """A digest of the instance's: what code keeps may be made of them, as is a token for an account."""

    @classmethod
    def of(cls, version: str, instance: str, settings: Mapping[str, Any]) -> "Key":
        told = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)
        return cls(version, instance, hashlib.blake2b(told, digest_size=16).hexdigest())


class Usage(msgspec.Struct):
    """What a key has used since it was last asked for."""

    invocations: int = 0
    wall_ms: float = 0.0
    cpu_ms: float = 0.0


class Waiting:
    """An invocation that waits: for a process of its key, or for None, the room to start one."""

    __slots__ = ("handed", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.handed: asyncio.Future[Held | None] = asyncio.get_running_loop().create_future()


class Entry:
    """What is known of a key."""

    __slots__ = ("breaker", "idle", "pace", "processes", "usage", "waiting")

    def __init__(self) -> None:
        self.idle: list[Held] = []
        self.processes = 0
        self.waiting: deque[Waiting] = deque()
        """The oldest first."""
        self.breaker = Breaker()
        self.usage = Usage()
        self.pace = 0.0
        """Seconds that an event took lately, of many in one process."""


class Held:
    """A process with a key's code."""

    __slots__ = ("begun", "charged", "key", "looked_at", "runner", "since")

    def __init__(self, key: Key, runner: Runner) -> None:
        self.key = key
        self.runner = runner
        self.begun = asyncio.get_running_loop().time()
        self.since = 0.0
        """When it became idle."""
        self.charged = runner.cpu_seconds()
        self.looked_at = 0.0


class Lent:
    """A process in somebody's hands, who gives it back. `cold`: its code has been loaded for them."""

    __slots__ = ("cold", "entry", "held")

    def __init__(self, held: Held, entry: Entry, cold: bool) -> None:
        self.held = held
        self.entry = entry
        self.cold = cold
