"""Subscriptions (mappings) of Actions destinations (spec §9.8)."""

from typing import TypedDict

from litestar import Router, delete, get, patch, post
from litestar.params import RawBody
from sqlalchemy import select

from onward.api.answers import SUCCESS, Done, Json, Pagination, SubscriptionView, paged, subscription_view
from onward.api.answers import data as answer
from onward.api.bodies import CreateSubscription, UpdateSubscription
from onward.api.context import Context, Id, InContext, Pages
from onward.workspace import subscriptions as edit
from onward.workspace.destinations import get_destination
from onward.workspace.entities import Subscription
from onward.workspace.errors import at, naming
from onward.workspace.pages import page
from onward.workspace.shapes import from_json


class CreatedSubscription(TypedDict):
    destinationSubscription: SubscriptionView


class SubscriptionAnswer(TypedDict):
    subscription: SubscriptionView


class SubscriptionsAnswer(TypedDict):
    subscriptions: list[SubscriptionView]
    pagination: Pagination


@get("/", operation_id="listSubscriptionsFromDestination", sync_to_thread=True, answer=SubscriptionsAnswer)
def list_subscriptions(context: InContext, destination_id: Id, paging: Pages) -> Json:
    with context.reading() as session:
        destination = get_destination(session, context.workspace_id, destination_id)
        query = select(Subscription).where(Subscription.destination_id == destination.id)
        found = page(session, query, Subscription, paging.count, paging.cursor)
        return paged("subscriptions", found, lambda each: _view(context, each))


@post(
    "/",
    operation_id="createDestinationSubscription",
    sync_to_thread=True,
    status_code=200,
    body=CreateSubscription,
    answer=CreatedSubscription,
)
def create_subscription(context: InContext, destination_id: Id, body: RawBody) -> Json:
    data = from_json(CreateSubscription, body)
    with context.changing() as editor, naming(action="actionId", mapping="settings"):
        destination = get_destination(editor.session, context.workspace_id, destination_id)
        subscription = edit.create_subscription(
            editor,
            destination,
            name=data.name,
            action=data.action_id,
            trigger=data.trigger,
            mapping=data.settings,
            enabled=data.enabled,
        )
        return answer(destinationSubscription=_view(context, subscription))


@get(
    "/{id:str}",
    operation_id="getSubscriptionFromDestination",
    sync_to_thread=True,
    answer=SubscriptionAnswer,
)
def get_subscription(context: InContext, destination_id: Id, id: Id) -> Json:
    with context.reading() as session:
        destination = get_destination(session, context.workspace_id, destination_id)
        return answer(subscription=_view(context, edit.get_subscription(session, destination, id)))


@patch(
    "/{id:str}",
    operation_id="updateSubscriptionForDestination",
    sync_to_thread=True,
    body=UpdateSubscription,
    answer=SubscriptionAnswer,
)
def update_subscription(context: InContext, destination_id: Id, id: Id, body: RawBody) -> Json:
    data = from_json(UpdateSubscription, body)
    with context.changing() as editor:
        destination = get_destination(editor.session, context.workspace_id, destination_id)
        subscription = edit.get_subscription(editor.session, destination, id)
        with at("input"), naming(action="actionId", mapping="settings"):
            edit.update_subscription(
                editor,
                subscription,
                name=data.input.name,
                trigger=data.input.trigger,
                mapping=data.input.settings,
                enabled=data.input.enabled,
            )
        return answer(subscription=_view(context, subscription))


@delete(
    "/{id:str}",
    operation_id="removeSubscriptionFromDestination",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_subscription(context: InContext, destination_id: Id, id: Id) -> Json:
    with context.changing() as editor:
        destination = get_destination(editor.session, context.workspace_id, destination_id)
        edit.delete_subscription(editor, edit.get_subscription(editor.session, destination, id))
        return SUCCESS


@post(
    "/{id:str}/duplicate",
    operation_id="duplicateDestinationSubscription",
    sync_to_thread=True,
    status_code=200,
    answer=CreatedSubscription,
)
def duplicate_subscription(context: InContext, destination_id: Id, id: Id) -> Json:
    """Ours: a disabled copy named `<name> (Copy)`."""
    with context.changing() as editor:
        destination = get_destination(editor.session, context.workspace_id, destination_id)
        subscription = edit.get_subscription(editor.session, destination, id)
        copy = edit.duplicate_subscription(editor, subscription)
        return answer(destinationSubscription=_view(context, copy))


def _view(context: Context, subscription: Subscription) -> SubscriptionView:
    definition = context.metadata.definition(subscription.destination.definition)
    return subscription_view(subscription, definition.id)


router = Router(
    "/destinations/{destination_id:str}/subscriptions",
    route_handlers=[
        list_subscriptions,
        create_subscription,
        get_subscription,
        update_subscription,
        delete_subscription,
        duplicate_subscription,
    ],
)
