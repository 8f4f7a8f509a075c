"""Both actions: a batch into one file of columns, uploaded over one connection.

As Segment's: the columns that the mapping names in their order, then the audience's and the size's; every
cell quoted; headers unquoted and without the delimiter; no line end after the last row. Otherwise than there,
payloads that differ in folder, name or form get files of their own, rather than the first one's; and names
hold a digest beside the time (`onward.destinations.files`).
"""

import posixpath
from collections.abc import Sequence
from typing import Any

import msgspec

from onward.destinations import files
from onward.destinations.aws.text import cell
from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import Outcome, discarded, from_error
from onward.destinations.sftp.connect import SftpError, connected
from onward.destinations.sftp.upload import outcome, upload
from onward.egress.http import EgressError

EXTENSIONS = ("csv", "txt", "tsv", "psv")
TIMEOUT = 300.0
"""Seconds for all files of a call: the largest takes a thousand round trips to a server of small writes."""

_OF_THE_FILE = (
    "sftp_folder_path",
    "filename_prefix",
    "file_extension",
    "delimiter",
    "audience_action_column_name",
    "batch_size_column_name",
)


class File(msgspec.Struct, frozen=True):
    path: str
    body: bytes
    places: Sequence[int]


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    made: list[File] = []
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, payload in enumerate(payloads):
        groups.setdefault(tuple(str(payload.get(name)) for name in _OF_THE_FILE), []).append(place)
    for places in groups.values():
        file = await _file(call, payloads, places, outcomes)
        if file is not None:
            made.append(file)
    if made:
        await _upload(call, made, outcomes)
    return [outcomes[place] for place in range(len(payloads))]


async def test(call: Call) -> str | None:
    """Logs in and lists the root, as Segment does; None, or what is wrong."""
    import asyncssh

    try:
        async with connected(call) as client:
            await client.listdir("/")
    except (SftpError, EgressError) as error:
        return str(error)
    except (asyncssh.Error, OSError) as error:
        return f"listing / failed: {getattr(error, 'reason', error)}"
    return None


async def _upload(call: Call, made: list[File], outcomes: dict[int, Outcome]) -> None:
    """Settles all files' payloads."""
    import asyncssh

    result = None
    try:
        async with connected(call) as client:
            for file in made:
                done = await upload(
                    client,
                    file.path,
                    file.body,
                    concurrent=call.settings.get("uploadStrategy") == "concurrent",
                    temporary=call.settings.get("sftp_temporary_name") is not False,
                )
                outcomes.update(dict.fromkeys(file.places, done))
    except SftpError as error:
        result = error.outcome
    except EgressError as error:
        result = from_error(error)
    except (asyncssh.Error, OSError) as error:  # the connection ended between two answers
        result = outcome(asyncssh.SFTPConnectionLost(str(error)), "the upload")
    if result is not None:
        for file in made:
            for place in file.places:
                outcomes.setdefault(place, result)


async def _file(
    call: Call, payloads: Sequence[Payload], places: list[int], outcomes: dict[int, Outcome]
) -> File | None:
    """The file of some payloads that belong together; None if nothing can be written of them."""
    first = payloads[places[0]]
    extension, delimiter = first.get("file_extension") or "csv", first.get("delimiter") or ","
    for name, value, allowed in (
        ("file_extension", extension, EXTENSIONS),
        ("delimiter", delimiter, files.DELIMITERS),
    ):
        if value not in allowed:
            wrong = discarded("MESSAGE_REJECTED", f"{name} is {value!r}; it may be {' '.join(allowed)}")
            outcomes.update(dict.fromkeys(places, wrong))
            return None
    between = files.separator(delimiter)
    action, size = (
        first.get(name) or None for name in ("audience_action_column_name", "batch_size_column_name")
    )
    columns = [*files.columns_of(call, payloads, places), *(name for name in (action, size) if name)]
    if not columns:
        outcomes.update(dict.fromkeys(places, discarded("MESSAGE_REJECTED", "the mapping names no columns")))
        return None

    def row(place: int) -> str:
        values = payloads[place].get("columns")
        if not isinstance(values, dict):
            raise ValueError("columns is not an object; check its mapping")
        cells = []
        for column in columns:
            if column == action:
                cells.append(cell(files.membership(payloads[place])))
            elif column == size:
                cells.append(cell(len(places)))
            else:
                cells.append(cell(values.get(column)))
        return between.join(cells)

    header = between.join(column if delimiter == "tab" else column.replace(between, "") for column in columns)
    body, sha256, unreadable = await files.table(header, places, row)
    outcomes |= unreadable
    written = [place for place in places if place not in unreadable]
    if not written:
        return None
    name = file_name(first.get("filename_prefix"), extension, files.stamp(call, written, sha256))
    return File(path(first.get("sftp_folder_path"), name), body, written)


def file_name(prefix: Any, extension: str, stamp: str) -> str:
    """`<prefix>__<stamp>.csv`; a prefix that ends with the extension gets the stamp before it."""
    prefix = str(prefix or "").removesuffix(f".{extension}")
    return f"{prefix}__{stamp}.{extension}" if prefix else f"{stamp}.{extension}"


def path(folder: Any, name: str) -> str:
    """The file's path: absolute if the folder is, else from where the server puts the user."""
    joined = posixpath.normpath(f"{folder}/{name}" if folder else name)
    return "/" + joined.lstrip("/") if joined.startswith("//") else joined
