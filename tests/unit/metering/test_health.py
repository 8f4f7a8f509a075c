"""One word and one sentence for each connection."""

import pytest

from onward.metering import health
from onward.metering.health import SourceDay
from onward.metering.outcomes import Tally

NOW = 1_700_000_000_000
CALM = {
    "enabled": True, "connected": True, "known": True, "paused_since": None, "pending": 0, "retrying": 0,
    "hour": Tally(), "last_failure": None, "last_discard": None, "now": NOW,
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "state", "word"),
    [
        ({"hour": Tally(delivered=100)}, "healthy", "took 100"),
        ({"hour": Tally(delivered=100, discarded=4)}, "healthy", "took"),
        ({"hour": Tally(delivered=90, discarded=10)}, "failing", "10 events (10 %)"),
        (
            {"hour": Tally(discarded=2), "last_failure": (NOW, "503", ""), "last_discard": (NOW, "401", "")},
            "failing",
            "2 events (100 %) in the last hour: 401 Unauthorized",
        ),
        ({"hour": Tally(delivered=9), "retrying": 5, "pending": 5}, "healthy", "took"),
        ({"hour": Tally(delivered=9), "retrying": 500, "pending": 500}, "retrying", "500 events"),
        ({"retrying": 1, "pending": 1}, "retrying", "1 event waiting"),
        (
            {"paused_since": 1.0, "pending": 1234, "last_failure": (1, "ECONNREFUSED", "")},
            "paused",
            "Connection refused): 1,234 events wait",
        ),
        ({"hour": Tally(delivered=9), "known": False, "pending": 7}, "paused", "7 events wait for `onward"),
        ({}, "noData", "nothing"),
        ({"enabled": False, "pending": 3}, "disabled", "3 events wait"),
    ],
)
def test_destinations(facts, state, word):
    standing = health.of_destination("Shop", **(CALM | facts))
    assert standing.state == state and word in standing.summary and standing.summary.endswith(".")


@pytest.mark.parametrize(
    ("day", "ever", "refused", "state"),
    [
        (SourceDay(last_hour=5), 5, 0, "healthy"),
        (SourceDay(last_hour=5), 5, 5, "failing"),
        (SourceDay(busy_hours=20, last_at=NOW - 70 * 60_000), 5, 0, "silent"),
        (SourceDay(busy_hours=2, last_at=NOW - 70 * 60_000), 5, 0, "noData"),
        (SourceDay(), 0, 0, "noData"),
    ],
)
def test_sources(day, ever, refused, state):
    assert health.of_source("Web", enabled=True, ever=ever, day=day, refused=refused, now=NOW).state == state
