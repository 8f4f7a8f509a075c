"""Groups of users. Two paths say `group`, in the singular, as Segment's do."""

from litestar import delete, get, patch, post, put
from litestar.params import RawBody
from sqlalchemy import select

from onward.api.answers import SUCCESS, Done, Json, paged
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Context, Id, InContext, Pages
from onward.api.iam.shapes import (
    Emails,
    EmailsAnswer,
    EmailsQuery,
    GroupAnswer,
    GroupsAnswer,
    MinimalUsersAnswer,
    NameOfGroup,
    Permissions,
    PermissionsAnswer,
)
from onward.api.iam.views import given_permissions, group_answer, group_view, minimal_user_view, permissions
from onward.api.query import read_query
from onward.workspace import people
from onward.workspace.entities import Group, Invite, User
from onward.workspace.pages import page
from onward.workspace.shapes import from_json


@get("/groups", operation_id="listUserGroups", sync_to_thread=True, answer=GroupsAnswer)
def list_groups(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        query = select(Group).where(Group.workspace_id == context.workspace_id)
        found = page(session, query, Group, paging.count, paging.cursor)
        return paged("userGroups", found, lambda group: group_view(context, session, group))


@post(
    "/groups",
    operation_id="createUserGroup",
    sync_to_thread=True,
    status_code=200,
    body=NameOfGroup,
    answer=GroupAnswer,
)
def create_group(context: InContext, body: RawBody) -> Json:
    data = from_json(NameOfGroup, body)
    with context.changing() as editor:
        return group_answer(context, editor.session, people.create_group(editor, data.name))


@get("/groups/{user_group_id:str}", operation_id="getUserGroup", sync_to_thread=True, answer=GroupAnswer)
def get_group(context: InContext, user_group_id: Id) -> Json:
    with context.reading() as session:
        return group_answer(context, session, people.get_group(session, context.workspace_id, user_group_id))


@patch(
    "/groups/{user_group_id:str}",
    operation_id="updateUserGroup",
    sync_to_thread=True,
    body=NameOfGroup,
    answer=GroupAnswer,
)
def update_group(context: InContext, user_group_id: Id, body: RawBody) -> Json:
    data = from_json(NameOfGroup, body)
    with context.changing() as editor:
        group = people.get_group(editor.session, context.workspace_id, user_group_id)
        people.rename_group(editor, group, data.name)
        return group_answer(context, editor.session, group)


@delete(
    "/groups/{user_group_id:str}",
    operation_id="deleteUserGroup",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_group(context: InContext, user_group_id: Id) -> Json:
    with context.changing() as editor:
        people.delete_group(editor, people.get_group(editor.session, context.workspace_id, user_group_id))
        return SUCCESS


@get(
    "/groups/{user_group_id:str}/users",
    operation_id="listUsersFromUserGroup",
    sync_to_thread=True,
    answer=MinimalUsersAnswer,
)
def list_users_of_group(context: InContext, user_group_id: Id, paging: Pages) -> Json:
    with context.reading() as session:
        group = people.get_group(session, context.workspace_id, user_group_id)
        query = people.members(context.workspace_id).where(User.email.in_(people.emails_of(session, group)))
        found = page(session, query, User, paging.count, paging.cursor)
        return paged("users", found, minimal_user_view)


@get(
    "/groups/{user_group_id:str}/invites",
    operation_id="listInvitesFromUserGroup",
    sync_to_thread=True,
    answer=EmailsAnswer,
)
def list_invites_of_group(context: InContext, user_group_id: Id, paging: Pages) -> Json:
    with context.reading() as session:
        group = people.get_group(session, context.workspace_id, user_group_id)
        query = select(Invite).where(
            Invite.workspace_id == context.workspace_id, Invite.email.in_(people.emails_of(session, group))
        )
        found = page(session, query, Invite, paging.count, paging.cursor)
        return paged("emails", found, lambda invite: invite.email)


@post(
    "/groups/{user_group_id:str}/permissions",
    operation_id="addPermissionsToUserGroup",
    sync_to_thread=True,
    status_code=200,
    body=Permissions,
    answer=PermissionsAnswer,
)
def add_permissions_to_group(context: InContext, user_group_id: Id, body: RawBody) -> Json:
    return _set_group_permissions(context, user_group_id, body, replace=False)


@put(
    "/groups/{user_group_id:str}/permissions",
    operation_id="replacePermissionsForUserGroup",
    shown_by="getUserGroup",
    sync_to_thread=True,
    body=Permissions,
    answer=PermissionsAnswer,
)
def replace_permissions_of_group(context: InContext, user_group_id: Id, body: RawBody) -> Json:
    return _set_group_permissions(context, user_group_id, body, replace=True)


def _set_group_permissions(context: Context, id: str, body: bytes, *, replace: bool) -> Json:
    data = from_json(Permissions, body)
    with context.changing() as editor:
        group = people.get_group(editor.session, context.workspace_id, id)
        people.set_group_permissions(
            editor, group, given_permissions(context, data.permissions), replace=replace
        )
        return answer(permissions=permissions(context, editor.session, group.id))


@post(
    "/groups/{user_group_id:str}/users",
    operation_id="addUsersToUserGroup",
    sync_to_thread=True,
    status_code=200,
    body=Emails,
    answer=GroupAnswer,
)
def add_users_to_group(context: InContext, user_group_id: Id, body: RawBody) -> Json:
    return _set_group_members(context, user_group_id, body, replace=False)


@put(
    "/group/{user_group_id:str}/users",
    operation_id="replaceUsersInUserGroup",
    sync_to_thread=True,
    body=Emails,
    answer=GroupAnswer,
)
def replace_users_of_group(context: InContext, user_group_id: Id, body: RawBody) -> Json:
    return _set_group_members(context, user_group_id, body, replace=True)


def _set_group_members(context: Context, id: str, body: bytes, *, replace: bool) -> Json:
    data = from_json(Emails, body)
    with context.changing() as editor:
        group = people.get_group(editor.session, context.workspace_id, id)
        people.set_group_members(editor, group, data.emails, replace=replace)
        return group_answer(context, editor.session, group)


@delete(
    "/group/{user_group_id:str}/users",
    operation_id="removeUsersFromUserGroup",
    sync_to_thread=True,
    status_code=200,
    query=EmailsQuery,
    answer=Done,
)
def remove_users_from_group(context: InContext, request: ApiRequest, user_group_id: Id) -> Json:
    query = read_query(request, EmailsQuery)
    with context.changing() as editor:
        group = people.get_group(editor.session, context.workspace_id, user_group_id)
        people.remove_group_members(editor, group, query.emails)
        return SUCCESS


routes = [
    list_groups,
    create_group,
    get_group,
    update_group,
    delete_group,
    list_users_of_group,
    list_invites_of_group,
    add_permissions_to_group,
    replace_permissions_of_group,
    add_users_to_group,
    replace_users_of_group,
    remove_users_from_group,
]
