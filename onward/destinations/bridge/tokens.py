"""Access tokens of destinations that sign in by OAuth: the newest known, kept so that they survive.

A tool may give a new refresh token with every access token, and take the old one no more. So what a refresh
brings is written down, sealed, before it is used; several processes share the file (`tokens.db`).

Invariants:
- What is entered in the settings wins over what came of earlier settings: a row opens only with the
  fingerprint of the credentials that it descends from.
- A refresh starts from the newest tokens in the file, and not at all if another process has made new ones.

What if the process dies here? Before the tool has answered, nothing has changed. Between its answer and the
commit, which follows at once, a tool that gives new refresh tokens has given one that nobody knows: the
account must be connected again. After the commit, the next start goes on with the new ones.
"""

import hashlib
import hmac
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import orjson

from onward.workspace.errors import SecretError
from onward.workspace.secrets import Cipher

PREFIX = "oauth_"


class Tokens(msgspec.Struct, frozen=True):
    access: str | None = None
    refresh: str | None = None


class TokenStore:
    """`tokens.db` in a data folder, made when the first token is kept."""

    def __init__(self, data: Path, cipher: Cipher) -> None:
        self._cipher = cipher
        self._path = data / "tokens.db"
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = db = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=30
            )
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS token"
                " (destination_id TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT"
            )
        return self._connection

    def get(self, destination_id: str, settings: Mapping[str, Any]) -> Tokens:
        """The newest that came of these settings, or what they hold themselves."""
        row = None
        with self._lock:
            if self._connection is not None or self._path.exists():
                query = "SELECT sealed FROM token WHERE destination_id = ?"
                row = self._db().execute(query, (destination_id,)).fetchone()
        if row:
            with suppress(SecretError):  # of another key: the settings, which open, have newer ones
                held = orjson.loads(self._cipher.open(row[0], _identity(destination_id)))
                if hmac.compare_digest(held["of"], fingerprint(settings)):
                    return Tokens(held["access"], held["refresh"])
        return Tokens(settings.get("oauth_access_token"), settings.get("oauth_refresh_token"))

    def put(self, destination_id: str, settings: Mapping[str, Any], tokens: Tokens) -> None:
        held = {"of": fingerprint(settings), "access": tokens.access, "refresh": tokens.refresh}
        sealed = self._cipher.seal(orjson.dumps(held), _identity(destination_id))
        with self._lock:
            self._db().execute(
                "INSERT INTO token VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
                (destination_id, sealed),
            )

    def forget(self, destination_id: str) -> None:
        with self._lock:
            if self._connection is not None or self._path.exists():
                self._db().execute("DELETE FROM token WHERE destination_id = ?", (destination_id,))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def fingerprint(settings: Mapping[str, Any]) -> str:
    """Of the credentials that were entered. It is only ever stored sealed."""
    entered = {key: settings[key] for key in sorted(settings) if key.startswith(PREFIX)}
    return hashlib.sha256(orjson.dumps(entered)).hexdigest()


def _identity(destination_id: str) -> str:
    return f"token/{destination_id}"
