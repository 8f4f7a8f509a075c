"""JavaScript errors and per-item nodes → outcomes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.bridge.errors import (
    ActionFailed,
    CallTimedOut,
    Failure,
    Node,
    Poison,
    WorkerLost,
    describe,
    is_unauthorized,
    of_error,
    of_failure,
    of_node,
    of_nodes,
    read_nodes,
)
from onward.destinations.outcome import DELIVERED, discarded, is_retryable, retry
from onward.egress.http import EgressError

NOW = 1_700_000_000.0


def http(status: int, body: str = "", message: str = "") -> Failure:
    return Failure(
        name="HTTPError",
        kinds=("HTTPError", "CustomError", "Error"),
        message=message,
        status=status,
        body=body,
    )


@given(st.integers(300, 599))
def test_a_status_says_what_it_always_says(status: int) -> None:
    outcome = of_failure(http(status, "why"), NOW)
    assert outcome.kind == ("retry" if is_retryable(status) else "discarded")
    assert (outcome.code, outcome.message) == (str(status), "why")


@given(st.integers(300, 599))
def test_so_does_the_status_of_a_node(status: int) -> None:
    outcome = of_node(Node(status=status, type="T", message="why"), NOW)
    assert outcome.kind == ("retry" if is_retryable(status) else "discarded")
    assert (outcome.code, outcome.message) == (str(status), "T: why")


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (
            Failure(
                name="PayloadValidationError",
                kinds=("PayloadValidationError", "IntegrationError", "CustomError", "Error"),
                message="no email",
                code="PAYLOAD_VALIDATION_FAILED",
                status=400,
            ),
            discarded("MESSAGE_REJECTED", "PAYLOAD_VALIDATION_FAILED: no email"),
        ),
        (
            Failure(name="AggregateAjvError", kinds=("AggregateAjvError",), message="The root value …"),
            discarded("MESSAGE_REJECTED", "AggregateAjvError: The root value …"),
        ),
        (
            Failure(
                name="IntegrationError",
                kinds=("IntegrationError",),
                message="Missing",
                code="MISSING_REQUIRED_FIELD",
                status=400,
            ),
            discarded("400", "MISSING_REQUIRED_FIELD: Missing"),
        ),
        (
            Failure(name="RetryableError", kinds=("RetryableError",), code="RETRYABLE_ERROR", status=500),
            retry("500", "RETRYABLE_ERROR: "),
        ),
        (
            Failure(name="APIError", kinds=("APIError",), message="no", code="403", status=403),
            discarded("403", "no"),
        ),
        (
            Failure(name="TimeoutError", message="Request timed out after 10000ms", code="ETIMEDOUT"),
            retry("ETIMEDOUT", "ETIMEDOUT: Request timed out after 10000ms"),
        ),
        (
            Failure(name="RequestTimeoutError", message="late", code="REQUESTTIMEOUTERROR", status=408),
            retry("ETIMEDOUT", "REQUESTTIMEOUTERROR: late"),
        ),
        (
            Failure(name="TypeError", message="refused", code="ECONNREFUSED", egress=True),
            retry("ECONNREFUSED", "ECONNREFUSED: refused"),
        ),
        (
            Failure(name="TypeError", message="private", code="BLOCKED_ADDRESS", egress=True),
            discarded("BLOCKED_ADDRESS", "BLOCKED_ADDRESS: private"),
        ),
        # Only what Onward's way out has said counts as its word.
        (
            Failure(name="Error", message="own words", code="ECONNREFUSED"),
            discarded("INTERNAL", "ECONNREFUSED: own words"),
        ),
        (
            Failure(name="TypeError", message="x is not a function"),
            discarded("INTERNAL", "TypeError: x is not a function"),
        ),
    ],
)
def test_kinds_of_errors(failure: Failure, outcome: Any) -> None:
    assert of_failure(failure, NOW) == outcome


@pytest.mark.parametrize("code", sorted(EgressError.RETRYABLE))
def test_network_errors_are_retried(code: str) -> None:
    assert of_failure(Failure(code=code, egress=True, message="m"), NOW).kind == "retry"


def test_a_fault_after_an_answer_is_tried_again() -> None:
    failure = Failure(name="TypeError", message="x is undefined")
    assert of_failure(failure, NOW, answered=True).kind == "retry"
    assert of_failure(failure, NOW, answered=False).kind == "discarded"


def test_retry_after() -> None:
    assert of_failure(http(429), NOW, after="7").retry_after == 7.0
    own = Failure(status=429, retry_after="9")
    assert of_failure(own, NOW, after="7").retry_after == 9.0
    assert of_node(Node(status=503), NOW, after="7").retry_after == 7.0
    assert of_failure(http(400), NOW, after="7").retry_after is None


def test_nodes() -> None:
    nodes = read_nodes([None, {"status": 400, "type": "BAD_REQUEST", "message": "no"}, {"status": 429}])
    assert of_nodes(nodes, NOW) == [DELIVERED, discarded("400", "BAD_REQUEST: no"), retry("429", "")]
    assert of_nodes([None], NOW) == DELIVERED
    assert of_node(Node(status=400, type="PAYLOAD_VALIDATION_FAILED", message="no"), NOW).code == (
        "MESSAGE_REJECTED"
    )
    assert of_node(Node(message="?"), NOW) == retry("500", "?")
    assert of_node(Node(status=200, message="but no"), NOW) == discarded("MESSAGE_REJECTED", "but no")
    thrown = read_nodes([{"error": {"name": "TypeError", "kinds": ["TypeError"], "message": "x"}}])
    assert of_nodes(thrown, NOW).code == "INTERNAL"  # type: ignore[union-attr]


def test_other_errors() -> None:
    assert of_error(CallTimedOut("60 s"), NOW) == retry("ETIMEDOUT", "60 s")
    assert of_error(WorkerLost("killed", own_doing=False), NOW) == retry("ECONNRESET", "killed")
    failed = ActionFailed(http(500, "down"), answered=True, after="3")
    assert of_error(failed, NOW) == retry("500", "down", 3.0)
    with pytest.raises(Poison):
        of_error(Poison("again"), NOW)


def test_descriptions() -> None:
    assert describe(http(500, '{"a":1}', "Internal Server Error")) == 'Internal Server Error: {"a":1}'
    assert describe(http(500, "", "Internal Server Error")) == "Internal Server Error"
    assert len(describe(http(500, "x" * 10_000))) == 2_000


def test_unauthorized() -> None:
    assert is_unauthorized(http(401))
    assert is_unauthorized(Failure(message="Credentials are invalid: 401 Unauthorized"))
    assert not is_unauthorized(http(403))
