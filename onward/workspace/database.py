"""The configuration database: how it is opened, read and written.

SQLite in WAL mode: readers never wait. Writers take the write lock when they begin (`BEGIN IMMEDIATE`),
so two changes never deadlock on upgrading a lock; the second waits up to `BUSY_SECONDS`. Foreign keys
are on and every commit is synced to disk.

What if the process dies while it writes? The transaction rolls back. `migrate.py` brings the tables about.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from onward.settings import Settings

FILE = "config.db"
BUSY_SECONDS = 10.0


def open_engine(settings: Settings) -> Engine:
    """The engine for a data folder's `config.db`. Cheap; connects when first used."""
    engine = create_engine(
        f"sqlite:///{settings.data / FILE}",
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,  # or errors would write hashes of passwords and people's addresses into logs
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
