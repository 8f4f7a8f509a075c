"""Packages of the npm registry, installed by Deno into a folder: pinned, and swapped in whole.

The folder is made beside the one in use and takes its place by a rename; `installed` in it is a digest of
what it was made from, so that nothing is done if it is there already.

What if the process dies here? Before the swap the folder in use is as it was; between the swap's two renames
there is none, and the next installation makes one. What is left beside it is removed by the next one, too.
A lock keeps two installations apart. Processes that run go on with what they have read, and should be
restarted.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import deno
import msgspec

STAMP = "installed"
FETCHED = 0.8
"""How much of everything is done when the packages are there."""

PATIENCE = 900.0
"""Seconds that fetching the packages may take."""
UNNEEDED = ("*.map", "*.d.ts", "*.d.mts", "*.d.cts")
"""Files that nobody reads at run time: a quarter of the disk that all take."""

Progress = Callable[[str, float], None]
"""Called with what is being done and how much of everything is done, from 0 to 1."""


class InstallError(Exception):
    """The message says what failed and what to do."""


def digest(files: Sequence[Path]) -> str:
    """Of what an installation is made from."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def digest_of(folder: Path) -> str | None:
    """What the folder was made from, None if there is none."""
    try:
        return (folder / STAMP).read_text()
    except OSError:
        return None


def install(
    folder: Path, packages: Path, wanted: str, finish: Callable[[Path, Progress], None], tell: Progress
) -> bool:
    """Have the packages that `packages/package.json` and its `deno.lock` name in `folder`; whether there was
    anything to do. `wanted` is the digest of everything that the folder is made from; `finish` gets the new
    folder and makes of the packages what is needed. Raises `InstallError`, or what `finish` raises.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            if digest_of(folder) == wanted:
                tell("up to date", 1.0)
                return False
            with tempfile.TemporaryDirectory(prefix=f".{folder.name}-new-", dir=folder.parent) as scratch:
                made = Path(scratch) / folder.name
                made.mkdir()
                for name in ("package.json", "deno.lock"):
                    shutil.copyfile(packages / name, made / name)
                _fetch(made, tell)
                tell("leaving out what is not needed", FETCHED)
                for pattern in UNNEEDED:
                    for path in made.rglob(pattern):
                        if path.is_file() and not path.is_symlink():
                            path.unlink()
                finish(made, tell)
                (made / STAMP).write_text(wanted)
                _swap(made, folder, Path(scratch) / "old")
            tell("installed", 1.0)
            return True
    except OSError as error:
        raise InstallError(f"{folder.name} can't be installed in {folder}: {error}") from error


def deno_environment() -> Mapping[str, str]:
    """Of this process, with what makes Deno quiet, and trust the authorities that the system trusts."""
    return {
        "DENO_TLS_CA_STORE": "mozilla,system",
        **os.environ,
        "DENO_NO_UPDATE_CHECK": "1",
        "DENO_NO_PROMPT": "1",
        "NO_COLOR": "1",
    }


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.parent.glob(f".{folder.name}-new-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _fetch(folder: Path, tell: Progress) -> None:
    packages = len(msgspec.json.decode((folder / "deno.lock").read_bytes())["npm"])
    process = subprocess.Popen(  # noqa: S603  (nothing of it comes from outside)
        [deno.find_deno_bin(), "install", "--frozen", "--node-modules-dir=auto"],
        cwd=folder,
        env=deno_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    watch = threading.Timer(PATIENCE, process.kill)
    watch.start()
    said: list[str] = []
    steps = 0
    try:
        assert process.stderr is not None
        for line in process.stderr:  # it names each package twice: when it downloads and when it unpacks it
            if line.startswith(("Download ", "Initialize ")):
                steps += 1
                tell("fetching packages", FETCHED * min(1.0, steps / (2 * packages)))
            else:
                said.append(line)
        process.wait()
    finally:
        watch.cancel()
        process.kill()
        process.wait()
    if process.returncode == -signal.SIGKILL:
        raise InstallError(f"the npm registry did not deliver everything within {PATIENCE:g} s")
    if process.returncode:
        raise InstallError(
            "the packages could not be fetched from the npm registry (the environment or an .npmrc can name "
            f"a proxy, or another registry): {''.join(said).strip()[-2000:]}"
        )


def _swap(new: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
