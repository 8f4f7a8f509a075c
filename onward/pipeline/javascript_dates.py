"""Which texts are dates, and when: `Date.parse` as Segment's engine has it, and dayjs on top (spec §9.6).

JavaScript asks for ISO 8601 and lets each engine take what else it likes. Destinations were written against
V8, whose older rules are generous: words before the first number are ignored, numbers may come in several
orders, `12:30 pm`, `GMT+2` and `(comments)` are understood. A date without a zone is taken as UTC.
"""

import math
import re
from datetime import date
from typing import Final, NamedTuple

MAX_TIME: Final = 8.64e15
"""Milliseconds from the epoch that a Date can hold, either way."""

_DAYJS: Final = re.compile(
    r"([0-9]{4})[-/]?([0-9]{1,2})?[-/]?([0-9]{0,2})[Tt\s]*"
    r"([0-9]{1,2})?:?([0-9]{1,2})?:?([0-9]{1,2})?[.:]?([0-9]+)?"
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONES: Final = {
    **{"ut": 0, "utc": 0, "z": 0, "gmt": 0, "cdt": -5, "cst": -6, "edt": -4},
    **{"est": -5, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8},
}


def parse_date(text: str) -> float:
    """Date.parse(text): milliseconds since the epoch, nan if it is no date."""
    tokens = _tokens(text)
    if len(tokens) > 200:
        return math.nan
    return _Parser(tokens).parse()


def parse_dayjs(text: str) -> float:
    """dayjs(text).valueOf(), with dayjs's own reading of what looks like `2026-01-31 10:20:30.5`."""
    found = None if text[-1:] in ("z", "Z") else _DAYJS.fullmatch(text)
    if found is None:
        return parse_date(text)
    year, month, day, hour, minute, second, fraction = found.groups()
    return make_time(
        int(year) + (1900 if int(year) <= 99 else 0),
        1 if month is None else int(month),
        int(day or 1),
        *(int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "0")[:3])),
    )


def make_time(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, millisecond: int = 0
) -> float:
    """Date.UTC with a month from 1; days and times beyond their month or day carry over."""
    carried, month_index = divmod(month - 1, 12)
    year += carried
    # The calendar repeats every 400 years, which are 146,097 days; Python's ends at year 9999.
    cycles, proleptic = divmod(year, 400)
    days = date(proleptic + 400, month_index + 1, 1).toordinal() - 719_163 + (cycles - 1) * 146_097 + day - 1
    return days * 86_400_000.0 + hour * 3_600_000 + minute * 60_000 + second * 1_000 + millisecond


class _Token(NamedTuple):
    kind: str
    """`number`, `word`, `space`, `symbol`, `other` or `end`."""
    text: str = ""
    number: int = 0

    def digits(self, count: int) -> bool:
        return self.kind == "number" and len(self.text) == count

    def within(self, low: int, high: int) -> bool:
        """Two digits in a range, as ISO dates want them."""
        return self.digits(2) and low <= self.number <= high


_END: Final = _Token("end")
_LEXER: Final = re.compile(
    r"(?P<number>[0-9]+)|(?P<symbol>[:+.)-])|(?P<space>\s|\ufeff)|(?P<open>\()|(?P<word>[^\x00-@\s\ufeff]+)|(?P<other>.)",
    re.DOTALL,
)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text) and (found := _LEXER.match(text, at)):
        at = found.end()
        if found.lastgroup == "number":
            tokens.append(_Token("number", found[0], int(found[0].lstrip("0")[:9] or 0)))
        elif found.lastgroup == "open":
            at = _after_parentheses(text, at)
            tokens.append(_Token("other"))
        else:
            tokens.append(_Token(found.lastgroup or "other", found[0].lower()))
    return tokens


def _after_parentheses(text: str, at: int) -> int:
    depth = 1
    while depth and at < len(text):
        depth += (text[at] == "(") - (text[at] == ")")
        at += 1
    return at


class _Parser:
    """One text on its way to a time: the numbers found so far, and what they are."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.day: list[int] = []
        self.month: int | None = None
        self.iso = False
        self.time: list[int] = []
        self.half_day: int | None = None
        self.zone_sign: int | None = None
        self.zone_hour: int | None = None
        self.zone_minute: int | None = None

    def peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _END

    def next(self) -> _Token:
        token = self.peek()
        self.at += 1
        return token

    def skip(self, symbol: str) -> bool:
        if self.peek() == ("symbol", symbol, 0):
            self.at += 1
            return True
        return False

    def parse(self) -> float:
        if not self.iso_date():
            return math.nan
        if not self.iso and not self.loose():
            return math.nan
        day, time = self.calendar_day(), self.clock_time()
        if day is None or time is None:
            return math.nan
        offset = self.offset()
        if offset is None:
            return math.nan
        milliseconds = make_time(*day, *time) - offset * 1_000
        return milliseconds if abs(milliseconds) <= MAX_TIME else math.nan

    # ISO 8601

    def iso_date(self) -> bool:
        """Read an ISO date-time; False if it is broken for good, `self.iso` if it is complete.

        What isn't ISO goes on to the loose rules, from where the ISO rules stopped.
        """
        if self.peek().text in ("+", "-") and self.peek().kind == "symbol":
            sign = -1 if self.next().text == "-" else 1
            if not self.peek().digits(6):
                return True
            year = self.next().number
            if sign < 0 and not year:
                return True
            self.day.append(sign * year)
        elif self.peek().digits(4):
            self.day.append(self.next().number)
        else:
            return True
        if self.skip("-"):
            if not self.peek().within(1, 12):
                return True
            self.day.append(self.next().number)
            if self.skip("-"):
                if not self.peek().within(1, 31):
                    return True
                self.day.append(self.next().number)
        if self.peek().text == "t" and self.peek().kind == "word":
            self.at += 1
            if not self.iso_time():
                return False
        elif self.peek() is not _END:
            return True
        if self.zone_sign is None and not self.time:
            self.zone_sign = 1
        self.iso = True
        return True

    def iso_time(self) -> bool:
        if not self.peek().within(0, 24):
            return False
        self.time.append(self.next().number)
        latest = 0 if self.time[0] == 24 else 59
        if not self.skip(":") or not self.peek().within(0, latest):
            return False
        self.time.append(self.next().number)
        if self.skip(":"):
            if not self.peek().within(0, latest):
                return False
            self.time.append(self.next().number)
            if self.skip("."):
                if self.peek().kind != "number" or (not latest and self.peek().number):
                    return False
                self.time.append(_milliseconds(self.next()))
        return self.iso_zone() and self.peek() is _END

    def iso_zone(self) -> bool:
        if self.peek() == ("word", "z", 0):
            self.at += 1
            self.set_zone(0)
        elif self.peek().kind == "symbol" and self.peek().text in ("+", "-"):
            self.zone_sign = -1 if self.next().text == "-" else 1
            if self.peek().digits(4):
                self.zone_hour, self.zone_minute = divmod(self.next().number, 100)
                return self.zone_hour <= 23 and self.zone_minute <= 59
            if not self.peek().within(0, 23):
                return False
            self.zone_hour = self.next().number
            if not self.skip(":") or not self.peek().within(0, 59):
                return False
            self.zone_minute = self.next().number
        return True

    # Anything else

    def loose(self) -> bool:
        seen_number = bool(self.day)
        while (token := self.next()) is not _END:
            if token.kind == "number":
                seen_number = True
                if not self.loose_number(token.number):
                    return False
            elif token.kind == "word":
                if not self.loose_word(token.text, seen_number):
                    return False
            elif token.kind == "symbol" and token.text in "+-" and (self.is_utc() or self.time):
                seen_number = True
                if not self.loose_offset(token.text):
                    return False
            elif token.kind == "symbol" and token.text in "+-)" and seen_number:
                return False
        return True

    def loose_number(self, number: int) -> bool:
        if self.skip(":"):
            if self.skip(":"):
                if self.time:
                    return False
                self.time += [number, 0]
                return True
            if len(self.time) == 4:
                return False
            self.time.append(number)
            self.skip(".")
            return True
        if self.skip(".") and self.expects_time(number):
            self.time.append(number)
            if self.peek().kind != "number":
                return False
            self.time = [*self.time, _milliseconds(self.next()), 0, 0][:4]
        elif self.zone_hour is not None and self.zone_minute is None and number <= 59:
            self.zone_minute = number
        elif self.expects_time(number):
            self.time = [*self.time, number, 0, 0, 0][:4]
            after = self.peek()
            return after.kind in ("end", "space") or after == ("word", "z", 0) or after.text in ("+", "-")
        else:
            if len(self.day) == 3:
                return False
            self.day.append(number)
            self.skip("-")
        return True

    def expects_time(self, number: int) -> bool:
        return len(self.time) in (1, 2, 3) and number <= (59, 59, 999)[len(self.time) - 1]

    def loose_word(self, word: str, seen_number: bool) -> bool:
        if word in ("am", "pm") and self.time:
            self.half_day = 12 if word == "pm" else 0
        elif word[:3] in _MONTHS:
            self.month = _MONTHS.index(word[:3]) + 1
            self.skip("-")
        elif word in _ZONES and seen_number:
            self.set_zone(_ZONES[word])
        else:
            return not seen_number and self.peek().kind != "number"
        return True

    def loose_offset(self, sign: str) -> bool:
        self.zone_sign = -1 if sign == "-" else 1
        digits = self.next() if self.peek().kind == "number" else _Token("number")
        if self.peek() == ("symbol", ":", 0):
            self.zone_hour, self.zone_minute = digits.number, None
        elif len(digits.text) in (1, 2):
            self.zone_hour, self.zone_minute = digits.number, 0
        elif len(digits.text) in (3, 4):
            self.zone_hour, self.zone_minute = divmod(digits.number, 100)
        else:
            return False
        return True

    def is_utc(self) -> bool:
        return self.zone_hour == 0 and self.zone_minute == 0

    def set_zone(self, hours: int) -> None:
        self.zone_sign = -1 if hours < 0 else 1
        self.zone_hour, self.zone_minute = abs(hours), 0

    # What it comes to

    def calendar_day(self) -> tuple[int, int, int] | None:
        if not self.day:
            return None
        first, second, third = (*self.day, 1, 1)[:3]
        if self.month is not None:
            month = self.month
            # A lone number is the day, and what is no day is the year.
            year, day = (second, first) if 1 <= first <= 31 else (first, second)
        elif self.iso or not 1 <= first <= 31:
            year, month, day = first, second, third
        else:
            year, month, day = third, first, second
        if not self.iso:
            year += 2000 if 0 <= year <= 49 else 1900 if 50 <= year <= 99 else 0
        return (year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None

    def clock_time(self) -> tuple[int, int, int, int] | None:
        hour, minute, second, millisecond = (*self.time, 0, 0, 0, 0)[:4]
        if self.half_day is not None:
            if hour > 12:
                return None
            hour = hour % 12 + self.half_day
        in_range = hour <= 23 and minute <= 59 and second <= 59 and millisecond <= 999
        if not in_range and (hour, minute, second, millisecond) != (24, 0, 0, 0):
            return None
        return hour, minute, second, millisecond

    def offset(self) -> int | None:
        """Seconds east of UTC; None if there are too many. V8 counts them in 32 bits."""
        seconds = ((self.zone_hour or 0) * 3_600 + (self.zone_minute or 0) * 60) & 0xFFFF_FFFF
        return (self.zone_sign or 1) * seconds if seconds < 2**31 else None


def _milliseconds(token: _Token) -> int:
    """The digits after a second's point."""
    length = min(len(token.text), 9)
    return int(token.number * (100, 10, 1)[length - 1] if length < 3 else token.number // 10 ** (length - 3))


class Moment(NamedTuple):
    """A time taken apart, in UTC."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    millisecond: int
    weekday: int
    """From 0, Sunday."""
    day_of_year: int
    """From 1."""
    new_year: float
    """The time at which the year began."""

    @classmethod
    def of(cls, time: float) -> "Moment":
        """Of milliseconds since the epoch, up to `MAX_TIME` either way."""
        days, rest = divmod(int(time), 86_400_000)
        cycles, day_in_cycle = divmod(days + 719_163 - 1, 146_097)
        proleptic = date.fromordinal(day_in_cycle + 1)
        year = proleptic.year + cycles * 400
        hour, rest = divmod(rest, 3_600_000)
        minute, rest = divmod(rest, 60_000)
        second, millisecond = divmod(rest, 1_000)
        new_year = make_time(year, 1, 1)
        return cls(
            *(year, proleptic.month, proleptic.day, hour, minute, second, millisecond),
            weekday=(days + 4) % 7,
            day_of_year=int(days - new_year // 86_400_000) + 1,
            new_year=new_year,
        )
