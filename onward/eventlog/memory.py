"""The event log in memory: the twin for tests, with the same rules and nothing on disk.

Nothing survives the process. `full` makes `append` raise `LogFull`, as a disk at its reserve would.
"""

import bisect
from collections.abc import Sequence

import msgspec

from onward.eventlog.protocol import Draft, LogFull, Position, Record

HOUR = 3_600_000


class _Slice:
    def __init__(self, started_at: int) -> None:
        self.started_at = started_at
        self.records: list[Record] = []

    @property
    def bytes(self) -> int:
        return sum(len(record.body) for record in self.records)


class _State:
    """What a log and its readers share."""

    def __init__(self) -> None:
        self.slices: list[_Slice] = []
        self.heads: dict[str, Position] = {}
        self.last_offset = 0
        self.last_received = 0


class MemoryReader:
    """`LogReader` and `LogEraser` over a `MemoryLog`."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._asked_at = 0

    def read(self, source_id: str, after: int, limit: int) -> list[Record]:
        return [each for each in self._above(after) if each.source_id == source_id][:limit]

    def scan(self, after: int, limit: int) -> list[Record]:
        return self._above(after)[:limit]

    def heads(self) -> dict[str, Position]:
        return dict(self._state.heads)

    def seek(self, source_id: str, received_at: int) -> Position:
        for record in self._above(0):
            if record.source_id == source_id and record.received_at >= received_at:
                return Position(record.offset - 1, record.first_seq)
        return self._state.heads.get(source_id, Position())

    def replace(self, bodies: Sequence[tuple[int, bytes]]) -> None:
        new = dict(bodies)
        for each in self._state.slices:
            each.records = [
                msgspec.structs.replace(record, body=new.get(record.offset, record.body))
                for record in each.records
            ]

    def finish(self) -> None: ...

    def changed(self) -> bool:
        before, self._asked_at = self._asked_at, self._state.last_offset
        return before != self._asked_at

    def close(self) -> None:
        """Nothing to let go of."""

    def _above(self, after: int) -> list[Record]:
        records = [record for each in self._state.slices for record in each.records]
        return records[bisect.bisect_right(records, after, key=lambda record: record.offset) :]


class MemoryLog(MemoryReader):
    """`EventLog` in memory."""

    def __init__(
        self,
        *,
        slice_ms: int = HOUR,
        retention_ms: int = 168 * HOUR,
        retention_bytes: int | None = None,
    ) -> None:
        super().__init__(_State())
        self.full = False
        self._slice_ms = slice_ms
        self._retention_ms = retention_ms
        self._retention_bytes = retention_bytes

    def reader(self) -> MemoryReader:
        """Another reader, with a `changed` of its own."""
        return MemoryReader(self._state)

    def append(self, drafts: Sequence[Draft]) -> list[Position]:
        if drafts and self.full:
            raise LogFull("the log is set to be full")
        return [self._add(draft) for draft in drafts]

    def prune(self, now: int) -> int:
        kept = self._state.slices
        if kept and kept[-1].records and (now >= kept[-1].started_at + self._slice_ms or self._over_size()):
            self._state.last_received = max(now, self._state.last_received)
            kept.append(_Slice(self._state.last_received))
        freed = 0
        while len(kept) > 1 and (kept[1].started_at <= now - self._retention_ms or self._over_size()):
            freed += kept.pop(0).bytes
        return freed

    def _add(self, draft: Draft) -> Position:
        state = self._state
        state.last_offset += 1
        state.last_received = max(state.last_received, draft.received_at)
        current = state.slices[-1] if state.slices else None
        if not current or (current.records and state.last_received >= current.started_at + self._slice_ms):
            current = _Slice(state.last_received)
            state.slices.append(current)
        seq = state.heads.get(draft.source_id, Position()).seq
        record = Record(state.last_offset, draft.source_id, state.last_received, seq, draft.count, draft.body)
        current.records.append(record)
        state.heads[draft.source_id] = record.end
        return record.end

    def _over_size(self) -> bool:
        limit = self._retention_bytes
        return limit is not None and sum(each.bytes for each in self._state.slices) > limit
