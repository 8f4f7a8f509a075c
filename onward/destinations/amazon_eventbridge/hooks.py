"""The hook Create Partner Source: makes the partner's event source for an Onward source.

Without a partner's name there is nothing to make, and the hook only keeps the source's ID as Segment's does.
"""

from onward.destinations.amazon_eventbridge.send import operate, partner_source_name
from onward.destinations.aws.errors import AwsError
from onward.destinations.definition import Call, Field, Hook, HookError, Json, Payload


async def _ensure(call: Call, payload: Payload, inputs: Payload) -> Json:
    if not call.source_id:
        raise HookError("the mapping's source is not known; save it as part of a destination")
    if call.settings.get("partner_name"):
        try:
            await _ensure_partner_source(call, partner_source_name(call.settings, call.source_id))
        except AwsError as error:
            raise HookError(f"{error.outcome.code}: {error.outcome.message}") from None
    return {"sourceId": call.source_id}


async def _ensure_partner_source(call: Call, name: str) -> None:
    found = await operate(call, "ListPartnerEventSources", {"NamePrefix": name})
    if found.get("PartnerEventSources"):
        return
    account = str(call.settings.get("accountId") or "")
    try:
        await operate(call, "CreatePartnerEventSource", {"Account": account, "Name": name})
    except AwsError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise


CREATE_SOURCE = Hook(
    label="Create Partner Source",
    description=(
        "Makes the partner event source at EventBridge. Needed before events are sent as an AWS partner; "
        "does nothing otherwise."
    ),
    fields={},
    outputs={
        "sourceId": Field(
            label="Source ID", description="What identifies the partner event source.", required=True
        )
    },
    perform=_ensure,
)
