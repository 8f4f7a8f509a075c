import shutil
from pathlib import Path

import pytest
from harness import TOKEN

from onward.settings import Settings
from onward.workspace.snapshot import Snapshot
from onward.workspace.store import Actor, Store
from onward.workspace.watch import SnapshotWatcher
from onward.workspace.yaml import Diff, apply, export_workspace, plan

from .catalogue import CATALOGUE

ACTOR = Actor(id="test")


class Workspace:
    """One workspace and the verbs of the command line."""

    def __init__(self, store: Store, id: str) -> None:
        self.store = store
        self.id = id
        self.watcher = SnapshotWatcher(store.engine, store.cipher)

    def plan(self, text: str, *, prune: bool = False, **environment: str) -> Diff:
        return plan(self.store, self.id, text, environment, prune=prune)

    def apply(self, text: str, *, prune: bool = False, **environment: str) -> int:
        return apply(self.store, self.id, self.plan(text, prune=prune, **environment), ACTOR)

    def export(self) -> str:
        with self.store.reading() as session:
            return export_workspace(session, self.id)

    def snapshot(self) -> Snapshot:
        self.watcher.refresh()
        return self.watcher.current


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def settings(fresh: Path, tmp_path: Path) -> Settings:
    shutil.copytree(fresh, tmp_path / "data")
    return Settings(data=tmp_path / "data", token=TOKEN)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(settings: Settings, clock: Clock) -> Store:
    opened = Store.open(settings, CATALOGUE)
    opened._clock = clock
    return opened


@pytest.fixture
def workspace_id(store: Store) -> str:
    return store.default_workspace_id()


@pytest.fixture
def workspace(store: Store, workspace_id: str) -> Workspace:
    return Workspace(store, workspace_id)
