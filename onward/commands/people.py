"""`onward people …`: users of a workspace, on the data folder, whether a server runs on it or not.

For operators who can't sign in; who can uses the web app or the Public API.
"""

import sys
from getpass import getpass
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from onward.commands import output
from onward.commands.common import CommandError, Config, Data, OfWorkspace, read_settings
from onward.commands.output import AsJson

app = cyclopts.App(name="people", help="Who may sign in, on the data folder itself.")

Email = Annotated[str, Parameter(help="E-mail address.")]


@app.command(name="list")
def list_(
    *, as_json: AsJson = False, workspace: OfWorkspace = None, data: Data = None, config: Config = None
) -> None:
    """List users and open invitations with their roles."""
    from onward import access

    found = access.people(read_settings(config, data=data), workspace)
    if as_json:
        output.print_json([each._asdict() for each in found])
    else:
        rows = [(each.email, each.name, each.state, ", ".join(each.roles)) for each in found]
        output.table(("e-mail", "name", "state", "roles"), rows)


@app.command
def invite(
    email: Email,
    /,
    *,
    role: Annotated[str, Parameter(help="Slug of a role, for the whole workspace.")] = "member",
    workspace: OfWorkspace = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Invite somebody, and print the link that they sign up with. It is good for once and for a week."""
    from onward import access

    link = access.invite(read_settings(config, data=data), workspace, email, role)
    output.say(f"Invited {email}. Their link, shown this once: {link}")


@app.command
def password(email: Email, /, *, data: Data = None, config: Config = None) -> None:
    """Give a user a new password, which is asked for, or read from standard input. Their sessions end."""
    from onward import access

    settings = read_settings(config, data=data)
    if sys.stdin.isatty():
        given = getpass("New password: ")
        if getpass("Once more: ") != given:
            raise CommandError("these two differ; nothing was changed")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    ended = access.set_password(settings, email, given)
    output.say(f"{email} has a new password. Sessions ended: {ended}.")
