"""Real processes for tests: `Onward` (a server in its own data folder) and `Sink` (where events arrive).

Use them through the fixtures of `tests/conftest.py`: `onward`, `sink`, `onward_factory`, `sink_factory`.

    def test_arrives(onward, sink):
        source = onward.create_source("web")
        onward.create_webhook(source, sink.url)
        onward.send(source, [{"type": "track", "userId": "u", "event": "Bought"}])
        assert sink.wait_for_events(1)[0]["event"] == "Bought"

Nothing here sleeps for a fixed time: `wait_until` polls a condition and fails with what it last saw.
"""

import base64
import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

TOKEN = "onward_test_token_0123456789abcdefghijklmnopqrstuv"
PORTS = range(10_000, 32_000)
"""Linux gives clients those from 32,768 on."""
TIMEOUT = 60.0
"""Seconds that a condition may take; generous, as CI machines are slow and busy."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else is in here for the same folder meanwhile, in no other process of the tests either."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def deno_install(folder: Path) -> None:
    """The packages that a folder's lock pins, in its `node_modules`; quick if they are there."""
    deno = Path(sys.executable).parent / "deno"
    environment = {**os.environ, "DENO_TLS_CA_STORE": "system", "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    command = [deno, "install", "--frozen", "--node-modules-dir=auto"]
    with alone(folder):
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
    assert done.returncode == 0, f"deno install failed:\n{done.stderr}"


def free_port() -> int:
    """One that nobody has, nor gets by chance before the caller listens on it: it is none of those that the
    kernel gives to clients, and tests that run at the same time pick theirs at random."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def wait_until(condition: Callable[[], T], timeout: float = TIMEOUT, what: str = "") -> T:
    """The first truthy value of `condition`, polled; an AssertionError with the last one if none comes."""
    until = time.monotonic() + timeout
    pause = 0.005
    while True:
        last = condition()
        if last:
            return last
        if time.monotonic() > until:
            raise AssertionError(f"not within {timeout:g} s: {what or condition}; last seen: {last!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def http(
    method: str,
    url: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    timeout: float = 15.0,
) -> Answer:
    """One request; any status is an answer. `body`: bytes as they are, anything else as JSON.
    Raises OSError when there is no answer."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    if data is not None and not request.has_header("Content-type"):
        request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as response:
            status, raw, content = response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            status, raw, content = error.code, error.headers, error.read()
    return Answer(status, {name.lower(): value for name, value in raw.items()}, content)


class Program:
    """An `onward …` command as a child of the test, its output in a log file."""

    def __init__(self, arguments: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.log = log
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "onward", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=clean | (environment or {}),
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def terminate(self, timeout: float = TIMEOUT) -> int:
        """SIGTERM, and the exit status; SIGKILL and an error if it does not end."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop within {timeout:g} s of SIGTERM\n{self.tail()}") from None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass(frozen=True)
class Source:
    id: str
    slug: str
    write_key: str


class Onward:
    """`onward serve` on a free port and a data folder of its own.

    * `start()`, `stop()` (SIGTERM, drains), `kill()` (SIGKILL of the supervisor), `restart()`
    * `kill("web")`, `kill("delivery-0")`: SIGKILL one child; `pids()` names those that run
    * `api(method, path, body)`: the Public API, with the owner's token
    * `create_source`, `create_webhook`, `send`: the common cases; `metrics()`, `ready()`
    """

    def __init__(self, folder: Path, workers: int = 1, **settings: object) -> None:
        """`settings` are those of `onward.settings`, such as `log_slice_seconds=1`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.log = folder / "onward.log"
        self.log.touch()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.workers = workers
        values: dict[str, object] = {
            "data": self.data,
            "port": self.port,
            "workers": workers,
            "token": TOKEN,
            "egress_allow": "127.0.0.0/8",
            "disk_reserve_bytes": 0,
            **settings,
        }
        self.environment = {f"ONWARD_{name.upper()}": str(value) for name, value in values.items()}
        self.program: Program | None = None

    # --- life ---

    def start(self, wait: bool = True) -> "Onward":
        assert self.program is None or not self.program.alive, "it runs already"
        self.program = Program(["serve"], self.log, self.environment)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout: float = TIMEOUT) -> None:
        def ready() -> bool:
            assert self.program is not None
            if not self.program.alive:
                raise AssertionError(
                    f"onward serve ended with {self.program.process.returncode}\n{self.tail()}"
                )
            return self.ready()

        try:
            wait_until(ready, timeout, "/readyz answers 200")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._readyz()}\n{self.tail()}") from None

    def ready(self) -> bool:
        try:
            return http("GET", f"{self.url}/readyz", timeout=2).status == 200
        except OSError:
            return False

    def _readyz(self) -> str:
        try:
            return http("GET", f"{self.url}/readyz", timeout=2).body.decode()
        except OSError as error:
            return f"/readyz: {error}"

    def stop(self) -> None:
        """Graceful stop; an AssertionError if it takes too long or ends with an error."""
        if self.program is None or not self.program.alive:
            return
        status = self.program.terminate()
        assert status == 0, f"onward serve ended with {status}\n{self.tail()}"

    def kill(self, role: str = "supervisor") -> int:
        """SIGKILL the process of this role; its pid. Killing the supervisor takes everything with it."""
        if role == "supervisor":
            assert self.program is not None
            self.program.kill()
            return self.program.process.pid
        pid = wait_until(lambda: self.pids().get(role, 0), what=f"{role} runs")
        os.kill(pid, signal.SIGKILL)
        return pid

    def restart(self) -> None:
        """Stop if it runs, and start again."""
        self.stop()
        self.start()

    def pids(self) -> dict[str, int]:
        """The children that run, by role, as the supervisor reports them."""
        try:
            report = json.loads((self.data / "run" / "supervisor.json").read_bytes())
        except FileNotFoundError:
            return {}
        return {child["role"]: child["pid"] for child in report["children"] if child["pid"]}

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        if self.program is not None and self.program.alive:
            self.program.kill()

    # --- the Public API ---

    def api(self, method: str, path: str, body: Any = None, expect: int | None = None) -> Any:
        """The `data` of the answer; an AssertionError unless it is 2xx (or `expect`, then the whole body)."""
        answer = http(method, f"{self.url}/api{path}", body, {"authorization": f"Bearer {TOKEN}"})
        if expect is not None:
            assert answer.status == expect, f"{method} {path}: {answer.status} {answer.body!r}"
            return answer.json()
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer.json()["data"]

    def create_source(self, slug: str = "test", **more: Any) -> Source:
        """A source; events sent to it from now on are its own."""
        body = {"slug": slug, "metadataId": "http-api", **more}
        created = self.api("POST", "/sources", body)["source"]
        return Source(created["id"], created["slug"], created["writeKeys"][0])

    def create_webhook(
        self,
        source: Source,
        url: str,
        name: str = "",
        delivery: dict[str, Any] | None = None,
        drop: str | None = None,
        **mapping: Any,
    ) -> str:
        """Connect `actions-webhook` to a source, with one subscription that sends every event; its id.

        `mapping` is that of the subscription: `batch_size=100`, `enable_batching=True`, `headers={…}`, …;
        `trigger="…"` replaces the trigger. `delivery` is the destination's delivery policy,
        `drop` the condition of a filter that drops events.
        """
        types = ("identify", "track", "page", "screen", "group", "alias")
        trigger = mapping.pop("trigger", " or ".join(f'type = "{type}"' for type in types))
        body: dict[str, Any] = {"sourceId": source.id, "metadataId": "actions-webhook", "enabled": False}
        if name:
            body["name"] = name
        if delivery is not None:
            body["delivery"] = delivery
        created = str(self.api("POST", "/destinations", body)["destination"]["id"])
        self.api(
            "POST",
            f"/destinations/{created}/subscriptions",
            {
                "name": "Everything",
                "actionId": "send",
                "trigger": trigger,
                "enabled": True,
                "settings": {"url": url, "method": "POST", "data": {"@path": "$."}, **mapping},
            },
        )
        if drop is not None:
            filter = {"if": drop, "actions": [{"type": "DROP"}], "title": "Drop", "enabled": True}
            self.api("POST", f"/destination/{created}/filters", {"sourceId": source.id, **filter})
        # Enabled last: what is sent from now on finds the subscription and the filter in place.
        self.api("PATCH", f"/destinations/{created}", {"enabled": True})
        return created

    # --- traffic ---

    def post(
        self, path: str, body: Any, write_key: str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """POST to the Tracking API, the write key in Basic auth."""
        head = dict(headers or {})
        if write_key is not None:
            head["authorization"] = "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()
        return http("POST", self.url + path, body, head)

    def send(self, source: Source, events: list[dict[str, Any]], size: int = 100) -> None:
        """Send events in batches; an AssertionError unless each is answered 200."""
        for start in range(0, len(events), size):
            answer = self.post("/v1/batch", {"batch": events[start : start + size]}, source.write_key)
            assert answer.status == 200, f"{answer.status} {answer.body!r}"

    def metrics(self) -> dict[str, float]:
        """`/metrics` by name with labels, such as `onward_events_received_total{source="web"}`."""
        text = http("GET", f"{self.url}/metrics").body.decode()
        lines = (line.rpartition(" ") for line in text.splitlines() if line and line[0] != "#")
        return {name: float(value) for name, _, value in lines}


class Sink:
    """`onward sink` on a free port, recording every request."""

    def __init__(self, folder: Path, *flags: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.out = folder / "sink.jsonl"
        self.log = folder / "sink.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.flags = flags
        self.program: Program | None = None

    def start(self) -> "Sink":
        command = ["sink", "--port", str(self.port), "--out", str(self.out), *self.flags]
        self.program = Program(command, self.log)
        wait_until(self._listens, what=f"the sink listens on {self.port}")
        return self

    def _listens(self) -> bool:
        assert self.program is not None and self.program.alive, self.program and self.program.tail()
        try:
            return self.stats() is not None
        except OSError:
            return False

    def stop(self) -> None:
        """SIGKILL: the port refuses connections until `start()`; what was recorded stays."""
        if self.program is not None and self.program.alive:
            self.program.kill()

    close = stop

    def behave(self, **behaviour: Any) -> None:
        """Change how it answers: fail_rate, status, latency, retry_after, hang, reset (None: default)."""
        answer = http("POST", f"http://127.0.0.1:{self.port}/_control", behaviour)
        assert answer.status == 200, answer.body

    def stats(self) -> dict[str, Any]:
        return dict(http("GET", f"http://127.0.0.1:{self.port}/_stats", timeout=5).json())

    def requests(self) -> list[dict[str, Any]]:
        """Everything recorded so far, in order of the answers."""
        if not self.out.exists():
            return []
        # The last line may be half written.
        return [json.loads(line) for line in self.out.read_bytes().splitlines(True) if line.endswith(b"\n")]

    def events(self, status: int | None = 200) -> list[dict[str, Any]]:
        """The payloads of all requests answered with `status` (None: all), batches laid flat."""
        return list(self._events(status))

    def _events(self, status: int | None) -> Iterator[dict[str, Any]]:
        for request in self.requests():
            if status is None or request["status"] == status:
                body = json.loads(request["body"])
                yield from body if isinstance(body, list) else [body]

    def wait_for_events(self, count: int, timeout: float = TIMEOUT) -> list[dict[str, Any]]:
        """At least `count` delivered events."""
        try:
            wait_until(lambda: self.stats()["items"] >= count, timeout, f"{count} events at the sink")
        except AssertionError as error:
            raise AssertionError(f"{error}; the sink has {self.stats()}") from None
        return self.events()

    def tail(self, lines: int = 20) -> str:
        return self.program.tail(lines) if self.program else ""
