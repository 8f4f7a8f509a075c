"""What someone may do: grants of roles, put together (spec §17.1).

    grants of the user, of their groups, of the token  →  `Access`: permission → for what

A role is granted for the whole workspace, for single resources, or by labels for all resources that bear
every one of them. Several grants add up. Labels are looked at when somebody asks, so that a source that
gets a label is in reach at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from onward.workspace.entities import Grant, Group, GroupMember, Source, User
from onward.workspace.errors import Forbidden, Invalid, at
from onward.workspace.roles import KNOWN, ROLES, Permission, Role

Resource = Mapping[str, Any]
"""`{"type", "id", "labels"?}`."""

EVERYTHING = "WORKSPACE"
LABELLED = "SOURCE"
"""What bears labels."""


@dataclass(frozen=True)
class Access:
    """For each permission, the ids of what it is had for; None for everything in the workspace."""

    reach: Mapping[Permission, frozenset[str] | None] = field(default_factory=dict)

    def anywhere(self, permission: Permission) -> bool:
        return permission in self.reach

    def everywhere(self, permission: Permission) -> bool:
        return self.reach.get(permission, frozenset()) is None

    def to(self, permission: Permission, id: str) -> bool:
        ids = self.reach.get(permission, frozenset())
        return ids is None or id in ids

    def ids(self, permission: Permission) -> frozenset[str] | None:
        """What it is had for; None for everything."""
        return self.reach.get(permission, frozenset())

    def require(self, permission: Permission, id: str) -> None:
        """Raises `Forbidden`."""
        if not self.to(permission, id):
            raise Forbidden(f"this needs the permission {permission} for {id}")

    def require_everywhere(self, permission: Permission) -> None:
        """Raises `Forbidden`."""
        if not self.everywhere(permission):
            raise Forbidden(f"this needs the permission {permission} for the whole workspace")


FULL = Access(dict.fromkeys(Permission))
"""An owner's."""


def of_user(session: Session, workspace_id: str, user: User) -> Access:
    """By the user's own grants and those of their groups."""
    groups = (
        select(GroupMember.group_id)
        .join(Group, Group.id == GroupMember.group_id)
        .where(GroupMember.email == user.email, Group.workspace_id == workspace_id)
    )
    return of_subjects(session, workspace_id, [user.id, *session.scalars(groups)])


def of_subjects(session: Session, workspace_id: str, subject_ids: Sequence[str]) -> Access:
    """By the grants of a token, or of a user and their groups."""
    grants = session.scalars(
        select(Grant).where(Grant.workspace_id == workspace_id, Grant.subject_id.in_(subject_ids))
    ).all()
    reach: dict[Permission, frozenset[str] | None] = {}
    for grant in grants:
        role = ROLES.get(grant.role)
        if role is None:  # of a newer version, say: it allows nothing here
            continue
        ids = _ids(session, workspace_id, grant.resources)
        for permission in role.permissions:
            before = reach.get(permission, frozenset())
            # What is about no resource in particular is had whatever the role was granted for.
            everything = ids is None or permission in KNOWN
            reach[permission] = None if before is None or everything else before | (ids or frozenset())
    return Access(reach)


def _ids(session: Session, workspace_id: str, resources: Iterable[Resource]) -> frozenset[str] | None:
    ids: set[str] = set()
    for resource in resources:
        labels = resource.get("labels")
        if labels:
            ids |= _labelled(session, workspace_id, labels)
        elif resource["type"] == EVERYTHING:
            return None
        else:
            ids.add(resource["id"])
    return frozenset(ids)


def _labelled(session: Session, workspace_id: str, labels: Sequence[Mapping[str, Any]]) -> set[str]:
    """Of sources, which are what bears labels, those that bear all of these."""
    wanted = {(label["key"], label["value"]) for label in labels}
    rows = session.execute(select(Source.id, Source.labels).where(Source.workspace_id == workspace_id))
    return {id for id, borne in rows if wanted <= {(label.get("key"), label.get("value")) for label in borne}}


def grants_of(session: Session, workspace_id: str, subject_id: str) -> list[Grant]:
    """In the order in which they were given."""
    query = select(Grant).where(Grant.workspace_id == workspace_id, Grant.subject_id == subject_id)
    return sorted(session.scalars(query), key=lambda grant: (list(ROLES).index(grant.role), grant.id))


def add_grants(
    session: Session, workspace_id: str, subject_id: str, given: Iterable[tuple[Role, Sequence[Resource]]]
) -> None:
    """Add to what the subject has. A role that is there already is had for the new resources as well."""
    there = {grant.role: grant for grant in grants_of(session, workspace_id, subject_id)}
    for index, (role, resources) in enumerate(given):
        wanted = list(map(dict, resources)) or [{"type": EVERYTHING, "id": workspace_id}]
        with at(f"permissions[{index}]"):
            for resource in wanted:
                _check(role, workspace_id, resource)
        grant = there.get(role.slug)
        if grant is None:
            grant = Grant(workspace_id=workspace_id, subject_id=subject_id, role=role.slug, resources=wanted)
            session.add(grant)
            there[role.slug] = grant
        else:
            grant.resources = [*grant.resources, *(each for each in wanted if each not in grant.resources)]
    session.flush()


def replace_grants(
    session: Session, workspace_id: str, subject_id: str, given: Iterable[tuple[Role, Sequence[Resource]]]
) -> None:
    drop_grants(session, workspace_id, subject_id)
    add_grants(session, workspace_id, subject_id, given)


def drop_grants(session: Session, workspace_id: str, subject_id: str) -> None:
    session.execute(delete(Grant).where(Grant.workspace_id == workspace_id, Grant.subject_id == subject_id))


def _check(role: Role, workspace_id: str, resource: Resource) -> None:
    """Raises `Invalid`."""
    kind, id = resource["type"], resource["id"]
    if resource.get("labels") and role.kind != LABELLED:
        raise Invalid(
            f"labels are borne by sources, and the role {role.name} is not for some of them", "resources"
        )
    if kind == EVERYTHING and id != workspace_id and not resource.get("labels"):
        raise Invalid(f"{id} is not this workspace", field="resources")
    if kind not in (EVERYTHING, role.kind):
        raise Invalid(f"the role {role.name} is granted for {role.kind}, not for {kind}", field="resources")
