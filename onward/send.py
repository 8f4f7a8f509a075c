"""`onward send`: events from an NDJSON file to a Tracking API, as an SDK would send them.

Events go in batches to `/v1/batch`. An event without a messageId gets one before its first attempt, so
that a batch sent twice is taken once. Network errors, 408, 429 and 5xx are retried with growing pauses
or after the Retry-After; what is still refused after `ATTEMPTS` is counted as failed, never dropped in
silence.
"""

import asyncio
import base64
import random
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

import aiohttp
import msgspec
import orjson
import uvloop

from onward.destinations.outcome import retry_after

MAX_EVENT = 32 * 1024
MAX_BATCH = 500 * 1024
"""Bytes: the limits of the Tracking API (spec §3.3)."""
ATTEMPTS = 10
CONNECTIONS = 8
TIMEOUT = 30.0
"""Seconds for one request."""


class InputError(Exception):
    """A line that is no event; the message names the line."""


@dataclass
class Tally:
    """What happened so far."""

    sent: int = 0
    failed: int = 0
    requests: int = 0
    retries: int = 0
    bytes: int = 0
    last_error: str = ""


def events(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The events of NDJSON `lines`, each with a messageId; raises `InputError`."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"line {number} is not JSON: {error}") from error
        if not isinstance(event, dict):
            raise InputError(f"line {number} is not a JSON object")
        event.setdefault("messageId", f"onward-{uuid.uuid4()}")
        body = orjson.dumps(event)
        if len(body) > MAX_EVENT:
            raise InputError(f"line {number} has {len(body)} bytes; an event may have {MAX_EVENT}")
        yield body


def batches(items: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Lists of up to `size` events and `MAX_BATCH` bytes, leaving room for the envelope.

    An `InputError` of `items` passes when the events before it have been given out.
    """
    batch: list[bytes] = []
    total = 0
    bad_line: InputError | None = None
    try:
        for item in items:
            if batch and (len(batch) == size or total + len(item) > MAX_BATCH - 1024):
                yield batch
                batch, total = [], 0
            batch.append(item)
            total += len(item) + 1
    except InputError as error:
        bad_line = error
    if batch:
        yield batch
    if bad_line:
        raise bad_line


class Sender:
    def __init__(self, url: str, write_key: str, rate: float | None, size: int) -> None:
        """`rate` is in events a second; None is as fast as it goes."""
        self.url = url.rstrip("/") + "/v1/batch"
        self.headers = {
            "authorization": "Basic " + base64.b64encode(f"{write_key}:".encode()).decode(),
            "content-type": "application/json",
        }
        self.rate = rate
        self.size = size
        self.tally = Tally()

    async def run(self, lines: Iterable[bytes]) -> Tally:
        """Send everything; raises `InputError` at a bad line, when what came before is sent."""
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        bad_line: InputError | None = None
        async with (
            aiohttp.ClientSession(headers=self.headers, connector=connector, timeout=timeout) as session,
            asyncio.TaskGroup() as group,
        ):
            try:
                await self._read(lines, session, group)
            except InputError as error:  # the group would cancel what is being sent
                bad_line = error
        if bad_line:
            raise bad_line
        return self.tally

    async def _read(
        self, lines: Iterable[bytes], session: aiohttp.ClientSession, group: asyncio.TaskGroup
    ) -> None:
        room = asyncio.Semaphore(CONNECTIONS)
        start = time.monotonic()
        planned = 0
        source = batches(events(lines), self.size)
        # Reading may block on a pipe, which must not hold up the requests in flight.
        while batch := await asyncio.to_thread(next, source, None):
            if self.rate:
                await asyncio.sleep(max(0.0, start + planned / self.rate - time.monotonic()))
            planned += len(batch)
            await room.acquire()
            task = group.create_task(self._deliver(session, batch))
            task.add_done_callback(lambda _: room.release())

    async def _deliver(self, session: aiohttp.ClientSession, batch: list[bytes]) -> None:
        for attempt in range(ATTEMPTS):
            pause = await self._post(session, batch)
            if pause is None:
                return
            if attempt + 1 < ATTEMPTS:
                self.tally.retries += 1
                await asyncio.sleep(pause or min(10.0, 0.1 * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311
        self.tally.failed += len(batch)

    async def _post(self, session: aiohttp.ClientSession, batch: list[bytes]) -> float | None:
        """One attempt: None if it is settled, else the seconds asked to wait (0 for our choice)."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = b'{"batch":[%s],"sentAt":"%s"}' % (b",".join(batch), now.encode())
        self.tally.requests += 1
        try:
            async with session.post(self.url, data=body) as response:
                text = await response.text(errors="replace")
                status = response.status
                after = retry_after(response.headers.get("retry-after"), time.time())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.tally.last_error = str(error) or type(error).__name__
            return 0.0
        if status < 300:
            self.tally.sent += len(batch)
            self.tally.bytes += len(body)
            return None
        self.tally.last_error = f"{status} {text[:200]}".strip()
        if status in (408, 429) or status >= 500:
            return after or 0.0
        self.tally.failed += len(batch)
        return None


def send(sender: Sender, file: IO[bytes]) -> Tally:
    """Blocking `Sender.run`, with a progress bar on a terminal."""
    return uvloop.run(_with_progress(sender, file))


async def _with_progress(sender: Sender, file: IO[bytes]) -> Tally:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    total = _count_lines(file)
    columns = (
        TextColumn("sent"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
    )
    start = time.monotonic()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=total, rate=0.0)

        def show() -> None:
            done = sender.tally.sent + sender.tally.failed
            progress.update(bar, completed=done, rate=done / max(time.monotonic() - start, 1e-3))

        async def follow() -> None:
            while True:
                show()
                await asyncio.sleep(0.2)

        following = asyncio.create_task(follow())
        try:
            return await sender.run(file)
        finally:
            following.cancel()
            show()


def _count_lines(file: IO[bytes]) -> int | None:
    """Lines of a file that can be read twice; None for a pipe."""
    if not file.seekable():
        return None
    lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    file.seek(0)
    return lines


def summary(tally: Tally, seconds: float) -> dict[str, Any]:
    """What `onward send` prints."""
    rate = tally.sent / seconds if seconds else 0.0
    return {
        "sent": tally.sent,
        "failed": tally.failed,
        "requests": tally.requests,
        "retries": tally.retries,
        "bytes": tally.bytes,
        "seconds": round(seconds, 3),
        "events_per_second": round(rate),
    }


def summary_line(tally: Tally, seconds: float) -> str:
    return msgspec.json.encode(summary(tally, seconds)).decode()
