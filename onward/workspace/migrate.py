"""The configuration database's tables, brought to those of this version.

Migrations run at start under a lock file, in one transaction. What if the process dies in between? The
transaction rolls back, the lock goes with the process, and the next start begins again.

Apart from `database.py`, because Alembic takes long to import and only the process that starts needs it.
"""

import fcntl
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from onward.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


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
