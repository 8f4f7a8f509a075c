"""Segment's own client libraries for tests, each installed as it is pinned, once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness import alone, deno_install

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / "tests" / "integration" / "clients"
JAVASCRIPT = ROOT / "tests" / "integration" / "js" / "clients"


def python_client(name: str) -> Path:
    """The folder with a pinned Python client; the clients' dependencies conflict, so each has its own."""
    folder = ROOT / ".clients" / name
    wanted = (PYTHON / f"{name}.txt").read_text() + sys.version
    stamp = folder / ".installed"
    with alone(PYTHON):
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
            subprocess.run([*pip, "-r", str(PYTHON / f"{name}.txt")], check=True, timeout=300)
            stamp.write_text(wanted)
    return folder


def javascript_clients() -> Path:
    """The folder with the pinned JavaScript clients."""
    deno_install(JAVASCRIPT)
    return JAVASCRIPT


def run_deno(*arguments: str, timeout: float = 60) -> None:
    """In the folder of the JavaScript clients, which must be installed."""
    deno = Path(sys.executable).parent / "deno"
    environment = {**os.environ, "DENO_TLS_CA_STORE": "system", "NO_COLOR": "1"}
    done = subprocess.run(
        [deno, *arguments], cwd=JAVASCRIPT, env=environment, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout + done.stderr
