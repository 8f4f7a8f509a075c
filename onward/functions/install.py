"""Installs the libraries that functions find as globals: packages of npm, pinned, a file for each.

The folder holds `bundles/NAME.js` (what runners read), `libraries.json` (names, versions, licences), `.cache`
(what Deno has found out about the runner's code) and `installed`. How it is swapped in is told in
`onward.npm`. esbuild, which makes one file of a package and all that it needs, is among the packages; they
themselves run in the sandbox only.
"""

import platform
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import msgspec

from onward import npm
from onward.functions.sandbox import Confinement, bundles, command, environment
from onward.npm import InstallError, Progress

PACKAGES = Path(str(files(__package__))) / "packages"
LIBRARIES = "libraries.json"
MADE_BY = "1"
"""To be raised when what is done here changes."""

NAMES = {
    "acorn": "acorn",
    "aws-sdk": "aws-sdk",
    "fetch-retry": "fetch-retry",
    "form-data": "form-data",
    "hubspot": "@hubspot/api-client",
    "jsforce": "jsforce",
    "jsonwebtoken": "jsonwebtoken",
    "libphonenumber-js": "libphonenumber-js",
    "lodash": "lodash",
    "mailchimp": "@mailchimp/mailchimp_marketing",
    "moment-timezone": "moment-timezone",
    "oauth": "oauth",
    "sendgrid-client": "@sendgrid/client",
    "sendgrid-mail": "@sendgrid/mail",
    "stripe": "stripe",
    "twilio": "twilio",
    "uuid": "uuid",
    "uuidv5": "uuidv5",
    "winston": "winston",
    "xml": "xml",
    "xml2js": "xml2js",
}
"""Of bundles, and the packages that they are made of. acorn is for the runner: it finds syntax errors."""

_EXTERNAL = ("http", "https", "net", "tls", "fs", "http2")
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class Library(msgspec.Struct, frozen=True):
    name: str
    """Of its bundle."""
    package: str
    version: str
    license: str = ""


def install(folder: Path, progress: Progress | None = None) -> bool:
    """Have the libraries in `folder`; whether anything was to be done. Raises `InstallError`."""
    tell = progress or (lambda what, done: None)
    return npm.install(folder.absolute(), PACKAGES, digest(), _finish, tell)


def digest() -> str:
    """What an installation made by this version of Onward is made from."""
    runner = sorted((Path(str(files(__package__))) / "runner").glob("*.js"))
    made = npm.digest([PACKAGES / "package.json", PACKAGES / "deno.lock", *runner])
    return f"{made}-{MADE_BY}"


def is_current(folder: Path) -> bool:
    """Whether `folder` holds what this version of Onward would install."""
    return npm.digest_of(folder) == digest()


def read_libraries(folder: Path) -> list[Library]:
    """What is installed; empty if nothing is."""
    try:
        return msgspec.json.decode((folder / LIBRARIES).read_bytes(), type=list[Library])
    except (OSError, msgspec.MsgspecError):
        return []


def _finish(folder: Path, tell: Progress) -> None:
    bundles(folder).mkdir()
    libraries = []
    for done, (name, package) in enumerate(NAMES.items()):
        tell(f"bundling {package}", npm.FETCHED + 0.15 * done / len(NAMES))
        _bundle(folder, name, package)
        told = msgspec.json.decode((folder / "node_modules" / package / "package.json").read_bytes())
        license = told.get("license", "")
        libraries.append(Library(name, package, told["version"], license if isinstance(license, str) else ""))
    (folder / LIBRARIES).write_bytes(msgspec.json.encode(libraries))
    shutil.rmtree(folder / "node_modules")  # bundles are all that is read
    tell("starting a runner for the first time", 0.97)
    _warm(folder)


def _bundle(folder: Path, name: str, package: str) -> None:
    entry = folder / f"{name}.entry.cjs"
    entry.write_text(f"module.exports = require({package!r});\n")
    _run(
        [
            str(_esbuild(folder)),
            *(str(entry), "--bundle", "--minify-whitespace", "--minify-syntax", "--platform=node"),
            *("--format=cjs", "--target=es2022", "--log-level=error", "--legal-comments=inline"),
            *(f"--external:{module}" for module in _EXTERNAL),
            f"--outfile={bundles(folder) / name}.js",
        ],
        folder,
        f"{package} can't be bundled",
    )
    entry.unlink()


def _esbuild(folder: Path) -> Path:
    system = f"{sys.platform}-{_MACHINES.get(platform.machine().lower(), platform.machine())}"
    program = f"node_modules/.deno/@esbuild+{system}@*/node_modules/@esbuild/{system}/bin/esbuild"
    found = sorted(folder.glob(program))
    if not found:
        raise InstallError(f"esbuild has no program for this machine ({system})")
    return found[-1]


def _warm(folder: Path) -> None:
    """Let Deno write down what it finds out, which runners may only read. Their stdin has ended: they end.
    It keeps V8's compiled code from the second start on."""
    confinement = Confinement(libraries=folder, box=False)
    for _ in range(3):
        _run(command(confinement), folder, "a runner can't be started", environment(confinement))


def _run(program: list[str], folder: Path, failed: str, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(  # noqa: S603  (nothing of it comes from outside)
            program,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"{failed}: it took too long") from None
    if done.returncode:
        raise InstallError(f"{failed}: {done.stderr.decode(errors='replace')[-2000:]}")
