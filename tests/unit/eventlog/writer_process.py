"""A process that writes a log, tells what was acknowledged, and dies where it is told to.

Arguments: folder, slice in ms, place to die or `-`. Prints one line `source seq` for each record
that was acknowledged. Its records carry their own place: body `source first_seq`, one event each, so a
reader sees what is missing, doubled or mixed up.
"""

import os
import random
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from onward.eventlog.protocol import Draft
from onward.eventlog.sqlite import SqliteLog, slices

SOURCES = ("a", "b", "c")


def main() -> None:
    folder, slice_ms, place = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    log = SqliteLog(folder, slice_ms=slice_ms, retention_ms=20 * slice_ms, reserve_bytes=0, lock_timeout=30)
    seqs = {source: head.seq for source, head in log.heads().items()}
    random.seed(os.getpid())
    if place != "-":
        die_at(place)
    for now in count(max([0, *(record.received_at for record in log.scan(0, 1 << 30)[-1:])])):
        group = [Draft(random.choice(SOURCES), now, 1, b"") for _ in range(random.randint(1, 20))]
        drafts = []
        for draft in group:
            seq = seqs[draft.source_id] = seqs.get(draft.source_id, 0) + 1
            body = f"{draft.source_id} {seq - 1} ".encode() + os.urandom(random.choice([0, 500, 9000]))
            drafts.append(Draft(draft.source_id, now, 1, body))
        ends = log.append(drafts)
        lines = [f"{draft.source_id} {end.seq}\n" for draft, end in zip(drafts, ends, strict=True)]
        os.write(1, "".join(lines).encode())
        if place.startswith("prune"):
            log.prune(now)


def die_at(place: str) -> None:
    """Kill this process at the named step of making or deleting a slice, the third time it is reached."""
    moment, name = place.split()[-2:]
    owner: Any = {"rename": Path, "unlink": Path}.get(name, slices)
    original: Callable[..., Any] = getattr(owner, name)
    calls = count(1)

    def dying(*values: Any, **names: Any) -> Any:
        fatal = next(calls) == 3
        if fatal and moment == "before":
            os.kill(os.getpid(), 9)
        result = original(*values, **names)
        if fatal:
            os.kill(os.getpid(), 9)
        return result

    setattr(owner, name, dying)


if __name__ == "__main__":
    main()
