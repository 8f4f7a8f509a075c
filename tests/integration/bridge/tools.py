"""Tools that answer what a test says, a way to call actions as deliveries do, and actions-core by itself."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import deno
import msgspec
import orjson

from onward.destinations.bridge.host import Bridge
from onward.destinations.definition import Action, Call, Definition
from onward.egress.http import EgressError, Request, Response
from onward.settings import Settings

HERE = Path(__file__).parent
CATALOGUE = Settings().catalog_folder


Answer = Response | EgressError | tuple[int, Any]


class Tool:
    """The world outside: remembers each request, and answers what `answer` makes of it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Any] = lambda request: (200, {"ok": True})
        self.under_way = 0

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        self.under_way += 1
        try:
            answer = self.answer(request)
            if asyncio.iscoroutine(answer):
                answer = await answer
            await asyncio.sleep(0)
        finally:
            self.under_way -= 1
        if isinstance(answer, EgressError):
            raise answer
        if isinstance(answer, Response):
            return answer
        status, body = answer
        return Response(
            status=status,
            headers={"content-type": "application/json"},
            body=body if isinstance(body, bytes) else orjson.dumps(body),
        )

    async def close(self) -> None: ...

    @property
    def bodies(self) -> list[Any]:
        return [orjson.loads(request.body) for request in self.requests]

    def seen(self) -> list[str]:
        return [f"{request.method} {request.url}" for request in self.requests]


@dataclass
class Caller:
    """Calls actions of the catalogue as deliveries do."""

    catalogue: Mapping[str, Definition]
    bridge: Bridge
    tool: Tool
    settings: dict[str, Any] = field(default_factory=dict)
    mapping: dict[str, Any] = field(default_factory=dict)
    destination_id: str = "dst"
    timeout: float = 10.0

    def having(self, **changes: Any) -> "Caller":
        return replace(self, **changes)

    def call(self, events: Any = ()) -> Call:
        return Call(
            settings=self.settings,
            http=self.tool,
            timeout=self.timeout,
            workspace_id="w",
            source_id="src",
            destination_id=self.destination_id,
            subscription_id="sub",
            mapping=self.mapping,
            events=events,
            runtime=self.bridge,
        )

    def action(self, name: str) -> Action:
        slug, action = name.split(".")
        return self.catalogue[slug].actions[action]

    async def __call__(self, name: str, *payloads: dict[str, Any], events: Any = None) -> Any:
        if events is None:
            events = [{"type": "track", "event": "E", "messageId": f"m-{n}"} for n in range(len(payloads))]
        return await self.action(name).perform(self.call(events), list(payloads))


class Reference:
    """A process of `js/reference.cjs`."""

    def __init__(self) -> None:
        command = [
            *(deno.find_deno_bin(), "run", "--quiet", "--no-prompt", "--cached-only", "--no-config"),
            *("--node-modules-dir=manual", f"--allow-read={CATALOGUE},{HERE}", "--allow-env"),
            *("--allow-sys=homedir", HERE / "js" / "reference.cjs", CATALOGUE),
        ]
        environment = {"HOME": "/nonexistent", "NO_COLOR": "1", "TZ": "UTC", "DENO_NO_UPDATE_CHECK": "1"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=CATALOGUE
        )

    def ask(self, **question: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the reference stopped with status {self.process.wait()}"
        return msgspec.json.decode(line)


def faulty_catalogue(folder: Path, destination: Path) -> Path:
    """A catalogue with one destination more, whose code is in `destination`; its files are links."""
    shutil.copytree(CATALOGUE, folder, symlinks=True, copy_function=os.link)
    package = (folder / "node_modules" / "@segment" / "action-destinations").resolve()
    shutil.copytree(destination, package / "dist" / "destinations" / destination.name)
    return folder
