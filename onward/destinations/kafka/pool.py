"""Links by what they are made of, shared by all calls of the process, each made once at a time.

What the address guard can do here, and what it can't: the bootstrap hosts are resolved and judged at every
call, and only those that resolve to allowed addresses are given to librdkafka. Of the brokers that the
cluster advertises every one is judged before the first message, and those that turn up later when they are
first seen; one refused address ends the link. But librdkafka resolves names by itself and does not tell the
address that it connected to. So a name that answers differently a moment later (DNS rebinding) can lead it
to an address that was not judged, and a bootstrap server that drops its connection right after its answer
can make it try an advertised broker in the moment before that is judged. Where that matters, let the
network refuse such connections too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from weakref import WeakKeyDictionary

from onward.destinations.definition import Call
from onward.destinations.kafka.config import RECORD_BATCH, Config, brokers, config, servers
from onward.destinations.kafka.errors import NO_IDEMPOTENCE
from onward.destinations.kafka.link import Link, Metadata
from onward.egress.http import Client, EgressError

ROUNDS = 3
"""Links that a call tries until one holds: the second may be one without idempotence."""

Key = tuple[tuple[str, str | int | bool], ...]


class Pool:
    """Of one event loop; `of_this_loop` gives it."""

    def __init__(self) -> None:
        self._links: dict[Key, Link] = {}
        self._opening: dict[Key, asyncio.Task[None]] = {}
        self._judging: set[asyncio.Task[None]] = set()
        self._plain: set[Key] = set()
        """Where the broker does not allow idempotence."""

    @asynccontextmanager
    async def link(
        self, call: Call, topic: str, *, alone: bool = False, record_batch: int = RECORD_BATCH
    ) -> AsyncIterator[Link]:
        """Raises `SettingsError`, `ConnectError` and `EgressError`.

        `topic`: one that will be written to; `alone`: every message in a write of its own.
        """
        made = config(call.settings, timeout=call.timeout, record_batch=record_batch, alone=alone)
        made["bootstrap.servers"] = await _judged(call)
        link = await self._held(call, made, topic)
        try:
            yield link
        finally:
            link.release()

    async def topics(self, call: Call) -> Metadata:
        """All topics, over a connection for just this; raises what `link` does."""
        made = config(call.settings, timeout=call.timeout, idempotent=False)
        made["bootstrap.servers"] = await _judged(call)
        link = Link(made, call.timeout, lambda link, hosts: None)
        try:
            return await link.connect(None)
        finally:
            link.close()

    async def _held(self, call: Call, made: Config, topic: str) -> Link:
        key = tuple(made.items())
        for _ in range(ROUNDS):
            link = self._links.get(key)
            if link is not None and link.hold():
                return link
            task = self._opening.get(key)
            if task is None:
                task = self._opening[key] = asyncio.create_task(self._open(call, key, topic))
                task.add_done_callback(partial(self._opened, key))
            await asyncio.shield(task)
        raise EgressError("ECONNRESET", "connections to the cluster end as soon as they are made")

    async def _open(self, call: Call, key: Key, topic: str) -> None:
        known = self._links.get(key)
        if known is not None and known.fatal is not None and known.fatal.name() in NO_IDEMPOTENCE:
            self._plain.add(key)
        self._links = {other: link for other, link in self._links.items() if not link.ended}
        made = dict(key) | ({"enable.idempotence": False} if key in self._plain else {})
        link = Link(made, call.timeout, partial(self._judge_later, call.http))
        metadata = await link.connect(topic)
        try:
            await _judge(call.http, metadata.hosts)
        except BaseException:
            link.close()
            raise
        self._links[key] = link

    def _opened(self, key: Key, task: asyncio.Task[None]) -> None:
        self._opening.pop(key, None)
        if not task.cancelled():
            task.exception()  # Looked at, also if those who asked have given up.

    def _judge_later(self, http: Client, link: Link, hosts: frozenset[str]) -> None:
        async def judge() -> None:
            try:
                await _judge(http, hosts)
            except EgressError as error:
                link.refuse(error)

        task = asyncio.create_task(judge())
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)


async def _judged(call: Call) -> str:
    """The bootstrap servers whose addresses are allowed; raises `EgressError` if one is refused, or none is
    found."""
    named = brokers(call.settings)
    found = await asyncio.gather(*(call.http.resolve(host) for host, _ in named), return_exceptions=True)
    failures = [answer for answer in found if isinstance(answer, BaseException)]
    for failure in failures:
        if not isinstance(failure, EgressError) or not failure.retryable or len(failures) == len(named):
            raise failure
    return servers(
        [broker for broker, answer in zip(named, found, strict=True) if not isinstance(answer, BaseException)]
    )


async def _judge(http: Client, hosts: Iterable[str]) -> None:
    """Raises `EgressError` as soon as one of them is refused or not found."""
    await asyncio.gather(*(http.resolve(host) for host in hosts))


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


def of_this_loop() -> Pool:
    return _pools.setdefault(asyncio.get_running_loop(), Pool())
