"""Entities → `Snapshot`, and its storage by version.

`publish` runs in the transaction of the change: version, entities and snapshot become visible together
or not at all. The stored body is the snapshot as MessagePack, compressed, sealed for its version.
"""

import msgspec
import zstandard
from sqlalchemy import Row, delete, func, select
from sqlalchemy.orm import Session, selectinload

from onward.workspace import entities, snapshot
from onward.workspace.secrets import Cipher

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(snapshot.Snapshot)


def compile_snapshot(session: Session, cipher: Cipher, version: int) -> snapshot.Snapshot:
    """What is configured now, secrets in clear text. Raises `SecretError`."""
    sources = session.scalars(
        select(entities.Source)
        .order_by(entities.Source.created_at, entities.Source.id)
        .options(
            selectinload(entities.Source.write_keys),
            selectinload(entities.Source.destinations).options(
                selectinload(entities.Destination.filters),
                selectinload(entities.Destination.subscriptions),
            ),
        )
        .execution_options(populate_existing=True)
    ).all()
    return snapshot.Snapshot(
        version=version,
        sources=tuple(_source(source) for source in sources),
        destinations=tuple(
            _destination(destination, source, cipher)
            for source in sources
            for destination in source.destinations
        ),
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


def stored_versions(session: Session) -> list[Row[tuple[int, int]]]:
    """`(version, created_at)` of the kept snapshots, oldest first."""
    stored = entities.StoredSnapshot
    return list(session.execute(select(stored.version, stored.created_at).order_by(stored.version)))


def secret_identity(destination_id: str, setting: str) -> str:
    """What a destination's sealed setting is bound to."""
    return f"destination/{destination_id}/{setting}"


def open_settings(destination: entities.Destination, cipher: Cipher) -> dict[str, object]:
    """A destination's settings with its secrets in clear text."""
    return destination.settings | {
        name: cipher.open_value(sealed, secret_identity(destination.id, name))
        for name, sealed in destination.secrets.items()
    }


def _source(source: entities.Source) -> snapshot.Source:
    return snapshot.Source(
        id=source.id,
        workspace_id=source.workspace_id,
        slug=source.slug,
        name=source.name,
        enabled=source.enabled,
        write_keys=tuple(key.key for key in source.write_keys),
        rate_limit=source.rate_limit,
    )


def _destination(
    destination: entities.Destination, source: entities.Source, cipher: Cipher
) -> snapshot.Destination:
    return snapshot.Destination(
        id=destination.id,
        workspace_id=source.workspace_id,
        source_id=source.id,
        definition=destination.definition,
        name=destination.name,
        enabled=destination.enabled,
        active=tuple((start, until) for start, until in destination.active),
        settings=open_settings(destination, cipher),
        filters=tuple(
            snapshot.Filter(
                id=each.id,
                title=each.title,
                condition=each.condition,
                actions=tuple(each.actions),
                enabled=each.enabled,
            )
            for each in destination.filters
        ),
        subscriptions=tuple(
            snapshot.Subscription(
                id=each.id,
                name=each.name,
                action=each.action,
                trigger=each.trigger,
                mapping=each.mapping,
                enabled=each.enabled,
            )
            for each in destination.subscriptions
        ),
        policy=snapshot.DeliveryPolicy(**destination.delivery),
    )
