"""Real processes to measure: a server in a data folder of its own, a sink, the CPU that each uses."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

TOKEN = "onward_bench_token_0123456789abcdefghijklmnopqrstuvw"
TICKS = os.sysconf("SC_CLK_TCK")
ALL = " or ".join(f'type = "{kind}"' for kind in ("identify", "track", "page", "screen", "group", "alias"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s: {condition}")
        time.sleep(0.02)
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running(
    command: list[str], environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()


class Server:
    """`onward serve` in a folder."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self._settings = {f"ONWARD_{name.upper()}": value for name, value in settings.items()}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["Server"]:
        environment = {
            "ONWARD_DATA": str(self.data),
            "ONWARD_PORT": str(self.port),
            "ONWARD_WORKERS": "1",
            "ONWARD_TOKEN": TOKEN,
            "ONWARD_EGRESS_ALLOW": "127.0.0.0/8",
            "ONWARD_LOG_LEVEL": "warning",
            **self._settings,
        }
        with running(["-m", "onward", "serve"], environment):
            wait_until(self._ready)
            yield self

    def _ready(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def pid(self, role: str) -> int:
        report = json.loads((self.data / "run" / "supervisor.json").read_bytes())
        return int(next(child["pid"] for child in report["children"] if child["role"] == role))

    def api(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api{path}",
            None if body is None else json.dumps(body).encode(),
            {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()!r}") from error

    def create_source(self, slug: str = "bench") -> tuple[str, str]:
        """Its id and write key."""
        body = {"slug": slug, "name": slug, "enabled": True, "metadataId": "http-api"}
        created = self.api("POST", "/sources", body)["source"]
        return created["id"], created["writeKeys"][0]

    def create_webhook(self, source_id: str, url: str, name: str = "bench", **mapping: Any) -> str:
        body = {"sourceId": source_id, "metadataId": "actions-webhook", "name": name, "enabled": True}
        id = self.api("POST", "/destinations", {**body, "settings": {}})["destination"]["id"]
        self.api(
            "POST",
            f"/destinations/{id}/subscriptions",
            {
                "name": "Everything",
                "actionId": "send",
                "trigger": ALL,
                "enabled": True,
                "settings": {"url": url, "method": "POST", "data": {"@path": "$."}, **mapping},
            },
        )
        return str(id)


@contextmanager
def sink(*flags: str) -> Iterator[tuple[str, int]]:
    """A sink's address and pid."""
    port = free_port()
    with running(["-m", "onward", "sink", "--port", str(port), *flags]) as process:
        wait_until(lambda: listens(port))
        yield f"http://127.0.0.1:{port}/hook", process.pid


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def load(
    port: int, write_key: str, *, batch: int, seconds: float, connections: int = 32, rate: float = 0.0
) -> dict[str, Any]:
    """Run `bench.load` in a process of its own."""
    command = [sys.executable, "-m", "bench.load", "--port", str(port), "--write-key", write_key]
    command += ["--batch", str(batch), "--seconds", str(seconds), "--connections", str(connections)]
    command += ["--rate", str(rate)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))
