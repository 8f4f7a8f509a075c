"""How the databases of counts are opened. What a power cut takes is counted again, or was seconds' worth."""

import sqlite3
from importlib.resources import files
from pathlib import Path


def open_database(data: Path, name: str, schema: str) -> sqlite3.Connection:
    """`name` in the data folder, with the tables of `schema`, a file of this package. Callers take turns."""
    data.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(data / name, isolation_level=None, check_same_thread=False, timeout=30)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.executescript(files(__package__).joinpath(schema).read_text())
    return db
