"""`GET /echo`: for trying out a client, its errors included."""

import anyio
from litestar import Response, get

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, number
from onward.api.errors import Problem, respond
from onward.workspace.errors import Invalid

MAX_DELAY_MS = 60_000


@get("/echo", operation_id="echo")
async def echo(request: ApiRequest) -> Response[Json]:
    """Answers with `message` after `delay` ms, as `statusCode`, or with an error if one is asked for."""
    query = request.query_params
    if "message" not in query:
        raise Invalid("the query parameter message is missing", field="message")
    delay = number(request, "delay", query.get("delay"), 0, 0, MAX_DELAY_MS)
    status = number(request, "statusCode", query.get("statusCode"), 200, 200, 599)
    await anyio.sleep(delay / 1000)
    if query.get("triggerUnexpectedError") == "true":
        return respond(500, Problem("server", "an unexpected error, as asked for"))
    if query.get("triggerMultipleErrors") == "true":
        return respond(
            400, Problem("bad-request", "the first error"), Problem("bad-request", "the second error")
        )
    if query.get("triggerError") == "true":
        return respond(400, Problem("bad-request", "an error, as asked for"))
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    return Response(answer(method="get", message=query["message"], headers=headers), status_code=status)
