"""Test runs of functions: with a made-up event, one of a source's debugger, or a request (spec §10.10).

What a function fetches is sent for real, through the address guard, so to test one takes what to write one
takes. Each run is a fresh process, and only a few run at a time. Nothing here is counted or kept.
"""

from typing import Annotated, Any, TypedDict

import anyio.to_thread
import msgspec
from litestar import Router, post
from litestar.exceptions import TooManyRequestsException
from litestar.params import RawBody

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.bodies import Body, GivenEvent
from onward.api.context import Context, Id, InContext
from onward.api.functions import Kind
from onward.api.instances import find_event
from onward.functions.selftest import NoBoundary
from onward.functions.source import HANDLER, LARGEST, Request
from onward.functions.trial import BATCH, HANDLERS, Trial, handler_for
from onward.functions.workshop import Busy
from onward.workspace import functions as edit
from onward.workspace import sources
from onward.workspace.errors import Invalid, Unavailable
from onward.workspace.function_catalogue import FunctionSetting, settings_of
from onward.workspace.shapes import from_json

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=edit.MAX_CODE)]
INSERTED = ("INSERT_DESTINATION", "INSERT_SOURCE")


class TestRequest(Body):
    """What a source function is called with."""

    body: Any = ""
    """A text as it is, anything else as JSON."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Content-Type is application/json unless given."""
    query: str = ""
    """Without the question mark."""


class Tested(Body):
    payload: Json | list[Json] | None = None
    """An event; an array of them for `onBatch`."""
    source_id: str | None = None
    """With `messageId`: of the source whose debugger has the event."""
    message_id: str | None = None
    request: TestRequest | None = None
    """For source functions, in place of an event."""
    settings: Json = msgspec.field(default_factory=dict)
    """Values for this run."""
    handler: str | None = None
    """By the event's type unless given."""


class TestFunction(Tested, kw_only=True):
    code: Code | None = None
    """In place of what is saved."""
    version_id: str | None = None
    """The latest unless given."""


class PreviewFunction(Tested, kw_only=True):
    code: Code
    resource_type: Kind = "DESTINATION"
    definitions: list[FunctionSetting] | None = None
    """Which settings there are: what is sensitive is masked in the answer. Without it, all are."""


class TestAnswer(TypedDict):
    test: Trial


class PreviewFunctionAnswer(TypedDict):
    preview: Trial


@post(
    "/{function_id:str}/test",
    operation_id="testFunction",
    status_code=200,
    body=TestFunction,
    answer=TestAnswer,
)
async def test_function(context: InContext, function_id: Id, body: RawBody) -> Json:
    """Run a function once, deployed or not, as it is saved or with other code."""
    data = from_json(TestFunction, body)
    kind, code, definitions = await anyio.to_thread.run_sync(_saved, context, function_id, data)
    return answer(test=await _run(context, kind, code, definitions, data))


@post(
    "/preview",
    operation_id="previewFunction",
    status_code=200,
    body=PreviewFunction,
    answer=PreviewFunctionAnswer,
)
async def preview_function(context: InContext, body: RawBody) -> Json:
    """Run code that is not saved once."""
    data = from_json(PreviewFunction, body)
    code = await anyio.to_thread.run_sync(_compiled, context, data.code)
    return answer(preview=await _run(context, data.resource_type, code, data.definitions, data))


def _saved(context: Context, function_id: str, data: TestFunction) -> tuple[Kind, str, list[FunctionSetting]]:
    """Kind, the JavaScript that runs, and the settings."""
    with context.reading() as session:
        function = edit.get_function(session, context.workspace_id, function_id)
        version = (
            edit.latest_version(session, function)
            if data.version_id is None
            else edit.get_version(session, function, data.version_id)
        )
        kind, code = msgspec.convert(function.kind, Kind), version.runs
        definitions = settings_of(version)
    return kind, code if data.code is None else _compiled(context, data.code), definitions


def _compiled(context: Context, text: str) -> str:
    checked = edit.checked_code(context.store.check_code, text, None)
    return checked.text if checked.compiled is None else checked.compiled


async def _run(
    context: Context, kind: Kind, code: str, definitions: list[FunctionSetting] | None, data: Tested
) -> Any:
    if context.workshop is None:
        raise Unavailable("nothing is here that could run functions")
    handler, payload = await anyio.to_thread.run_sync(_given, context, kind, data)
    secrets = data.settings
    if definitions is not None:
        sensitive = {each.name for each in definitions if each.sensitive}
        secrets = {name: value for name, value in data.settings.items() if name in sensitive}
    try:
        trial = await context.workshop.try_out(
            code,
            payload,
            data.settings,
            workspace_id=context.workspace_id,
            handler=handler,
            inserted=kind in INSERTED,
            secrets=secrets,
        )
    except Busy:
        raise TooManyRequestsException(
            "too many test runs are under way; try again in a moment", headers={"retry-after": "1"}
        ) from None
    except NoBoundary as error:
        raise Unavailable(f"{error} (the setting functions_trusted)") from None
    return msgspec.to_builtins(trial)


def _given(context: Context, kind: Kind, data: Tested) -> tuple[str, Any]:
    """The handler and what it is called with; raises `Invalid`."""
    if kind == "SOURCE":
        if data.request is None or data.payload is not None or data.message_id is not None:
            raise Invalid("a source function is called with a request, and no event", field="request")
        return data.handler or HANDLER, _request(data.request).frame()
    if data.request is not None:
        raise Invalid("only source functions are called with a request", field="request")
    if (data.payload is None) == (data.message_id is None):
        raise Invalid("give either payload, or sourceId and messageId", field="payload")
    payload: Any = data.payload
    if data.message_id is not None:
        payload = _sampled(context, data)
    if data.handler is not None:
        if data.handler not in (*HANDLERS.values(), BATCH):
            raise Invalid(f"there are the handlers {', '.join((*HANDLERS.values(), BATCH))}", field="handler")
        if (data.handler == BATCH) != isinstance(payload, list):
            raise Invalid("onBatch takes an array of events, and nothing else does", field="handler")
        return data.handler, payload
    try:
        return handler_for(payload), payload
    except ValueError as error:
        raise Invalid(str(error), field="payload.type") from None


def _sampled(context: Context, data: Tested) -> Json:
    if data.source_id is None:
        raise Invalid("whose debugger has the event?", field="sourceId")
    with context.reading() as session:
        source = sources.get_source(session, context.workspace_id, data.source_id)
        source_id = source.id
    return find_event(context, source_id, GivenEvent(message_id=data.message_id))


def _request(given: TestRequest) -> Request:
    text = given.body if isinstance(given.body, str) else msgspec.json.encode(given.body).decode()
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise Invalid(f"a request has at most {LARGEST:,} bytes", field="request.body")
    headers = {name.lower(): value for name, value in given.headers.items()}
    headers.setdefault("content-type", "application/json")
    query = f"?{given.query}" if given.query else ""
    return Request(url=f"https://functions.example/{query}", headers=list(headers.items()), body=text)


router = Router("/functions", route_handlers=[test_function, preview_function])
