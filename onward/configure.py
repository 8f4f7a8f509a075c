"""`onward apply`, `export` and `workspaces`: the workspaces of a data folder, and each as YAML.

They work on the configuration database itself, whether a server runs on it or not.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from onward.destinations.catalog import open_catalogue
from onward.functions.checking import CodeChecker
from onward.functions.sandbox import Confinement, libraries_folder
from onward.roles import PRIVATE, run_folder
from onward.settings import Settings
from onward.workspace import workspaces as edit
from onward.workspace import yaml
from onward.workspace.bootstrap import bootstrap
from onward.workspace.database import FILE
from onward.workspace.store import Actor, Store

ACTOR = Actor(id="onward apply")


class ConfigureError(Exception):
    """What kept the command from its work, in one sentence."""


@contextmanager
def _workspace(settings: Settings, slug: str | None = None) -> Iterator[tuple[Store, str]]:
    """The store and the id of a workspace of the data folder, the first unless `slug` names another.

    Raises `DataFolderError` or `NotFound`.
    """
    os.umask(PRIVATE)
    run_folder(settings.data)
    started = bootstrap(settings)
    if started.token:
        Console(stderr=True, soft_wrap=True).print(f"Public API token, shown this once: {started.token}")
    check_code = CodeChecker(Confinement(libraries=libraries_folder()), trusted=settings.functions_trusted)
    store = Store.open(settings, open_catalogue(settings.catalog_folder), check_code)
    try:
        yield store, started.workspace_id if slug is None else _find(store, slug)
    finally:
        store.engine.dispose()


@contextmanager
def existing_workspace(settings: Settings, slug: str | None = None) -> Iterator[tuple[Store, str]]:
    """As `_workspace`, of a data folder that there is; raises `ConfigureError` if there is none."""
    _check_is_data_folder(settings)
    with _workspace(settings, slug) as opened:
        yield opened


def _find(store: Store, slug: str) -> str:
    with store.reading() as session:
        return edit.find_workspace(session, slug).id


def workspaces(settings: Settings) -> list[tuple[str, str, str]]:
    """`(slug, name, id)` of each in the data folder, the oldest first."""
    with existing_workspace(settings) as (store, _), store.reading() as session:
        return [(each.slug, each.name, each.id) for each in edit.all_workspaces(session)]


def add_workspace(settings: Settings, slug: str, name: str | None) -> str:
    """Make another workspace; returns a Public API token for it, to be shown once."""
    with (
        _workspace(settings) as (store, workspace_id),
        store.changing(workspace_id, Actor(id="onward workspaces add")) as editor,
    ):
        _, token = edit.create_workspace(editor, slug, name)
        return token


def apply(
    settings: Settings, text: str, *, dry_run: bool, prune: bool, ask: bool, workspace: str | None = None
) -> None:
    """Show what `text` changes, and change it. Raises `WorkspaceError`, `ConfigureError`
    or `DataFolderError`."""
    console = Console(highlight=False, soft_wrap=True)
    with _workspace(settings, workspace) as (store, workspace_id):
        diff = yaml.plan(store, workspace_id, text, os.environ, prune=prune)
        console.print(yaml.render_diff(diff))
        if dry_run or not diff:
            return
        if ask and console.input(r"Apply this? \[y/N] ").strip().lower() not in ("y", "yes"):
            raise ConfigureError("nothing was changed")
        version = yaml.apply(store, workspace_id, diff, ACTOR)
        console.print(f"Applied: configuration version {version}.")


def export(settings: Settings, workspace: str | None = None) -> str:
    """The workspace as YAML. Raises `ConfigureError`, `DataFolderError` or `NotFound`."""
    with existing_workspace(settings, workspace) as (store, workspace_id), store.reading() as session:
        return yaml.export_workspace(session, workspace_id)


def _check_is_data_folder(settings: Settings) -> None:
    if not os.path.exists(settings.data / FILE):  # noqa: PTH110 (a folder that is closed to us is none)
        raise ConfigureError(
            f"{settings.data} is no data folder of Onward, or closed to this user; name one with --data"
        )
