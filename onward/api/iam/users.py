"""Users of the workspace."""

from litestar import Router, delete, get, post, put
from litestar.params import RawBody
from sqlalchemy import select

from onward.api.answers import SUCCESS, Done, Json, paged
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Id, InContext, Pages
from onward.api.iam.shapes import (
    GroupsOfUserAnswer,
    Permissions,
    PermissionsAnswer,
    UserAnswer,
    UsersAnswer,
    UsersQuery,
)
from onward.api.iam.views import given_permissions, permissions, user_view
from onward.api.query import read_query
from onward.workspace import people
from onward.workspace.entities import Group, GroupMember, User
from onward.workspace.pages import page
from onward.workspace.shapes import from_json


@get("/", operation_id="listUsers", sync_to_thread=True, answer=UsersAnswer)
def list_users(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        found = page(session, people.members(context.workspace_id), User, paging.count, paging.cursor)
        return paged("users", found, lambda user: user_view(context, session, user))


@get("/{user_id:str}", operation_id="getUser", sync_to_thread=True, answer=UserAnswer)
def get_user(context: InContext, user_id: Id) -> Json:
    with context.reading() as session:
        user = people.get_user(session, context.workspace_id, user_id)
        return answer(user=user_view(context, session, user))


@delete("/", operation_id="deleteUsers", sync_to_thread=True, status_code=200, query=UsersQuery, answer=Done)
def delete_users(context: InContext, request: ApiRequest) -> Json:
    """Remove users from the workspace; who is in no other is forgotten."""
    query = read_query(request, UsersQuery)
    with context.changing() as editor:
        found = [
            people.get_user(editor.session, context.workspace_id, id) for id in dict.fromkeys(query.user_ids)
        ]
        people.remove_users(editor, found)
        return SUCCESS


@get(
    "/{user_id:str}/groups",
    operation_id="listUserGroupsFromUser",
    sync_to_thread=True,
    answer=GroupsOfUserAnswer,
)
def list_groups_of_user(context: InContext, user_id: Id, paging: Pages) -> Json:
    with context.reading() as session:
        user = people.get_user(session, context.workspace_id, user_id)
        query = (
            select(Group)
            .join(GroupMember, GroupMember.group_id == Group.id)
            .where(Group.workspace_id == context.workspace_id, GroupMember.email == user.email)
        )
        found = page(session, query, Group, paging.count, paging.cursor)
        return paged("groups", found, lambda group: {"id": group.id, "name": group.name})


@post(
    "/{user_id:str}/permissions",
    operation_id="addPermissionsToUser",
    sync_to_thread=True,
    status_code=200,
    body=Permissions,
    answer=PermissionsAnswer,
)
def add_permissions_to_user(context: InContext, user_id: Id, body: RawBody) -> Json:
    data = from_json(Permissions, body)
    with context.changing() as editor:
        user = people.get_user(editor.session, context.workspace_id, user_id)
        people.add_permissions(editor, user, given_permissions(context, data.permissions))
        return answer(permissions=permissions(context, editor.session, user.id))


@put(
    "/{user_id:str}/permissions",
    operation_id="replacePermissionsForUser",
    shown_by="getUser",
    sync_to_thread=True,
    body=Permissions,
    answer=PermissionsAnswer,
)
def replace_permissions_of_user(context: InContext, user_id: Id, body: RawBody) -> Json:
    data = from_json(Permissions, body)
    with context.changing() as editor:
        user = people.get_user(editor.session, context.workspace_id, user_id)
        people.replace_permissions(editor, user, given_permissions(context, data.permissions))
        return answer(permissions=permissions(context, editor.session, user.id))


router = Router(
    "/users",
    route_handlers=[
        list_users,
        get_user,
        delete_users,
        list_groups_of_user,
        add_permissions_to_user,
        replace_permissions_of_user,
    ],
)
