import string
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.http_api import build

BASE = "https://api.example.com/v1"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(string.ascii_letters, min_size=1, max_size=5)
VALUES = TEXTS.filter(lambda text: text not in ("", ".", ".."))


@given(VALUES, VALUES)
def test_values_stay_in_their_place(user, thing):
    payload = {"path": "/users/{id}/x{thing}?a=1", "path_parameters": {"id": user, "thing": thing}}
    parts = urlsplit(build.url(BASE, payload))
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == (
        "https",
        "api.example.com",
        "a=1",
        "",
    )
    assert [unquote(part) for part in parts.path.split("/")] == ["", "v1", "users", user, "x" + thing]


@given(TEXTS, st.dictionaries(NAMES, TEXTS))
def test_no_path_leads_to_another_origin(path, query):
    try:
        address = build.url(BASE, {"path": path, "query": query})
    except ValueError:
        return
    assert address.isascii() and address.isprintable() and " " not in address
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("https", "api.example.com")
    assert parts.path.startswith("/v1") and not parts.fragment


@given(st.dictionaries(TEXTS, st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))))
def test_the_query_is_what_was_mapped(query):
    found = parse_qsl(urlsplit(build.url(BASE, {"query": query})).query, keep_blank_values=True)
    expected = [
        (name, each)
        for name, value in query.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    assert found == expected


def test_numbers_and_booleans_are_written_as_in_javascript():
    payload = {"path": "{n}", "path_parameters": {"n": 5.0}, "query": {"a": True, "b": 1.5, "c": None}}
    assert build.url(BASE, payload) == f"{BASE}/5?a=true&b=1.5"
    assert build.url(BASE + "/", {"path": "x?y=1", "query": {"z": 2}}) == f"{BASE}/x?y=1&z=2"
    assert build.url(BASE, {}) == BASE


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"path": "/{id}"}, "the path needs id"),
        ({"path": "/{id}", "path_parameters": {"id": ""}}, "the path needs id"),
        ({"path": "/{id}", "path_parameters": {"id": {}}}, "the path needs id"),
        ({"path": "/{id}", "path_parameters": {"id": ".."}}, "would lead to another path"),
        ({"path": "/{id}", "path_parameters": "7"}, "path_parameters is '7', not an object"),
        ({"path": 7}, "path is not text"),
        ({"query": {"a": {"b": 1}}}, "query.a is"),
    ],
)
def test_what_can_not_be_an_address_is_named(payload, problem):
    with pytest.raises(ValueError, match=problem):
        build.url(BASE, payload)


@pytest.mark.parametrize(
    "base",
    ["", None, "api.example.com", "ftp://x", "https://", "https://x/?a=1", "https://x/#a", "https://[x"],
)
def test_a_base_that_is_none_is_named(base):
    with pytest.raises(ValueError, match="base_url is"):
        build.checked_base(base)


def test_forms_are_flat():
    data = {"a b": "ü&", "n": {"x": [1, 2.0], "y": {"z": True}}, "none": None}
    assert parse_qsl(build.encode({"data": data}, "form").decode()) == [
        ("a b", "ü&"),
        ("n[x]", "1"),
        ("n[x]", "2"),
        ("n[y][z]", "true"),
    ]
    deep: dict = {}
    inner = deep
    for _ in range(20):
        inner["a"] = {}
        inner = inner["a"]
    inner["a"] = 1
    for wrong, problem in ((deep, "nested deeper"), ({"a": [[1]]}, "data.a is"), ([1], "data is")):
        with pytest.raises(ValueError, match=problem):
            build.encode({"data": wrong}, "form")


@given(st.lists(st.dictionaries(TEXTS, TEXTS), min_size=1, max_size=5), st.sampled_from(build.BATCHES))
def test_batches_hold_each_body_once(data, batch):
    joined = build.join([build.encode({"data": each}, "json") for each in data], "json", batch, "events")
    if batch == "lines":
        assert [orjson.loads(line) for line in joined.split(b"\n")[:-1]] == data
    else:
        assert orjson.loads(joined) == ({"events": data} if batch == "member" else data)


def test_headers_of_the_mapping_come_on_top():
    mapped = {"X-A": 2.0, "Content-Type": "application/vnd.x+json", "x-none": None}
    assert build.headers({"x-a": "1", "X-B": True}, {"headers": mapped}, "json") == {
        "content-type": "application/vnd.x+json",
        "x-a": "2",
        "x-b": "true",
    }
    assert build.headers({}, {}, "none") == {}
    with pytest.raises(ValueError, match="header X-A is"):
        build.headers({}, {"headers": {"X-A": []}}, "json")


def test_an_idempotency_key_is_of_one_request():
    keys = {
        build.idempotency_key(*parts)
        for parts in (
            ("d", "POST", "u", ["a", "b"], b"x"),
            ("d", "POST", "u", ["ab"], b"x"),
            ("d", "POST", "u", ["a", "b"], b"y"),
            ("d", "PUT", "u", ["a", "b"], b"x"),
            ("e", "POST", "u", ["a", "b"], b"x"),
        )
    }
    assert len(keys) == 5
    assert build.idempotency_key("d", "POST", "u", ["a", "b"], b"x") in keys
