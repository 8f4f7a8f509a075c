"""Functions that destinations run, as the snapshot has them: which version, with which settings.

Code has no place in a snapshot, which is kept for each change: it is read by the version's id
(`onward.workspace.function_code.DeployedCode`), and versions never change.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import entities, snapshot
from onward.workspace.function_catalogue import PREFIX
from onward.workspace.secrets import Cipher


def insert_secret_identity(instance_id: str, setting: str) -> str:
    """What a sealed setting of an insert function's instance is bound to."""
    return f"insert-function-instance/{instance_id}/{setting}"


class DestinationFunctions:
    """What is deployed, read once for all destinations."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._cipher = cipher
        function, version, workspace = entities.Function, entities.FunctionVersion, entities.Workspace
        rows = session.execute(
            select(
                *(function.id, function.name, workspace.name),
                *(function.batch_max_count, version.id, version.handlers),
            )
            .join(version, version.id == function.deployed_id)
            .join(workspace, workspace.id == function.workspace_id)
            .where(function.kind.in_(("DESTINATION", "INSERT_DESTINATION")))
        )
        self._deployed = {row[0]: row for row in rows}
        self._inserted = {}
        if self._deployed:
            instance = entities.InsertInstance
            columns = instance.__table__.columns
            found = session.execute(
                select(*columns).where(instance.destination_id.is_not(None), instance.enabled)
            )
            self._inserted = {row.destination_id: row for row in found}

    def of(self, destination: Any, settings: Mapping[str, Any]) -> snapshot.DeployedFunction | None:
        """The function that a destination (a row) is; `settings` in clear text."""
        if not destination.definition.startswith(PREFIX):
            return None
        id = destination.definition.removeprefix(PREFIX)
        return self._make(id, destination.id, dict(settings), tuple(destination.secrets))

    def before(self, destination_id: str) -> snapshot.DeployedFunction | None:
        """The enabled insert function of a destination."""
        row = self._inserted.get(destination_id)
        if row is None:
            return None
        secrets = {
            name: self._cipher.open_value(sealed, insert_secret_identity(row.id, name))
            for name, sealed in row.secrets.items()
        }
        return self._make(row.function_id, row.id, row.settings | secrets, tuple(secrets))

    def _make(
        self, id: str, instance: str, settings: dict[str, Any], sensitive: tuple[str, ...]
    ) -> snapshot.DeployedFunction | None:
        found = self._deployed.get(id)
        if found is None:
            return None
        _, name, workspace, batch_max_count, version, handlers = found
        return snapshot.DeployedFunction(
            id=id,
            name=f"{name} ({workspace})",
            previous_names=(name,),
            version=version,
            instance=instance,
            handlers=None if handlers is None else tuple(handlers),
            batch_max_count=batch_max_count,
            settings=settings,
            sensitive=sensitive,
        )
