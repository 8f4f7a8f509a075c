"""The event log in SQLite files: one writer, any number of reading processes on the same machine.

Format. `DATA/log/` holds one SQLite file per time slice (`slice.sql`, named as in `slices`), in WAL
mode. Retention unlinks whole files and never deletes a row. Offsets are the primary key; each writer
starts at the larger of the last offset + 1 and its clock (ms × 1024), so offsets stay below 2⁵³, grow
strictly, and are never used twice, even if the newest slice were lost. Each record holds its source's
`first_seq`, so counters and records are one and the same write; every slice begins with a table of all
sources' ends, so those are known when the last record of a source is long gone.

Invariants. `append` is one transaction and one fsync of the WAL (`synchronous=FULL`), after which, and
not before, other processes see it. Only the newest slice is written to, and only the writer makes, seals,
checkpoints and deletes slices, and it holds `writer.lock`; but deletions of people rewrite bodies in any
slice (`erase`). Readers open read-only and hold no transaction between two calls.

Crash story. What if the process is killed, or the power fails,

* in `append`? SQLite's WAL drops a transaction whose commit frame is not whole. The caller never got
  its positions, so nothing was promised. A commit that was whole but not yet reported stays: its
  sender repeats it, and deduplication knows it by messageId.
* while rolling over? The next slice is built as `*.new`, synced and renamed; before the rename it is
  an unfinished file that the next writer removes, after it the newest slice, empty. The next writer
  seals the slice before; readers that list the folder earlier (every second) need no seal.
* in `prune`? Slices go oldest first, each `.db` before its side files, so what is left is a suffix of
  the log and perhaps a side file without a slice, removed by the next `prune` or writer.
* and the newest slice is unreadable afterwards (a broken disk)? The writer refuses to start and names
  the file and what to do, rather than count on from a wrong number. A damaged older slice is skipped
  by readers, reported, and shows as a hole in `first_seq`.
* with the disk full? `append` raises `LogFull`, the transaction is rolled back, and the next `append`
  tries again.
"""

from onward.eventlog.sqlite.erase import SqliteEraser
from onward.eventlog.sqlite.reader import SqliteReader
from onward.eventlog.sqlite.writer import SqliteLog

__all__ = ["SqliteEraser", "SqliteLog", "SqliteReader"]
