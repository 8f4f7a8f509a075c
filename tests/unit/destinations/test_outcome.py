import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.outcome import SNIPPET, from_error, from_response, retry_after
from onward.egress.http import EgressError, Response

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(status, "delivered") for status in (200, 201, 202, 204, 299)],
        *[(status, "retry") for status in (408, 423, 429, 500, 502, 503, 504, 599)],
        *[(status, "discarded") for status in (300, 301, 304, 307, 308, 400, 401, 403, 404, 410, 422, 501)],
    ],
)
def test_statuses(status, kind):
    outcome = from_response(Response(status=status, headers={}, body=b"why"), NOW)
    assert outcome.kind == kind
    if kind != "delivered":
        assert (outcome.code, outcome.message) == (str(status), "why")


@pytest.mark.parametrize("code", ["ETIMEDOUT", "ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN"])
def test_errors_of_the_network_are_retried(code):
    assert from_error(EgressError(code, "m")).kind == "retry"


@pytest.mark.parametrize("code", ["BLOCKED_ADDRESS", "INVALID_URL", "INVALID_HEADER", "TLS"])
def test_errors_of_the_configuration_are_final(code):
    assert from_error(EgressError(code, "m")).kind == "discarded"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("-3", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("9" * 5000, None),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 23:14:20 +0100", 60.0),
        ("Tue, 14 Nov 2023 22:14:20 -0000", 60.0),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
        ("Tue, 99 Nov 2023 22:12:20 GMT", None),
    ],
)
def test_retry_after(header, seconds):
    assert retry_after(header, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_a_time_or_none(header):
    seconds = retry_after(header, NOW)
    assert seconds is None or 0 <= seconds < float("inf")


def test_a_failure_keeps_the_beginning_of_the_answer():
    outcome = from_response(Response(status=400, headers={}, body=b"\xff" + b"x" * 10_000), NOW)
    assert outcome.message == "\ufffd" + "x" * (SNIPPET - 1)
