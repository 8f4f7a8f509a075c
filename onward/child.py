"""What every child of the supervisor does first, and the entry of each role.

A child gets its settings as one line of JSON on stdin, which keeps secrets out of command lines and
environments and gives all children the same settings. After that line stdin stays open as long as the
supervisor lives. When it dies, however it dies, the child dies at once: on Linux by the kernel's
parent-death signal, elsewhere (and as well) by the end of file on stdin. That is no harsher than a
kill -9, which everything here survives.
"""

import ctypes
import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from onward import observe
from onward.eventlog.protocol import LogUnavailable
from onward.roles import Heartbeat, role_of
from onward.settings import Settings, load
from onward.workspace.errors import WorkspaceError

EXIT_CONFIGURATION = 78
"""Exit status (EX_CONFIG of sysexits.h) that says: starting me again will not help."""

PR_SET_PDEATHSIG = 1


def read_settings() -> Settings:
    """The settings from stdin; from here on this process lives no longer than its supervisor."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)  # no buffering: the watch below must see the end of file itself
        if not byte:
            sys.exit("onward: this command is started by `onward serve`, not by hand")
        line += byte
    threading.Thread(target=_die_with_supervisor, name="supervisor-watch", daemon=True).start()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # as many connections as the system lets us have
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return load(None, {}, **msgspec.json.decode(bytes(line)))


def _die_with_supervisor() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def web() -> int:
    settings = read_settings()
    observe.configure(settings.log_level, "web")
    from onward.web import run

    run(settings)
    return 0


def delivery(index: int, count: int) -> int:
    settings = read_settings()
    observe.configure(settings.log_level, role_of(index))
    from onward.delivery.process import run

    run(settings, index, count)
    return 0


def sink(port: int, out: Path) -> int:
    settings = read_settings()
    observe.configure(settings.log_level, "sink")
    from onward.sink import Behaviour, Sink, run

    heartbeat = Heartbeat(settings.data, "sink")
    heartbeat.start()
    run(Sink(Behaviour(), out), "127.0.0.1", port, lambda host, port: None)
    heartbeat.stop()
    return 0


def main(arguments: list[str]) -> int:
    """`_web …`, `_delivery --index I --count N …` or `_sink --port P --out FILE`.

    What follows only tells people who look at the process what it works on.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the supervisor's to handle
    try:
        match arguments:
            case ["_web", *_]:
                return web()
            case ["_delivery", "--index", index, "--count", count, *_]:
                return delivery(int(index), int(count))
            case ["_sink", "--port", port, "--out", out]:
                return sink(int(port), Path(out))
        sys.exit(f"onward: there is no role {arguments}")
    except (WorkspaceError, LogUnavailable) as error:
        structlog.get_logger("onward").critical(str(error))
        return EXIT_CONFIGURATION
    except Exception:
        structlog.get_logger("onward").critical("process failed", exc_info=True)
        return 1
