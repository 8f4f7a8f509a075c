"""What stands in a record's body: one accepted request, as it came, with its envelope.

Format: one version byte (1), then one zstandard frame (level 1, content size and checksum in the
frame) of the MessagePack array `[envelope, request body as bin]`. The checksum makes a flipped bit on
disk a `CorruptRecord` and not a wrong event; SQLite itself does not check the pages of a table.

`encode` and `decode` may be called from any thread: a zstandard context serves one thread at a time,
so each thread keeps its own.
"""

import threading
from collections.abc import Sequence

import msgspec
import zstandard

from onward.pipeline.types import Envelope

VERSION = b"\x01"
MAX_BYTES = 64 << 20
"""Largest content of a record (envelope and body, uncompressed): bounds what a blob can blow up to."""


class CorruptRecord(Exception):
    """A blob that `encode` did not write, or that changed since; the message says what is wrong."""


class _Codec(threading.local):
    """One thread's reusable contexts: making a compressor costs more than a small body does."""

    def __init__(self) -> None:
        compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
        self.compress = compressor.compress
        self.compress_all = compressor.multi_compress_to_buffer
        self.decompress = zstandard.ZstdDecompressor().decompress
        self.pack = msgspec.msgpack.Encoder().encode
        self.unpack = msgspec.msgpack.Decoder(tuple[Envelope, bytes]).decode


_codec = _Codec()


def encode(envelope: Envelope, body: bytes) -> bytes:
    """The blob for `Draft.body`; raises ValueError if the content is over `MAX_BYTES`."""
    content = _codec.pack((envelope, body))
    if len(content) > MAX_BYTES:
        raise ValueError(f"a record may hold {MAX_BYTES} bytes, this one has {len(content)}")
    return VERSION + _codec.compress(content)


def encode_all(requests: Sequence[tuple[Envelope, bytes]]) -> list[bytes]:
    """The blobs of several requests, as `encode` makes them, in one go.

    Each call into the compressor gives up the interpreter lock, and waits to get it back: beside a busy
    thread that takes longer than to compress a batch of a hundred events.
    """
    if len(requests) == 1:
        return [encode(*requests[0])]
    if not requests:
        return []
    contents: list[bytes | bytearray | memoryview] = [_codec.pack(request) for request in requests]
    largest = max(map(len, contents))
    if largest > MAX_BYTES:
        raise ValueError(f"a record may hold {MAX_BYTES} bytes, one of these has {largest}")
    frames = _codec.compress_all(contents)
    return [VERSION + frames[at].tobytes() for at in range(len(frames))]


def decode(blob: bytes) -> tuple[Envelope, bytes]:
    """The envelope and the request body of a blob; raises `CorruptRecord`."""
    content_size(blob)
    try:
        content = _codec.decompress(memoryview(blob)[1:], allow_extra_data=False)
        return _codec.unpack(content)
    except zstandard.ZstdError as error:
        raise CorruptRecord(f"the record can't be decompressed: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptRecord(f"the record's content is not an envelope and a body: {error}") from error


def content_size(blob: bytes) -> int:
    """Uncompressed bytes in a blob, read from its header alone; raises `CorruptRecord`."""
    if blob[:1] != VERSION:
        raise CorruptRecord(f"the record has format {blob[:1].hex() or 'none'}, this version reads 01")
    try:
        size = zstandard.frame_content_size(memoryview(blob)[1:])
    except zstandard.ZstdError as error:
        raise CorruptRecord(f"the record has no zstandard frame: {error}") from error
    if not 0 <= size <= MAX_BYTES:
        raise CorruptRecord(f"the record claims {size} bytes of content, {MAX_BYTES} are allowed")
    return size
