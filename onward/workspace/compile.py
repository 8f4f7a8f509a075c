"""Entities → `Snapshot`, and its storage by version.

`publish` runs in the transaction of the change: version, entities and snapshot become visible together
or not at all. The stored body is the snapshot as MessagePack, compressed, sealed for its version.
"""

from collections import defaultdict
from typing import Any, Protocol

import msgspec
import zstandard
from sqlalchemy import Result, Row, delete, func, select
from sqlalchemy.orm import Session

from onward.workspace import entities, snapshot
from onward.workspace.compile_functions import RunningFunctions
from onward.workspace.compile_governance import compile_rules
from onward.workspace.delivery import policy_of
from onward.workspace.secrets import Cipher

Listed = entities.Source | entities.Destination | entities.Filter | entities.Subscription

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(snapshot.Snapshot)


def compile_snapshot(session: Session, cipher: Cipher, version: int) -> snapshot.Snapshot:
    """What is configured now, secrets in clear text. Raises `SecretError`.

    Reads columns and makes no entities of them: a fifth of the time, and each change takes it.
    """
    write_keys = _write_keys(session)
    filters = _filters(session)
    subscriptions = _subscriptions(session)
    rules = compile_rules(session, cipher)
    functions = RunningFunctions(session, cipher)
    sources = [
        snapshot.Source(
            id=row.id,
            workspace_id=row.workspace_id,
            slug=row.slug,
            name=row.name,
            enabled=row.enabled,
            write_keys=tuple(write_keys[row.id]),
            rate_limit=row.rate_limit,
            governance=rules.of_sources.get(row.id),
            function=functions.source(row),
            inserted=functions.inserted(row.id),
        )
        for row in _rows(session, entities.Source)
    ]
    workspaces = {source.id: source.workspace_id for source in sources}
    return snapshot.Snapshot(
        version=version,
        sources=tuple(sources),
        destinations=tuple(
            snapshot.Destination(
                id=row.id,
                workspace_id=workspaces[row.source_id],
                source_id=row.source_id,
                definition=row.definition,
                name=row.name,
                enabled=row.enabled,
                active=tuple((start, until) for start, until in row.active),
                settings=(settings := open_settings(row, cipher)),
                filters=tuple(filters[row.id]),
                subscriptions=tuple(subscriptions[row.id]),
                transformations=rules.of_destinations.get((row.source_id, row.definition), ()),
                policy=policy_of(row.definition, row.delivery),
                function=functions.destination(row, settings),
                inserted=functions.inserted(row.id),
            )
            for row in _rows(session, entities.Destination)
        ),
        function_hours=_function_hours(session),
    )


def take_version(session: Session) -> int:
    """The version that this change will make. Holds off every other change until the transaction ends."""
    revision = session.get_one(entities.Revision, 1, with_for_update=True)
    return revision.version + 1


def publish(
    session: Session, cipher: Cipher, version: int, now: int, keep_since: int | None = None
) -> snapshot.Snapshot:
    """Compile and store what the session has made, as `version`. Call last in a change.

    Snapshots replaced before `keep_since` (ms) are dropped: no event that is still kept met them.
    """
    session.flush()
    session.get_one(entities.Revision, 1).version = version
    compiled = compile_snapshot(session, cipher, version)
    session.add(entities.StoredSnapshot(version=version, created_at=now, body=encode(compiled, cipher)))
    session.flush()
    if keep_since is not None:
        prune(session, keep_since)
    return compiled


def renew(session: Session, cipher: Cipher, now: int) -> bool:
    """Publish anew if this program makes something else of what is configured than the snapshot in use is, as
    after an upgrade; whether it did."""
    version = take_version(session)
    used = stored_snapshot(session, cipher, version - 1)
    made = _decoder.decode(_encoder.encode(compile_snapshot(session, cipher, version - 1)))
    if used is None or used == made:
        return False
    publish(session, cipher, version, now)
    return True


def prune(session: Session, keep_since: int) -> None:
    """Drop the snapshots that were no longer current at `keep_since` (ms since the epoch)."""
    stored = entities.StoredSnapshot
    current_then = session.scalar(select(func.max(stored.version)).where(stored.created_at <= keep_since))
    if current_then is not None:
        session.execute(delete(stored).where(stored.version < current_then))


def encode(compiled: snapshot.Snapshot, cipher: Cipher) -> bytes:
    packed = zstandard.compress(_encoder.encode(compiled), 3)
    return cipher.seal(packed, f"snapshot/{compiled.version}")


def decode(version: int, body: bytes, cipher: Cipher) -> snapshot.Snapshot:
    """Raises `SecretError` if the key is another."""
    return _decoder.decode(zstandard.decompress(cipher.open(body, f"snapshot/{version}")))


def stored_snapshot(session: Session, cipher: Cipher, version: int) -> snapshot.Snapshot | None:
    """A past snapshot, or None if it was dropped."""
    row = session.get(entities.StoredSnapshot, version)
    return None if row is None else decode(row.version, row.body, cipher)


def current_snapshot(session: Session, cipher: Cipher) -> snapshot.Snapshot:
    """What the data plane runs on, or is about to."""
    version = session.get_one(entities.Revision, 1).version
    return stored_snapshot(session, cipher, version) or snapshot.Snapshot(version=version)


def stored_versions(session: Session) -> list[Row[tuple[int, int]]]:
    """`(version, created_at)` of the kept snapshots, oldest first."""
    stored = entities.StoredSnapshot
    return list(session.execute(select(stored.version, stored.created_at).order_by(stored.version)))


def secret_identity(destination_id: str, setting: str) -> str:
    """What a destination's sealed setting is bound to."""
    return f"destination/{destination_id}/{setting}"


class Sealed(Protocol):
    """A destination, as an entity or as a row of its columns."""

    @property
    def id(self) -> str: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def secrets(self) -> dict[str, Any]: ...


def open_settings(destination: Sealed, cipher: Cipher) -> dict[str, Any]:
    """A destination's settings with its secrets in clear text."""
    return destination.settings | {
        name: cipher.open_value(sealed, secret_identity(destination.id, name))
        for name, sealed in destination.secrets.items()
    }


def _function_hours(session: Session) -> dict[str, float]:
    function = entities.Function
    rows = session.execute(
        select(function.id, function.monthly_hours).where(function.monthly_hours.is_not(None))
    )
    return {id: float(hours) for id, hours in rows if hours is not None}


def _filters(session: Session) -> dict[str, list[snapshot.Filter]]:
    """By destination."""
    found: dict[str, list[snapshot.Filter]] = defaultdict(list)
    for row in _rows(session, entities.Filter):
        found[row.destination_id].append(
            snapshot.Filter(
                id=row.id,
                title=row.title,
                condition=row.condition,
                actions=tuple(row.actions),
                enabled=row.enabled,
            )
        )
    return found


def _subscriptions(session: Session) -> dict[str, list[snapshot.Subscription]]:
    """By destination."""
    found: dict[str, list[snapshot.Subscription]] = defaultdict(list)
    for row in _rows(session, entities.Subscription):
        found[row.destination_id].append(
            snapshot.Subscription(
                id=row.id,
                name=row.name,
                action=row.action,
                trigger=row.trigger,
                mapping=row.mapping,
                enabled=row.enabled,
            )
        )
    return found


def _write_keys(session: Session) -> dict[str, list[str]]:
    """By source."""
    found: dict[str, list[str]] = defaultdict(list)
    key = entities.WriteKey
    for source_id, text in session.execute(select(key.source_id, key.key).order_by(key.created_at, key.key)):
        found[source_id].append(text)
    return found


def _rows(session: Session, entity: type[Listed]) -> Result[Any]:
    """All columns of all rows, oldest first."""
    columns = entity.__table__.columns
    return session.execute(select(*columns).order_by(columns.created_at, columns.id))
