import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.tracking.auth import basic_key
from onward.tracking.pixel import BadQuery, event_body


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_base64_in_any_dress(content: bytes, urlsafe: bool, padded: bool) -> None:
    data = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(content)
    assert event_body(b"data=" + (data if padded else data.rstrip(b"="))) == content


@given(st.binary(max_size=200))
def test_whatever_the_query_is_it_is_json_or_refused(query: bytes) -> None:
    try:
        body = event_body(query)
    except BadQuery:
        return
    if b"data=" not in query:
        assert isinstance(orjson.loads(body), dict)


@pytest.mark.parametrize(
    ("query", "event"),
    [
        (
            b"userId=u&properties.plan=pro&properties.a.b=1",
            {"userId": "u", "properties": {"plan": "pro", "a": {"b": "1"}}},
        ),
        (b"a=1&a.b=2", {"a": {"b": "2"}}),
        (b"a.b=2&a=1", {"a": {"b": "2"}}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a=", {"a": ""}),
        (b"name=caf%C3%A9+noir", {"name": "café noir"}),
    ],
)
def test_dotted_keys(query: bytes, event: object) -> None:
    assert orjson.loads(event_body(query)) == event


@given(st.binary(max_size=100))
def test_whatever_the_authorization_is_it_is_a_key_or_none(header: bytes) -> None:
    basic_key(header)
    basic_key(b"Basic " + header)


@given(st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"]), min_size=1, max_size=50))
def test_basic_keys(key: str) -> None:
    for secret in ("", ":", ":x:y"):
        assert basic_key(b"Basic " + base64.b64encode((key + secret).encode())) == key
