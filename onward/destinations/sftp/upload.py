"""One file onto the server, whole or not at all.

It is written under a temporary name (`.<name>.part`) and then renamed, so that nobody who looks for files
takes a half one. Segment writes under the name itself; so does this where `sftp_temporary_name` is off, for
servers that allow no renaming.

What if the process dies here? The next attempt writes the same temporary file again. If the rename was done
and only its answer lost, it finds the file there, with the same size, and leaves it: the name follows from
the events in it.
"""

import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING

from onward.destinations.outcome import DELIVERED, Outcome, discarded, retry

if TYPE_CHECKING:
    from asyncssh import SFTPClient

REQUESTS = 64
"""Writes under way at once with the strategy `concurrent`, as OpenSSH's client has; with `standard` one."""
BLOCK = 32_768
"""Bytes of each of these writes, which every server takes (draft-ietf-secsh-filexfer-02 §3)."""
LARGE_BLOCK = 262_144
"""Bytes of a single write where the server allows as much: encrypting a larger one would hold up others."""


async def upload(
    client: "SFTPClient", path: str, body: bytes, *, concurrent: bool, temporary: bool
) -> Outcome:
    import asyncssh

    folder = posixpath.dirname(path) or "."
    try:
        if await _size(client, path) == len(body):
            return DELIVERED
        if not temporary:
            await _write(client, path, body, concurrent)
            return DELIVERED
        part = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.part")
        await _write(client, part, body, concurrent)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return discarded("MESSAGE_REJECTED", f"there is no folder {folder} on the server; it must exist")
    except asyncssh.SFTPError as error:
        return outcome(error, path)
    try:
        await _rename(client, part, path)
    except asyncssh.SFTPError as error:
        result = outcome(error, path)
        if result.kind == "discarded":
            with suppress(asyncssh.SFTPError):
                await client.remove(part)
        return Outcome(
            result.kind,
            result.code,
            f"{result.message}; it was uploaded and could not be renamed: where the server allows no "
            "renaming, switch sftp_temporary_name off",
        )
    return DELIVERED


def outcome(error: Exception, path: str) -> Outcome:
    """What the server's answer means; Segment retries all but a missing folder."""
    import asyncssh

    message = f"{path}: {getattr(error, 'reason', error)}"
    if isinstance(error, asyncssh.SFTPPermissionDenied | asyncssh.SFTPWriteProtect):
        return discarded("403", message)
    if isinstance(
        error, asyncssh.SFTPInvalidFilename | asyncssh.SFTPNotADirectory | asyncssh.SFTPFileIsADirectory
    ):
        return discarded("MESSAGE_REJECTED", message)
    if isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
        return retry("ECONNRESET", message)
    return retry("RETRY", message)  # a full disk, a quota, "failure"


async def _size(client: "SFTPClient", path: str) -> int | None:
    """Of a file that is there; None where there is none, or the server does not say."""
    import asyncssh

    try:
        return (await client.stat(path)).size
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
        raise
    except asyncssh.SFTPError:
        return None


async def _write(client: "SFTPClient", path: str, body: bytes, concurrent: bool) -> None:
    # Not `async with`: after a cancellation it would wait for a server that may never answer. What is not
    # closed here is when the connection ends.
    if concurrent:
        file = await client.open(path, "wb", block_size=BLOCK, max_requests=REQUESTS)
    else:
        block = min(max(client.limits.max_write_len, BLOCK), LARGE_BLOCK)
        file = await client.open(path, "wb", block_size=block, max_requests=1)
    await file.write(body)
    await file.close()


async def _rename(client: "SFTPClient", part: str, path: str) -> None:
    """Over what is there, as OpenSSH's extension does; without it over nothing only, so room is made."""
    import asyncssh

    try:
        await client.posix_rename(part, path)
    except asyncssh.SFTPOpUnsupported:
        if await _size(client, path) is not None:
            await client.remove(path)
        await client.rename(part, path)
