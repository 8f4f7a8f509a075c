import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from onward.settings import Settings
from onward.workspace.database import open_engine
from onward.workspace.entities import Entity
from onward.workspace.migrate import alembic_config, migrate

OPEN = {"enabled": True, "settings": "{}", "labels": "[]"}
SPANS = {"active": "[]", "delivery": "{}"}
INSTANCE = {"name": "n", "enabled": True, "settings": "{}", "secrets": "{}"}
FUNCTION = {
    "workspace_id": "w",
    "name": "f",
    "description": "",
    "logo_url": "",
    "created_by": "u",
    "catalog_id": "c",
    "batch_max_count": 20,
    "latest_id": "v3",
    "deployed_id": "v2",
    "deployed_at": 1,
}


def test_migrations_and_models_agree(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    engine = open_engine(settings)
    migrate(engine, settings)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Entity.metadata) == []


def test_errors_say_nothing_of_what_was_written(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    engine = open_engine(settings)
    migrate(engine, settings)
    with pytest.raises(IntegrityError) as failure, engine.begin() as connection:
        connection.execute(text("INSERT INTO workspace (id) VALUES (:id)"), {"id": "hush"})
    assert "hush" not in str(failure.value)


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


def test_instances_of_functions_run_what_was_deployed_before_each_had_its_own_version(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    engine = open_engine(settings)
    rows = {
        "workspace": {"id": "w", "slug": "w", "name": "w"},
        "function": FUNCTION | {"id": "f", "kind": "DESTINATION"},
        "source": {"id": "s", "workspace_id": "w", "slug": "s", "name": "s", "kind": "function-f"} | OPEN,
        "destination": INSTANCE | SPANS | {"id": "d", "source_id": "s", "definition": "function-f"},
        "insert_function_instance": INSTANCE | {"id": "i", "function_id": "f", "destination_id": "d"},
    }
    plain = INSTANCE | SPANS | {"id": "p", "source_id": "s", "definition": "actions-webhook", "name": "plain"}
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.upgrade(alembic_config(connection), "0010")
        for table, row in [*rows.items(), ("destination", plain)]:
            whole = row | {"created_at": 1, "updated_at": 1}
            values = ", ".join(f":{name}" for name in whole)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(whole)}) VALUES ({values})"), whole)
    migrate(engine, settings)
    with engine.connect() as connection:
        for table in ("source", "destination", "insert_function_instance"):
            found = connection.execute(text(f"SELECT id, function_version_id FROM {table} ORDER BY id")).all()
            assert dict(found) == {rows[table]["id"]: "v2"} | ({"p": None} if table == "destination" else {})
