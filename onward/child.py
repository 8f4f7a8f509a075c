"""What every child of the supervisor does first, and the entry of each role.

A child gets its settings as one line of JSON on stdin, which keeps secrets out of command lines and
environments and gives all children the same settings. After that line stdin stays open as long as the
supervisor lives. When it dies, however it dies, the child dies at once: on Linux by the kernel's
parent-death signal, elsewhere (and as well) by the end of file on stdin. That is no harsher than a
kill -9, which everything here survives.
"""

import ctypes
import os
import signal
import sys
import threading

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
    role = role_of(index)
    observe.configure(settings.log_level, role)
    from onward.delivery.process import run

    heartbeat = Heartbeat(settings.data, role)
    heartbeat.start()
    run(settings, index, count)
    heartbeat.stop()
    return 0


def main(arguments: list[str]) -> int:
    """`_web …` or `_delivery --index I --count N …`; what follows only tells people what they look at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the supervisor's to handle
    try:
        if arguments[0] == "_web":
            return web()
        return delivery(int(arguments[2]), int(arguments[4]))
    except (WorkspaceError, LogUnavailable) as error:
        structlog.get_logger("onward").critical(str(error))
        return EXIT_CONFIGURATION
    except Exception:
        structlog.get_logger("onward").critical("process failed", exc_info=True)
        return 1
