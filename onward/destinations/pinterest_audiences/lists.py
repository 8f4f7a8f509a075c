"""Customer lists: made, looked up, listed, and the connection test."""

from urllib.parse import quote

from onward.destinations.definition import Call, HookError, Json, Page, Payload
from onward.destinations.hashing import process_hashing
from onward.destinations.pinterest_audiences import api

TYPES = ("EMAIL", "IDFA", "MAID")
PAGE = 250

_NOBODY = {
    "EMAIL": "nobody@onward.invalid",
    "IDFA": "00000000-0000-0000-0000-000000000000",
    "MAID": "00000000-0000-0000-0000-000000000000",
}
"""A list can't be made without records, and people come later: the first record is of nobody. (All zeros are
what a device says whose owner does not want to be tracked.)"""


async def create(call: Call, name: str, settings: Json) -> str:
    """Makes a customer list and the audience that campaigns know it by; the list's id. Raises `HookError`."""
    kind = settings.get("list_type") or TYPES[0]
    if kind not in TYPES:
        raise HookError(f"list_type is {str(kind)[:50]!r}; it may be {', '.join(TYPES)}")
    if not name:
        raise HookError("the list needs a name")
    try:
        body = {"name": name, "list_type": kind, "records": process_hashing(_NOBODY[kind])}
        made = await api.ask(call, "POST", "/customer_lists", body)
    except api.Refused as error:
        raise HookError(f"Pinterest made no list: {error}") from None
    list_id = made.get("id")
    if not isinstance(list_id, str) or not api.is_id(list_id):
        raise HookError("Pinterest answered without the new list's id")
    audience = {"name": name, "audience_type": "CUSTOMER_LIST", "rule": {"customer_list_id": list_id}}
    try:
        await api.ask(call, "POST", "/audiences", audience)
    except api.Refused as error:
        raise HookError(
            f"Pinterest made the list {list_id}, but no audience of it: {error}. "
            f"Use list_id {list_id}, and make its audience in Ads Manager"
        ) from None
    return list_id


async def get(call: Call, list_id: str, settings: Json) -> str:
    """The id, if there is such a list. Raises `HookError`."""
    if not api.is_id(list_id):
        raise HookError(f"{list_id[:50]!r} is not the id of a customer list: digits only")
    try:
        found = await api.ask(call, "GET", f"/customer_lists/{list_id}")
    except api.Refused as error:
        raise HookError(f"Pinterest does not give the list {list_id}: {error}") from None
    return str(found.get("id") or list_id)


async def made_for_mapping(call: Call, payload: Payload, inputs: Payload) -> Json:
    """The hook's outputs: a list that was there, or a new one. Raises `HookError`."""
    known = str(inputs.get("list_id") or "")
    name = str(inputs.get("list_name") or "")
    if known:
        return {"id": await get(call, known, {}), "name": name}
    return {"id": await create(call, name, inputs), "name": name}


async def choices(call: Call, action: str, field: str, payload: Payload, page: str | None) -> Page:
    """The account's lists, 250 a page. Bookmarks are opaque, so they go back as they came."""
    query = f"?page_size={PAGE}" + (f"&bookmark={quote(page, safe='')}" if page else "")
    try:
        answer = await api.ask(call, "GET", f"/customer_lists{query}")
    except api.Refused as error:
        return Page(error=str(error))
    items = answer.get("items")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    bookmark = answer.get("bookmark")
    return Page(
        choices=[{"value": str(item.get("id")), "label": str(item.get("name"))} for item in found],
        next_page=bookmark if isinstance(bookmark, str) and bookmark else None,
    )


async def test(call: Call) -> str | None:
    try:
        await api.ask(call, "GET", "")
    except api.Refused as error:
        return f"Pinterest does not give the ad account: {error}"
    return None
