"""Times as they come in and as they go out: ISO-8601 text and milliseconds since the epoch (spec §4.3)."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

_ISO = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[Tt ]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)?"
    r"\s*(?:([Zz])|([+-])(\d\d):?(\d\d)?)?\s*",
    re.ASCII,
).fullmatch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
EARLIEST = -62_135_596_800_000
"""0001-01-01T00:00:00.000Z."""
LATEST = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z."""


_FRACTION = [f".{ms:03d}Z" for ms in range(1000)]
_MS = {text: ms for ms, text in enumerate(_FRACTION)}


def parse(value: Any) -> int | None:
    """Milliseconds since the epoch, or None if it is not an ISO-8601 string of the years 1 to 9999.

    Without a zone it is UTC; a date alone is its midnight; months, days and hours may lack their leading
    zero; a leap second is the second after.
    """
    found = read(value)
    return None if found is None else found[0]


def read(value: Any) -> tuple[int, str] | None:
    """A time as `parse` gives it, and as `render` writes it; None if it is none."""
    if type(value) is not str:
        return None
    fraction = _MS.get(value[19:])
    if fraction is not None:
        seconds = _seconds(value[:19])
        if seconds is not None:
            return seconds * 1000 + fraction, value
    ms = _parse(value)
    return None if ms is None else (ms, render(ms))


def render(ms: int) -> str:
    """`2024-05-06T07:08:09.123Z`; `ms` must be within `EARLIEST` and `LATEST`."""
    seconds, rest = divmod(ms, 1000)
    return _prefix(seconds) + _FRACTION[rest]


@lru_cache(maxsize=4096)
def _seconds(text: str) -> int | None:
    """Epoch seconds of `2024-05-06T07:08:09`: events that travel together share few of them."""
    ms = _parse(text)
    return ms // 1000 if ms is not None and text == _prefix(ms // 1000) else None


@lru_cache(maxsize=4096)
def _prefix(seconds: int) -> str:
    # isoformat pads years to four digits on every platform; strftime does not.
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def _parse(value: str) -> int | None:
    found = _ISO(value) if len(value) <= 64 else None
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, _zulu, sign, zone_hours, zone_minutes = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    offset = int(zone_hours or 0) * 60 + int(zone_minutes or 0)
    if hours > 23 or minutes > 59 or seconds > 60 or offset > 24 * 60:
        return None
    if sign == "-":
        offset = -offset
    total = days * 86_400 + hours * 3600 + (minutes - offset) * 60 + seconds
    ms = total * 1000 + int((fraction or "0").ljust(3, "0")[:3])
    return ms if EARLIEST <= ms <= LATEST else None
