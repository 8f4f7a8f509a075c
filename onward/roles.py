"""Who is running on a data folder: locks, heartbeats and the supervisor's books, under `DATA/run/`.

* `supervisor.lock` is held by the one supervisor of the folder. A second one fails at once.
* `tree.lock` is one open file that the supervisor shares with its children, so it is free only when the
  last process of the tree is gone. A new supervisor waits for that: an orphan and its replacement never
  run at the same time, whoever was killed. Locks are the kernel's and end with the processes.
* `<role>.beat` is rewritten by its process every second; an old one means that the process is gone or
  stuck.
* `supervisor.json` tells what the supervisor knows of its children (`Report`).

Files are replaced as a whole, so a reader never sees half of one. What a killed process leaves behind
is stale and is told from the time in it; nothing here is needed for recovery.
"""

import asyncio
import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

PRIVATE = 0o077
"""The umask of all that writes to a data folder: people's data and keys are its owner's alone."""

PARTS = ("dedupe", "log", "run")
"""The folders in a data folder. What else is there, a demo's data folder for one, is not looked at."""

BEAT_EVERY = 1.0
"""Seconds between two heartbeats."""
STALE = 10.0
"""Seconds after which a heartbeat counts as missing."""


class FunctionsReport(msgspec.Struct, frozen=True):
    """How a process that runs functions stands with them."""

    state: str
    """`starting`, `running` or `refused`."""
    reason: str = ""
    """Why they are refused; their events wait."""
    layers: dict[str, str] = {}
    """Of the sandbox, and what each says of itself."""
    processes: int = 0


class Beat(msgspec.Struct):
    role: str
    pid: int
    started_at: float
    """Seconds since the epoch, as `at`."""
    at: float
    catalogue_deaths: int = 0
    """Workers of the catalogue that ended without being asked to, since this process started."""
    functions: FunctionsReport | None = None

    def fresh(self, now: float) -> bool:
        return now - self.at < STALE


class Child(msgspec.Struct):
    """One role as the supervisor sees it."""

    role: str
    state: str = "starting"
    """`starting`, `running`, `waiting` (to be restarted) or `stopped`."""
    pid: int | None = None
    restarts: int = 0
    """Unexpected ends since the supervisor started."""
    last_exit: str | None = None
    """Such as `signal 9 (SIGKILL)` or `exit status 1`."""
    last_exit_at: float | None = None
    """Seconds since the epoch."""


class Report(msgspec.Struct):
    pid: int
    started_at: float
    children: list[Child]


class DataFolderError(Exception):
    """The data folder can't be used; the message says why and what to do."""


def run_folder(data: Path) -> Path:
    """`DATA/run`, made if it is missing; raises `DataFolderError` if this user can't write there."""
    folder = data / "run"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in (data, folder):
            if not os.access(each, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), each)
    except OSError as error:
        raise DataFolderError(
            f"can't use the data folder {data}: {error.strerror}. Choose another with --data."
        ) from error
    return folder


def check_owner(data: Path) -> None:
    """Raises `DataFolderError` if a file is closed to this user, as after one start with sudo."""
    folders = [data / part for part in PARTS if (data / part).exists()]
    files = (path for folder in (data, *folders) for path in folder.glob("*") if path.is_file())
    for path in (*folders, *files):
        with suppress(FileNotFoundError):  # such as a file of SQLite's that comes and goes
            mine = path.stat().st_uid == os.geteuid()
            if not mine and not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
                raise DataFolderError(
                    f"can't use the data folder {data}: {path} belongs to another user. Give this one all of "
                    f'it with `sudo chown -R "$USER" {data}`, or choose another folder with --data.'
                )


def role_of(index: int) -> str:
    """The name of delivery process `index`."""
    return f"delivery-{index}"


class TreeLock:
    """Both locks of a data folder, held for the life of this object's process (see the module)."""

    def __init__(self, data: Path, patience: float = 30.0) -> None:
        """Raises `DataFolderError` if the folder is not this user's, another supervisor runs, or its
        children outlive `patience` s."""
        folder = run_folder(data)
        check_owner(data)
        self.supervisor = _open(folder / "supervisor.lock")
        if not _try_lock(self.supervisor):
            holder = os.pread(self.supervisor, 32, 0).decode() or "?"
            os.close(self.supervisor)
            raise DataFolderError(
                f"the data folder {data.resolve()} is in use by another onward serve (pid {holder}). "
                "Stop that one first, or choose another folder with --data."
            )
        os.ftruncate(self.supervisor, 0)
        os.pwrite(self.supervisor, str(os.getpid()).encode(), 0)
        self.tree = _open(folder / "tree.lock")
        until = time.monotonic() + patience
        while not _try_lock(self.tree):
            if time.monotonic() > until:
                self.release()
                raise DataFolderError(
                    f"processes of an earlier onward serve still run on {data.resolve()}. "
                    "Find them with `ps ax | grep onward` and stop them first."
                )
            time.sleep(0.02)
        for stale in (*folder.glob("*.beat"), *folder.glob("supervisor.json")):
            stale.unlink()

    def release(self) -> None:
        os.close(self.tree)
        os.close(self.supervisor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Heartbeat:
    """A thread that says once a second that this process lives.

    With an event loop it speaks for the loop: while that is stuck, the heart does not beat.
    """

    def __init__(self, data: Path, role: str, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._path = run_folder(data) / f"{role}.beat"
        self._beat = Beat(role, os.getpid(), time.time(), time.time())
        self._loop = loop
        self.catalogue_deaths = 0
        self.functions: Callable[[], FunctionsReport | None] = lambda: None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, and take the file away: this process ends on purpose."""
        self._stop.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._loop is None:
                self._now()
            else:
                with suppress(RuntimeError):  # the loop is closed: the process is about to end
                    self._loop.call_soon_threadsafe(self._now)
            with suppress(OSError):  # a full disk must not end the heart; the next beat tries again
                replace(self._path, msgspec.json.encode(self._beat))
            self._stop.wait(BEAT_EVERY)

    def _now(self) -> None:
        self._beat.at = time.time()
        self._beat.catalogue_deaths = self.catalogue_deaths
        self._beat.functions = self.functions()


def replace(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old or the new one, never a part."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(content)
    temporary.replace(path)


def beats(data: Path) -> dict[str, Beat]:
    """The last heartbeat of every role."""
    found = {}
    for path in (data / "run").glob("*.beat"):
        with suppress(FileNotFoundError, msgspec.DecodeError):  # gone, or torn by a power cut: no beat
            beat = msgspec.json.decode(path.read_bytes(), type=Beat)
            found[beat.role] = beat
    return found


def write_report(data: Path, report: Report) -> None:
    replace(data / "run" / "supervisor.json", msgspec.json.encode(report))


def read_report(data: Path) -> Report | None:
    with suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode((data / "run" / "supervisor.json").read_bytes(), type=Report)
    return None
