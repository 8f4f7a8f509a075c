"""A Kafka broker for one test: it speaks the protocol, checks what it is sent, and fails on request.

Versions spoken are the oldest that carry record batches of the current format (kafka.apache.org/protocol):
ApiVersions 0, Metadata 1, Produce 3, InitProducerId 0, SaslHandshake 1, SaslAuthenticate 0.
"""

import asyncio
import ssl
import struct
from collections.abc import Callable
from typing import NamedTuple

PRODUCE, FETCH, METADATA, SASL_HANDSHAKE, API_VERSIONS, INIT_PRODUCER_ID, SASL_AUTHENTICATE = (
    0,
    1,
    3,
    17,
    18,
    22,
    36,
)
VERSIONS = {
    PRODUCE: (3, 3),
    FETCH: (4, 4),
    METADATA: (0, 1),
    SASL_HANDSHAKE: (0, 1),
    API_VERSIONS: (0, 0),
    INIT_PRODUCER_ID: (0, 0),
    SASL_AUTHENTICATE: (0, 0),
}
UNKNOWN_TOPIC, TOO_LARGE, NOT_AUTHORIZED_TOPIC, NOT_AUTHORIZED_CLUSTER, SASL_FAILED = 3, 10, 29, 31, 58
NOT_ENOUGH_REPLICAS, INVALID_RECORD = 19, 87


class Record(NamedTuple):
    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes | None]]


class Write(NamedTuple):
    """What a broker accepts or refuses as a whole."""

    records: list[Record]
    size: int
    idempotent: bool


class Broker:
    """`judge` gives the error code of a write, 0 for none; `login` the only user; `advertise` what the
    metadata says of where the broker is."""

    def __init__(
        self,
        *,
        partitions: int = 3,
        topics: tuple[str, ...] = ("events",),
        judge: Callable[[Write], int] = lambda write: 0,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        advertise: list[tuple[str, int]] | None = None,
        idempotence: int = 0,
    ) -> None:
        self.partitions = partitions
        self.topics = topics
        self.judge = judge
        self.login = login
        self.tls = tls
        self.advertise = advertise
        self.idempotence = idempotence
        self.writes: list[Write] = []
        self.acks: set[int] = set()
        self.clients: set[str] = set()
        self.connections = 0
        self.mute = False
        self._tasks: set[asyncio.Task] = set()

    @property
    def records(self) -> list[Record]:
        return [record for write in self.writes for record in write.records]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> "Broker":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        self.welcome = self.login is None
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                request = Reader(await reader.readexactly(size))
                api, version, correlation = request.unpack("hhi")
                self.clients.add(request.string() or "")
                if api == API_VERSIONS and version > 0:
                    body = struct.pack(">hi", 35, 0)  # UNSUPPORTED_VERSION: ask again with version 0
                else:
                    low, high = VERSIONS[api]
                    assert low <= version <= high, (api, version)
                    assert self.welcome or api in (API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE)
                    body = self._answer(api, version, request)
                while self.mute:
                    await asyncio.sleep(0.01)
                writer.write(struct.pack(">ii", len(body) + 4, correlation) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    def _answer(self, api: int, version: int, request: "Reader") -> bytes:
        if api == API_VERSIONS:
            return struct.pack(">hi", 0, len(VERSIONS)) + b"".join(
                struct.pack(">hhh", api, *span) for api, span in VERSIONS.items()
            )
        if api == SASL_HANDSHAKE:
            return struct.pack(">h", 0 if request.string() == "PLAIN" else 33) + array([string("PLAIN")])
        if api == SASL_AUTHENTICATE:
            _, username, password = request.bytes().split(b"\0")
            self.welcome = (username.decode(), password.decode()) == self.login
            if self.welcome:
                return struct.pack(">h", 0) + string(None) + struct.pack(">i", 0)
            return (
                struct.pack(">h", SASL_FAILED) + string("Invalid username or password") + struct.pack(">i", 0)
            )
        if api == INIT_PRODUCER_ID:
            return struct.pack(">ihqh", 0, self.idempotence, -1 if self.idempotence else 7, 0)
        if api == METADATA:
            return self._metadata(request)
        return self._produce(request)

    def _metadata(self, request: "Reader") -> bytes:
        (count,) = request.unpack("i")
        asked = self.topics if count < 0 else [request.string() for _ in range(count)]
        brokers = self.advertise or [("127.0.0.1", self.port)]
        answer = array(
            [
                struct.pack(">i", node) + string(host) + struct.pack(">i", port) + string(None)
                for node, (host, port) in enumerate(brokers, 1)
            ]
        )
        answer += struct.pack(">i", 1)
        return answer + array([self._topic(topic) for topic in asked])

    def _topic(self, topic: str) -> bytes:
        known = topic in self.topics
        partitions = [
            struct.pack(">hiiiiii", 0, index, 1, 1, 1, 1, 1)
            for index in range(self.partitions if known else 0)
        ]
        return struct.pack(">h", 0 if known else UNKNOWN_TOPIC) + string(topic) + b"\0" + array(partitions)

    def _produce(self, request: "Reader") -> bytes:
        assert request.string() is None
        acks, _ = request.unpack("hi")
        self.acks.add(acks)
        answers = []
        for _ in range(request.unpack("i")[0]):
            topic = request.string()
            parts = []
            for _ in range(request.unpack("i")[0]):
                (partition,) = request.unpack("i")
                write = read_batch(topic, partition, request.bytes())
                code = self.judge(write)
                if not code:
                    self.writes.append(write)
                parts.append(struct.pack(">ihqq", partition, code, -1 if code else len(self.records), -1))
            answers.append(string(topic) + array(parts))
        return array(answers) + struct.pack(">i", 0)


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def unpack(self, form: str) -> tuple:
        values = struct.unpack_from(f">{form}", self.data, self.at)
        self.at += struct.calcsize(f">{form}")
        return values

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def string(self) -> str | None:
        (size,) = self.unpack("h")
        return None if size < 0 else self.take(size).decode()

    def bytes(self) -> bytes:
        return self.take(self.unpack("i")[0])

    def varint(self) -> int:
        shift = value = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return (value >> 1) ^ -(value & 1)

    def varbytes(self) -> "bytes | None":
        size = self.varint()
        return None if size < 0 else self.take(size)


def read_batch(topic: str, partition: int, data: bytes) -> Write:
    """A record batch of format 2, one and no more."""
    reader = Reader(data)
    _, length, _, magic, _ = reader.unpack("qiibI")
    assert magic == 2 and length == len(data) - 12
    attributes, _, _, _, producer, _, _, count = reader.unpack("hiqqqhii")
    assert attributes & 7 == 0, "compressed"
    records = []
    for _ in range(count):
        reader.varint()
        reader.unpack("b")
        reader.varint(), reader.varint()
        key, value = reader.varbytes(), reader.varbytes()
        headers = [(reader.varbytes().decode(), reader.varbytes()) for _ in range(reader.varint())]
        records.append(Record(topic, partition, key, value, headers))
    assert reader.at == len(data)
    return Write(records, len(data), producer >= 0)


def string(text: str | None) -> bytes:
    if text is None:
        return struct.pack(">h", -1)
    encoded = text.encode()
    return struct.pack(">h", len(encoded)) + encoded


def array(parts: list[bytes]) -> bytes:
    return struct.pack(">i", len(parts)) + b"".join(parts)
