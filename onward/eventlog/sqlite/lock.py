"""One writer: a lock on `writer.lock` in the log's folder, held as long as its process lives.

The kernel drops it when the process ends, however it ends, so there is no stale lock to remove.
"""

import fcntl
import os
import time
from pathlib import Path

from onward.eventlog.protocol import LogUnavailable

_POLL = 0.02


class WriterLock:
    def __init__(self, folder: Path, timeout: float) -> None:
        """Take the lock; raises `LogUnavailable` if another writer keeps it for `timeout` seconds.

        Waiting covers a restart: the process before may still be on its way out.
        """
        self._path = folder / "writer.lock"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._take(time.monotonic() + timeout)
        except BaseException:
            os.close(self._descriptor)
            raise
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def _take(self, deadline: float) -> None:
        while True:
            try:
                return fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip()
                    raise LogUnavailable(
                        f"{self._path}: process {holder or 'unknown'} is writing this event log; "
                        "stop it, or give this one a data folder of its own"
                    ) from None
            time.sleep(_POLL)

    def release(self) -> None:
        os.close(self._descriptor)
