import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.moments import milliseconds, milliseconds_of_date
from onward.pipeline.javascript_dates import parse_date, parse_dayjs

two = st.integers(0, 99).map("{:02d}".format)
usual = st.builds(
    "{:04d}-{}-{}T{}:{}:{}{}Z".format,
    st.integers(0, 9999),
    two,
    two,
    two,
    two,
    two,
    st.sampled_from(["", ".456"]),
)


@given(usual)
def test_the_usual_way_is_read_as_any_other(text):
    for read, slow in ((milliseconds, parse_dayjs), (milliseconds_of_date, parse_date)):
        found, expected = read(text), slow(text)
        assert found == (None if expected != expected else expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-31T10:20:30.456Z", 1769854830456),
        ("2026-01-31", 1769817600000),
        (1700000000123, 1700000000123),
        (1.9, 1),
        (1e17, None),
        ("soon", None),
    ],
)
def test_moments(value, expected):
    assert milliseconds(value) == expected
