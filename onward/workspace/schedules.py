"""When rows are read back: the strategies of a reverse ETL schedule, checked (spec §9.8, §15.5). Pure.

    MANUAL          {}
    PERIODIC        {"interval": "15m"}
    SPECIFIC_DAYS   {"days": [1, 3], "hours": [6, 18], "timezone": "Europe/Berlin"}
    CRON            {"spec": "0 */2 * * *", "timezone": "UTC"}
    DBT_CLOUD       {"jobId": 1, "accountId": 2}

Runs are at least 15 minutes apart. Days are 0, Sunday, to 6; of a manual schedule's configuration nothing is
looked at.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

import msgspec

from onward.workspace.errors import Invalid, at
from onward.workspace.selective_sync import check_timezone
from onward.workspace.shapes import from_value

Strategy = Literal["MANUAL", "PERIODIC", "SPECIFIC_DAYS", "CRON", "DBT_CLOUD"]

SHORTEST = 15 * 60
"""Seconds between two runs."""
LONGEST = 366 * 24 * 3600

DURATION = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?")
"""As Go writes them: `15m`, `1h30m`, `24h0m0s`."""
CRON_PART = re.compile(r"(\*|\d{1,2}(?:-\d{1,2})?)(?:/(\d{1,2}))?")
CRON_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

Day = Annotated[int, msgspec.Meta(ge=0, le=6)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=23)]


class Config(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class Periodic(Config):
    interval: str


class SpecificDays(Config):
    days: Annotated[list[Day], msgspec.Meta(min_length=1)]
    hours: Annotated[list[Hour], msgspec.Meta(min_length=1)]
    timezone: str


class Cron(Config):
    spec: str
    timezone: str


class DbtCloud(Config):
    job_id: int | str
    account_id: int | str


def check_schedule(strategy: str, config: dict[str, Any]) -> None:
    """Raises `Invalid` with the field `scheduleStrategy` or `scheduleConfig.<name>`."""
    check = _CHECKS.get(strategy)
    if check is None:
        raise Invalid(f"this must be one of: {', '.join(get_args(Strategy))}", field="scheduleStrategy")
    with at("scheduleConfig"):
        check(config)


def _periodic(config: dict[str, Any]) -> None:
    interval = from_value(Periodic, config).interval
    found = DURATION.fullmatch(interval)
    if found is None or not interval:
        raise Invalid("this must be a duration such as 15m, 1h30m or 24h", field="interval")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    length = hours * 3600 + minutes * 60 + seconds
    if not SHORTEST <= length <= LONGEST:
        raise Invalid("this must be 15 minutes at least, and a year at most", field="interval")


def _specific_days(config: dict[str, Any]) -> None:
    check_timezone(from_value(SpecificDays, config).timezone, "timezone")


def _cron(config: dict[str, Any]) -> None:
    given = from_value(Cron, config)
    check_timezone(given.timezone, "timezone")
    with at("spec"):
        minutes, hours, *_ = parse_cron(given.spec)
    # The days don't matter: the same minutes of the next day are the closest that another day can bring.
    times = sorted(hour * 60 + minute for hour in hours for minute in minutes)
    gaps = [later - earlier for earlier, later in zip(times, [*times[1:], times[0] + 24 * 60], strict=True)]
    if min(gaps) * 60 < SHORTEST:
        raise Invalid("its runs must be at least 15 minutes apart", field="spec")


def parse_cron(spec: str) -> list[set[int]]:
    """The values of each of the five fields: minute, hour, day, month, weekday. Raises `Invalid`."""
    parts = spec.split()
    if len(parts) != len(CRON_BOUNDS):
        raise Invalid("this must have five fields: minute, hour, day of the month, month, weekday")
    return [_cron_field(part, *bounds) for part, bounds in zip(parts, CRON_BOUNDS, strict=True)]


def _cron_field(text: str, least: int, most: int) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        found = CRON_PART.fullmatch(part)
        if found is None:
            raise Invalid(f"{part[:40]!r} is no value, list, range or step of numbers")
        span, step = found[1], int(found[2] or 1)
        if span == "*":
            start, end = least, most
        else:
            first, _, last = span.partition("-")
            start = int(first)
            end = int(last) if last else (most if found[2] else start)
        if not (least <= start <= end <= most) or step < 1:
            raise Invalid(f"{part!r} is not within {least} and {most}")
        values.update(range(start, end + 1, step))
    return values


_CHECKS: dict[str, Callable[[dict[str, Any]], object]] = {
    "MANUAL": lambda config: None,
    "PERIODIC": _periodic,
    "SPECIFIC_DAYS": _specific_days,
    "CRON": _cron,
    "DBT_CLOUD": lambda config: from_value(DbtCloud, config),
}
