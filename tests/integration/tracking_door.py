"""A front door process and a client that speaks to its socket byte by byte."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from harness import free_port, wait_until

from onward.eventlog.record import decode
from onward.eventlog.sqlite import SqliteReader
from onward.pipeline.normalise import normalise
from onward.tracking.ledger import LedgerReader

SOURCE_ID = "src_1"
AUTH = b"authorization: Basic " + base64.b64encode(b"key-1:") + b"\r\n"


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def track(message_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u", "event": "e", "messageId": message_id, **more}


def request(path: str, body: bytes, headers: bytes = b"", method: bytes = b"POST") -> bytes:
    """The bytes of one request with its Content-Length."""
    return (
        method + b" " + path.encode() + b" HTTP/1.1\r\nhost: door\r\n" + AUTH + headers
        + b"content-length: %d\r\n\r\n" % len(body) + body
    )  # fmt: skip


def read_reply(stream: socket.socket) -> Reply | None:
    """One answer; None if the server closed without one."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            chunk = stream.recv(65536)
        except ConnectionResetError:
            return None
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        body += stream.recv(65536)
    return Reply(int(lines[0].split()[1]), headers, body)


class DoorProcess:
    """The server; `start` it, `kill` it, `start` it again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        data.mkdir(exist_ok=True)

    def start(self) -> "DoorProcess":
        script = Path(__file__).with_name("tracking_server.py")
        with (self.data / "door.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(script), str(self.data), str(self.port)], stdout=log, stderr=log
            )
        wait_until(self._answers, what="the front door answers")
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.data / "door.log").read_text()
        with contextlib.suppress(OSError):
            return self.get("/v1/nothing").status == 404
        return False

    def kill(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """Stop in good order; the process must have lived until now."""
        if self.process is not None and self.process.returncode is None:
            assert self.process.poll() is None, "the front door died: " + (self.data / "door.log").read_text()
            self.process.terminate()
            assert self.process.wait(30) == 0, (self.data / "door.log").read_text()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, *chunks: bytes) -> Reply | None:
        """These bytes on a connection of their own, and what comes back."""
        with self.connect() as stream:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for chunk in chunks:
                    stream.sendall(chunk)
            return read_reply(stream)

    def post(self, path: str, body: Any, headers: bytes = b"") -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = self.send(request(path, raw, headers))
        assert reply is not None, "the connection was closed without an answer"
        return reply

    def get(self, path: str) -> Reply:
        reply = self.send(request(path, b"", method=b"GET"))
        assert reply is not None
        return reply

    def stored(self) -> list[Any]:
        """Every event that is on disk, as a reader in another process sees it."""
        reader = SqliteReader(self.data / "log")
        events: list[Any] = []
        after = 0
        while records := reader.read(SOURCE_ID, after, 100):
            for record in records:
                envelope, body = decode(record.body)
                found = normalise(envelope, body, record.count)
                assert len(found) == record.count
                events += found
            after = records[-1].offset
        reader.close()
        return events

    def ids(self) -> list[str]:
        return [event["messageId"] for event in self.stored()]

    def counts(self, source_id: str = SOURCE_ID) -> dict[str, int]:
        """Events by outcome, discards as `discarded:code`."""
        totals: dict[str, int] = {}
        for count in LedgerReader(self.data / "ingest.db").counters(source_id):
            name = f"{count.outcome}:{count.code}" if count.code else count.outcome
            totals[name] = totals.get(name, 0) + count.events
        return totals


def chunked(body: bytes, sizes: Iterable[int]) -> list[bytes]:
    """A body in HTTP chunks of these sizes, the rest in one."""
    out = []
    for size in [*sizes, len(body)]:
        part, body = body[:size], body[size:]
        if part:
            out.append(b"%x\r\n" % len(part) + part + b"\r\n")
    return [*out, b"0\r\n\r\n"]
