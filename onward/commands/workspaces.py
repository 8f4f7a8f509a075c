"""`onward workspaces …`: the workspaces of a data folder, whether a server runs on it or not."""

from typing import Annotated

import cyclopts
from cyclopts import Parameter

from onward.commands import output
from onward.commands.common import Config, Data, read_settings
from onward.commands.output import AsJson

app = cyclopts.App(name="workspaces", help="Workspaces of an installation, strictly apart.")


@app.command(name="list")
def list_(*, as_json: AsJson = False, data: Data = None, config: Config = None) -> None:
    """List the workspaces, the first one, which runs the installation, first."""
    from onward import configure

    found = configure.workspaces(read_settings(config, data=data))
    if as_json:
        output.print_json([{"slug": slug, "name": name, "id": id} for slug, name, id in found])
    else:
        output.table(("slug", "name", "id"), found)


@app.command
def add(
    slug: Annotated[str, Parameter(help="What the workspace is called in commands and files.")],
    /,
    *,
    name: Annotated[str | None, Parameter(help="Name (default: the slug).")] = None,
    as_json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Add a workspace, and show a Public API token of its owner role, this once."""
    from onward import configure

    token = configure.add_workspace(read_settings(config, data=data), slug, name)
    if as_json:
        output.print_json({"slug": slug, "token": token})
    else:
        output.say(f"Added the workspace {slug}. Public API token, shown this once: {token}")
