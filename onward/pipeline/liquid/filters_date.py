"""Dates: `date` and its kin, with the directives of strftime that liquidjs has. Times are in UTC."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from onward.pipeline.javascript import UNDEFINED, to_number, to_string
from onward.pipeline.javascript_dates import MAX_TIME, Moment, parse_date
from onward.pipeline.liquid.scope import LiquidError, Scope
from onward.pipeline.liquid.values import is_nil, text

DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

_DIRECTIVE = re.compile(r"%([-_0^#:]+)?([0-9]+)?([EO])?(.)")
_WIDTHS = {**dict.fromkeys("deHIklmMSUW", 2), "j": 3, "L": 3}
_SPACE_PADDED = frozenset("aAbBceklpP")


class _Date:
    """A time as it is shown in a zone."""

    def __init__(self, time: float, zone: Any) -> None:
        self.zone_name = zone if type(zone) is str else ""
        self.offset = 0.0
        """Minutes west of UTC, as JavaScript counts."""
        if type(zone) is str:
            self.offset = _zone_offset(zone, time)
        elif zone is not UNDEFINED and zone is not None:
            self.offset = to_number(zone)
        self.fixed = not is_nil(zone)
        self.shown = time - self.offset * 60_000
        self.at = Moment.of(self.shown)


def _zone_offset(name: str, time: float) -> float:
    try:
        zone = UTC if name.upper() == "UTC" else ZoneInfo(name)
        offset = datetime.fromtimestamp(time / 1000, tz=zone).utcoffset()
    except (KeyError, ValueError, OverflowError, OSError):
        raise LiquidError(f"date: unknown time zone {name!r}") from None
    return -offset.total_seconds() / 60 if offset else 0.0


def _parse(scope: Scope, value: Any, zone: Any = UNDEFINED) -> _Date | None:
    """None for what is no date, which the filters let pass."""
    if is_nil(value):
        return None
    if value in ("now", "today"):
        time = scope.now()
    elif type(value) is bool:
        time = float(value)
    elif type(value) in (int, float):
        time = value * 1000.0
    elif type(value) is dict:
        return None
    elif type(value) is str and re.fullmatch("[0-9]+", value):
        time = float(value) * 1000
    else:
        time = parse_date(to_string(value))
    if not abs(time) <= MAX_TIME:
        return None
    date = _Date(float(math.trunc(time)), zone)
    return date if abs(date.shown) <= MAX_TIME else None


def _date(scope: Scope, value: Any, pattern: Any = UNDEFINED, zone: Any = UNDEFINED, *_: Any) -> Any:
    date = _parse(scope, value, zone)
    return (
        value if date is None else _shown(scope, date, DEFAULT_FORMAT if is_nil(pattern) else text(pattern))
    )


def _fixed(pattern: str) -> Callable[..., Any]:
    return lambda scope, value, *_: _date(scope, value, pattern)


def _named(month: str) -> Callable[..., Any]:
    def applied(scope: Scope, value: Any, kind: Any = UNDEFINED, style: Any = UNDEFINED, *_: Any) -> Any:
        date = _parse(scope, value)
        if date is None:
            return value
        if kind == "ordinal":
            day = date.at.day
            pattern = f"{month} {day}%q, %Y" if style == "US" else f"{day}%q {month} %Y"
        else:
            pattern = f"%d {month} %Y"
        return _shown(scope, date, pattern)

    return applied


def _shown(scope: Scope, date: _Date, pattern: str) -> str:
    scope.spend(len(pattern))

    def directive(found: re.Match[str]) -> str:
        flags, width, _, conversion = found.groups()
        convert = CONVERSIONS.get(conversion)
        if convert is None:
            return found[0]
        flags = flags or ""
        shown = convert(date, flags, int(width or 0))
        if "^" in flags:
            shown = shown.upper()
        elif "#" in flags:
            shown = shown.upper() if re.search("[a-z]", shown) else shown.lower()
        fill = " " if conversion in _SPACE_PADDED else "0"
        fill = " " if "_" in flags else "0" if "0" in flags else fill
        size = 0 if "-" in flags else int(width) if width else _WIDTHS.get(conversion, 0)
        scope.spend(size)
        return shown.rjust(size, fill)

    return _DIRECTIVE.sub(directive, pattern)


def _zone(date: _Date, flags: str) -> str:
    hours, minutes = divmod(abs(date.offset), 60)
    colon = ":" if ":" in flags else ""
    sign = "-" if date.offset > 0 else "+"
    return f"{sign}{to_string(hours).rjust(2, '0')}{colon}{to_string(minutes).rjust(2, '0')}"


def _week(date: _Date, first_day: int) -> str:
    at = date.at
    january = Moment.of(at.new_year)
    return str((at.day_of_year + first_day - at.weekday - (7 - january.weekday + first_day)) // 7 + 1)


def _ordinal(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _clock(at: Moment) -> str:
    half = "AM" if at.hour < 12 else "PM"
    return f"{at.hour % 12 or 12}:{at.minute:02}:{at.second:02} {half}"


def _calendar(at: Moment) -> str:
    return f"{at.month}/{at.day}/{at.year if at.year > 0 else 1 - at.year}"


def _fraction(date: _Date, width: int) -> str:
    width = width or 9
    return str(date.at.millisecond)[:width].ljust(width, "0")


CONVERSIONS: dict[str, Callable[[_Date, str, int], str]] = {
    "a": lambda date, *_: DAYS[date.at.weekday][:3],
    "A": lambda date, *_: DAYS[date.at.weekday],
    "b": lambda date, *_: MONTHS[date.at.month - 1][:3],
    "B": lambda date, *_: MONTHS[date.at.month - 1],
    "c": lambda date, *_: f"{_calendar(date.at)}, {_clock(date.at)}",
    "C": lambda date, *_: str(int(str(date.at.year)[:2].rstrip("-") or 0)),
    "d": lambda date, *_: str(date.at.day),
    "e": lambda date, *_: str(date.at.day),
    "h": lambda date, *_: MONTHS[date.at.month - 1][:3],
    "H": lambda date, *_: str(date.at.hour),
    "I": lambda date, *_: str(date.at.hour % 12 or 12),
    "j": lambda date, *_: str(date.at.day_of_year),
    "k": lambda date, *_: str(date.at.hour),
    "l": lambda date, *_: str(date.at.hour % 12 or 12),
    "L": lambda date, *_: str(date.at.millisecond),
    "m": lambda date, *_: str(date.at.month),
    "M": lambda date, *_: str(date.at.minute),
    "N": lambda date, flags, width: _fraction(date, width),
    "p": lambda date, *_: "AM" if date.at.hour < 12 else "PM",
    "P": lambda date, *_: "am" if date.at.hour < 12 else "pm",
    "q": lambda date, *_: _ordinal(date.at.day),
    "s": lambda date, *_: str(math.floor(date.shown / 1000 + 0.5)),
    "S": lambda date, *_: str(date.at.second),
    "u": lambda date, *_: str(date.at.weekday or 7),
    "U": lambda date, *_: _week(date, 0),
    "w": lambda date, *_: str(date.at.weekday),
    "W": lambda date, *_: _week(date, 1),
    "x": lambda date, *_: _calendar(date.at),
    "X": lambda date, *_: _clock(date.at),
    "y": lambda date, *_: str(date.at.year)[2:4],
    "Y": lambda date, *_: str(date.at.year),
    "z": lambda date, flags, width: _zone(date, flags),
    "Z": lambda date, flags, width: (date.zone_name if date.fixed else "UTC") or _zone(date, flags),
    "t": lambda *_: "\t",
    "n": lambda *_: "\n",
    "%": lambda *_: "%",
}

FILTERS: dict[str, Callable[..., Any]] = {
    "date": _date,
    "date_to_xmlschema": _fixed("%Y-%m-%dT%H:%M:%S%:z"),
    "date_to_rfc822": _fixed("%a, %d %b %Y %H:%M:%S %z"),
    "date_to_string": _named("%b"),
    "date_to_long_string": _named("%B"),
}
