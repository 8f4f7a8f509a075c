"""Telling broken JSON from poison, held against the decoders that readers use."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.tracking import intake
from onward.tracking.salvage import Malformed, readable, split

POISON = [
    b"1e400",
    b"-1e999",
    b"1" * 400,
    b"1" * 5000,
    b'"\\ud800"',
    b'{"a":"\\udc00 \\ud800"}',
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'"\xff\xfe"',
]
BROKEN = [
    b"NaN",
    b"-Infinity",
    b"tru",
    b'"a',
    b'"\x00"',
    b'"\n"',
    b"[1,]",
    b'{"a"}',
    b"01",
    b"",
    b'"\\q"',
    b"]",
]

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("poison", POISON, ids=lambda raw: raw[:12].decode("latin-1"))
def test_poison_is_found_and_its_neighbours_are_whole(poison: bytes) -> None:
    body = b' {"batch" : [{"a":"]},"} , ' + poison + b' ,\n{"b":2} ] , "sentAt":"x"} '
    parts = split(body)
    assert parts.batch == [b'{"a":"]},"}', poison, b'{"b":2}']
    assert parts.fields == {"sentAt": b'"x"'}
    assert [readable(raw) for raw in parts.batch] == [True, False, True]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda raw: raw[:12].decode("latin-1"))
def test_broken_json_is_malformed(broken: bytes) -> None:
    for body in (b'{"batch":[{"a":1},' + broken + b"]}", b'{"a":' + broken + b"}"):
        with pytest.raises(Malformed):
            split(body)


@pytest.mark.parametrize(
    "body", [b'{"batch":[' + b"[" * 100_000, b'{"a":"' + b'\\"' * 100_000, b'{"a":' + b'["' * 50_000]
)
def test_long_broken_bodies_are_refused_in_linear_time(body: bytes) -> None:
    with pytest.raises(Malformed):
        split(body)


@given(st.dictionaries(st.text(), values, max_size=5), st.lists(values, max_size=5))
def test_what_is_json_is_split_like_a_decoder_would(fields: dict[str, object], items: list[object]) -> None:
    fields.pop("batch", None)
    for ascii_only in (True, False):
        body = json.dumps({**fields, "batch": items}, ensure_ascii=ascii_only).encode()
        parts = split(body)
        assert [json.loads(raw) for raw in parts.batch or []] == items
        assert {name: json.loads(raw) for name, raw in parts.fields.items()} == fields


@given(st.binary(max_size=60) | st.text('{}[]":,\\1ea \n', max_size=60).map(str.encode))
def test_whatever_comes_is_split_or_malformed(body: bytes) -> None:
    try:
        split(body)
    except Malformed:
        assert not _is_object(body)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(orjson.loads(body), dict)
    except orjson.JSONDecodeError:
        return False


@given(st.lists(st.sampled_from([*POISON[:5], POISON[8], b'{"messageId":"m"}']), min_size=1, max_size=6))
def test_a_rebuilt_batch_can_be_read_and_keeps_positions(items: list[bytes]) -> None:
    taken = intake.batch(b'{"writeKey":"k","batch":[' + b",".join(items) + b'],"context":{"a":1}}')
    content = orjson.loads(taken.body)
    assert taken.key == "k"
    assert content["context"] == {"a": 1}
    assert len(content["batch"]) == len(items)
    for at, raw in enumerate(items):
        good = raw.startswith(b"{")
        assert (at in taken.discards) is not good
        assert content["batch"][at] == ({"messageId": "m"} if good else None)


def test_poison_in_what_a_batch_shares_costs_the_batch() -> None:
    taken = intake.batch(b'{"writeKey":"k","batch":[{"a":1},{"b":1}],"context":{"x":1e400}}')
    assert taken.key == "k"
    assert taken.discards == {0: "BAD_REQUEST", 1: "BAD_REQUEST"}


@pytest.mark.parametrize(("depth", "kept"), [(150, True), (230, False), (900, False)])
def test_what_no_reader_could_write_out_again_is_not_taken(depth: int, kept: bool) -> None:
    deep = b'{"userId":"u","x":' + b"[" * depth + b"]" * depth + b"}"
    assert (not intake.single(deep, "identify").discards) is kept
    taken = intake.batch(b'{"batch":[{"a":1},' + deep + b"]}")
    assert taken.discards == ({} if kept else {1: "BAD_REQUEST"})
    taken = intake.batch(b'{"batch":[{"a":1}],"context":' + deep + b"}")
    assert taken.discards == ({} if kept else {0: "BAD_REQUEST"})


def test_the_last_of_two_keys_wins_as_in_the_decoder() -> None:
    assert split(b'{"batch":[1],"batch":[1e400],"a":1,"a":2}') == ({"a": b"2"}, [b"1e400"])
