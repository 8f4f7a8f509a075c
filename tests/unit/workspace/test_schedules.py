"""Schedules of reverse ETL: what is right, and what is told of what is not."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.workspace.errors import Invalid
from onward.workspace.schedules import check_schedule, parse_cron

BERLIN = "Europe/Berlin"

RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("MANUAL", {}),
    ("MANUAL", {"interval": "15m"}),
    ("PERIODIC", {"interval": "15m"}),
    ("PERIODIC", {"interval": "900s"}),
    ("PERIODIC", {"interval": "1h30m0s"}),
    ("SPECIFIC_DAYS", {"days": [0, 6], "hours": [0, 23], "timezone": BERLIN}),
    ("CRON", {"spec": "*/15 * * * *", "timezone": "UTC"}),
    ("CRON", {"spec": "0,30 8-18/2 * 1-6 1-5", "timezone": "UTC"}),
    ("DBT_CLOUD", {"jobId": 1, "accountId": "2"}),
]


@pytest.mark.parametrize(("strategy", "config"), RIGHT)
def test_right_ones_pass(strategy: str, config: dict[str, Any]) -> None:
    check_schedule(strategy, config)


@pytest.mark.parametrize(
    ("strategy", "config", "field"),
    [
        ("SOMETIMES", {}, "scheduleStrategy"),
        ("PERIODIC", {}, "scheduleConfig.interval"),
        ("PERIODIC", {"interval": 15}, "scheduleConfig.interval"),
        ("PERIODIC", {"interval": ""}, "scheduleConfig.interval"),
        ("PERIODIC", {"interval": "15"}, "scheduleConfig.interval"),
        ("PERIODIC", {"interval": "14m59s"}, "scheduleConfig.interval"),
        ("PERIODIC", {"interval": "99999h"}, "scheduleConfig.interval"),
        ("PERIODIC", {"interval": "1h", "more": 1}, "scheduleConfig.more"),
        ("SPECIFIC_DAYS", {"days": [], "hours": [1], "timezone": BERLIN}, "scheduleConfig.days"),
        ("SPECIFIC_DAYS", {"days": [7], "hours": [1], "timezone": BERLIN}, "scheduleConfig.days[0]"),
        ("SPECIFIC_DAYS", {"days": [1], "hours": [24], "timezone": BERLIN}, "scheduleConfig.hours[0]"),
        ("SPECIFIC_DAYS", {"days": [1], "hours": [1], "timezone": "Nowhere"}, "scheduleConfig.timezone"),
        ("CRON", {"spec": "* * * *", "timezone": "UTC"}, "scheduleConfig.spec"),
        ("CRON", {"spec": "*/14 * * * *", "timezone": "UTC"}, "scheduleConfig.spec"),
        ("CRON", {"spec": "0,59 * * * *", "timezone": "UTC"}, "scheduleConfig.spec"),
        ("CRON", {"spec": "60 * * * *", "timezone": "UTC"}, "scheduleConfig.spec"),
        ("CRON", {"spec": "5-1 * * * *", "timezone": "UTC"}, "scheduleConfig.spec"),
        ("CRON", {"spec": "0 0 * * 8", "timezone": "UTC"}, "scheduleConfig.spec"),
        ("CRON", {"spec": "@daily", "timezone": "UTC"}, "scheduleConfig.spec"),
        ("CRON", {"spec": "0 */0 * * *", "timezone": "UTC"}, "scheduleConfig.spec"),
        ("CRON", {"spec": "0 0 * * *"}, "scheduleConfig.timezone"),
        ("DBT_CLOUD", {"jobId": 1}, "scheduleConfig.accountId"),
    ],
)
def test_wrong_ones_are_told_with_the_field(strategy: str, config: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        check_schedule(strategy, config)
    assert raised.value.field == field


numbers = st.integers(0, 59)
minutes = st.lists(numbers, min_size=1, max_size=4, unique=True).map(lambda found: ",".join(map(str, found)))
hours = st.one_of(st.just("*"), st.integers(0, 23).map(str), st.integers(1, 12).map(lambda step: f"*/{step}"))


@given(minutes, hours)
def test_runs_are_as_far_apart_as_two_days_show(minute: str, hour: str) -> None:
    spec = f"{minute} {hour} * * *"
    at_minutes, at_hours, *_ = parse_cron(spec)
    start = datetime(2030, 1, 1, tzinfo=UTC)
    runs = [
        time
        for time in (start + timedelta(minutes=passed) for passed in range(3 * 24 * 60))
        if time.minute in at_minutes and time.hour in at_hours
    ]
    closest = min(later - earlier for earlier, later in pairwise(runs))
    if closest < timedelta(minutes=15):
        with pytest.raises(Invalid, match="15 minutes apart"):
            check_schedule("CRON", {"spec": spec, "timezone": "UTC"})
    else:
        check_schedule("CRON", {"spec": spec, "timezone": "UTC"})


@given(st.text(max_size=30))
def test_any_text_is_judged(text: str) -> None:
    for strategy, config in (
        ("CRON", {"spec": text, "timezone": "UTC"}),
        ("CRON", {"spec": "0 0 * * *", "timezone": text}),
        ("PERIODIC", {"interval": text}),
    ):
        try:
            check_schedule(strategy, config)
        except Invalid as error:
            assert error.field and error.field.startswith("scheduleConfig")
