"""What operations on people take and give: field for field as in Segment's Public API."""

from typing import NotRequired, TypedDict

import msgspec

from onward.api.answers import LabelView, Pagination
from onward.api.bodies import Body
from onward.workspace.roles import Kind


class LabelIn(Body):
    key: str
    value: str
    description: str | None = None


class ResourceIn(Body):
    id: str
    type: str
    labels: list[LabelIn] = msgspec.field(default_factory=list)
    """Ours, but for groups and users: for all of the type that bear every one of these labels."""


class PermissionIn(Body):
    role_id: str
    """Or, ours: the role's slug."""
    resources: list[ResourceIn] = msgspec.field(default_factory=list)
    """What the role is for; everything in the workspace if empty."""
    labels: list[LabelIn] = msgspec.field(default_factory=list)
    """Ours, but for invitations: the role is for all that bear every one of these labels."""
    role_name: str | None = None
    """Ours: as answers say it; not looked at."""


class Permissions(Body):
    permissions: list[PermissionIn]


class InviteIn(Body):
    email: str
    permissions: list[PermissionIn] = msgspec.field(default_factory=list)
    group_ids: list[str] = msgspec.field(default_factory=list)
    """Ours: groups that the invited join."""


class CreateInvites(Body):
    invites: list[InviteIn]


class NameOfGroup(Body):
    name: str


class Emails(Body):
    emails: list[str]


class EmailsQuery(msgspec.Struct):
    emails: list[str]


class UsersQuery(msgspec.Struct, rename="camel"):
    user_ids: list[str]


class ResourceView(TypedDict):
    id: str
    type: Kind
    labels: NotRequired[list[LabelView]]
    """The role is for all of the type that bear every one of these."""


class PermissionView(TypedDict):
    roleName: str
    roleId: str
    resources: list[ResourceView]


class UserView(TypedDict):
    id: str
    name: str
    email: str
    permissions: list[PermissionView]


class MinimalUserView(TypedDict):
    id: str
    name: str
    email: str


class GroupView(TypedDict):
    id: str
    name: str
    memberCount: int
    permissions: list[PermissionView]


class MinimalGroupView(TypedDict):
    id: str
    name: str


class RoleView(TypedDict):
    id: str
    name: str
    description: str


class UserAnswer(TypedDict):
    user: UserView


class UsersAnswer(TypedDict):
    users: list[UserView]
    pagination: Pagination


class MinimalUsersAnswer(TypedDict):
    users: list[MinimalUserView]
    pagination: Pagination


class GroupAnswer(TypedDict):
    userGroup: GroupView


class GroupsAnswer(TypedDict):
    userGroups: list[GroupView]
    pagination: Pagination


class GroupsOfUserAnswer(TypedDict):
    groups: list[MinimalGroupView]
    pagination: Pagination


class PermissionsAnswer(TypedDict):
    permissions: list[PermissionView]


class RolesAnswer(TypedDict):
    roles: list[RoleView]
    pagination: Pagination


class InvitesAnswer(TypedDict):
    invites: list[str]
    pagination: Pagination


class InvitationView(TypedDict):
    email: str
    link: str
    """Shown this once."""


class CreatedInvites(TypedDict):
    emails: list[str]
    invitations: list[InvitationView]
    """Ours: where nobody sends e-mails, hand these on."""


class EmailsAnswer(TypedDict):
    emails: list[str]
    pagination: Pagination
