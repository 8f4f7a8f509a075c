"""Times in and out (spec §4.3)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline.timestamps import EARLIEST, LATEST, parse, read, render


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123Z"),
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09.000Z"),
        ("2024-05-06T07:08:09.1Z", "2024-05-06T07:08:09.100Z"),
        ("2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123Z"),
        ("2024-05-06T07:08:09,5z", "2024-05-06T07:08:09.500Z"),
        ("2024-05-06T09:08:09.123+02:00", "2024-05-06T07:08:09.123Z"),
        ("2024-05-06t00:38:09.123-0630", "2024-05-06T07:08:09.123Z"),
        ("2024-05-06 07:08:09 +00", "2024-05-06T07:08:09.000Z"),
        ("2024-05-06T07:08", "2024-05-06T07:08:00.000Z"),
        ("2024-05-06", "2024-05-06T00:00:00.000Z"),
        ("2015-2-02T00:30:12.984Z", "2015-02-02T00:30:12.984Z"),
        (" 2024-05-06T07:08:09.123Z ", "2024-05-06T07:08:09.123Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31T23:59:60.250Z", "2017-01-01T00:00:00.250Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_iso_8601_in_its_dialects(text: str, canonical: str) -> None:
    ms = parse(text)
    assert ms is not None
    assert render(ms) == canonical
    assert read(text) == (ms, canonical)


@pytest.mark.parametrize(
    "value",
    [
        None, 5, 1714979289123, True, [], {}, "", "now", "2024", "2024-13-01", "2024-02-30T00:00:00Z",
        "2024-05-06T24:00:00Z", "2024-05-06T07:60:00Z", "2024-05-06T07:08:61Z", "2024-05-06T07:08:09.123ZZ",
        "Mon, 06 May 2024 07:08:09 GMT", "1714979289", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "٢٠٢٤-05-06", "2024-05-06T07:08:09.१२३Z",
        "2024-05-06T07:08:09\x00", "2" * 100_000, "2024-05-06T07:08:09.5.123Z",
    ],
)  # fmt: skip
def test_what_is_no_time(value: Any) -> None:
    assert parse(value) is None


@given(st.integers(EARLIEST, LATEST))
def test_render_and_parse_are_inverse(ms: int) -> None:
    text = render(ms)
    assert parse(text) == ms
    assert len(text) == 24
    moment = datetime(1, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms - EARLIEST)
    assert text == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


moments = st.datetimes(timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))))


@given(moments, st.sampled_from(["milliseconds", "seconds", "minutes", "microseconds"]))
def test_agrees_with_the_standard_library(moment: datetime, precision: str) -> None:
    text = moment.isoformat(timespec=precision)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    expected = (datetime.fromisoformat(text) - epoch) // timedelta(milliseconds=1)
    assert parse(text) == (expected if EARLIEST <= expected <= LATEST else None)


@given(st.text("0123456789-:.TZ+ ", max_size=30) | st.text())
def test_any_text_is_read_or_not(text: str) -> None:
    found = read(text)
    assert found is None or parse(found[1]) == found[0]
