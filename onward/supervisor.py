"""`onward serve`: one web process and N delivery processes, restarted when they die.

Invariants:

* One supervisor a data folder, and none of its children runs twice (`onward.roles`).
* No child outlives the supervisor (`onward.child`), so killing this process stops everything.
* A child that dies is started again, at once the first time and with growing pauses if it keeps dying;
  each death is logged, counted, and visible in `/readyz` and `/metrics`.
* On SIGTERM or SIGINT the web process stops first (it answers what it has taken, then accepts no more),
  then the delivery processes drain. What does not stop within its grace is killed, which loses nothing.

It holds no state that anyone needs: when it dies here, the next start begins anew from the data folder.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from onward import observe
from onward.child import EXIT_CONFIGURATION
from onward.egress.guard import Guard
from onward.egress.override import Override
from onward.roles import PRIVATE, Child, Report, TreeLock, beats, role_of, write_report
from onward.settings import Settings
from onward.workspace.bootstrap import bootstrap

WEB_GRACE = 10.0
DELIVERY_GRACE = 20.0
SAME_REQUEST = 1.0
"""Seconds within which a second signal is the same request: timeout(1), for one, sends each twice."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 15.0
"""Seconds before a restart: doubled with every death in a row."""
GOOD_LIFE = 3.0
"""Seconds after which a death is no longer one in a row."""

log = structlog.get_logger("onward.supervisor")


class StartError(Exception):
    """Onward can't start; the message is one sentence that names the cause and the remedy."""


class Role(NamedTuple):
    name: str
    arguments: list[str]
    """Of `python -m onward`; see `onward.child`."""
    grace: float
    """Seconds between SIGTERM and SIGKILL."""


class Process:
    """One role: its current process, and what became of the earlier ones."""

    def __init__(self, role: Role, data: Path, changed: Callable[[], None]) -> None:
        self.child = Child(role.name)
        self._data = data
        self.grace = role.grace
        self._arguments = role.arguments
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    async def run(self, settings: bytes, tree_lock: int) -> None:
        """Keep the role running until `stop`; raises `StartError` if a restart would not help."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            born = time.monotonic()
            try:
                status: int | OSError = await self._live(settings, tree_lock)
            except OSError as error:  # out of processes or memory: that may pass
                status = error
            if self._stopping.is_set():
                break
            self._died(status)
            if status == EXIT_CONFIGURATION and self.child.role not in beats(self._data):  # it never worked
                raise StartError(f"the {self.child.role} process can't start; its own message is above.")
            if time.monotonic() - born > GOOD_LIFE:
                pause = FIRST_PAUSE
            log.error("process died", died=self.child.role, exit=self.child.last_exit, restart_in=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self._become("stopped", None)

    async def _live(self, settings: bytes, tree_lock: int) -> int:
        # The pipe on stdin brings the settings, and its end of file the news of our death.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "onward", *self._arguments),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(tree_lock,),
            process_group=0,
        )
        self._process = process
        self._become("running", process.pid)
        assert process.stdin is not None
        process.stdin.write(settings)
        if self._stopping.is_set():  # asked to stop while the process was being made
            process.terminate()
        try:
            return await process.wait()
        finally:
            process.stdin.close()
            self._process = None

    def _died(self, status: int | OSError) -> None:
        self.child.restarts += 1
        self.child.last_exit_at = time.time()
        if isinstance(status, OSError):
            self.child.last_exit = f"could not be started: {status.strerror}"
        elif status < 0:
            self.child.last_exit = f"signal {-status} ({signal.Signals(-status).name})"
        else:
            self.child.last_exit = f"exit status {status}"
        self._become("waiting", None)

    def _become(self, state: str, pid: int | None) -> None:
        self.child.state, self.child.pid = state, pid
        self._changed()

    def stop(self) -> None:
        """Ask the process to end, and start no other."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and all that it started."""
        self._stopping.set()
        if self._process:
            log.warning("process killed", killed=self.child.role)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def web(settings: Settings) -> list[Role]:
    return [Role("web", ["_web", str(settings.data)], WEB_GRACE)]


def delivery(settings: Settings) -> list[Role]:
    def role(index: int) -> Role:
        share = ["--index", str(index), "--count", str(settings.workers)]
        return Role(role_of(index), ["_delivery", *share, str(settings.data)], DELIVERY_GRACE)

    return [role(index) for index in range(settings.workers)]


class Supervisor:
    def __init__(self, settings: Settings, lock: TreeLock, extra: Sequence[Role] = ()) -> None:
        """`extra` roles stop last."""
        self.settings = settings
        self.lock = lock
        self._report = Report(os.getpid(), time.time(), [])
        groups: list[Sequence[Role]] = [web(settings), delivery(settings), extra]
        self._groups = [
            [Process(role, settings.data, self._write_report) for role in group] for group in groups
        ]
        """In the order of stopping."""
        self._report.children = [process.child for process in self.processes]
        self._stop = asyncio.Event()
        self._asked_at: float | None = None

    @property
    def processes(self) -> list[Process]:
        return [process for group in self._groups for process in group]

    def _write_report(self) -> None:
        with contextlib.suppress(OSError):  # a full disk must not stop the supervisor
            write_report(self.settings.data, self._report)

    async def run(self) -> None:
        """Run until a signal, or raise `StartError`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it
                loop.add_signal_handler(number, self._signalled)
        settings = msgspec.json.encode(self.settings, enc_hook=str) + b"\n"
        tasks = {
            process: loop.create_task(process.run(settings, self.lock.tree)) for process in self.processes
        }
        stop = loop.create_task(self._stop.wait())
        done, _ = await asyncio.wait([stop, *tasks.values()], return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        for group in self._groups:
            for process in group:
                process.stop()
            await asyncio.gather(*(self._ended(process, tasks[process]) for process in group))
        log.info("stopped")
        stop.cancel()
        for task in done - {stop}:
            task.result()

    async def _ended(self, process: Process, task: "asyncio.Task[None]") -> None:
        _, pending = await asyncio.wait([task], timeout=process.grace)
        if pending:
            process.kill()
            await asyncio.wait([task])

    def _signalled(self) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            self._stop.set()
        elif now - self._asked_at > SAME_REQUEST:  # asked again: no more patience
            for process in self.processes:
                process.kill()


def check_address(host: str, port: int) -> str:
    """The IP address of `host`; raises `StartError` if it can't be listened on.

    Of several addresses that a name such as `localhost` has, an IPv4 one is preferred.

    The web server shares its port with whoever asks (SO_REUSEPORT), so without this check two servers
    would take turns in answering.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
            return str(address[0])
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartError(
            f"can't listen on {host}:{port}: {reason}. Choose another with --host and --port, or with "
            "ONWARD_HOST and ONWARD_PORT."
        ) from error


def address_of(settings: Settings) -> str:
    """Where a client on this machine finds the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def serve(
    settings: Settings,
    prepare: Callable[[Settings, str | None], None] | None = None,
    extra: Sequence[Role] = (),
) -> None:
    """Blocking: run everything on a data folder until SIGTERM or SIGINT.

    `prepare` is called when the workspace is there and before anything runs on it, with the link by which
    the first owner comes in, as long as nobody has; `extra` roles run beside the others.

    Raises `StartError`, `DataFolderError` or `WorkspaceError` if that is not possible.
    """
    os.umask(PRIVATE)
    observe.configure(settings.log_level, "supervisor")
    try:
        # Or else every process would stumble over them, again and again.
        Guard(settings.egress_allow)
        override = Override(settings.egress_override)
    except ValueError as error:
        raise StartError(f"{error}.") from error
    lock = TreeLock(settings.data)
    host = check_address(settings.host, settings.port)
    settings = msgspec.structs.replace(settings, host=host, data=settings.data.resolve())
    started = bootstrap(settings, invite=True)
    if started.token:
        print(f"Public API token, shown this once: {started.token}", flush=True)
    link = None
    if started.owner_link:
        link = f"{(settings.public_url or address_of(settings)).rstrip('/')}/invite#{started.owner_link}"
        print(f"Nobody can sign in yet. Become the owner here, within a week: {link}", flush=True)
    log.info("serving", address=address_of(settings), data=str(settings.data))
    if override:
        log.warning("requests go elsewhere, for tests", egress_override=list(settings.egress_override))
    if prepare:
        prepare(settings, link)
    asyncio.run(Supervisor(settings, lock, extra).run())
    lock.release()
