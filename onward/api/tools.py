"""What the tool behind a destination is asked (ours): choices of a field, hooks, audiences (spec §9.5)."""

import asyncio
from collections.abc import Awaitable
from typing import Any, NotRequired, TypedDict, TypeVar

import anyio.to_thread
import msgspec
from litestar import Router, get, post
from litestar.params import RawBody

from onward.api.answers import Json, SubscriptionView, subscription_view
from onward.api.answers import data as answer
from onward.api.bodies import CreateAudience, ListChoices, RunHook
from onward.api.context import ApiRequest, Context, Id, InContext
from onward.api.instances import find_subscription
from onward.api.query import read_query
from onward.api.testing import runnable
from onward.destinations.definition import Audiences, HookError
from onward.destinations.tester import Instance
from onward.egress.http import EgressError
from onward.workspace import subscriptions as edit
from onward.workspace.destinations import get_destination
from onward.workspace.errors import Invalid, NotFound, naming
from onward.workspace.shapes import from_json

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds for all that is asked of the tool."""


class FieldChoices(TypedDict):
    choices: list[dict[str, Any]]
    """`{"value", "label"}` each, and what else the tool says of it."""
    nextPage: str | None
    error: str | None
    """What the tool said instead."""


class HookAnswer(TypedDict):
    outputs: dict[str, Any]
    subscription: SubscriptionView


class AudienceView(TypedDict):
    externalId: str
    name: NotRequired[str]


class AudienceAnswer(TypedDict):
    audience: AudienceView


class AudienceQuery(msgspec.Struct):
    settings: str = "{}"
    """The audience settings as JSON."""


@post(
    "/actions/{action:str}/fields/{field:str}/choices",
    operation_id="listFieldChoices",
    status_code=200,
    body=ListChoices,
    body_optional=True,
    answer=FieldChoices,
)
async def list_choices(context: InContext, destination_id: Id, action: Id, field: Id, body: RawBody) -> Json:
    """The choices that the tool has for a dynamic field, given the fields filled in so far.

    A field of a hook is `HOOK.FIELD`, and the payload has the hook's inputs.
    """
    data = from_json(ListChoices, body or b"{}")
    instance = await runnable(context, destination_id)
    definition = instance.definition
    found = edit.find_action(definition, action)
    ask = definition.choices
    root, _, below = field.partition(".")
    hook = found.hooks.get(root)
    if ask is None or not (root in found.fields or (hook is not None and below in hook.fields)):
        raise NotFound(
            f"the action {found.slug} of {definition.name} has no field {field} with dynamic choices"
        )
    call = instance.call(instance.http)
    page = await _asked(instance, ask(call, found.slug, field, data.payload, data.page))
    return answer(
        choices=instance.masking().json(list(page.choices)),
        nextPage=page.next_page,
        error=page.error and instance.masking().text(page.error),
    )


@post(
    "/subscriptions/{id:str}/hooks/{hook:str}",
    operation_id="runSubscriptionHook",
    status_code=200,
    body=RunHook,
    body_optional=True,
    answer=HookAnswer,
)
async def run_hook(context: InContext, destination_id: Id, id: Id, hook: Id, body: RawBody) -> Json:
    """Do what the hook does at the tool, and keep its inputs and outputs in the mapping, under its name."""
    data = from_json(RunHook, body or b"{}")
    instance = await runnable(context, destination_id)
    subscription = find_subscription(instance, id)
    action = instance.definition.actions.get(subscription.action)
    found = action.hooks.get(hook) if action else None
    if found is None:
        raise NotFound(f"the action {subscription.action} of {instance.definition.name} has no hook {hook}")
    call = instance.call(instance.http, subscription)
    outputs = await _asked(instance, found.perform(call, data.payload, data.inputs))
    kept = {"inputs": data.inputs, "outputs": outputs}
    saved = await anyio.to_thread.run_sync(_keep, context, destination_id, id, hook, kept)
    return answer(outputs=outputs, subscription=saved)


@post(
    "/audiences",
    operation_id="createDestinationAudience",
    status_code=200,
    body=CreateAudience,
    answer=AudienceAnswer,
)
async def create_audience(context: InContext, destination_id: Id, body: RawBody) -> Json:
    """Make a list at the tool."""
    data = from_json(CreateAudience, body)
    instance, audiences = await _audiences(context, destination_id)
    made = audiences.create(instance.call(instance.http), data.name, data.settings)
    return answer(audience={"externalId": await _asked(instance, made), "name": data.name})


@get(
    "/audiences/{external_id:str}",
    operation_id="getDestinationAudience",
    query=AudienceQuery,
    answer=AudienceAnswer,
)
async def get_audience(context: InContext, request: ApiRequest, destination_id: Id, external_id: Id) -> Json:
    """Whether the tool has the list."""
    given = read_query(request, AudienceQuery).settings
    try:
        settings = msgspec.json.decode(given, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"this must be a JSON object: {error}", field="settings") from None
    instance, audiences = await _audiences(context, destination_id)
    found = audiences.get(instance.call(instance.http), external_id, settings)
    return answer(audience={"externalId": await _asked(instance, found)})


async def _audiences(context: Context, destination_id: str) -> tuple[Instance, Audiences]:
    instance = await runnable(context, destination_id)
    if instance.definition.audiences is None:
        raise Invalid(f"{instance.definition.name} has no audiences")
    return instance, instance.definition.audiences


async def _asked(instance: Instance, question: Awaitable[T]) -> T:
    """The tool's answer in bounded time; raises `Invalid` with what it said instead, without secrets."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await question
    except HookError as error:
        why = str(error)
    except EgressError as error:
        why = f"{error.code}: {error.message}"
    except TimeoutError:
        why = f"no answer within {PATIENCE:g} s"
    raise Invalid(f"{instance.definition.name} refused: {instance.masking().text(why)}")


def _keep(context: Context, destination_id: str, id: str, hook: str, kept: Json) -> SubscriptionView:
    """The mapping may have been changed while the tool was asked: only the hook's part is set."""
    with context.changing() as editor, naming(mapping="settings"):
        destination = get_destination(editor.session, context.workspace_id, destination_id)
        subscription = edit.get_subscription(editor.session, destination, id)
        edit.update_subscription(editor, subscription, mapping=subscription.mapping | {hook: kept})
        return subscription_view(subscription, context.metadata.definition(destination.definition).id)


router = Router(
    "/destinations/{destination_id:str}",
    route_handlers=[list_choices, run_hook, create_audience, get_audience],
)
