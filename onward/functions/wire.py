"""What is said over a runner's pipe: frames of a 4-byte length (big-endian) and JSON in UTF-8.

Pure. Everything that comes from a runner may be forged by the code in it: a frame must decode to exactly one
of the types below, or `ProtocolError` is raised and the process ends. Nothing in a frame names a path or is
run. To the runner go `load {code}`, `strip {code}`, `inv {id, h, a: [event or events, settings]}` and
`fr {id, …}` (the answer to a fetch).
"""

import struct
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson

LARGEST = 16 << 20
"""Bytes of a frame, either way."""

HANDLERS = frozenset(
    f"on{name}"
    for name in ("Identify", "Track", "Page", "Screen", "Group", "Alias", "Delete", "Batch", "Request")
)
"""All that code can have; a runner may tell of others, and what it tells is kept with the function."""

_length = struct.Struct(">I")


class ProtocolError(Exception):
    """A runner has said what is no message."""


class Thrown(msgspec.Struct, frozen=True):
    """An error as the runner describes it."""

    name: str = "Error"
    message: str = ""
    stack: str | None = None
    line: int | None = None
    """In the user's code."""


class Ready(msgspec.Struct, frozen=True, tag_field="t", tag="ready"):
    pass


class Loaded(msgspec.Struct, frozen=True, tag_field="t", tag="loaded"):
    ok: bool
    handlers: list[str] = []
    error: Thrown | None = None


class Stripped(msgspec.Struct, frozen=True, tag_field="t", tag="stripped"):
    ok: bool
    code: str = ""
    error: Thrown | None = None


class Result(msgspec.Struct, frozen=True, tag_field="t", tag="res"):
    id: int
    ok: bool
    value: msgspec.Raw = msgspec.Raw(b"null")
    dropped: bool = False
    """Whether there was a value that is no JSON, or too long."""
    error: Thrown | None = None
    missing: bool = False
    """Whether there is no such handler."""
    logs: list[tuple[float, str, str]] = []
    """Milliseconds since the epoch, level, text."""
    lost: int = 0
    """Lines that were too many."""
    ms: float = 0.0
    """What the runner says that it took, in milliseconds."""


class Fetch(msgspec.Struct, frozen=True, tag_field="t", tag="fetch"):
    id: int
    inv: int
    url: str
    method: str = "GET"
    headers: list[tuple[str, str]] = []
    body: str | None = None
    """Base64."""
    redirect: str = "follow"
    timeout: float | None = None
    """Milliseconds."""


class FetchAborted(msgspec.Struct, frozen=True, tag_field="t", tag="fabort"):
    id: int


class Uncaught(msgspec.Struct, frozen=True, tag_field="t", tag="uncaught"):
    inv: int
    error: Thrown


Frame = Ready | Loaded | Stripped | Result | Fetch | FetchAborted | Uncaught
_decoder: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)


def encode(message: dict[str, Any]) -> bytes:
    """Raises ValueError for what JSON can't hold, or what is too long."""
    try:
        body = orjson.dumps(message)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from None
    if len(body) > LARGEST:
        raise ValueError(f"{len(body):,} bytes; at most {LARGEST:,} can be handed to a function")
    return _length.pack(len(body)) + body


def decode(body: bytes | bytearray | memoryview) -> Frame:
    """Raises `ProtocolError`."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ProtocolError(f"{type(error).__name__}: {str(error)[:200]}") from None


class Reader:
    """Frames out of bytes as they come."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Raises `ProtocolError`, after which it is of no use."""
        read: bytes | bytearray = data
        if self._held:
            self._held += data
            read = self._held
        at, end = 0, len(read)
        while end - at >= 4:
            (length,) = _length.unpack_from(read, at)
            if length > LARGEST:
                raise ProtocolError(f"a frame of {length:,} bytes")
            if end - at - 4 < length:
                break
            frame = decode(bytes(read[at + 4 : at + 4 + length]))
            at += 4 + length
            yield frame
        if read is self._held:
            del self._held[:at]
        elif at < end:
            self._held += data[at:]
