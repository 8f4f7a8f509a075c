import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.aws.errors import FAILED, THROTTLED, element, from_answer, of_code
from onward.egress.http import Response

NOW = 1_700_000_000.0


def answered(status, body=b"", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return from_answer(Response(status=status, headers=names, body=body), NOW).outcome


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "message"),
    [
        (
            400,
            b'{"__type":"ProvisionedThroughputExceededException","message":"Rate exceeded"}',
            "retry",
            "429",
            "ProvisionedThroughputExceededException: Rate exceeded",
        ),
        (
            400,
            b'{"__type":"com.amazonaws.kinesis.v20131202#ResourceNotFoundException","message":"no"}',
            "discarded",
            "400",
            "ResourceNotFoundException: no",
        ),
        (500, b'{"__type":"InternalFailure"}', "retry", "500", "InternalFailure"),
        (400, b'{"__type":"InternalFailure"}', "retry", "503", "InternalFailure"),
        (400, b'{"__type":"AccessDeniedException","Message":"no"}', "discarded", "400", None),
        (400, b'{"__type":"ExpiredTokenException","message":"old"}', "retry", "503", None),
        (
            503,
            b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
            "retry",
            "429",
            "SlowDown: Please reduce your request rate.",
        ),
        (
            403,
            b"<?xml?>\n<Error><Code>AccessDenied</Code><Message>Access &lt;x&gt;</Message></Error>",
            "discarded",
            "403",
            "AccessDenied: Access <x>",
        ),
        (307, b"<Error><Code>TemporaryRedirect</Code></Error>", "retry", "503", None),
        (501, b"<Error><Code>NotImplemented</Code></Error>", "discarded", "501", None),
        (503, b"nonsense", "retry", "503", "nonsense"),
        (502, b"", "retry", "502", ""),
        (400, b"[1]", "discarded", "400", "[1]"),
        (418, b"{}", "discarded", "418", "{}"),
    ],
)
def test_answers(status, body, kind, code, message):
    outcome = answered(status, body)
    assert (outcome.kind, outcome.code) == (kind, code)
    if message is not None:
        assert outcome.message == message


def test_the_code_may_be_in_a_header():
    outcome = answered(400, b"{}", x_amzn_errortype="ThrottlingException:http://internal/")
    assert (outcome.kind, outcome.code) == ("retry", "429")


def test_a_throttle_may_say_for_how_long():
    body = b'{"__type":"ThrottlingException","message":"slow"}'
    assert answered(400, body, retry_after="7").retry_after == 7.0


def test_a_bucket_elsewhere_is_named():
    assert "eu-north-1" in answered(301, b"", x_amz_bucket_region="eu-north-1").message


def test_what_a_refused_signature_repeats_of_the_request_stays_out():
    body = (
        b'{"__type":"InvalidSignatureException","message":"It does not match.\\n\\nx-amz-security-token:abc"}'
    )
    assert answered(403, body).message == "InvalidSignatureException: It does not match."


@pytest.mark.parametrize("code", sorted(THROTTLED | FAILED))
def test_what_passes_is_retried_also_within_a_batch(code):
    assert of_code(code, "m").kind == "retry"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDenied", "403"),
        ("AccessDeniedException", "403"),
        ("KMSAccessDeniedException", "403"),
        ("NotAuthorizedForSourceException", "403"),
        ("ResourceNotFoundException", "404"),
        ("QueueDoesNotExist", "404"),
        ("NoSuchBucket", "404"),
        ("ValidationException", "400"),
        ("MalformedDetail", "400"),
        ("AnythingElse", "400"),
    ],
)
def test_what_does_not_pass_is_final(code, status):
    outcome = of_code(code, "why")
    assert (outcome.kind, outcome.code, outcome.message) == ("discarded", status, f"{code}: why")


@given(st.integers(300, 599), st.binary(max_size=60))
def test_any_answer_is_an_outcome(status, body):
    assert answered(status, body).kind in ("retry", "discarded")


def test_elements():
    assert element("<a><b>x &amp; y</b><b>z</b></a>", "b") == "x & y"
    assert element("<a/>", "b") == ""
