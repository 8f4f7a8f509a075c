"""Times in mapped payloads → milliseconds since the epoch, as dayjs reads them. Pure."""

import math
import re
from datetime import datetime
from typing import Final

from onward.pipeline.javascript_dates import MAX_TIME, parse_date, parse_dayjs

_USUAL: Final = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{3})?Z")
"""How the front door writes timestamps."""
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")


def milliseconds(value: str | float) -> int | None:
    """`dayjs.utc(value).valueOf()`: of a date in text, or of milliseconds; None where that is no time."""
    if isinstance(value, str):
        usual = _usual(value)
        if usual is not None:
            return usual
        value = parse_dayjs(value)
    return math.trunc(value) if abs(value) <= MAX_TIME else None


def milliseconds_of_date(text: str) -> int | None:
    """`Date.parse(text)`; None where that is NaN."""
    usual = _usual(text)
    if usual is not None:
        return usual
    value = parse_date(text)
    return None if math.isnan(value) else int(value)


def _usual(text: str) -> int | None:
    if not _USUAL.fullmatch(text):
        return None
    try:
        passed = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return None  # 31 April, 24:00: JavaScript goes on counting
    return (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000
