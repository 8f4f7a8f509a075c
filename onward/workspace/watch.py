"""The newest snapshot, for processes of the data plane.

`refresh` is made to be polled: where nothing changed it is one `PRAGMA data_version` on a connection
kept open (SQLite), or one read of the version row (other databases). Not safe for use by several threads
at once. If a new snapshot can't be read, `refresh` raises and the one at hand stays current.
"""

from sqlalchemy import Engine

from onward.settings import Settings
from onward.workspace.compile import decode
from onward.workspace.database import open_engine
from onward.workspace.keyring import load_cipher
from onward.workspace.secrets import Cipher
from onward.workspace.snapshot import Snapshot


class SnapshotWatcher:
    """Holds the current `Snapshot`: call `refresh` every 250 ms, then look at `current`.

    The database must have been set up (`onward.workspace.bootstrap`). Raises `SecretError` if the key is
    not the one that the snapshot was sealed with.
    """

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._cipher = cipher
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # The driver's own cursor: no transaction is ever open, so every read sees the newest commit.
        driver = self._connection.connection.driver_connection
        assert driver is not None
        self._cursor = driver.cursor()
        self._probe = (
            "PRAGMA data_version" if engine.dialect.name == "sqlite" else "SELECT version FROM revision"
        )
        self._seen: int | None = None
        self.current = Snapshot(version=0)
        self.refresh()

    @classmethod
    def open(cls, settings: Settings) -> "SnapshotWatcher":
        """A watcher on a data folder, with the folder's key."""
        return cls(open_engine(settings), load_cipher(settings))

    def refresh(self) -> bool:
        """Take the newest snapshot if there is one; whether `current` changed."""
        self._cursor.execute(self._probe)
        seen = self._cursor.fetchone()[0]
        if seen == self._seen:
            return False
        self._cursor.execute("SELECT version, body FROM snapshot ORDER BY version DESC LIMIT 1")
        row = self._cursor.fetchone()
        changed = row is not None and row[0] != self.current.version
        if changed:
            self.current = decode(row[0], row[1], self._cipher)
        self._seen = seen
        return changed

    def close(self) -> None:
        self._cursor.close()
        self._connection.close()
