"""Bounded inflation: a gzip bomb costs its limit, never memory."""

import zlib

from onward.tracking.limits import GZIP_SLACK

GZIP_MAGIC = b"\x1f\x8b"
MAX_MEMBERS = 64
"""Real clients send one; thousands of empty ones would only cost time."""


class BadGzip(Exception):
    """Not gzip, or cut short."""


class TooLarge(Exception):
    """More bytes than the limit."""


def inflate(body: bytes, limit: int) -> bytes:
    """The content of a gzip (or zlib) body, of any number of members, at most `limit` bytes."""
    if len(body) > limit + GZIP_SLACK:
        raise TooLarge
    out = b""
    for _ in range(MAX_MEMBERS):
        stream = zlib.decompressobj(wbits=47)  # 32 + 15: tells gzip and zlib apart by itself
        try:
            out += stream.decompress(body, limit + 1 - len(out))
        except zlib.error as error:
            raise BadGzip(str(error)) from error
        if len(out) > limit:
            raise TooLarge
        if not stream.eof:
            raise BadGzip("cut short")
        body = stream.unused_data.lstrip(b"\x00")
        if not body:
            return out
    raise BadGzip("too many members")
