"""The actions, one for each event that Google Analytics knows, and one for any other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from onward.destinations.definition import Action, Call, Field, Payload
from onward.destinations.exchange import encode, one_by_one, post
from onward.destinations.google_analytics_4 import fields
from onward.destinations.google_analytics_4.event import Shape, request
from onward.destinations.google_analytics_4.fields import parameter
from onward.destinations.outcome import Outcome


def _action(
    slug: str, title: str, description: str, trigger: str, own: Mapping[str, Field], shape: Shape
) -> Action:
    @one_by_one
    async def perform(call: Call, payload: Payload) -> Outcome:
        address, body = request(shape, payload, call.settings)
        return await post(call, address, encode(body))

    first = {shape.client if name == "client_id" else name: field for name, field in fields.FIRST.items()}
    return Action(
        slug=slug,
        title=title,
        description=description,
        perform=perform,
        default_trigger=trigger,
        fields={**first, **own, **fields.LAST},
    )


def _known(
    slug: str, title: str, description: str, event: str, source: str, own: Mapping[str, Field], **rules: Any
) -> Action:
    """Of an event that Google Analytics knows; `source`: the event of Segment's that it is by default."""
    trigger = f'type = "track" and event = "{source}"' if source else 'type = "track"'
    return _action(slug, title, description, trigger, own, Shape(event, tuple(own), **rules))


_CURRENCY_AND_VALUE = {"currency": fields.CURRENCY, "value": fields.VALUE}
_CART_RULES: dict[str, Any] = {"priced": True, "currency": "a non-empty one of the first item"}

_PURCHASE = _known(
    "purchase",
    "Purchase",
    "Someone has bought something.",
    "purchase",
    "Order Completed",
    {
        "affiliation": fields.AFFILIATION,
        "coupon": parameter("Coupon", "The coupon that was used.", "coupon"),
        "currency": replace(fields.CURRENCY, required=True),
        "items": fields.ITEMS,
        "transaction_id": fields.ORDER_ID,
        "shipping": fields.SHIPPING,
        "tax": parameter("Tax", "The order's tax.", "tax", "number"),
        "value": fields.TOTAL,
    },
)
_ADD_TO_CART = _known(
    "addToCart",
    "Add to Cart",
    "Someone has put products into the cart.",
    "add_to_cart",
    "Product Added",
    {"currency": fields.CURRENCY, "items": fields.ONE_ITEM, "value": fields.VALUE},
)
_PAGE_VIEW = _action(
    "pageView",
    "Page View",
    "Someone has seen a page.",
    'type = "page"',
    {
        "page_location": Field(
            label="Page location",
            description="The page's address.",
            default=fields.path("$.context.page.url"),
        ),
        "page_referrer": Field(
            label="Page referrer",
            description="The address of the page before.",
            default=fields.path("$.context.page.referrer"),
        ),
        "page_title": Field(
            label="Page title",
            description="The page's title.",
            default=fields.path("$.context.page.title"),
        ),
    },
    Shape("page_view", ("page_location", "page_referrer", "page_title"), client="clientId"),
)
_CUSTOM_EVENT = _action(
    "customEvent",
    "Custom Event",
    "Send any event.",
    'type = "track"',
    {
        "name": Field(
            label="Event name",
            description="The event's name in Google Analytics; spaces become underscores.",
            required=True,
            default=fields.path("$.event"),
        ),
        "lowercase": Field(
            label="Small letters",
            description="Write the name in small letters: names that differ only in them are two events.",
            type="boolean",
            default=False,
        ),
    },
    Shape("", client="clientId"),
)
_SELECT_ITEM = _known(
    "selectItem",
    "Select Item",
    "Someone has selected a product of a list.",
    "select_item",
    "Product Clicked",
    {
        "item_list_name": parameter("Item list name", "The name of the list."),
        "item_list_id": parameter("Item list ID", "The id of the list."),
        "items": fields.ONE_ITEM,
    },
)
_BEGIN_CHECKOUT = _known(
    "beginCheckout",
    "Begin Checkout",
    "Someone has gone to the checkout.",
    "begin_checkout",
    "Checkout Started",
    {
        "coupon": parameter("Coupon", "The coupon that was used.", "coupon"),
        "currency": fields.CURRENCY,
        "items": fields.ITEMS,
        "value": fields.VALUE,
    },
)
_SELECT_PROMOTION = _known(
    "selectPromotion",
    "Select Promotion",
    "Someone has selected a promotion.",
    "select_promotion",
    "Promotion Clicked",
    {**fields.PROMOTION, "items": fields.optional(fields.PROMOTED_ITEM)},
)
_VIEW_ITEM = _known(
    "viewItem",
    "View Item",
    "Someone has seen a product.",
    "view_item",
    "Product Viewed",
    {**_CURRENCY_AND_VALUE, "items": fields.ONE_ITEM},
)
_REMOVE_FROM_CART = _known(
    "removeFromCart",
    "Remove from Cart",
    "Someone has taken products out of the cart.",
    "remove_from_cart",
    "Product Removed",
    {**_CURRENCY_AND_VALUE, "items": fields.ONE_ITEM},
    **_CART_RULES,
)
_VIEW_CART = _known(
    "viewCart",
    "View Cart",
    "Someone has looked into the cart.",
    "view_cart",
    "Cart Viewed",
    {**_CURRENCY_AND_VALUE, "items": fields.ITEMS},
    **_CART_RULES,
)
_SEARCH = _known(
    "search",
    "Search",
    "Someone has searched for something.",
    "search",
    "Products Searched",
    {"search_term": parameter("Search term", "What was searched for.", "query", required=True)},
)
_VIEW_ITEM_LIST = _known(
    "viewItemList",
    "View Item List",
    "Someone has seen a list of products.",
    "view_item_list",
    "Product List Viewed",
    {
        "item_list_id": parameter("Item list ID", "The id of the list.", "list_id"),
        "item_list_name": parameter("Item list name", "The name of the list.", "category"),
        "items": fields.ITEMS,
    },
)
_SIGN_UP = _known(
    "signUp",
    "Sign Up",
    "Someone has signed up.",
    "sign_up",
    "Signed Up",
    {"method": parameter("Method", "How they signed up.", "type")},
)
_VIEW_PROMOTION = _known(
    "viewPromotion",
    "View Promotion",
    "Someone has seen a promotion.",
    "view_promotion",
    "Promotion Viewed",
    {
        **fields.PROMOTION,
        "location_id": parameter("Location ID", "The place that it is at.", "position"),
        "items": fields.PROMOTED_ITEM,
    },
)
_ADD_PAYMENT_INFO = _known(
    "addPaymentInfo",
    "Add Payment Info",
    "Someone has said how they will pay.",
    "add_payment_info",
    "Payment Info Entered",
    {
        **_CURRENCY_AND_VALUE,
        "coupon": fields.COUPON,
        "payment_type": parameter("Payment type", "How they will pay.", "payment_method"),
        "items": fields.ITEMS,
    },
    priced=True,
    currency="of the first item",
    filled=True,
)
_REFUND = _known(
    "refund",
    "Refund",
    "Someone gets money back.",
    "refund",
    "Order Refunded",
    {
        "currency": fields.CURRENCY,
        "transaction_id": fields.ORDER_ID,
        "value": fields.TOTAL,
        "affiliation": fields.AFFILIATION,
        "coupon": fields.COUPON,
        "shipping": fields.SHIPPING,
        "tax": fields.TAX,
        "items": fields.optional(fields.ITEMS),
    },
    **_CART_RULES,
)
_LOGIN = _known(
    "login",
    "Login",
    "Someone has signed in.",
    "login",
    "Signed In",
    {"method": parameter("Method", "How they signed in.")},
)
_GENERATE_LEAD = _known(
    "generateLead",
    "Generate Lead",
    "Someone has asked for something, such as by a form.",
    "generate_lead",
    "",
    _CURRENCY_AND_VALUE,
    priced=True,
)
_ADD_TO_WISHLIST = _known(
    "addToWishlist",
    "Add to Wishlist",
    "Someone has put products on a wish list.",
    "add_to_wishlist",
    "Product Added to Wishlist",
    {**_CURRENCY_AND_VALUE, "items": fields.ONE_ITEM},
    **_CART_RULES,
)

ACTIONS = (
    *(_PURCHASE, _ADD_TO_CART, _PAGE_VIEW, _CUSTOM_EVENT, _SELECT_ITEM, _BEGIN_CHECKOUT, _SELECT_PROMOTION),
    *(_VIEW_ITEM, _REMOVE_FROM_CART, _VIEW_CART, _SEARCH, _VIEW_ITEM_LIST, _SIGN_UP, _VIEW_PROMOTION),
    *(_ADD_PAYMENT_INFO, _REFUND, _LOGIN, _GENERATE_LEAD, _ADD_TO_WISHLIST),
)
