"""The front door in this process: an ASGI client, a log in memory, two sources and a disabled one."""

import asyncio
import base64
import gzip
import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from onward.eventlog.memory import MemoryLog
from onward.eventlog.record import decode
from onward.pipeline.normalise import normalise
from onward.settings import Settings
from onward.tracking.app import Inserts, Tracking
from onward.tracking.dedupe import DedupeIndex, MemoryDedupe
from onward.tracking.ledger import Count, Ledger, LedgerReader
from onward.workspace.snapshot import Snapshot, Source

SITE = Source(id="src_site", workspace_id="ws_1", slug="site", name="Site", write_keys=("key-a", "key-b"))
APP = Source(id="src_app", workspace_id="ws_1", slug="app", name="App", write_keys=("key-app",))
OTHER = Source(id="src_other", workspace_id="ws_2", slug="other", name="Other", write_keys=("key-other",))
OFF = Source(
    id="src_off", workspace_id="ws_1", slug="off", name="Off", write_keys=("key-off",), enabled=False
)
SNAPSHOT = Snapshot(version=1, sources=(SITE, APP, OTHER, OFF))


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def basic(key: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def track(message_id: str | None = None, **more: Any) -> dict[str, Any]:
    event = {"type": "track", "userId": "u1", "event": "Order Completed", "properties": {}, **more}
    return event if message_id is None else {**event, "messageId": message_id}


class Door:
    """`async with Door(tmp_path) as door`."""

    def __init__(
        self,
        folder: Path,
        *,
        log: MemoryLog | None = None,
        index: DedupeIndex | None = None,
        snapshot: Snapshot = SNAPSHOT,
        read_seconds: float = 30.0,
        suppressed: dict[str, set[str]] | None = None,
        newest: Callable[[], Awaitable[Snapshot]] | None = None,
        inserts: Inserts | None = None,
        **settings: Any,
    ) -> None:
        """`suppressed`: user ids by the id of a source."""
        self.log = log or MemoryLog()
        self.snapshot = snapshot
        self.path = folder / "ingest.db"
        self.reader = LedgerReader(self.path)
        self.ledger = Ledger(self.path)
        self.tracking = Tracking(
            self.log,
            index or MemoryDedupe(),
            self.ledger,
            lambda: self.snapshot,
            Settings(data=folder, **settings),
            newest=newest,
            inserts=inserts,
            read_seconds=read_seconds,
            suppressed=lambda source: tuple(filter(None, [(suppressed or {}).get(source.id)])),
        )

    async def __aenter__(self) -> "Door":
        await self.tracking.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.tracking.stop()

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: dict[str, str] | None = None,
        client: tuple[str, int] = ("203.0.113.7", 1234),
    ) -> Reply:
        path, _, query = path.partition("?")
        chunks = [body] if isinstance(body, bytes) else list(body)
        messages = [
            {"type": "http.request", "body": chunk, "more_body": at < len(chunks) - 1}
            for at, chunk in enumerate(chunks)
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            if messages:
                return messages.pop(0)
            return await asyncio.Future()  # As servers do: there is no more to say until the client is gone.

        async def send(message: Any) -> None:
            sent.append(message)

        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": raw,
            "client": client,
            "scheme": "http",
        }
        await self.tracking(scope, receive, send)
        if not sent:
            return Reply(0, {}, b"")
        start, content = sent
        return Reply(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            content["body"],
        )

    async def post(self, path: str, body: Any, key: str | None = "key-a", **headers: str) -> Reply:
        """A POST as an SDK makes it: JSON (bytes go as they are), the key in Basic auth."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        auth = basic(key) if key is not None else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.request("POST", path, raw, {**auth, **named})

    def stored(self, source: Source = SITE) -> list[Any]:
        """Every event that a destination of the source would get."""
        events: list[Any] = []
        for record in self.log.read(source.id, 0, 1 << 30):
            envelope, body = decode(record.body)
            found = normalise(envelope, body, record.count)
            assert len(found) == record.count
            events += found
        return events

    def ids(self, source: Source = SITE) -> list[str]:
        return [event["messageId"] for event in self.stored(source)]

    def counts(self, source: Source | str = SITE) -> dict[tuple[str, str, str], int]:
        """(outcome, code, type) → events, over all minutes."""
        self.ledger.flush()
        source_id = source if isinstance(source, str) else source.id
        totals: dict[tuple[str, str, str], int] = {}
        for count in self.reader.counters(source_id):
            key = (count.outcome, count.code, count.type)
            totals[key] = totals.get(key, 0) + count.events
        return totals

    def codes(self, source: Source | str = SITE) -> dict[str, int]:
        """Discards by code."""
        found: dict[str, int] = {}
        for (outcome, code, _), events in self.counts(source).items():
            if outcome == "discarded":
                found[code] = found.get(code, 0) + events
        return found

    def total(self, outcome: str, source: Source | str = SITE) -> int:
        return sum(events for (each, _, _), events in self.counts(source).items() if each == outcome)


def zipped(value: Any) -> bytes:
    return gzip.compress(json.dumps(value).encode())


__all__ = ["APP", "OFF", "OTHER", "SITE", "SNAPSHOT", "Count", "Door", "Reply", "basic", "track", "zipped"]
