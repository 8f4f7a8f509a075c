"""`GET /echo`: for trying out a client, its errors included."""

from typing import Annotated, Literal, TypedDict

import anyio
import msgspec
from litestar import Response, get

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.context import ApiRequest
from onward.api.errors import Problem, respond
from onward.api.query import read_query

MAX_DELAY_MS = 60_000
SECRET = ("authorization", "cookie", "x-onward-csrf")


class EchoQuery(msgspec.Struct, rename="camel"):
    message: str
    delay: Annotated[int, msgspec.Meta(ge=0, le=MAX_DELAY_MS)] = 0
    """Milliseconds."""
    trigger_error: bool = False
    trigger_multiple_errors: bool = False
    trigger_unexpected_error: bool = False
    status_code: Annotated[int, msgspec.Meta(ge=200, le=599)] = 200


class Echo(TypedDict):
    method: Literal["get", "post"]
    message: str
    headers: dict[str, str]
    """Of the request, without those that say who asks."""


@get("/echo", operation_id="echo", query=EchoQuery, answer=Echo, statuses=("204", "304", "default"))
async def echo(request: ApiRequest) -> Response[Json | None]:
    """The message comes back: after a delay, as another status, or as an error, if one is asked for."""
    query = read_query(request, EchoQuery)
    await anyio.sleep(query.delay / 1000)
    if query.trigger_unexpected_error:
        return respond(500, Problem("server", "an unexpected error, as asked for"))
    if query.trigger_multiple_errors:
        return respond(
            400, Problem("bad-request", "the first error"), Problem("bad-request", "the second error")
        )
    if query.trigger_error:
        return respond(400, Problem("bad-request", "an error, as asked for"))
    if query.status_code in (204, 304):  # have no content
        return Response(None, status_code=query.status_code)
    headers = {name: value for name, value in request.headers.items() if name not in SECRET}
    given = answer(method="get", message=query.message, headers=headers)
    return Response(given, status_code=query.status_code)
