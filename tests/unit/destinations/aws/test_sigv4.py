"""Our signatures are AWS's: its published vectors, and its own signer on anything else."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.destinations.aws.stub import reference

from onward.destinations.aws.sigv4 import Credentials, encode_path, sign
from onward.egress.url import parse

EMPTY = hashlib.sha256(b"").hexdigest()
FORM = hashlib.sha256(b"Param1=value1").hexdigest()
KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM_TYPE = "application/x-www-form-urlencoded"

# github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite/v4: request and header-signature of each case.
# Its paths and queries are raw; what the request line can't hold is encoded here where it is a query.
SUITE = {
    "get-vanilla": ("GET", "/", "", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-utf8": ("GET", "/ሴ", "", {}, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    "get-space-normalized": (
        "GET",
        "/example space/",
        "",
        {},
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    "get-unreserved": (
        "GET",
        f"/{UNRESERVED}",
        "",
        {},
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    "get-header-value-trim": (
        "GET",
        "/",
        "",
        {"My-Header1": " value1", "My-Header2": ' "a   b   c"'},
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "get-vanilla-query-order-key-case": (
        "GET",
        "/",
        "Param2=value2&Param1=value1",
        {},
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-vanilla-query-order-encoded": (
        "GET",
        "/",
        "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        {},
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    "get-vanilla-query-unreserved": (
        "GET",
        "/",
        f"{UNRESERVED}={UNRESERVED}",
        {},
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    "get-vanilla-utf8-query": (
        "GET",
        "/",
        "%E1%88%B4=bar",
        {},
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    "get-vanilla-empty-query-key": (
        "GET",
        "/",
        "Param1=value1",
        {},
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    "post-vanilla": ("POST", "/", "", {}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-header-value-case": (
        "POST",
        "/",
        "",
        {"My-Header1": "VALUE1"},
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    "post-vanilla-empty-query-value": (
        "POST",
        "/",
        "Param1=value1",
        {},
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
}


def signature(token="", **request):
    arguments = {
        "service": "service",
        "region": "us-east-1",
        "authority": "example.amazonaws.com",
        "headers": {},
        "body_sha256": EMPTY,
        "now": datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp(),
        **request,
    }
    added = sign(Credentials(*KEY, token), **arguments)
    return added["authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize("case", SUITE)
def test_the_published_suite(case):
    method, path, query, headers, expected = SUITE[case]
    assert signature(method=method, path=path, query=query, headers=headers) == expected


def test_the_published_suite_with_a_session_token():
    expected = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"
    assert signature(TOKEN, method="GET", path="/") == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FORM_TYPE, "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"),
        (f"{FORM_TYPE}; charset=utf-8", "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"),
    ],
)
def test_the_published_suite_with_a_body(kind, expected):
    headers = {"Content-Type": kind, "Content-Length": "13", "X-Amz-Content-Sha256": FORM}
    assert signature(method="POST", path="/", headers=headers, body_sha256=FORM) == expected


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "expected"),
    [
        (
            "GET",
            "/test.txt",
            {"Range": "bytes=0-9"},
            b"",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            b"Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
    ],
)
def test_the_examples_of_the_s3_documentation(method, path, headers, body, expected):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""
    added = sign(
        Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        service="s3",
        region="us-east-1",
        method=method,
        authority="examplebucket.s3.amazonaws.com",
        path=encode_path(path),
        headers=headers,
        body_sha256=hashlib.sha256(body).hexdigest(),
        now=datetime(2013, 5, 24, tzinfo=UTC).timestamp(),
    )
    assert added["authorization"].endswith(f"Signature={expected}")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)
NAMES = st.from_regex(r"x-[A-Za-z0-9-]{1,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


@settings(max_examples=300, deadline=None)
@given(
    service=st.sampled_from(["s3", "kinesis", "sqs"]),
    key=TEXT,
    query=st.lists(st.tuples(TEXT, TEXT), max_size=3),
    headers=st.dictionaries(NAMES, VALUES, max_size=3),
    token=st.sampled_from(["", "a/token+with=signs"]),
    body=st.binary(max_size=20),
    now=st.integers(1_500_000_000, 2_000_000_000),
)
def test_we_sign_as_aws_does(service, key, query, headers, token, body, now):
    """Also what egress makes of the URL: the request line is what is signed."""
    headers = {name.lower(): value for name, value in headers.items()}
    encoded = "&".join(f"{encode_path(n).replace('/', '%2F')}={encode_path(v)}" for n, v in query)
    target = parse(f"https://bucket.example.com/{encode_path(key)}" + (f"?{encoded}" if encoded else ""))
    path, _, line_query = target.path.partition("?")
    sha256 = hashlib.sha256(body).hexdigest()
    ours = sign(
        Credentials(*KEY, token),
        service=service,
        region="eu-west-1",
        method="PUT",
        authority=target.authority,
        path=path,
        query=line_query,
        headers=headers,
        body_sha256=sha256,
        now=now,
    )
    theirs = reference(
        (*KEY, token),
        service,
        "eu-west-1",
        "PUT",
        target.path,
        [("host", target.authority), *headers.items()],
        sha256,
        datetime.fromtimestamp(now, UTC),
        service == "s3",
    )
    assert ours == {name: theirs[name] for name in ours}


def test_credentials_do_not_show_their_secrets():
    assert "wJalr" not in repr(Credentials(*KEY, TOKEN))
    assert TOKEN not in str(Credentials(*KEY, TOKEN))
