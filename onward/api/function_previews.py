"""What came to the preview webhook of a source function: requests to test its code with (spec §10.9)."""

from typing import TypedDict

from litestar import get

from onward.api.answers import Json, timestamp
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Id, InContext
from onward.functions.previews import Kept, PreviewRequests
from onward.workspace import functions as edit


class PreviewRequest(TypedDict):
    """As `request` of a test takes it."""

    receivedAt: str
    body: str
    headers: dict[str, str]
    query: str


class PreviewRequestsAnswer(TypedDict):
    requests: list[PreviewRequest]
    """Newest first, the last ten."""


@get(
    "/functions/{function_id:str}/preview-requests",
    operation_id="listFunctionPreviewRequests",
    sync_to_thread=False,
    answer=PreviewRequestsAnswer,
    tag="Functions",
)
def list_preview_requests(context: InContext, request: ApiRequest, function_id: Id) -> Json:
    """What was sent to its `previewWebhookUrl` since the server started."""
    with context.reading() as session:
        edit.get_function(session, context.workspace_id, function_id)
    previews: PreviewRequests = request.app.state.previews
    return answer(requests=[_view(each) for each in previews.of(function_id)])


def _view(kept: Kept) -> PreviewRequest:
    sent = kept.request.frame()
    return {
        "receivedAt": timestamp(kept.received_at),
        "body": kept.request.body,
        "headers": dict(sent["headers"]),
        "query": kept.request.url.partition("?")[2],
    }


ROUTES = [list_preview_requests]
