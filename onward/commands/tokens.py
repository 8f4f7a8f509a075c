"""`onward tokens …`: a workspace's Public API tokens, on the data folder, whether a server runs or not."""

from typing import Annotated

import cyclopts
from cyclopts import Parameter

from onward.commands import output
from onward.commands.common import Config, Data, OfWorkspace, read_settings
from onward.commands.output import AsJson

app = cyclopts.App(name="tokens", help="Public API tokens, on the data folder itself.")


@app.command(name="list")
def list_(
    *, as_json: AsJson = False, workspace: OfWorkspace = None, data: Data = None, config: Config = None
) -> None:
    """List tokens with their roles; the tokens themselves are not kept."""
    from onward import access

    found = access.tokens(read_settings(config, data=data), workspace)
    if as_json:
        output.print_json([each._asdict() for each in found])
    else:
        rows = [(each.name, ", ".join(each.roles), each.created, each.id) for each in found]
        output.table(("name", "roles", "created", "id"), rows)


@app.command
def add(
    name: Annotated[str, Parameter(help="What it is for.")],
    /,
    *,
    role: Annotated[str, Parameter(help="Slug of a role, for the whole workspace.")] = "owner",
    as_json: AsJson = False,
    workspace: OfWorkspace = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Add a token, and print it, this once."""
    from onward import access

    token = access.add_token(read_settings(config, data=data), workspace, name, role)
    if as_json:
        output.print_json({"name": name, "token": token})
    else:
        output.say(f"Added the token {name}. It is shown this once: {token}")


@app.command
def remove(
    name: Annotated[str, Parameter(help="Its name, or its id where two have one name.")],
    /,
    *,
    workspace: OfWorkspace = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Remove a token; it is not valid any more, at once."""
    from onward import access

    access.remove_token(read_settings(config, data=data), workspace, name)
    output.say(f"Removed the token {name}.")
