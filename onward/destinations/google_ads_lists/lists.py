"""User lists: made, looked up, listed, and the connection test."""

import orjson

from onward.destinations.definition import Call, HookError, Json, Page, Payload
from onward.destinations.google_ads_lists import api
from onward.destinations.google_ads_lists.people import KEY_TYPES

LIFE_SPAN = 540
"""Days that people stay on a list after they were last added: the most that Google takes."""


async def create(call: Call, name: str, settings: Json) -> str:
    """Makes a Customer Match list; its id. Raises `HookError`."""
    kind = settings.get("external_id_type") or KEY_TYPES[0]
    app_id = settings.get("app_id") or call.settings.get("appId") or ""
    if kind not in KEY_TYPES:
        raise HookError(f"external_id_type is {str(kind)[:50]!r}; it may be {', '.join(KEY_TYPES)}")
    if kind == "MOBILE_ADVERTISING_ID" and not app_id:
        raise HookError("a list of mobile advertising ids needs the app_id that they were collected by")
    if not name:
        raise HookError("the list needs a name")
    info = {"uploadKeyType": kind, "dataSourceType": "FIRST_PARTY"}
    if kind == "MOBILE_ADVERTISING_ID":
        info["appId"] = str(app_id)
    made = {
        "name": name,
        "membershipStatus": "OPEN",
        "membershipLifeSpan": str(LIFE_SPAN),
        "crmBasedUserList": info,
    }
    try:
        customer = api.customer(call.settings)
        answer = await api.ask(
            call, f"customers/{customer}/userLists:mutate", orjson.dumps({"operations": [{"create": made}]})
        )
    except api.Refused as error:
        raise HookError(f"Google made no list: {error}") from None
    results = answer.get("results")
    first = results[0] if isinstance(results, list) and results else None
    resource = first.get("resourceName") if isinstance(first, dict) else None
    list_id = str(resource or "").rpartition("/")[2]
    if not api.is_list_id(list_id):
        raise HookError("Google answered without the new list's name")
    return list_id


async def get(call: Call, list_id: str, settings: Json) -> str:
    """The id, if there is such a list. Raises `HookError`."""
    if not api.is_list_id(list_id):
        raise HookError(f"{list_id[:50]!r} is not the id of a user list: digits only")
    query = f"SELECT user_list.id, user_list.name FROM user_list WHERE user_list.id = {list_id}"
    try:
        found, _ = await _search(call, query)
    except api.Refused as error:
        raise HookError(f"Google does not give the list {list_id}: {error}") from None
    if not found:
        raise HookError(f"the account has no user list {list_id}")
    return list_id


async def made_for_mapping(call: Call, payload: Payload, inputs: Payload) -> Json:
    """The hook's outputs: a list that was there, or a new one. Raises `HookError`."""
    known = str(inputs.get("list_id") or "")
    name = str(inputs.get("list_name") or "")
    if known:
        return {"id": await get(call, known, {}), "name": name}
    return {"id": await create(call, name, inputs), "name": name}


async def choices(call: Call, action: str, field: str, payload: Payload, page: str | None) -> Page:
    """The account's Customer Match lists."""
    query = (
        "SELECT user_list.id, user_list.name FROM user_list "
        "WHERE user_list.type = 'CRM_BASED' AND user_list.membership_status = 'OPEN' ORDER BY user_list.name"
    )
    try:
        found, next_page = await _search(call, query, page)
    except api.Refused as error:
        return Page(error=str(error))
    lists = [row["userList"] for row in found if isinstance(row.get("userList"), dict)]
    return Page(
        choices=[{"value": str(each.get("id")), "label": str(each.get("name"))} for each in lists],
        next_page=next_page,
    )


async def test(call: Call) -> str | None:
    try:
        await _search(call, "SELECT customer.id FROM customer LIMIT 1")
    except api.Refused as error:
        return f"Google does not give the account: {error}"
    return None


async def _search(call: Call, query: str, page: str | None = None) -> tuple[list[Json], str | None]:
    """Rows, and the token of the next page. Raises `Refused`."""
    body = {"query": query} | ({"pageToken": page} if page else {})
    customer = api.customer(call.settings)
    answer = await api.ask(call, f"customers/{customer}/googleAds:search", orjson.dumps(body), keep=4_000_000)
    rows = answer.get("results")
    token = answer.get("nextPageToken")
    return (
        [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [],
        token if isinstance(token, str) and token else None,
    )
