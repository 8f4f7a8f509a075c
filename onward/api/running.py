"""Which version of a function an instance of it runs (spec §10.10)."""

from typing import TypedDict

from sqlalchemy.orm import object_session

from onward.workspace.entities import Function, FunctionVersion
from onward.workspace.function_instances import Instance


class RunningVersion(TypedDict):
    functionId: str
    versionId: str
    number: int
    """1, 2, 3, … of the function's versions."""
    behind: bool
    """Whether a later version was deployed, and not to this instance."""


def running_version(instance: Instance) -> RunningVersion | None:
    """None for a destination or source that is no function."""
    session = object_session(instance)
    if session is None or instance.function_version_id is None:
        return None
    version = session.get_one(FunctionVersion, instance.function_version_id)
    function = session.get_one(Function, version.function_id)
    return {
        "functionId": function.id,
        "versionId": version.id,
        "number": version.number,
        "behind": version.id != function.deployed_id,
    }
