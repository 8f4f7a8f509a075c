"""Builds the web app: `web/` → `onward/built/`, which the web process serves and the wheel contains.

    python -m tools.web            build, if anything has changed since the last time
    python -m tools.web --check    also check types, lint and format
    python -m tools.web --dev      Vite's development server; ONWARD_URL says where the API is

Deno installs the packages that `web/deno.lock` pins and runs Vite, so that no Node is needed. What it was
made from stands in `onward/built/built`; nothing is done if that is the same again.

What if the process dies here? Vite writes beside `onward/built`, which a rename replaces; so there is a whole
web app, or none until the next build. A lock keeps two builds apart.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import deno

from onward.npm import deno_environment

ROOT = Path(__file__).parent.parent
WEB = ROOT / "web"
BUILT = ROOT / "onward" / "built"
GENERATED = WEB / "src" / "api" / "generated.ts"
STAMP = "built"
INSTALLED = WEB / "node_modules" / ".installed"
TYPED = WEB / "node_modules" / ".typed"


class BuildError(Exception):
    """The message says what failed and what to do."""


def build() -> bool:
    """Have the web app in `onward/built`; whether there was anything to do. Raises `BuildError`."""
    describe_api()
    wanted = digest(sources())
    if stamp(BUILT / STAMP) == wanted:
        return False
    install()
    new = BUILT.with_name(".built-new")
    shutil.rmtree(new, ignore_errors=True)
    run("vite can't build the web app", "task", "build", "--outDir", str(new))
    (new / STAMP).write_text(wanted)
    shutil.rmtree(BUILT, ignore_errors=True)
    new.rename(BUILT)
    return True


def install() -> None:
    """The packages in `web/node_modules`, as the lock file pins them."""
    wanted = digest([WEB / "package.json", WEB / "deno.lock"])
    if stamp(INSTALLED) == wanted:
        return
    run(
        "the packages of the web app can't be fetched from the npm registry (the environment or an .npmrc "
        "can name a proxy, or another registry)",
        *("install", "--frozen", "--node-modules-dir=auto"),
    )
    INSTALLED.write_text(wanted)


def describe_api() -> None:
    """The API's shapes as TypeScript, made again when the code of the API may have changed."""
    wanted = digest([*(ROOT / "onward").rglob("*.py"), ROOT / "tools" / "web_types.py"])
    if GENERATED.exists() and stamp(TYPED) == wanted:
        return
    from tools.web_types import document, typescript  # takes seconds, and mostly isn't needed

    text = typescript(document())
    if not GENERATED.exists() or GENERATED.read_text() != text:
        GENERATED.write_text(text)
    TYPED.parent.mkdir(exist_ok=True)
    TYPED.write_text(wanted)


def check() -> None:
    """Types, lint and format. Raises `BuildError`."""
    run("the types of the web app are wrong", "task", "types")
    run("the linter complains about the web app", "lint", "--quiet")
    run("the web app is not in order: `make format` puts it", "fmt", "--check", "--quiet")


def sources() -> list[Path]:
    """All that the web app is made from."""
    return [
        path
        for path in WEB.rglob("*")
        if path.is_file() and "node_modules" not in path.parts and path.suffix != ".md"
    ]


def digest(files: Iterable[Path]) -> str:
    """Of the files' names and what is in them."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"{file.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def stamp(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def run(trouble: str, *command: str) -> None:
    done = subprocess.run(  # noqa: S603  (nothing of it comes from outside)
        [deno.find_deno_bin(), *command], cwd=WEB, env=deno_environment(), capture_output=True, text=True
    )
    if done.returncode:
        raise BuildError(f"{trouble}:\n{(done.stdout + done.stderr).strip()[-6000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the web app.")
    parser.add_argument("--check", action="store_true", help="check types, lint and format, too")
    parser.add_argument("--dev", action="store_true", help="run Vite's development server")
    wanted = parser.parse_args()
    try:
        with (WEB / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = build()
            if wanted.check:
                install()
                check()
        print("web app: built" if done else "web app: up to date")
    except BuildError as error:
        sys.exit(f"web app: {error}")
    if wanted.dev:
        install()
        os.chdir(WEB)
        os.execve(deno.find_deno_bin(), ["deno", "task", "dev"], dict(deno_environment()))  # noqa: S606


if __name__ == "__main__":
    main()
