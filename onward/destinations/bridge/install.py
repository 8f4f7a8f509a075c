"""Installs Segment's open-source destinations: packages from the npm registry, pinned, and their definitions.

The folder holds `node_modules`, `catalogue.json` (what `definitions.py` reads) and `installed` (a digest of
what it was made from). How it is made and swapped in, and what happens if the process dies meanwhile, is told
in `onward.npm`.

The registry's newest versions of some dependencies break the packages: `packages/package.json` pins the
versions that they were released with, and adds one that they forgot to name (xml-js).
"""

import subprocess
from importlib.resources import files
from pathlib import Path

import deno
import msgspec

from onward import npm
from onward.npm import InstallError, Progress

PACKAGES = Path(str(files(__package__))) / "packages"
MADE_FROM = ("package.json", "deno.lock", "export.cjs")
CATALOGUE = "catalogue.json"


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
    folder = folder.absolute()
    changed = npm.install(folder, PACKAGES, digest(), _finish, progress or (lambda what, done: None))
    return _describe(folder, changed)


def digest() -> str:
    """What an installation made by this version of Onward is made from."""
    return npm.digest([PACKAGES / name for name in MADE_FROM])


def is_current(folder: Path) -> bool:
    """Whether `folder` holds what this version of Onward would install."""
    return npm.digest_of(folder) == digest()


def cache_folder(folder: Path) -> Path:
    """What Deno finds out about the files, so that it need not again; it does without if it can't write."""
    return folder / ".cache"


def _finish(folder: Path, tell: Progress) -> None:
    tell("reading the definitions", 0.85)
    (folder / CATALOGUE).write_bytes(_export(folder))


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
