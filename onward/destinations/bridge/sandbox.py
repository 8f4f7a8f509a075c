"""How a worker of the catalogue is started: what it may do, and how much it may take."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import deno
import msgspec

CODE = Path(str(files(__package__))) / "worker"

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker may take. The defaults are for a machine that does other things as well."""

    heap_mb: int = 1024
    """Of JavaScript objects; beyond it the process ends."""
    resident: int = 768 << 20
    """Bytes of memory from which it is replaced when its calls have ended."""
    resident_most: int = 2 << 30
    """Bytes of memory from which it is killed."""
    ping_every: float = 1.0
    patience: float = 10.0
    """Seconds without an answer after which it is killed: it may be busy, but not as long as that."""
    start: float = 30.0
    """Seconds that it may take to start."""


def command(folder: Path, limits: Limits) -> Sequence[str]:
    """The command line: no right but to read the packages and the worker's own code."""
    return (
        *(
            deno.find_deno_bin(),
            "run",
            "--quiet",
            "--no-prompt",
            "--no-remote",
            "--cached-only",
            "--no-config",
        ),
        *("--node-modules-dir=manual", f"--allow-read={CODE},{folder}", "--allow-env", "--allow-sys=homedir"),
        f"--v8-flags=--max-old-space-size={limits.heap_mb},--min-semi-space-size=32,--max-semi-space-size=64",
        *(str(CODE / "main.cjs"), "catalogue", str(folder)),
    )


def resident(pid: int) -> int:
    """Bytes of memory of a process, 0 if that can't be known."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):  # it has ended, or this system has no /proc
        return 0


def named(status: int | None) -> str:
    """How a process ended, in words."""
    if status is None or status >= 0:
        return f"exit status {status}"
    return f"signal {-status} ({signal.Signals(-status).name})"


def _die_with_parent() -> None:
    assert _prctl is not None
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


DIE_WITH_PARENT: Callable[[], None] | None = _die_with_parent if _prctl else None
"""To be called in the new process, before it becomes Deno."""
