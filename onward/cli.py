"""The `onward` command. What goes wrong is said in one sentence, with exit status 2."""

import sys
import time
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from onward import __version__
from onward.commands import (
    catalog,
    destinations,
    functions,
    mappings,
    people,
    secrets,
    sources,
    test,
    tokens,
    workspaces,
)
from onward.commands.common import CommandError, Config, Data, OfWorkspace, read_settings
from onward.settings import SettingsError

app = cyclopts.App(
    name="onward",
    help="Onward: a self-hosted, Segment-compatible customer-data router.",
    version=__version__,
    help_format="plaintext",
)
for group in (catalog, sources, destinations, mappings, functions, test, secrets, workspaces, people, tokens):
    app.command(group.app)
app.register_install_completion_command(help="Complete commands and options in this shell from now on.")

Host = Annotated[str | None, Parameter(help="Address to listen on (default: 127.0.0.1).")]
Port = Annotated[int | None, Parameter(help="Port to listen on (default: 8080).")]
Workers = Annotated[int | None, Parameter(help="Delivery processes (default: cores - 1).")]


@app.command
def serve(
    *,
    data: Data = None,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    config: Config = None,
) -> None:
    """Run Onward: tracking, Public API and web app on one port, and the delivery processes."""
    from onward import supervisor

    supervisor.serve(read_settings(config, data=data, host=host, port=port, workers=workers))


@app.command
def demo(
    *,
    data: Annotated[Path | None, Parameter(help="The data folder (default: ./data/demo).")] = None,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    config: Config = None,
) -> None:
    """Run Onward with a demo workspace: a source, and a webhook that delivers to a local sink."""
    from onward import demo as room

    room.run(read_settings(config, data=data, host=host, port=port, workers=workers))


@app.command
def sink(
    *,
    port: Annotated[int, Parameter(help="Port to listen on; 0 picks a free one.")],
    host: str = "127.0.0.1",
    out: Annotated[Path | None, Parameter(help="Append one JSON line a request to this file.")] = None,
    fail_rate: Annotated[float | None, Parameter(help="Share of requests to fail, 0 to 1.")] = None,
    status: Annotated[int | None, Parameter(help="Status of the failures (default: 500).")] = None,
    latency: Annotated[float, Parameter(help="Seconds before each answer.")] = 0.0,
    retry_after: Annotated[float | None, Parameter(help="Retry-After of the failures, in seconds.")] = None,
    body: Annotated[str, Parameter(help="The JSON of successful answers.")] = '{"ok":true}',
) -> None:
    """Run an HTTP endpoint that records what it gets, and misbehaves on request.

    While it runs: GET /_stats tells what was seen; POST /_control takes a JSON object with any of
    fail_rate, status, latency, retry_after, hang and reset.
    """
    from onward import sink as room

    behaviour = room.Behaviour(fail_rate, status, latency, retry_after)
    try:
        endpoint = room.Sink(behaviour, out, body)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from error

    def started(host: str, port: int) -> None:
        print(f"onward sink: listening on http://{host}:{port}", flush=True)

    try:
        room.run(endpoint, host, port, started)
    except OSError as error:
        raise CommandError(f"can't listen on {host}:{port}: {error.strerror or error}") from error


@app.command
def send(
    file: Annotated[
        str, Parameter(help="NDJSON file, one event a line; - for standard input.", allow_leading_hyphen=True)
    ],
    *,
    write_key: Annotated[str, Parameter(help="Write key of the source.")],
    url: Annotated[str, Parameter(help="Where Onward listens.")] = "http://127.0.0.1:8080",
    rate: Annotated[float | None, Parameter(help="Events a second (default: as fast as it goes).")] = None,
    batch_size: Annotated[int, Parameter(help="Events in a request.")] = 100,
) -> int:
    """Send events from a file to a source, in batches, with the retries of an SDK."""
    from onward import send as room

    if rate is not None and rate <= 0:
        raise CommandError("--rate must be above 0")
    if not 1 <= batch_size <= 2500:
        raise CommandError("--batch-size must be between 1 and 2500")
    sender = room.Sender(url, write_key, rate, batch_size)
    start = time.monotonic()
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as lines:
            tally = room.send(sender, lines)
    except OSError as error:
        raise CommandError(f"can't read {file}: {error.strerror}") from error
    except room.InputError as error:
        raise CommandError(f"{file}: {error}") from error
    print(room.summary_line(tally, time.monotonic() - start))
    if tally.failed:
        raise CommandError(f"{tally.failed} events were not taken; the last answer was: {tally.last_error}")
    return 0


@app.command
def apply(
    file: Annotated[str, Parameter(help="YAML file; - for standard input.", allow_leading_hyphen=True)],
    *,
    dry_run: Annotated[bool, Parameter(help="Only show what would change.", negative=())] = False,
    prune: Annotated[bool, Parameter(help="Delete what the file does not mention.", negative=())] = False,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=())] = False,
    workspace: OfWorkspace = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make the workspace what a YAML file says. Shows the difference and asks first.

    A server that runs on the data folder takes the change up within two seconds.
    """
    from onward import configure

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"can't read {file}: {error}") from error
    if not (dry_run or yes or (file != "-" and sys.stdin.isatty())):
        raise CommandError("nobody is here to ask; add --yes to apply, or --dry-run to look")
    configure.apply(
        read_settings(config, data=data),
        text,
        dry_run=dry_run,
        prune=prune,
        ask=not yes,
        workspace=workspace,
    )


@app.command
def export(*, workspace: OfWorkspace = None, data: Data = None, config: Config = None) -> None:
    """Print the workspace as YAML, as `apply` takes it. Secrets are left out, by name."""
    from onward import configure

    print(configure.export(read_settings(config, data=data), workspace), end="")


@app.command
def version() -> None:
    """Print the version."""
    print(__version__)


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0, or 2 with one sentence on stderr."""
    try:
        result = app(
            sys.argv[1:] if arguments is None else arguments,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except Exception as error:
        if not isinstance(error, _expected()):
            raise
        print(f"onward: {error}", file=sys.stderr)
        return 2
    return result if isinstance(result, int) else 0


def _expected() -> tuple[type[Exception], ...]:
    """What is a person's to put right; all else is a bug and keeps its traceback."""
    from onward.configure import ConfigureError
    from onward.roles import DataFolderError
    from onward.supervisor import StartError
    from onward.workspace.errors import WorkspaceError

    own = (CommandError, ConfigureError, SettingsError, DataFolderError, StartError, WorkspaceError)
    return (cyclopts.CycloptsError, *own)
