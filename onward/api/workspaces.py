"""The workspace that a caller works in, and others of the installation (ours)."""

from typing import TypedDict

from litestar import get, patch, post
from litestar.params import RawBody
from msgspec import UNSET, UnsetType

from onward.api.answers import Json, WorkspaceView, workspace_view
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, InContext
from onward.workspace import people
from onward.workspace import workspaces as edit
from onward.workspace.entities import User, Workspace
from onward.workspace.shapes import from_json
from onward.workspace.store import find


class UpdateWorkspace(Body):
    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET


class CreateWorkspace(Body):
    slug: str
    name: str | None = None
    """As the slug if there is none."""


class WorkspaceAnswer(TypedDict):
    workspace: WorkspaceView


class CreatedWorkspace(TypedDict):
    workspace: WorkspaceView
    token: str
    """Of an owner of the new workspace, shown this once."""


class WorkspacesAnswer(TypedDict):
    workspaces: list[WorkspaceView]


@get("/", operation_id="getWorkspace", sync_to_thread=True, answer=WorkspaceAnswer)
def get_workspace(context: InContext) -> Json:
    """The workspace of the token, or of the session's request."""
    with context.reading() as session:
        found = find(session.get(Workspace, context.workspace_id), "workspace", context.workspace_id)
        return answer(workspace=workspace_view(found))


@patch("/", operation_id="updateWorkspace", sync_to_thread=True, body=UpdateWorkspace, answer=WorkspaceAnswer)
def update_workspace(context: InContext, body: RawBody) -> Json:
    """Rename it."""
    data = from_json(UpdateWorkspace, body)
    with context.changing() as editor:
        edit.rename_workspace(
            editor,
            slug=None if data.slug is UNSET else data.slug,
            name=None if data.name is UNSET else data.name,
        )
        return answer(workspace=workspace_view(editor.workspace))


@get("/workspaces", operation_id="listWorkspaces", sync_to_thread=True, answer=WorkspacesAnswer)
def list_workspaces(context: InContext, request: ApiRequest) -> Json:
    """Those that the caller belongs to: of a user all, of a token its own."""
    with context.reading() as session:
        user = session.get(User, request.auth.user_id) if request.auth.user_id else None
        if user is not None:
            found = people.workspaces_of(session, user)
        else:
            found = [find(session.get(Workspace, context.workspace_id), "workspace", context.workspace_id)]
        return answer(workspaces=[workspace_view(each) for each in found])


@post(
    "/workspaces",
    operation_id="createWorkspace",
    sync_to_thread=True,
    status_code=201,
    body=CreateWorkspace,
    answer=CreatedWorkspace,
)
def create_workspace(context: InContext, request: ApiRequest, body: RawBody) -> Json:
    """Another workspace of this installation, for owners of its first. A user who makes it is its owner."""
    context.require_installation()
    data = from_json(CreateWorkspace, body)
    with context.changing() as editor:
        user = editor.session.get(User, request.auth.user_id) if request.auth.user_id else None
        made, token = edit.create_workspace(editor, data.slug, data.name, user)
        return answer(workspace=workspace_view(made), token=token)


ROUTES = [get_workspace, update_workspace, list_workspaces, create_workspace]
