"""The decode cache: what is shared, what is bounded, what it answers at the end of a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.eventlog.cache import DecodeCache, Decoded
from onward.eventlog.memory import MemoryLog, MemoryReader
from onward.eventlog.protocol import Draft, Record
from onward.eventlog.record import CorruptRecord, content_size, decode, encode
from onward.pipeline.types import Envelope


class CountingReader(MemoryReader):
    reads = 0

    def read(self, source_id: str, after: int, limit: int) -> list[Record]:
        self.reads += 1
        return super().read(source_id, after, limit)


class World:
    """A log of records whose bodies are numbers, a cache over it, and counts of the work done."""

    def __init__(self, **sizes: int) -> None:
        self.log = MemoryLog()
        self.reader = CountingReader(self.log._state)
        self.decodes = 0
        self.cache: DecodeCache[bytes] = DecodeCache(self.reader, self.decode, **sizes)
        self.added = 0

    def decode(self, record: Record) -> bytes:
        self.decodes += 1
        return decode(record.body)[1]

    def add(self, records: int, source: str = "a", size: int = 0) -> None:
        for _ in range(records):
            body = str(self.added).encode().ljust(size)
            self.log.append([Draft(source, 0, 1, encode(Envelope(0, False), body))])
            self.added += 1

    def drain(self, source: str = "a", after: int = 0, limit: int = 10) -> list[Decoded[bytes]]:
        found: list[Decoded[bytes]] = []
        while part := self.cache.read(source, after, limit):
            assert len(part) <= limit
            found += part
            after = part[-1].offset
        return found


def test_many_cursors_at_one_place_cost_one_read_and_one_decode() -> None:
    world = World()
    world.add(4)
    first = world.cache.read("a", 0, 4)
    assert [each.value for each in first] == [b"0", b"1", b"2", b"3"]
    for _ in range(100):
        assert world.cache.read("a", 0, 4) == first
        assert world.cache.read("a", first[1].offset, 4) == first[2:]
    assert (world.reader.reads, world.decodes) == (1, 4)


def test_records_keep_their_place_in_the_log() -> None:
    world = World()
    world.add(3)
    records = world.log.read("a", 0, 3)
    decoded = world.drain()
    assert [each.end for each in decoded] == [each.end for each in records]
    assert [(each.received_at, each.first_seq, each.count) for each in decoded] == [
        (0, 0, 1),
        (0, 1, 1),
        (0, 2, 1),
    ]
    assert [each.bytes for each in decoded] == [content_size(each.body) for each in records]


def test_the_end_costs_nothing_until_something_changed() -> None:
    world = World()
    world.add(1)
    assert world.cache.changed()
    end = world.drain()[-1].offset
    reads = world.reader.reads
    for _ in range(100):
        assert world.cache.read("a", end, 10) == []
    assert not world.cache.changed()
    assert world.reader.reads == reads
    world.add(1)
    assert world.cache.changed()
    assert [each.value for each in world.cache.read("a", end, 10)] == [b"1"]


def test_what_is_kept_is_bounded_in_bytes() -> None:
    world = World(max_bytes=20_000)
    world.add(100, size=1000)
    world.add(100, "b", size=1000)
    for source in "ab":
        assert len(world.drain(source)) == 100
        assert world.cache._bytes <= 20_000
        assert world.cache._bytes == sum(each.bytes for each in world.cache._next.values())
        assert len(world.cache._next) <= 20


def test_what_was_used_last_is_kept_longest() -> None:
    world = World(max_bytes=3500, chunk_bytes=1000)
    world.add(1, "head", size=1000)
    world.add(20, size=1000)
    for record in world.log.read("a", 0, 20):
        world.cache.read("head", 0, 1)
        world.cache.read("a", record.offset - 1, 1)
    decodes = world.decodes
    assert world.cache.read("head", 0, 1)
    assert world.decodes == decodes == 21


def test_a_record_larger_than_the_cache_is_returned_all_the_same() -> None:
    world = World(max_bytes=100)
    world.add(3, size=1000)
    assert [each.value.strip() for each in world.drain() if isinstance(each.value, bytes)] == [
        b"0",
        b"1",
        b"2",
    ]
    assert world.cache._bytes == 0


def test_cursors_far_apart_decode_nothing_twice() -> None:
    world = World(max_bytes=3000, chunk_bytes=1000)
    world.add(300, size=100)
    places = [record.offset for record in world.log.read("a", 0, 300)]
    cursors = [0, *places[99:200:100]]
    for _ in range(200):
        for number, cursor in enumerate(cursors):
            part = world.cache.read("a", cursor, 10)
            cursors[number] = part[-1].offset if part else cursor
    assert cursors == [places[-1]] * 3
    assert world.decodes <= 300 + 200 + 100


@pytest.mark.parametrize(("size", "most"), [(10, 372), (2000, 4), (100_000, 1)])
def test_reads_are_sized_in_bytes(size: int, most: int) -> None:
    world = World(chunk_bytes=8192)
    world.add(400, size=size)
    first = world.cache.read("a", 0, 1000)
    assert len(first) == 4
    second = world.cache.read("a", first[-1].offset, 1000)
    assert most / 2 <= len(second) <= most


def test_a_corrupt_record_is_one_value_and_its_neighbours_live() -> None:
    world = World()
    world.add(1)
    blob = bytearray(encode(Envelope(0, False), b"some body, long enough"))
    blob[-1] ^= 1
    world.log.append([Draft("a", 0, 7, bytes(blob)), Draft("a", 0, 2, b"")])
    world.add(1)
    values = [each.value for each in world.drain()]
    assert values[0] == b"0"
    assert values[3] == b"1"
    assert all(isinstance(value, CorruptRecord) for value in values[1:3])
    assert [each.count for each in world.drain()] == [1, 7, 2, 1]


def test_a_defect_of_the_decoder_passes_through() -> None:
    world = World()
    world.add(1)

    def defective(record: Record) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        DecodeCache(world.reader, defective).read("a", 0, 1)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.integers(0, 6)) | st.integers(1, 20),
        max_size=60,
    ),
    st.integers(0, 4000),
    st.integers(1, 2000),
)
def test_whatever_is_cached_each_cursor_reads_its_source_in_order(
    steps: list[tuple[str, int, int] | int], max_bytes: int, chunk_bytes: int
) -> None:
    """Steps are reads (source, cursor, limit), or how many records to append to each source."""
    world = World(max_bytes=max_bytes, chunk_bytes=chunk_bytes)
    cursors: dict[tuple[str, int], list[Decoded[bytes]]] = {}

    def step(source: str, cursor: int, limit: int) -> None:
        seen = cursors.setdefault((source, cursor), [])
        seen += world.cache.read(source, seen[-1].offset if seen else 0, limit)

    for action in steps:
        if isinstance(action, int):
            for source in "abc":
                world.add(action, source, size=50)
        else:
            step(*action)
    world.cache.changed()
    for (source, cursor), seen in cursors.items():
        before = -1
        while len(seen) > before:
            before = len(seen)
            step(source, cursor, 7)
        assert [each.end for each in seen] == [each.end for each in world.log.read(source, 0, 10_000)]
