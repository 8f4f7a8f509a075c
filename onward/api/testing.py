"""Try it (ours): connections, mappings, events and triggers, before or while events flow (spec §20).

The rules are in `onward.destinations.tester`. Nothing here is counted or kept.
"""

import time
from dataclasses import asdict, replace
from random import SystemRandom
from typing import Any, TypedDict

import anyio.to_thread
import msgspec
from litestar import Router, get, post
from litestar.params import RawBody

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.bodies import GivenEvent, PreviewTrigger, TestMapping, TestSubscription
from onward.api.context import ApiRequest, Context, Id, InContext
from onward.api.inserting import Inserting, InsertRun, inserting
from onward.api.instances import find_event, find_instance, find_subscription
from onward.api.query import read_query
from onward.destinations import tester
from onward.destinations.preview import Preview, preview
from onward.destinations.tester import Instance
from onward.pipeline import triggers
from onward.pipeline.samples import TYPES, sample_event
from onward.workspace.checks import check_mapping, check_trigger
from onward.workspace.errors import Invalid, naming
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json
from onward.workspace.snapshot import Subscription
from onward.workspace.subscriptions import default_mapping, find_action
from onward.workspace.values import settle


class ConnectionAnswer(TypedDict):
    connection: tester.Connection


class MappingTestAnswer(TypedDict):
    test: tester.Result
    insertFunction: InsertRun | None
    """What it did; null if there is none, or the event did not get to it."""


class EventTestAnswer(TypedDict):
    test: tester.EventResult
    insertFunction: InsertRun | None


class PreviewAnswer(TypedDict):
    preview: Preview
    insertFunction: InsertRun | None


class TriggerProblem(TypedDict):
    message: str
    position: int


class TriggerAnswer(TypedDict):
    matches: bool
    ast: dict[str, Any] | None
    """As Segment's own parser would read it; null if it can't be read."""
    error: TriggerProblem | None


class SampleQuery(msgspec.Struct):
    type: str = "track"


class SampleAnswer(TypedDict):
    event: dict[str, Any]


@post("/test-connection", operation_id="testDestinationConnection", status_code=200, answer=ConnectionAnswer)
async def test_connection(context: InContext, destination_id: Id) -> Json:
    """CONNECTED, FAILED or UNTESTED, why, and what was asked and answered."""
    instance = await runnable(context, destination_id)
    _check_settings(instance)
    return answer(connection=_json(await tester.test_connection(instance)))


@post(
    "/subscriptions/{id:str}/test",
    operation_id="testDestinationSubscription",
    status_code=200,
    body=TestSubscription,
    answer=MappingTestAnswer,
)
async def test_subscription(context: InContext, destination_id: Id, id: Id, body: RawBody) -> Json:
    """One mapping, enabled or not, as it is or with another trigger, settings or both."""
    data = from_json(TestSubscription, body)
    instance = await runnable(context, destination_id, previewing=not data.send)
    saved = find_subscription(instance, id)
    edited = msgspec.structs.replace(
        saved,
        trigger=saved.trigger if data.trigger is None else data.trigger,
        mapping=saved.mapping if data.settings is None else data.settings,
    )
    return await _test(context, instance, edited, data, send=data.send)


@post(
    "/test-mapping",
    operation_id="testDestinationMapping",
    status_code=200,
    body=TestMapping,
    answer=MappingTestAnswer,
)
async def test_mapping(context: InContext, destination_id: Id, body: RawBody) -> Json:
    """A mapping that is not saved; without settings, the action's default one."""
    data = from_json(TestMapping, body)
    instance = await runnable(context, destination_id, previewing=not data.send)
    with naming(action="actionId"):
        action = find_action(instance.definition, data.action_id)
    mapping = default_mapping(action) if data.settings is None else data.settings
    edited = tester.unsaved(action.slug, data.trigger or action.default_trigger, mapping)
    return await _test(context, instance, edited, data, send=data.send)


@post(
    "/test-event",
    operation_id="testDestinationEvent",
    status_code=200,
    body=GivenEvent,
    answer=EventTestAnswer,
)
async def test_event(context: InContext, destination_id: Id, body: RawBody) -> Json:
    """A real send through all enabled mappings, past the destination's filters."""
    data = from_json(GivenEvent, body)
    instance = await runnable(context, destination_id)
    _check_settings(instance)
    event = await anyio.to_thread.run_sync(find_event, context, instance.destination.source_id, data)
    return answer(test=_json(await tester.test_event(instance, event)), insertFunction=_run_of(instance))


@post(
    "/preview",
    operation_id="previewDestination",
    status_code=200,
    body=GivenEvent,
    answer=PreviewAnswer,
)
async def preview_destination(context: InContext, destination_id: Id, body: RawBody) -> Json:
    """What would become of an event, step by step. No mapping sends anything. The insert function is called
    for those who may test: its own requests are real."""
    data = from_json(GivenEvent, body)
    instance = await anyio.to_thread.run_sync(find_instance, context, destination_id)
    source_id = instance.destination.source_id
    if context.access.to(Permission.DESTINATION_WRITE, source_id):
        instance = replace(instance, insert=inserting(context, instance, previewing=True))
    event = await anyio.to_thread.run_sync(find_event, context, source_id, data)
    return answer(preview=_json(await preview(instance, event)), insertFunction=_run_of(instance))


@post(
    "/triggers/preview",
    operation_id="previewTrigger",
    sync_to_thread=True,
    status_code=200,
    body=PreviewTrigger,
    answer=TriggerAnswer,
)
def preview_trigger(body: RawBody) -> Json:
    """Whether an event, as it stands, meets a trigger; how the trigger was read, or where it can't be."""
    data = from_json(PreviewTrigger, body)
    try:
        triggers.check(data.trigger)
        tree = triggers.parse(data.trigger)
    except triggers.TriggerError as error:
        problem = {"message": error.message, "position": error.position}
        return answer(matches=False, ast=None, error=problem)
    return answer(matches=triggers.matches(data.trigger, data.payload), ast=_tree(tree), error=None)


@get(
    "/catalog/sample-event",
    operation_id="getSampleEvent",
    sync_to_thread=False,
    query=SampleQuery,
    answer=SampleAnswer,
)
def get_sample_event(request: ApiRequest) -> Json:
    """A made-up event, complete."""
    type = read_query(request, SampleQuery).type
    if type not in TYPES:
        raise Invalid(f"there are the types {', '.join(TYPES)}", field="type")
    return answer(event=sample_event(type, SystemRandom(), int(time.time() * 1000)))


async def runnable(context: Context, destination_id: str, *, previewing: bool = False) -> Instance:
    instance = await anyio.to_thread.run_sync(find_instance, context, destination_id)
    instance = replace(instance, insert=inserting(context, instance, previewing=previewing))
    if not instance.runnable:
        raise Invalid(
            f"{instance.definition.name} runs as JavaScript, and nothing is here to run it: install the "
            "catalogue with `onward catalog update`, and start Onward again"
        )
    return instance


async def _test(
    context: Context, instance: Instance, subscription: Subscription, given: GivenEvent, *, send: bool
) -> Json:
    """Raises `Invalid` for a trigger or mapping that could not be saved either."""
    if send:
        _check_settings(instance)
    check_trigger(subscription.trigger)
    action = instance.definition.actions.get(subscription.action)
    if action is not None:  # or else the result will say so
        with naming(mapping="settings"):
            check_mapping(action, subscription.mapping, complete=False)
    event = await anyio.to_thread.run_sync(find_event, context, instance.destination.source_id, given)
    tried = await tester.test_mapping(instance, subscription, event, send=send)
    return answer(test=_json(tried), insertFunction=_run_of(instance))


def _run_of(instance: Instance) -> Json | None:
    return _json(instance.insert.run) if isinstance(instance.insert, Inserting) else None


def _check_settings(instance: Instance) -> None:
    """What is sent needs all settings, which a disabled destination may lack; raises `Invalid`."""
    settle(instance.definition, {}, instance.destination.settings)


def _json(result: Any) -> Any:
    return msgspec.to_builtins(result)


def _tree(node: triggers.Group | triggers.Condition) -> Json:
    """In the shape that Segment's own parser gives (destination-subscriptions)."""
    if isinstance(node, triggers.Group):
        return {
            "type": "group",
            "operator": node.operator,
            "children": [_tree(child) for child in node.children],
        }
    return {name: value for name, value in asdict(node).items() if value is not None}


router = Router(
    "/destinations/{destination_id:str}",
    route_handlers=[test_connection, test_subscription, test_mapping, test_event, preview_destination],
)
