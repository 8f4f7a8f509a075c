from pathlib import Path

import pytest
from sqlalchemy import select

from onward.settings import Settings
from onward.workspace.bootstrap import bootstrap
from onward.workspace.entities import Workspace
from onward.workspace.store import Actor, Store

from .catalogue import CATALOGUE

ACTOR = Actor(id="test")


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data=tmp_path / "data", token="secret-token")
    bootstrap(settings)
    return settings


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
    with store.reading() as session:
        return session.scalars(select(Workspace.id)).one()
