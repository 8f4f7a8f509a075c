"""The configuration database: how it is opened, migrated, read and written.

SQLite in WAL mode: readers never wait. Writers take the write lock when they begin (`BEGIN IMMEDIATE`),
so two changes never deadlock on upgrading a lock; the second waits up to `BUSY_SECONDS`. Foreign keys
are on and every commit is synced to disk.

Migrations run at start under a lock file, in one transaction. What if the process dies in between? The
transaction rolls back, the lock goes with the process, and the next start begins again.
"""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from onward.settings import Settings

FILE = "config.db"
BUSY_SECONDS = 10.0
MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(settings: Settings) -> Engine:
    """The engine for a data folder's `config.db`. Cheap; connects when first used."""
    engine = create_engine(
        f"sqlite:///{settings.data / FILE}",
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves; the driver must not
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database throughout."""
    with Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session whose changes are all committed at the end, or none if an exception passes."""
    with (
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
        Session(connection, expire_on_commit=False) as session,
    ):
        yield session
        session.flush()


def migrate(engine: Engine, settings: Settings) -> None:
    """Bring the database to this version's tables. Safe to call from several processes at once."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "config.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the packaged migrations, and the connection to run them on."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
