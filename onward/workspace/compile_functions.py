"""Functions as the snapshot has them: which version each instance runs, with which settings.

Code has no place in a snapshot, which is kept for each change: it is read by the version's id
(`onward.workspace.function_code.DeployedCode`), and versions never change.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from onward.workspace import entities, snapshot
from onward.workspace.function_catalogue import PREFIX
from onward.workspace.secrets import Cipher


def source_secret_identity(source_id: str, setting: str) -> str:
    """What a sealed setting of a source that is a function is bound to."""
    return f"source/{source_id}/{setting}"


def insert_secret_identity(instance_id: str, setting: str) -> str:
    """What a sealed setting of an insert function's instance is bound to."""
    return f"insert-function-instance/{instance_id}/{setting}"


class RunningFunctions:
    """What runs, read once for all sources and destinations."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._cipher = cipher
        function, workspace, instance = entities.Function, entities.Workspace, entities.InsertInstance
        rows = session.execute(
            select(function.id, function.name, workspace.name, function.batch_max_count)
            .join(workspace, workspace.id == function.workspace_id)
            .where(function.deployed_id.is_not(None))
        )
        self._functions = {row[0]: row for row in rows}
        self._handlers: dict[str, list[Any] | None] = {}
        self._inserted: dict[str, Any] = {}
        if self._functions:
            self._handlers = _handlers(session)
            found = session.execute(select(*instance.__table__.columns).where(instance.enabled))
            self._inserted = {row.destination_id or row.source_id: row for row in found}

    def source(self, source: Any) -> snapshot.SourceFunction | None:
        """The function that a source (a row) is."""
        if source.function_version_id is None:
            return None
        secrets = {
            name: self._cipher.open_value(sealed, source_secret_identity(source.id, name))
            for name, sealed in source.secrets.items()
        }
        return snapshot.SourceFunction(
            id=source.kind.removeprefix(PREFIX),
            version=source.function_version_id,
            settings=source.settings | secrets,
            sensitive=tuple(secrets),
        )

    def destination(self, destination: Any, settings: Mapping[str, Any]) -> snapshot.DeployedFunction | None:
        """The function that a destination (a row) is; `settings` in clear text."""
        if destination.function_version_id is None:
            return None
        id = destination.definition.removeprefix(PREFIX)
        return self._made(id, destination, dict(settings), tuple(destination.secrets))

    def inserted(self, place_id: str) -> snapshot.DeployedFunction | None:
        """The enabled insert function before a destination, or after a source."""
        row = self._inserted.get(place_id)
        if row is None:
            return None
        secrets = {
            name: self._cipher.open_value(sealed, insert_secret_identity(row.id, name))
            for name, sealed in row.secrets.items()
        }
        return self._made(row.function_id, row, row.settings | secrets, tuple(secrets))

    def _made(
        self, id: str, instance: Any, settings: dict[str, Any], sensitive: tuple[str, ...]
    ) -> snapshot.DeployedFunction:
        _, name, workspace, batch_max_count = self._functions[id]
        handlers = self._handlers[instance.function_version_id]
        return snapshot.DeployedFunction(
            id=id,
            name=f"{name} ({workspace})",
            previous_names=(name,),
            version=instance.function_version_id,
            instance=instance.id,
            handlers=None if handlers is None else tuple(handlers),
            batch_max_count=batch_max_count,
            settings=settings,
            sensitive=sensitive,
        )


def _handlers(session: Session) -> dict[str, list[Any] | None]:
    """Of each version that runs."""
    version = entities.FunctionVersion
    running = (select(kind.function_version_id) for kind in (entities.Destination, entities.InsertInstance))
    rows = session.execute(select(version.id, version.handlers).where(version.id.in_(union(*running))))
    return dict(rows.all())
