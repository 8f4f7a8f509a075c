"""Frames: whole however they are cut, and nothing but the known kinds gets through."""

import json
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.functions import wire
from onward.functions.wire import LARGEST, ProtocolError, Reader

KNOWN = [
    {"t": "ready"},
    {"t": "loaded", "ok": True, "handlers": ["onTrack"]},
    {"t": "res", "id": 1, "ok": True, "value": {"a": 1}, "logs": [[1.0, "log", "x"]], "lost": 0},
    {"t": "res", "id": 2, "ok": False, "error": {"name": "E", "message": "m", "stack": "s", "line": 3}},
    {"t": "fetch", "id": 1, "inv": 1, "url": "http://x", "method": "GET", "headers": [["a", "b"]]},
    {"t": "fabort", "id": 1},
    {"t": "uncaught", "inv": 0, "error": {"name": "E", "message": "m"}},
]


@given(st.lists(st.sampled_from(KNOWN), max_size=8), st.lists(st.integers(0, 400), max_size=10))
def test_frames_come_whole_however_they_are_cut(messages: list[dict[str, object]], cuts: list[int]) -> None:
    data = b"".join(wire.encode(message) for message in messages)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    reader = Reader()
    found = [frame for start, end in pairwise(edges) for frame in reader.feed(data[start:end])]
    assert [repr(each).replace("msgspec.Raw object", "")[:6] for each in found] == [
        repr(wire.decode(json.dumps(message).encode()))[:6] for message in messages
    ]


@given(st.binary(min_size=1, max_size=200))
def test_bytes_are_frames_or_refused(data: bytes) -> None:
    reader = Reader()
    try:
        for frame in reader.feed(struct.pack(">I", len(data)) + data):
            assert isinstance(frame, wire.Frame)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{}",
        '{"t":"eval"}',
        '{"t":"res","id":"1","ok":true}',
        '{"t":"res","id":1}',
        '{"t":"fetch","id":1,"inv":1,"url":5}',
        '{"t":"fetch","id":1,"inv":1,"url":"x","headers":[["a"]]}',
        '{"t":"ready"',
        "[" * 100_000 + "]" * 100_000,
        '{"t":"res","id":1,"ok":true,"logs":[["x","y","z"]]}',
    ],
)
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        wire.decode(text.encode())


def test_a_frame_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(ProtocolError):
        list(Reader().feed(struct.pack(">I", LARGEST + 1)))


@pytest.mark.parametrize("value", ["x" * (LARGEST + 1), {1, 2}, 1 << 70])
def test_what_cannot_be_handed_over_is_said(value: object) -> None:
    with pytest.raises(ValueError):
        wire.encode({"t": "inv", "a": value})
