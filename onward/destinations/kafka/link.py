"""One producer of librdkafka and the thread that serves it.

- The thread does all that blocks: make the producer, ask for metadata, wait for delivery reports, close.
  `send` runs on the event loop and never blocks: a message goes into librdkafka's queue, and the reports
  wake the loop once for all messages of a call.
- `acks=all`: a message counts as delivered when all in-sync replicas have it.
- A link ends by itself when it was idle for long, when librdkafka declares it broken (`fatal`), or when it
  knows a broker that must not be connected to (`refused`). Whoever holds it keeps it from being idle.

What if the process dies here? What was in the queue or on its way has no report, so the engine's cursor
has not passed it: it is sent again. A message may so be written twice, never not at all.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from onward.destinations.kafka.config import Config, SettingsError
from onward.destinations.kafka.errors import EXPLAINS, KafkaError
from onward.egress.http import EgressError

if TYPE_CHECKING:
    from confluent_kafka import Producer

IDLE = 60.0
"""Seconds without a call until a link ends."""
TICK = 0.25
"""Seconds between two looks whether to end."""
FIRST_ROUND = 0.5
"""Seconds that metadata is first waited for; each further round takes twice as long."""
GRACE = 2.0
"""Seconds beyond a message's own timeout until its report is given up; librdkafka looks once a second."""

log = logging.getLogger("onward.kafka")
"""Also for librdkafka's own lines: addresses and reasons, no payloads and no secrets."""


class Message(NamedTuple):
    topic: str
    value: bytes
    key: str | None
    partition: int
    """-1: by the key, or any."""
    headers: list[tuple[str, str | bytes | None]]


Report = KafkaError | EgressError | None
"""What became of a message; None if it was written."""


class ConnectError(Exception):
    """No connection came about; `error` says why."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(error.str())
        self.error = error


class Metadata(NamedTuple):
    hosts: frozenset[str]
    """Of all brokers, as they advertise themselves."""
    topics: tuple[str, ...]


class Link:
    def __init__(
        self,
        config: Config,
        timeout: float,
        judge: Callable[["Link", frozenset[str]], None],
        idle: float = IDLE,
    ) -> None:
        """`timeout`: seconds for a message, and to connect. `judge` is called on the event loop with brokers
        that turn up later than `connect`."""
        self._config = config
        self._timeout = timeout
        self._judge = judge
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[Metadata] = self._loop.create_future()
        self._finished = asyncio.Event()
        self._producer: Producer | None = None
        self._hosts: frozenset[str] = frozenset()
        self._gate = Lock()
        self._holders = 0
        self._used = time.monotonic()
        self._ended = False
        self._all_down = False
        self.fatal: KafkaError | None = None
        self.refused: EgressError | None = None
        self.trouble: KafkaError | None = None
        """The last error of a connection since something was written."""
        self.why: KafkaError | None = None
        """The same, if it is one that no wait heals."""

    async def connect(self, topic: str | None) -> Metadata:
        """The brokers, and all topics if `topic` is None; raises `ConnectError` and `SettingsError`."""
        Thread(target=self._run, args=(topic,), name="kafka", daemon=True).start()
        try:
            return await self._connected
        except BaseException:
            self.close()
            raise

    def hold(self) -> bool:
        """Whether it can be used; then it is, until `release`."""
        with self._gate:
            if self._ended:
                return False
            self._holders += 1
            return True

    def release(self) -> None:
        with self._gate:
            self._holders -= 1
            self._used = time.monotonic()

    @property
    def ended(self) -> bool:
        return self._ended

    def close(self) -> None:
        """Take no more messages; the thread ends when it next looks."""
        self._ended = True

    def refuse(self, error: EgressError) -> None:
        self.refused = error
        self.close()

    async def send(self, messages: Sequence[Message]) -> list[Report]:
        """What became of each message. It must be held."""
        deadline = self._loop.time() + self._timeout + GRACE
        reports = _Reports(len(messages), self._loop)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                for place, message in enumerate(messages):
                    await self._produce(message, reports, place)
                await reports.complete
                if reports.broken:
                    # The producer is of no use any more; the thread is about to learn why.
                    self.close()
                    await self._finished.wait()
        settled = reports.settled(self.refused)
        # (Not `in`: a KafkaError that is compared with None raises.)
        if any(report is None for report in settled):
            self.trouble = self.why = None
        return settled

    async def _produce(self, message: Message, reports: "_Reports", place: int) -> None:
        from confluent_kafka import KafkaException

        while (producer := self._producer) is not None:
            try:
                producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    message.partition,
                    on_delivery=partial(reports.report, place),
                    headers=message.headers,
                )
            except BufferError:  # the queue is full: it empties as fast as the brokers take messages
                await asyncio.sleep(0.01)
                continue
            except KafkaException as error:
                reports.report(place, error.args[0])
            except RuntimeError:  # it was closed just now
                break
            return
        reports.abandon()

    # The thread

    def _run(self, topic: str | None) -> None:
        try:
            self._tell(self._open(topic))
            while not self._ended:
                self._poll(TICK)
                with self._gate:
                    idle = not self._holders and time.monotonic() - self._used > IDLE
                    self._ended = self._ended or idle
        except (ConnectError, SettingsError) as error:
            self._tell(error)
        except Exception as error:
            log.exception("a producer ended")
            self._tell(error)
        finally:
            self._ended = True
            if (producer := self._producer) is not None:
                producer.purge()
                self._poll(0)  # the reports of what was purged
                self._producer = None
                producer.close()
            _on_loop(self._loop, self._finished.set)

    def _open(self, topic: str | None) -> Metadata:
        """Metadata from the first broker that answers; at once an error if none is there or lets us in."""
        from confluent_kafka import KafkaException, Producer

        callbacks: dict[str, Any] = {"error_cb": self._on_error, "stats_cb": self._on_statistics}
        try:
            self._producer = Producer(self._config | callbacks, logger=log)
        except KafkaException as error:
            raise SettingsError(f"these settings can't be used: {error.args[0].str()}") from None
        deadline = time.monotonic() + self._timeout
        patience = FIRST_ROUND
        while True:
            left = deadline - time.monotonic()
            try:
                found = self._producer.list_topics(topic, timeout=max(0.1, min(patience, left)))
                break
            except KafkaException as error:
                self._poll(0)
                hopeless = self.why
                # A name may have another address, which is tried in the second round.
                down = self._all_down and patience > FIRST_ROUND
                if hopeless is not None or down or left <= patience or (self._ended and self.fatal is None):
                    raise ConnectError(hopeless or self.trouble or error.args[0]) from None
                patience *= 2
        self._hosts = frozenset(_host(broker.host) for broker in found.brokers.values())
        return Metadata(self._hosts, tuple(found.topics))

    def _poll(self, seconds: float) -> None:
        from confluent_kafka import KafkaException

        assert self._producer is not None
        try:
            self._producer.poll(seconds)
        except KafkaException as error:  # that is how it tells of a fatal one
            self._on_error(error.args[0])

    def _tell(self, result: Metadata | Exception) -> None:
        def tell() -> None:
            if self._connected.done():
                return
            if isinstance(result, Metadata):
                self._connected.set_result(result)
            else:
                self._connected.set_exception(result)

        _on_loop(self._loop, tell)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self.fatal = error
            self._ended = True
        elif error.name() == "_ALL_BROKERS_DOWN":
            self._all_down = True
        else:
            self.trouble = error
            if error.name() in EXPLAINS:
                self.why = error

    def _on_statistics(self, text: str) -> None:
        """librdkafka tells of all brokers that it knows by now (its STATISTICS.md)."""
        brokers = orjson.loads(text).get("brokers", {}).values()
        names = {broker.get("nodename", ":0") for broker in brokers} - {":0"}
        strangers = frozenset(_host(name.rpartition(":")[0]) for name in names) - self._hosts
        if strangers:
            self._hosts |= strangers
            _on_loop(self._loop, partial(self._judge, self, strangers))


class _Reports:
    """The delivery reports of one call: from the thread, or at once from `produce`."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = Lock()
        self._missing = count
        self._errors: list[KafkaError | None] = [None] * count
        self._reported = [False] * count
        self.complete: asyncio.Future[None] = loop.create_future()

    def report(self, place: int, error: KafkaError | None, _: object = None) -> None:
        with self._lock:
            self._errors[place] = error
            self._reported[place] = True
        self.abandon()

    def abandon(self) -> None:
        """One message less to wait for."""
        with self._lock:
            self._missing -= 1
            if self._missing:
                return
        _on_loop(self._loop, self._done)

    @property
    def broken(self) -> bool:
        return any(error is not None and error.name() == "_FATAL" for error in self._errors)

    def _done(self) -> None:
        if not self.complete.done():
            self.complete.set_result(None)

    def settled(self, refused: EgressError | None) -> list[Report]:
        late = EgressError("ETIMEDOUT", "no broker has confirmed the message in time")
        with self._lock:
            return [
                (error if reported else late) if refused is None or (reported and error is None) else refused
                for error, reported in zip(self._errors, self._reported, strict=True)
            ]


def _on_loop(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(what)


def _host(host: str) -> str:
    return host.strip("[]")
