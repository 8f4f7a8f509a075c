"""Edge functions of a source (spec §18.1): the address of their bundle is kept, the bundle is not."""

from typing import NoReturn, TypedDict

import msgspec
from litestar import get, patch, post
from litestar.params import RawBody

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import Id, InContext
from onward.workspace import edge_functions as edit
from onward.workspace.entities import EdgeFunction
from onward.workspace.errors import Unavailable
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source

PATH = "/sources/{source_id:str}/edge-functions"


class CreateEdgeFunctions(Body):
    upload_url: str = msgspec.field(name="uploadURL")
    """Where the bundle is served, https://…"""


class EdgeFunctionsView(TypedDict):
    id: str
    sourceId: str
    createdAt: str
    createdBy: str
    downloadURL: str
    """Empty if they are disabled."""
    version: int


class EdgeFunctionsAnswer(TypedDict):
    edgeFunctions: EdgeFunctionsView


class UploadAnswer(TypedDict):
    uploadURL: str


@get(
    f"{PATH}/latest",
    operation_id="getLatestFromEdgeFunctions",
    sync_to_thread=True,
    answer=EdgeFunctionsAnswer,
)
def get_latest(context: InContext, source_id: Id) -> Json:
    with context.reading() as session:
        source = get_source(session, context.workspace_id, source_id)
        return answer(edgeFunctions=_view(edit.latest(session, source)))


@post(
    PATH,
    operation_id="createEdgeFunctions",
    sync_to_thread=True,
    status_code=200,
    body=CreateEdgeFunctions,
    answer=EdgeFunctionsAnswer,
)
def create(context: InContext, source_id: Id, body: RawBody) -> Json:
    """A new version. It is kept; the settings that libraries ask for do not name it yet."""
    data = from_json(CreateEdgeFunctions, body)
    with context.changing() as editor:
        source = get_source(editor.session, context.workspace_id, source_id)
        return answer(edgeFunctions=_view(edit.create(editor, source, data.upload_url)))


@patch(
    f"{PATH}/disable", operation_id="disableEdgeFunctions", sync_to_thread=True, answer=EdgeFunctionsAnswer
)
def disable(context: InContext, source_id: Id) -> Json:
    """A new version without a bundle."""
    with context.changing() as editor:
        source = get_source(editor.session, context.workspace_id, source_id)
        return answer(edgeFunctions=_view(edit.disable(editor, source)))


@post(
    f"{PATH}/upload-url",
    operation_id="generateUploadURLForEdgeFunctions",
    sync_to_thread=True,
    status_code=200,
    answer=UploadAnswer,
)
def generate_upload_url(context: InContext, source_id: Id) -> NoReturn:
    """Not available: Onward has no place for bundles."""
    with context.reading() as session:
        get_source(session, context.workspace_id, source_id)
    raise Unavailable(
        "Onward keeps no bundles: serve it yourself, and give its address to createEdgeFunctions as uploadURL"
    )


def _view(edge: EdgeFunction) -> EdgeFunctionsView:
    return {
        "id": edge.id,
        "sourceId": edge.source_id,
        "createdAt": timestamp(edge.created_at),
        "createdBy": edge.created_by,
        "downloadURL": edge.download_url,
        "version": edge.version,
    }


ROUTES = [get_latest, create, disable, generate_upload_url]
