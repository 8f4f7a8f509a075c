"""Permissions as they are taken, and users and groups as they are shown."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.context import Context
from onward.api.iam.shapes import (
    GroupView,
    LabelIn,
    MinimalUserView,
    PermissionIn,
    PermissionView,
    ResourceIn,
    UserView,
)
from onward.workspace import access, people
from onward.workspace.entities import Grant, Group, User
from onward.workspace.errors import at
from onward.workspace.roles import ROLES


def given_permissions(context: Context, permissions: Sequence[PermissionIn]) -> list[people.Given]:
    given: list[people.Given] = []
    for index, each in enumerate(permissions):
        with at(f"permissions[{index}]"):
            role = people.find_role(each.role_id)
            resources = [resource(wanted) for wanted in each.resources]
            if each.labels:
                resources.append(
                    {"type": role.kind, "id": context.workspace_id, "labels": _labels(each.labels)}
                )
            given.append((role, resources))
    return given


def resource(wanted: ResourceIn) -> access.Resource:
    shown: dict[str, Any] = {"type": wanted.type, "id": wanted.id}
    return shown | {"labels": _labels(wanted.labels)} if wanted.labels else shown


def _labels(labels: Sequence[LabelIn]) -> list[dict[str, str]]:
    return [{"key": label.key, "value": label.value} for label in labels]


def permissions(context: Context, session: Session, subject_id: str) -> list[PermissionView]:
    return [_permission(grant) for grant in access.grants_of(session, context.workspace_id, subject_id)]


def _permission(grant: Grant) -> PermissionView:
    role = ROLES[grant.role]
    return {"roleName": role.name, "roleId": role.id, "resources": grant.resources}


def user_view(context: Context, session: Session, user: User) -> UserView:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "permissions": permissions(context, session, user.id),
    }


def minimal_user_view(user: User) -> MinimalUserView:
    return {"id": user.id, "name": user.name, "email": user.email}


def group_view(context: Context, session: Session, group: Group) -> GroupView:
    return {
        "id": group.id,
        "name": group.name,
        "memberCount": len(people.emails_of(session, group)),
        "permissions": permissions(context, session, group.id),
    }


def group_answer(context: Context, session: Session, group: Group) -> Json:
    return answer(userGroup=group_view(context, session, group))
