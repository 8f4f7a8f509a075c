"""The workspace that a token belongs to."""

from typing import TypedDict

from litestar import get

from onward.api.answers import Json, WorkspaceView, workspace_view
from onward.api.answers import data as answer
from onward.api.context import InContext
from onward.workspace.entities import Workspace
from onward.workspace.store import find


class WorkspaceAnswer(TypedDict):
    workspace: WorkspaceView


@get("/", operation_id="getWorkspace", sync_to_thread=True, answer=WorkspaceAnswer)
def get_workspace(context: InContext) -> Json:
    with context.reading() as session:
        found = find(session.get(Workspace, context.workspace_id), "workspace", context.workspace_id)
        return answer(workspace=workspace_view(found))
