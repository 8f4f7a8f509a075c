"""Segment's published engines under Deno, to compare ours with.

The packages are pinned by `js/actions/deno.lock` and installed on first use; they are not part of the
repository. One process serves a whole test session. For a long comparison, with many times the examples:

    CONFORMANCE_TIMES=50 pytest tests/conformance -k engines --timeout 0
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from harness import deno_install
from hypothesis import HealthCheck, settings

FOLDER = Path(__file__).parent / "js" / "actions"
DENO = Path(sys.executable).parent / "deno"
TIMES = int(os.environ.get("CONFORMANCE_TIMES", "1"))
ENVIRONMENT = {"DENO_TLS_CA_STORE": "system", "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}


def examples(count: int) -> settings:
    """So many generated examples, times what the environment variable CONFORMANCE_TIMES says."""
    return settings(max_examples=count * TIMES, deadline=None, suppress_health_check=list(HealthCheck))


class Engines:
    """A running process of `js/actions/engines.cjs`."""

    def __init__(self) -> None:
        deno_install(FOLDER)
        flags = [
            "--no-prompt",
            "--cached-only",
            f"--allow-read={FOLDER}",
            "--allow-env",
            "--allow-sys=homedir",
        ]
        self.process = subprocess.Popen(
            [DENO, "run", *flags, FOLDER / "engines.cjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ENVIRONMENT | {"TZ": "UTC"},
            cwd=FOLDER,
        )

    def ask(self, operation: str, *args: Any) -> Any:
        """The result of one operation. Raises AssertionError if the process is gone."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([operation, *args]).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the reference engines stopped with status {self.process.wait()}"
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def canonical(value: Any) -> str:
    """JSON text that is equal for equal values: 5.0 is 5, but 1 isn't true; the order of keys is nothing.

    Half of a surrogate pair is U+FFFD, which is what ours makes of one.
    """
    return json.dumps(_canonical(value), sort_keys=True)


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if type(value) is int or (isinstance(value, float) and value.is_integer()):
        # JavaScript writes a double as an integer up to 1e21, with zeros for the digits it doesn't have.
        return int(value) if abs(value) <= 2**53 else float(value)
    # As JSON has it.
    return None if isinstance(value, float) and not math.isfinite(value) else value
