"""Segment's published destinations under Deno, with their requests recorded, to compare ours with.

The packages are those of the catalogue (`onward catalog update`), which is installed if it isn't. One process
serves a whole test module; its clock stands at `NOW`, and its dice always show the same.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

from conformance.reference import canonical

from onward.destinations.bridge.install import install
from onward.settings import Settings

SCRIPT = Path(__file__).parent / "js" / "destinations" / "perform.cjs"
NOW = 1_700_000_000
RANDOM = "ii"
"""What Mixpanel's random insert ids are while all dice show one half."""


class Destinations:
    """A running process of `js/destinations/perform.cjs`."""

    def __init__(self) -> None:
        folder = Settings().catalog_folder
        install(folder)
        flags = ["--no-prompt", "--no-remote", "--cached-only", "--allow-env", "--allow-sys=homedir"]
        self.process = subprocess.Popen(
            [
                *(Path(sys.executable).parent / "deno", "run", *flags),
                *(f"--allow-read={SCRIPT.parent},{folder}", SCRIPT, folder),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1", "TZ": "UTC"},
        )

    def ask(self, operation: str, *args: Any) -> Any:
        """The result of one operation. Raises AssertionError if the process is gone."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([operation, *args]).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the destinations stopped with status {self.process.wait()}"
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def comparable(method: str, url: str, headers: dict[str, str], body: str) -> str:
    """A request as text that is equal for requests that say the same: JSON is read, in forms, too."""
    kind = headers.get("content-type", "")
    read: Any = body
    if kind.startswith("application/x-www-form-urlencoded"):
        read = [[name, _read(value)] for name, value in parse_qsl(body, keep_blank_values=True)]
    elif body:
        read = _read(body)
    told = {name: headers[name] for name in ("content-type", "authorization") if name in headers and body}
    if "authorization" in headers:
        told["authorization"] = headers["authorization"]
    return canonical([method, url, told, read])


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
