import threading
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from onward.settings import Settings
from onward.workspace.database import open_engine
from onward.workspace.entities import Entity
from onward.workspace.migrate import migrate


def test_migrations_and_models_agree(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    engine = open_engine(settings)
    migrate(engine, settings)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Entity.metadata) == []


def test_several_processes_may_start_at_once(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "new")
    errors: list[BaseException] = []

    def start() -> None:
        try:
            migrate(open_engine(settings), settings)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with open_engine(settings).connect() as connection:
        assert connection.execute(text("SELECT id, version FROM revision")).all() == [(1, 0)]


def test_the_database_keeps_what_it_acknowledges(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with open_engine(settings).connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
