"""Files of columns that a batch is written to: what they hold, and what tells one from another.

A file's name follows from the events in it: the newest receivedAt among them, and a digest of their
messageIds. So an attempt whose answer was lost is written over by the next one instead of beside it, as long
as a batch keeps its events, which bulk batches do; and no two files get the same name in a millisecond, which
would cost the first one's rows. Segment's names hold the time of the upload.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import Outcome, discarded
from onward.pipeline import timestamps
from onward.pipeline.javascript import entries, truthy

_ROWS_AT_ONCE = 500

DELIMITERS = (",", "|", "tab", ";", ":")
DELIMITER_LABELS = ("comma", "pipe", "tab", "semicolon", "colon")


def separator(delimiter: Any) -> str:
    """The character that a choice of delimiter stands for; a comma where there is none."""
    return "\t" if delimiter == "tab" else str(delimiter or ",")


async def table(
    header: str, places: Sequence[int], row: Callable[[int], str]
) -> tuple[bytes, str, dict[int, Outcome]]:
    """The file of these lines, without an end of line after the last; its SHA-256; and by place the outcomes
    of those whose `row` raises ValueError, which are left out.

    Others get their turn every few hundred rows.
    """
    digest = hashlib.sha256()
    parts: list[bytes] = []
    unreadable: dict[int, Outcome] = {}
    lines = [header]
    for place in places:
        if len(lines) >= _ROWS_AT_ONCE:
            _add("\n".join([*lines, ""]), parts, digest.update)
            lines.clear()
            await asyncio.sleep(0)
        try:
            lines.append(row(place))
        except ValueError as error:
            unreadable[place] = discarded("MESSAGE_REJECTED", str(error))
    _add("\n".join(lines), parts, digest.update)
    return b"".join(parts), digest.hexdigest(), unreadable


def _add(text: str, parts: list[bytes], update: Callable[[bytes], None]) -> None:
    data = text.encode("utf-8", "replace")
    update(data)
    parts.append(data)


def stamp(call: Call, places: Sequence[int], body_sha256: str) -> str:
    """What tells a file from others: `2024-01-31T10-20-30-123Z_9f86d081884c`.

    `places` are the positions of its events in `call.events`. Where an event has no messageId the file's
    content stands in for all of them.
    """
    events = [call.events[place] for place in places if place < len(call.events)]
    times = [timestamps.parse(event.get("receivedAt") or event.get("timestamp")) for event in events]
    newest = max((ms for ms in times if ms is not None), default=int(time.time() * 1000))
    ids = [event.get("messageId") for event in events]
    what = ids if ids and all(isinstance(each, str) for each in ids) else [body_sha256]
    digest = hashlib.sha256(msgspec.json.encode([call.destination_id, call.subscription_id, what]))
    return f"{timestamps.render(newest).replace(':', '-').replace('.', '-')}_{digest.hexdigest()[:12]}"


def columns_of(call: Call, payloads: Sequence[Payload], places: list[int]) -> list[str]:
    """Those that the mapping names, filled or not, so that all files of a mapping have the same.

    A mapping that takes the columns as they come names none; then it is those of the payloads.
    """
    mapped = call.mapping.get("columns")
    if isinstance(mapped, dict) and not any(name.startswith("@") for name in mapped):
        return [name for name, value in entries(mapped) if value != ""]
    found: dict[str, None] = {}
    for place in places:
        columns = payloads[place].get("columns")
        if isinstance(columns, dict):
            found.update(dict.fromkeys(name for name, _ in entries(columns)))
    return list(found)


def membership(payload: Payload) -> Any:
    """Whether the person is in the audience: the trait or property that is named after it."""
    values, key = payload.get("traits_or_props"), payload.get("computation_key")
    return values.get(key) if isinstance(values, dict) and truthy(key) else None
