"""Installs Segment's open-source destinations: packages from the npm registry, pinned, and their definitions.

The folder holds `node_modules`, `catalogue.json` (what `definitions.py` reads) and `installed` (a digest of
what it was made from). It is made beside the one in use and takes its place by a rename.

What if the process dies here? Before the swap the folder in use is as it was; between the swap's two renames
there is none, and the next installation makes one. What is left beside it is removed by the next one, too.
A lock keeps two installations apart. Processes that run go on with the definitions that they have read,
and should be restarted.

The registry's newest versions of some dependencies break the packages: `packages/package.json` pins the
versions that they were released with, and adds one that they forgot to name (xml-js).
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import deno
import msgspec

PACKAGES = Path(str(files(__package__))) / "packages"
MADE_FROM = ("package.json", "deno.lock", "export.cjs")
CATALOGUE = "catalogue.json"
STAMP = "installed"

PATIENCE = 900.0
"""Seconds that fetching the packages may take."""
UNNEEDED = ("*.map", "*.d.ts", "*.d.mts", "*.d.cts")
"""Files that nobody reads at run time: a quarter of the disk that all take."""

Progress = Callable[[str, float], None]
"""Called with what is being done and how much of everything is done, from 0 to 1."""


class InstallError(Exception):
    """The message says what failed and what to do."""


class Installed(msgspec.Struct, frozen=True):
    """What is in a folder."""

    name: str
    version: str
    license: str
    destinations: int
    changed: bool = True
    """Whether this installation has changed anything."""


def install(folder: Path, progress: Progress | None = None) -> Installed:
    """Have the catalogue in `folder`; quick if it is there already. Raises `InstallError`."""
    tell = progress or (lambda what, done: None)
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            if _digest_of(folder) == digest():
                tell("up to date", 1.0)
                return _describe(folder, changed=False)
            with tempfile.TemporaryDirectory(prefix=f".{folder.name}-new-", dir=folder.parent) as scratch:
                made = Path(scratch) / folder.name
                _make(made, tell)
                _swap(made, folder, Path(scratch) / "old")
            tell("installed", 1.0)
            return _describe(folder, changed=True)
    except OSError as error:
        raise InstallError(f"the catalogue can't be installed in {folder}: {error}") from error


def digest() -> str:
    """What an installation made by this version of Onward is made from."""
    return hashlib.sha256(b"\0".join((PACKAGES / name).read_bytes() for name in MADE_FROM)).hexdigest()


def is_current(folder: Path) -> bool:
    """Whether `folder` holds what this version of Onward would install."""
    return _digest_of(folder) == digest()


def cache_folder(folder: Path) -> Path:
    """What Deno finds out about the files, so that it need not again; it does without if it can't write."""
    return folder / ".cache"


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


def _make(folder: Path, tell: Progress) -> None:
    folder.mkdir()
    for name in ("package.json", "deno.lock"):
        shutil.copyfile(PACKAGES / name, folder / name)
    _fetch(folder, tell)
    tell("leaving out what is not needed", 0.8)
    for pattern in UNNEEDED:
        for path in folder.rglob(pattern):
            if path.is_file() and not path.is_symlink():
                path.unlink()
    tell("reading the definitions", 0.85)
    (folder / CATALOGUE).write_bytes(_export(folder))
    (folder / STAMP).write_text(digest())


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
                tell("fetching packages", 0.8 * min(1.0, steps / (2 * packages)))
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


def _export(folder: Path) -> bytes:
    """The definitions. The packages' code runs here for the first time: it may read itself, and no more."""
    done = subprocess.run(  # noqa: S603  (as above)
        [
            *(deno.find_deno_bin(), "run", "--no-prompt", "--no-remote", "--cached-only", "--quiet"),
            *(f"--allow-read={PACKAGES},{folder}", "--allow-env", "--allow-sys=homedir"),
            *(PACKAGES / "export.cjs", folder),
        ],
        cwd=folder,
        env={"DENO_DIR": str(cache_folder(folder)), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise InstallError(f"the definitions can't be read: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


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


def _digest_of(folder: Path) -> str | None:
    try:
        return (folder / STAMP).read_text()
    except OSError:
        return None


class Exported(msgspec.Struct):
    """What `catalogue.json` holds."""

    source: dict[str, str]
    destinations: dict[str, msgspec.Raw]
    """By slug."""


def read_exported(folder: Path) -> Exported:
    return msgspec.json.decode((folder / CATALOGUE).read_bytes(), type=Exported)


def _describe(folder: Path, changed: bool) -> Installed:
    exported = read_exported(folder)
    return Installed(**exported.source, destinations=len(exported.destinations), changed=changed)
