"""`onward functions …`: run a function on a sample event, and again at each save. These need no server;
those of `function_edits.py` and `function_deployment.py` do.
"""

import asyncio
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import Parameter

from onward.commands import function_deployment, function_edits
from onward.commands.common import CommandError, Config, read_settings
from onward.settings import Settings

if TYPE_CHECKING:
    from onward.functions.trial import Trial

app = cyclopts.App(name="functions", help="Users' JavaScript: write it, try it, keep it, deploy it.")
function_edits.add_to(app)
function_deployment.add_to(app)

File = Annotated[Path, Parameter(help="The code: JavaScript, or TypeScript if its name ends in .ts.")]
Event = Annotated[
    Path | None,
    Parameter(
        help="JSON file with an event, with an array of them for onBatch, or with the body of a request for "
        "a source function (default: a made-up event)."
    ),
]
Values = Annotated[Path | None, Parameter(help="JSON file with the settings that the function gets.")]
Handler = Annotated[str | None, Parameter(help="Handler to call (default: by the event's type).")]
Batch = Annotated[bool, Parameter(help="Call onBatch; a single event is put in an array.", negative=())]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON.", negative=(), show_default=False)]
Trust = Annotated[
    bool,
    Parameter(
        help="Run although the sandbox does not hold here: the code may then do anything.", negative=()
    ),
]

HANDLER = "onRequest"
_REQUEST = re.compile(r"\bfunction\s+onRequest\b")
LOOK_EVERY = 0.3
"""Seconds between two looks at a file."""
SAMPLE = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "sample-1",
    "userId": "user-1",
    "anonymousId": "anonymous-1",
    "timestamp": "2026-01-02T03:04:05.000Z",
    "properties": {"order_id": "1001", "revenue": 25.5, "currency": "USD"},
    "context": {"library": {"name": "sample", "version": "1"}},
}


@app.command
def test(
    file: File,
    /,
    *,
    event: Event = None,
    settings: Values = None,
    handler: Handler = None,
    batch: Batch = False,
    as_json: AsJson = False,
    trust: Trust = False,
    config: Config = None,
) -> int:
    """Run a function once, in a fresh process. The exit status is 1 if it fails, also for one of a batch.

    What it fetches is sent for real, through the address guard: ONWARD_EGRESS_ALLOW=127.0.0.0/8 lets it reach
    this machine.
    """
    trial = _run(read_settings(config), file, event, settings, handler, batch, trust)
    _print_json(trial) if as_json else _show(trial, file)
    return 0 if trial.ok and all(item["kind"] == "OK" for item in trial.items or ()) else 1


@app.command
def dev(
    file: File,
    /,
    *,
    event: Event = None,
    settings: Values = None,
    handler: Handler = None,
    batch: Batch = False,
    trust: Trust = False,
    runs: Annotated[
        int | None, Parameter(help="Stop after so many runs (default: run until Ctrl-C).")
    ] = None,
    config: Config = None,
) -> None:
    """Run a function, and again whenever it, the event or the settings are saved."""
    process = read_settings(config)
    watched = [path for path in (file, event, settings) if path is not None]
    done = 0
    try:
        while runs is None or done < runs:
            seen = [_saved(path) for path in watched]
            try:
                _show(_run(process, file, event, settings, handler, batch, trust), file)
            except CommandError as error:
                print(f"onward: {error}", file=sys.stderr)
            done += 1
            if runs is not None and done >= runs:
                return
            print(f"\nWaiting for {file} to be saved; Ctrl-C ends.\n", flush=True)
            while [_saved(path) for path in watched] == seen:
                time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        print()


@app.command
def install() -> None:
    """Install the libraries that functions find as globals, in the versions that this Onward is made for."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from onward.functions.install import install as install_libraries
    from onward.functions.install import read_libraries
    from onward.functions.sandbox import libraries_folder
    from onward.npm import InstallError

    folder = libraries_folder()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("starting", total=1.0)
            changed = install_libraries(
                folder, lambda what, share: bar.update(task, description=what, completed=share)
            )
    except InstallError as error:
        raise CommandError(str(error)) from error
    print(f"{'Installed' if changed else 'Up to date'}: {len(read_libraries(folder))} libraries in {folder}.")


@app.command
def doctor(*, as_json: AsJson = False) -> int:
    """Attack the sandbox, each layer alone, and tell whether it holds. The exit status is 1 if not."""
    from msgspec import to_builtins

    from onward.functions.install import is_current, read_libraries
    from onward.functions.sandbox import Confinement, libraries_folder
    from onward.functions.selftest import examine

    folder = libraries_folder()
    boundary = asyncio.run(examine(Confinement(libraries=folder)))
    libraries = read_libraries(folder)
    if as_json:
        told = {"boundary": to_builtins(boundary), "holds": boundary.holds}
        print(json.dumps({**told, "libraries": to_builtins(libraries)}, indent=2))
        return 0 if boundary.holds else 1
    print(f"Deno's permissions: {boundary.permissions.detail}")
    print(f"The box:            {boundary.box.detail}")
    for name, state in boundary.parts.items():
        print(f"  {name}: {state}")
    stale = "" if is_current(folder) else " (`onward functions install` brings them up to date)"
    print(f"Libraries: {len(libraries)} in {folder}{stale}")
    return 0 if boundary.holds else 1


def _run(
    process: Settings,
    file: Path,
    event: Path | None,
    settings: Path | None,
    handler: str | None,
    batch: bool,
    trust: bool,
) -> "Trial":
    code = _text(file)
    told = function_edits.beside(file)
    kind = told.get("resourceType", "SOURCE" if _REQUEST.search(code) else "DESTINATION")
    if kind == "SOURCE":
        handler = handler or HANDLER
        payload: Any = _request({} if event is None else _json(event))
    else:
        payload = SAMPLE if event is None else _json(event)
    if batch and not isinstance(payload, list):
        payload = [payload]
    given = {} if settings is None else _json(settings)
    if not isinstance(given, dict):
        raise CommandError(f"{settings}: the settings must be a JSON object")
    try:
        return asyncio.run(
            _try(
                process,
                code,
                payload,
                given,
                "onBatch" if batch else handler,
                file.suffix == ".ts",
                kind,
                _secrets(given, told),
                trust,
            )
        )
    except ValueError as error:
        raise CommandError(str(error)) from error


async def _try(
    process: Settings,
    code: str,
    payload: Any,
    settings: dict[str, Any],
    handler: str | None,
    typescript: bool,
    kind: str,
    secrets: dict[str, Any],
    trust: bool,
) -> "Trial":
    from onward.egress.client import HttpClient
    from onward.functions.sandbox import Confinement, libraries_folder
    from onward.functions.selftest import NoBoundary, examine
    from onward.functions.trial import try_out

    confinement = Confinement(libraries=libraries_folder())
    if not trust:
        try:
            (await examine(confinement)).require()
        except NoBoundary as error:
            raise CommandError(f"{error}; --trust runs it anyway") from error
    http = HttpClient.of(process)
    try:
        return await try_out(
            confinement,
            code,
            payload,
            settings,
            http,
            handler=handler,
            typescript=typescript,
            inserted=kind.startswith("INSERT"),
            secrets=secrets,
        )
    finally:
        await http.close()


def _request(given: Any) -> dict[str, Any]:
    """What `onRequest` gets: of a file with `body`, `headers` and `query`, or of one that is the body."""
    from onward.functions.source import Request

    whole = isinstance(given, dict) and "body" in given and given.keys() <= {"body", "headers", "query"}
    body = given["body"] if whole else given
    headers = {"content-type": "application/json"} | (given.get("headers", {}) if whole else {})
    query = given.get("query") if whole else None
    return Request(
        url=f"https://functions.example/{f'?{query}' if query else ''}",
        headers=[(name.lower(), str(value)) for name, value in headers.items()],
        body=body if isinstance(body, str) else json.dumps(body, ensure_ascii=False),
    ).frame()


def _secrets(given: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The settings that must not show: the sensitive ones, or all where nobody says which these are."""
    declared = told.get("settings")
    if not isinstance(declared, list):
        return given
    sensitive = {each.get("name") for each in declared if isinstance(each, dict) and each.get("sensitive")}
    return {name: value for name, value in given.items() if name in sensitive}


def _show(trial: "Trial", file: Path) -> None:
    where = f" ({file.name}:{trial.line})" if trial.line else ""
    print(f"{trial.handler}: {trial.kind.value}" + ("" if trial.ok else f": {trial.message}{where}"))
    if not trial.ok:
        print(f"The event is {'retried' if trial.action == 'retry' else trial.action}.")
    if trial.items:
        for number, item in enumerate(trial.items, 1):
            print(f"  event {number}: {item['kind']}" + (f": {item['message']}" if item["message"] else ""))
    elif trial.events is not None:
        for made in trial.events:
            print(f"Sent: {json.dumps(made, ensure_ascii=False)[:2000]}")
    elif trial.value is not None:
        print(f"Returned: {json.dumps(trial.value, ensure_ascii=False)[:2000]}")
    if trial.stack:
        print(trial.stack)
    for error in trial.uncaught:
        print(f"Uncaught, and nothing waited for it: {error}")
    if trial.logs:
        print("Log:")
        for line in trial.logs:
            print(f"  {line.level}: {line.text}")
    if trial.lost_logs:
        print(f"  … and {trial.lost_logs} lines more")
    for exchange in trial.requests:
        came = "no answer"
        if exchange.response is not None:
            came = str(exchange.response.status)
        elif exchange.error is not None:
            came = f"{exchange.error.code}: {exchange.error.message}"
        print(f"{exchange.request.method} {exchange.request.url}: {came} ({exchange.duration_ms} ms)")
        if exchange.request.body:
            print(f"  sent: {exchange.request.body[:500]}")
        if exchange.response is not None and exchange.response.body:
            print(f"  got:  {exchange.response.body[:500]}")
    print(f"Took {trial.wall_ms:g} ms, {trial.cpu_ms:g} ms of the processor; loading {trial.load_ms:g} ms.")


def _print_json(trial: "Trial") -> None:
    from msgspec import to_builtins

    print(json.dumps(to_builtins(trial), indent=2, ensure_ascii=False))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"can't read {path}: {error}") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise CommandError(f"{path} is not JSON: {error}") from error


def _saved(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
