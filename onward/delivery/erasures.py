"""Whose events are not delivered any more, because a deletion is under way (spec §16.1).

Between the request to delete someone and the end of rewriting the log, their events still stand in it. They
are taken out here, where all destinations of a process read, so a backlog can't bring back at the tool whom
the tool was told to forget. What was received after the request is not meant: that is suppression's.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from onward.pipeline.normalise import USER_DELETED, Undecodable
from onward.pipeline.types import Event
from onward.workspace.erasure import Erasure


class Erasures:
    def __init__(self) -> None:
        self._all: Sequence[Erasure] = ()
        self._workspaces: dict[str, str] = {}
        self._of: dict[str, tuple[tuple[Set[str], int], ...]] = {}
        """By source, made when first asked for: user ids, and until when their events were received."""

    def update(self, erasures: Sequence[Erasure], workspaces: Mapping[str, str]) -> bool:
        """What is under way now, and the workspace of each source; whether there is anything new."""
        new = {each.id for each in erasures} - {each.id for each in self._all}
        self._all, self._workspaces, self._of = erasures, dict(workspaces), {}
        return bool(new)

    def covers(self, source_id: str, user_id: Any, received_at: int) -> bool:
        if not self._all or type(user_id) is not str:
            return False
        return any(user_id in users and received_at <= before for users, before in self._for(source_id))

    def apply(
        self, source_id: str, received_at: int, events: list[Event | Undecodable]
    ) -> list[Event | Undecodable]:
        """The events of one record, with `Undecodable` in the place of those that are deleted."""
        if not self._all:
            return events
        sets = [users for users, before in self._for(source_id) if received_at <= before]
        if not sets:
            return events
        return [
            Undecodable(position, "deleted with its user", USER_DELETED)
            if type(event) is dict and _is_of_one(event.get("userId"), sets)
            else event
            for position, event in enumerate(events)
        ]

    def _for(self, source_id: str) -> tuple[tuple[Set[str], int], ...]:
        found = self._of.get(source_id)
        if found is None:
            found = self._of[source_id] = tuple(
                (each.users, each.before) for each in self._all if each.covers(self._workspaces, source_id)
            )
        return found


def _is_of_one(user_id: Any, sets: Sequence[Set[str]]) -> bool:
    return type(user_id) is str and any(user_id in users for users in sets)
