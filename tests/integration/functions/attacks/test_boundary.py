"""Nothing outside a function's process can be reached from it: with both layers, and with each alone.

This is the gate for another version of Deno: each layer must hold where the other is missing.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from integration.functions.attacks.table import ALL, script
from integration.functions.tools import CONFINEMENT, PATIENT, runner, value

from onward.egress.masking import Masking
from onward.functions.sandbox import RUNNER, bundles, cache
from onward.functions.selftest import NoWay

SECRET = "the-secret-5f1c9"
MARKER = "got-in-7b2e4"

LAYERS = {
    "both": CONFINEMENT,
    "permissions": msgspec.structs.replace(CONFINEMENT, box=False),
    "box": msgspec.structs.replace(CONFINEMENT, permissions=False),
}
WITHIN = {
    # What a layer alone does not keep, and nothing of it leaves the process.
    ("box", "FFI: kill"): "Landlock of kernels before ABI 6 has no scope for signals; the user does it there",
}


class Outside:
    """What there is to reach: listeners that count, a folder that anyone may write, a secret file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hits: list[str] = []
        self.told: dict[str, Any] = {}
        self.found_before: set[str] = set()

    async def open(self) -> None:
        self.folder.chmod(0o777)
        secret = self.folder / "secret.js"
        secret.write_text(f"export default '{SECRET}'")
        (self.folder / "secret.json").write_text(f'"{SECRET}"')
        secret.chmod(0o666)

        def hit(name: str) -> Any:
            def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                self.hits.append(name)
                writer.close()

            return accept

        self.servers = [
            await asyncio.start_server(hit("tcp"), "127.0.0.1", 0),
            await asyncio.start_server(hit("http"), "127.0.0.1", 0),
            await asyncio.start_unix_server(hit("unix"), str(self.folder / "socket")),
        ]
        (self.folder / "socket").chmod(0o777)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        tcp, web = (server.sockets[0].getsockname()[1] for server in self.servers[:2])
        self.told = {
            **{"secret": str(secret), "folder": str(self.folder), "tcp": tcp, "http": web},
            **{"udp": self.udp.getsockname()[1], "unix": str(self.folder / "socket"), "marker": MARKER},
            **{"parent": os.getpid(), "runner": str(RUNNER), "cache": str(cache(CONFINEMENT.libraries))},
            "libraries": str(bundles(CONFINEMENT.libraries)),
        }
        self.found_before = self._files()

    def _files(self) -> set[str]:
        watched = (self.folder, RUNNER, bundles(CONFINEMENT.libraries), cache(CONFINEMENT.libraries))
        return {
            f"{path} {path.stat().st_size} {path.stat().st_mode:o}"
            for each in watched
            for path in each.rglob("*")
            if "_cache_v" not in path.name  # Deno's own databases, where no box keeps it from writing
        }

    def traces(self) -> list[str]:
        """What has changed, or was reached."""
        found = [*self.hits, *sorted(self._files() ^ self.found_before)]
        try:
            self.udp.recv(100)
            found.append("udp")
        except BlockingIOError:
            pass
        return found

    def close(self) -> None:
        for server in self.servers:
            server.close()
        self.udp.close()


@pytest.fixture
async def outside(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outside]:
    base = tmp_path_factory.getbasetemp()
    for above in (base, *base.parents):  # so that only the sandbox is in the way
        if above.stat().st_uid == os.getuid() and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o011)
    made = Outside(tmp_path_factory.mktemp("outside"))
    await made.open()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def planted() -> Iterator[None]:
    os.environ["ONWARD_PLANTED"] = SECRET
    yield
    del os.environ["ONWARD_PLANTED"]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("layers", LAYERS)
async def test_nothing_gets_out(layers: str, kind: str, outside: Outside) -> None:
    attacks = ALL[kind]
    async with runner("async function onTrack() { return 'unhurt' }") as neighbour:
        asked = {**outside.told, "neighbour": neighbour.pid}
        limits = msgspec.structs.replace(PATIENT, wall=90.0)
        async with runner(script(attacks), LAYERS[layers], limits) as attacker:
            made = await attacker.invoke("onTrack", asked, {}, NoWay(), Masking(()))
        assert made.error is None, made
        found = value(made)
        assert found.keys() == attacks.keys()
        let_in = {
            name: told["got"]
            for name, told in found.items()
            if "got" in told
            and (SECRET in told["got"] or MARKER in told["got"])
            and (layers, name) not in WITHIN
        }
        assert not let_in
        assert outside.traces() == []
        assert value(await neighbour.invoke("onTrack", {}, {}, NoWay(), Masking(()))) == "unhurt"


async def test_the_box_holds_without_another_user(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where Onward is no root, or stands in a folder that others can't read."""
    monkeypatch.setattr("onward.functions.sandbox._others_can_read", lambda *paths: False)
    async with runner(
        script(ALL["files"]), LAYERS["box"], msgspec.structs.replace(PATIENT, wall=90.0)
    ) as attacker:
        made = await attacker.invoke("onTrack", outside.told, {}, NoWay(), Masking(()))
    got = {name: told["got"] for name, told in value(made).items() if "got" in told}
    assert not [name for name, what in got.items() if SECRET in what or MARKER in what]
    assert outside.traces() == []


async def test_the_attacks_would_work_outside_the_sandbox(outside: Outside) -> None:
    """Else they would prove nothing."""
    open_ = msgspec.structs.replace(CONFINEMENT, permissions=False, box=False)
    kinds = {
        "files": ("read", "read by node:fs", "write", "list"),
        "programs": ("exec by node", "FFI: system", "FFI: open", "FFI: socket"),
        "network": ("TCP", "node:dgram", "unix socket", "listen", "node:http"),
        "imports": ("a file", "a worker thread"),
    }
    for kind, names in kinds.items():
        attacks = {name: ALL[kind][name] for name in names}
        async with runner(script(attacks), open_, msgspec.structs.replace(PATIENT, wall=90.0)) as attacker:
            made = await attacker.invoke("onTrack", outside.told, {}, NoWay(), Masking(()))
        found = value(made)
        for name in names:  # a listener that hangs up is seen by its count
            assert "got" in found[name] or name == "node:http", (name, found[name])
    assert {"tcp", "unix", "http", "udp"} <= set(outside.traces())
