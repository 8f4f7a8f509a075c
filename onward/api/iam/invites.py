"""Invitations to the workspace, and the roles that there are."""

from litestar import delete, get, post
from litestar.params import RawBody
from sqlalchemy import select

from onward.api.address import public_address
from onward.api.answers import SUCCESS, Done, Json, numbered_page, paged, position
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, InContext, Pages
from onward.api.iam.shapes import CreatedInvites, CreateInvites, EmailsQuery, InvitesAnswer, RolesAnswer
from onward.api.iam.views import given_permissions
from onward.api.query import read_query
from onward.workspace import people
from onward.workspace.entities import Invite
from onward.workspace.errors import NotFound, at
from onward.workspace.pages import page
from onward.workspace.roles import ROLES
from onward.workspace.shapes import from_json


@get("/invites", operation_id="listInvites", sync_to_thread=True, answer=InvitesAnswer)
def list_invites(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        query = select(Invite).where(
            Invite.workspace_id == context.workspace_id, Invite.email != people.FIRST_OWNER
        )
        found = page(session, query, Invite, paging.count, paging.cursor)
        return paged("invites", found, lambda invite: invite.email)


@post(
    "/invites",
    operation_id="createInvites",
    sync_to_thread=True,
    status_code=201,
    body=CreateInvites,
    answer=CreatedInvites,
)
def create_invites(context: InContext, request: ApiRequest, body: RawBody) -> Json:
    """Invite people; each gets a link that is good for once and for a week."""
    data = from_json(CreateInvites, body)
    made = []
    with context.changing() as editor:
        for index, each in enumerate(data.invites):
            with at(f"invites[{index}]"):
                groups = [people.get_group(editor.session, context.workspace_id, id) for id in each.group_ids]
                invite, token = people.invite(
                    editor, each.email, given_permissions(context, each.permissions), groups
                )
                made.append((invite.email, token))
    base = public_address(request)
    return answer(
        emails=[email for email, _ in made],
        invitations=[{"email": email, "link": f"{base}/invite#{token}"} for email, token in made],
    )


@delete(
    "/invites",
    operation_id="deleteInvites",
    sync_to_thread=True,
    status_code=200,
    query=EmailsQuery,
    answer=Done,
)
def delete_invites(context: InContext, request: ApiRequest) -> Json:
    query = read_query(request, EmailsQuery)
    with context.changing() as editor:
        for email in dict.fromkeys(map(people.normal_email, query.emails)):
            invite = people.find_invite(editor.session, context.workspace_id, email)
            if invite is None:
                raise NotFound(f"{email} is not invited")
            people.delete_invite(editor, invite)
        return SUCCESS


@get("/roles", operation_id="listRoles", sync_to_thread=False, answer=RolesAnswer)
def list_roles(context: InContext, paging: Pages) -> Json:
    roles = [{"id": role.id, "name": role.name, "description": role.description} for role in ROLES.values()]
    start, cursors = position(paging)
    return numbered_page(roles, "roles", paging.count, start, cursors, lambda role: role)


routes = [list_invites, create_invites, delete_invites, list_roles]
