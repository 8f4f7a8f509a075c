"""`onward secrets …`: the key that secrets are sealed with."""

import os
from contextlib import ExitStack
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from onward.commands.common import Config, Data, read_settings

app = cyclopts.App(name="secrets", help="The key that secrets are sealed with.")

NEW_KEY = "ONWARD_NEW_SECRET_KEY"


@app.command
def rotate(
    *,
    fresh_data_key: Annotated[
        bool,
        Parameter(
            help="Seal with a new data key too, for when a data key may be known. Only while nothing runs.",
            negative=(),
        ),
    ] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Put a new secret key in the old one's place; what is sealed stays as it is.

    Where the key is a file, a new file is made, and a server may go on running. Where it is in
    ONWARD_SECRET_KEY, give the new one in ONWARD_NEW_SECRET_KEY, and start with it from then on.
    """
    from onward.roles import TreeLock
    from onward.workspace import keyring
    from onward.workspace.store import Actor, Store
    from onward.workspace.workspaces import all_workspaces

    settings = read_settings(config, data=data)
    with ExitStack() as stack:
        if fresh_data_key:
            stack.callback(TreeLock(settings.data).release)
        keyring.rotate(settings, os.environ.get(NEW_KEY), fresh_data_key=fresh_data_key)
        store = Store.open(settings, {})
        with store.reading() as session:
            workspaces = [workspace.id for workspace in all_workspaces(session)]
        for workspace_id in workspaces:
            with store.changing(workspace_id, Actor(id="onward secrets rotate")) as editor:
                after = {"fresh_data_key": fresh_data_key}
                editor.record(editor.workspace, "Secret Key Rotated", None, after)
        store.engine.dispose()
    if settings.secret_key is None:
        print(f"The new key is in {settings.data / 'secret.key'}. Keep a copy of it elsewhere.")
    else:
        print("Start Onward with the new ONWARD_SECRET_KEY from now on. The old one works until then.")
