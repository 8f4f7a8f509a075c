"""Why events did not arrive, by code (spec §12.4): a title, what happened, and what to do.

`reason(step, code)` knows every code of the road, also statuses of HTTP and errno names that it has no text
of its own for, so that nobody is ever shown a bare code.
"""

from http import HTTPStatus
from typing import Literal

import msgspec

Step = Literal["ingest", "source", "destination", "delivery"]
STEPS: tuple[Step, ...] = ("ingest", "source", "destination", "delivery")


class Reason(msgspec.Struct, frozen=True):
    title: str
    happened: str
    remedy: str


def reason(step: Step, code: str) -> Reason:
    """`step` is where the event ended: some codes mean different things at different steps."""
    known = REASONS[step].get(code) or REASONS[step].get(code.upper())
    if known is not None:
        return known
    if code.isdigit() and len(code) == 3:
        return _status(int(code))
    if code.startswith("E") and code.isalnum():
        return Reason(f"No answer ({code})", "The connection failed before there was an answer.", _REACHABLE)
    return Reason(
        code.replace("_", " ").capitalize() or "Unknown",
        "The tool, or the code that speaks to it, gave this as its reason.",
        "Look at a sample: the tool's own message says more.",
    )


def _status(status: int) -> Reason:
    try:
        name = HTTPStatus(status).phrase
    except ValueError:
        name = "unknown status"
    if status >= 500:
        return Reason(
            f"{status} {name}",
            "The tool had a problem of its own. What can be repeated is repeated for up to four hours.",
            "Look at the tool's status page. When it is well again, send what was given up on once more.",
        )
    return Reason(
        f"{status} {name}",
        "The tool refused the request, and would refuse it again, so it was not repeated.",
        "Compare the request in a sample with what the tool's documentation asks for, change the mapping or "
        "the settings, and send what was given up on once more.",
    )


_MAPPING = "Change the mapping, try it on the event in the tester, and send what was given up on once more."
_REACHABLE = "Check that the address in the settings is right and can be reached from here."
_CLIENT = "Change what the source sends; the debugger shows the event as it came."
_RULES = (
    "Nothing, if that is what the rule is for; else change the rule in the source's schema or tracking plan."
)
_FUNCTION = "Open the function's error in a sample, mend the code, test it on that event and deploy it."
_CONSENT = 'Send consent as {"consent": {"categoryPreferences": {name: true or false}}} in the context.'

INGEST = {
    "empty_batch_result": Reason(
        "Nothing left of a batch", "A source function returned no event.", _FUNCTION
    ),
    "SOURCE_DISABLED": Reason(
        "Source disabled", "The source was switched off when the event came.", "Enable the source."
    ),
    "empty_batch": Reason("Empty batch", "The request held no events.", _CLIENT),
    "multi_user_error": Reason("Several users", "One event named several users.", _CLIENT),
    "no_user_anon_id": Reason(
        "Nobody's event",
        "The event has neither a userId nor an anonymousId.",
        "Send one of them with every event.",
    ),
    "event_not_defined": Reason("Track without a name", "A track call has no `event`.", _CLIENT),
    "event_not_string": Reason("Name is no text", "The `event` of a track call is not a text.", _CLIENT),
    "properties_not_object": Reason("Properties are no object", "`properties` is not an object.", _CLIENT),
    "traits_not_object": Reason("Traits are no object", "`traits` is not an object.", _CLIENT),
    "name_not_string": Reason("Name is no text", "The `name` of a page or screen is not a text.", _CLIENT),
    "category_not_string": Reason("Category is no text", "The `category` of a page is not a text.", _CLIENT),
    "id_required": Reason("Id missing", "The call needs an id that it does not have.", _CLIENT),
    "id_not_string": Reason("Id is no text", "An id of the event is not a text.", _CLIENT),
    "consent_categorypreferences_should_exist": Reason(
        "Consent without preferences", "The consent in the context names no categories.", _CONSENT
    ),
    "consent_categorypreferences_fields_should_be_object": Reason(
        "Consent is no object", "The categories of the consent are not an object.", _CONSENT
    ),
    "consent_categorypreferences_fields_should_be_bool": Reason(
        "Consent is not true or false", "A category of the consent is neither true nor false.", _CONSENT
    ),
    "device_advertisingid_should_be_string": Reason(
        "Advertising id is no text", "`context.device.advertisingId` is not a text.", _CLIENT
    ),
    "consent_version_should_be_number": Reason(
        "Version of consent is no number", "`context.consent.version` is not a number.", _CONSENT
    ),
    "BAD_REQUEST": Reason("Can't be read", "The body is no JSON that can be read.", _CLIENT),
    "unknown_source": Reason(
        "Unknown write key",
        "The write key belongs to no source.",
        "Compare the write key in the client with those of the source.",
    ),
    "invalid_settings": Reason("Settings don't fit", "The source's settings can't be used.", "Check them."),
    "locked_workspace": Reason("Workspace locked", "The workspace takes no events.", "Ask its owner."),
    "internal": Reason(
        "A rule could not be applied",
        "A transformation failed on this event. As it may protect personal data, the event was not kept.",
        "Try the transformation on the event in the debugger, and change it.",
    ),
    "too_many_requests": Reason(
        "Too many requests", "The source sends more than its limit.", "Raise the limit of the source."
    ),
    "FUNCTION_TIMEOUT": Reason("Function took too long", "A source function ran out of time.", _FUNCTION),
    "lambda_err": Reason("Function failed", "A source function threw an error.", _FUNCTION),
    "INVOKE_ERROR": Reason("Function could not run", "A source function could not be started.", _FUNCTION),
    "FUNCTIONS_LOCK_OUT": Reason(
        "Functions locked out",
        "The functions of the workspace, or this one, have used up what they may use in a month.",
        "Raise the quota, or wait for the next month.",
    ),
    "message_rejected": Reason(
        "Rejected by a function", "The source's function refused the request or the event.", _FUNCTION
    ),
    "unsupported_event_type": Reason(
        "Not for the function", "The source's function takes no such request or event.", _FUNCTION
    ),
    "objects_not_supported": Reason(
        "Object for a warehouse",
        "A source function gave it to Segment.set, for warehouses, which nothing is loaded into yet.",
        "Send it as an event, or leave it out; the debugger shows the object.",
    ),
    "BAD_DEPLOY": Reason("Function not deployed", "The source function has no code that runs.", _FUNCTION),
    "USER_SUPPRESSED": Reason(
        "Person suppressed",
        "This person's events are not to be kept.",
        "Nothing, unless the suppression should end: it is listed under privacy.",
    ),
}
SOURCE = {
    "common_schema_violation": Reason(
        "Violates the common schema", "The event breaks the tracking plan's rules for all events.", _RULES
    ),
    "event_setting": Reason("Blocked by the schema", "This event is switched off in the schema.", _RULES),
    "schema_violation": Reason(
        "Violates the tracking plan", "The event breaks its rule in the tracking plan.", _RULES
    ),
    "unplanned": Reason("Not in the tracking plan", "The tracking plan does not know this event.", _RULES),
    "unplanned_and_schema_violation": Reason(
        "Unplanned, and violates the common schema", "Both at once.", _RULES
    ),
}
DESTINATION = {
    "FILTERED_BY_RULES": Reason(
        "Filtered by a destination filter",
        "A filter of the destination dropped the event, or did not sample it.",
        "Nothing, if that is what the filter is for; the trace of an event names the filter.",
    ),
    "FILTERED_BY_INTEGRATIONS_OBJECT": Reason(
        "Not meant for it",
        "The event's `integrations` object, or the source's schema, keeps it from this destination.",
        "Nothing, if that is meant; else change the `integrations` object that the client sends.",
    ),
    "UNKNOWN_INTEGRATION": Reason(
        "Unknown destination", "There is no such destination.", "Check its name in `integrations`."
    ),
    "MESSAGE_SENT_CLIENT_SIDE": Reason(
        "Sent by the device", "The library sent the event to this destination itself.", "Nothing."
    ),
    "UNSUPPORTED_EVENT_TYPE": Reason(
        "Type not supported", "The destination has no use for calls of this type.", "Nothing."
    ),
    "INVALID_SETTINGS": Reason(
        "Settings don't fit", "A setting is missing that this type of event needs.", "Complete the settings."
    ),
    "NO_MATCHING_MAPPING": Reason(
        "No mapping wants it",
        "The event meets the trigger of no enabled mapping.",
        "Nothing, if that is meant; else change a trigger or enable a mapping. The trace shows each trigger.",
    ),
    "FILTERED_AT_MAPPING": Reason("Dropped by a mapping", "The mapping itself dropped the event.", _MAPPING),
    "FILTERED_BY_END_USER_CONSENT": Reason(
        "No consent", "The person has not consented to this destination's category.", "Nothing."
    ),
    "FUNCTIONS_LOCK_OUT": Reason(
        "Functions locked out",
        "The functions of the workspace, or this one, have used up what they may use in a month.",
        "Raise the quota, or wait for the next month; what was dropped meanwhile can be replayed.",
    ),
    "FILTERED_AT_INSERT_FUNCTION": Reason(
        "Filtered by the insert function",
        "The insert function returned no event, or threw DropEvent.",
        "Nothing, if that is what it is for; else mend the function.",
    ),
    "FILTERED_AT_FUNCTION": Reason(
        "Dropped by the function", "The destination's function threw DropEvent.", "Nothing."
    ),
    "FAILED_DATA_ENCRYPTION": Reason(
        "Could not be encrypted", "A field could not be encrypted.", "Check the key."
    ),
    "USER_DELETED": Reason(
        "Person deleted", "The event was deleted with the person before it was sent.", "Nothing."
    ),
    "BAD_REQUEST": Reason("Dropped by a function", "An insert function could not use the event.", _FUNCTION),
    "MESSAGE_REJECTED": Reason("Dropped by a function", "An insert function dropped the event.", _FUNCTION),
    "INTERNAL": Reason("Insert function failed", "An insert function threw an error.", _FUNCTION),
    "TOO_MANY_REQUESTS": Reason("Function slowed down", "The insert function ran into a limit.", _FUNCTION),
    "GATEWAY_TIMEOUT": Reason("Function took too long", "The insert function ran out of time.", _FUNCTION),
    "RETRY": Reason("Function asked for a retry", "The insert function was tried again.", _FUNCTION),
}
DELIVERY = {
    "INVALID_SETTINGS": Reason(
        "Settings or mapping can't be used",
        "A setting is missing or wrong, or the mapping is not valid or gone.",
        "Open the destination's settings and the mapping, correct what is marked, and send these once more.",
    ),
    "MESSAGE_REJECTED": Reason(
        "Payload rejected",
        "What the mapping made of the event lacks what the tool needs, or has the wrong type.",
        _MAPPING,
    ),
    "UNSUPPORTED_EVENT_TYPE": Reason(
        "Type not supported",
        "The code of the destination has no handler for this type of event.",
        "Send it only the types that it handles: change the trigger of the mapping.",
    ),
    "BAD_REQUEST": Reason(
        "Bad request", "The tool could not use the request, or the stored event can't be read.", _MAPPING
    ),
    "400": Reason("400 Bad Request", "The tool could not use the request.", _MAPPING),
    "401": Reason(
        "401 Unauthorized",
        "The tool does not accept the credentials.",
        "Enter the key or token anew in the settings, or connect again; then send these once more.",
    ),
    "403": Reason(
        "403 Forbidden",
        "The credentials are known to the tool, but not allowed to do this.",
        "Give the key the right in the tool, or use another one.",
    ),
    "404": Reason(
        "404 Not Found", "There is nothing at this address.", "Check the address and the ids in the settings."
    ),
    "307": Reason(
        "307 Temporary Redirect",
        "The tool sent the request elsewhere more often than is followed, or to where it may not go.",
        "Enter the final address in the settings.",
    ),
    "408": Reason(
        "408 Request Timeout", "The tool waited too long for the request.", "Nothing: it is repeated."
    ),
    "413": Reason(
        "413 Content Too Large",
        "The event is too large for the tool, also in a request of its own.",
        "Map less of the event, or raise the limit at the tool.",
    ),
    "429": Reason(
        "429 Too Many Requests",
        "The tool asked for a slower pace. The event is sent again when it allows.",
        "If it lasts: set a rate limit for the destination, or batch, or raise the limit at the tool.",
    ),
    "500": _status(500),
    "502": _status(502),
    "503": _status(503),
    "504": _status(504),
    "ETIMEDOUT": Reason(
        "No answer in time",
        "The tool did not answer within the destination's timeout.",
        "If it lasts: raise the timeout, send smaller batches, or ask the tool why it is slow.",
    ),
    "ECONNREFUSED": Reason("Connection refused", "Nothing listens at the tool's address.", _REACHABLE),
    "EREFUSED": Reason("Name server refused", "The name server did not answer for this host.", _REACHABLE),
    "ECONNRESET": Reason(
        "Connection broken off",
        "The tool closed the connection before it answered.",
        "Nothing: it is repeated.",
    ),
    "ECONNABORTED": Reason(
        "Given up", "The exchange took too long and was ended.", "Nothing: it is repeated."
    ),
    "ENOTFOUND": Reason("Unknown host", "The name of the tool's host leads nowhere.", _REACHABLE),
    "EAI_AGAIN": Reason("Name server silent", "The host's name could not be looked up.", _REACHABLE),
    "EHOSTUNREACH": Reason("Host not reachable", "There is no way to the tool's network.", _REACHABLE),
    "BLOCKED_ADDRESS": Reason(
        "Address not allowed",
        "The address is not a public one, and such are kept from destinations.",
        "If it is meant: let its range through with the setting `egress_allow`.",
    ),
    "INVALID_URL": Reason("No address", "The address of the request can't be used.", _MAPPING),
    "INVALID_HEADER": Reason("Invalid header", "A header of the request can't be sent.", _MAPPING),
    "TLS": Reason(
        "Certificate refused",
        "The tool's certificate is not valid for its name, expired, or signed by nobody known.",
        "Renew it at the tool, or install its authority here.",
    ),
    "INTERNAL": Reason(
        "Failed in the destination's code",
        "The code that speaks to the tool, or a function, threw an error on this event.",
        "The message of a sample names the error. If the destination is a function, mend and deploy it.",
    ),
    "RETRY": Reason("Asked for a retry", "The code of the destination asked to be called again.", "Nothing."),
    "EXPIRED_IN_LOG": Reason(
        "Kept too short",
        "The event was deleted from the log by its retention before the destination could take it.",
        "Raise `log_retention_hours`, or let destinations that are down for days go.",
    ),
}
REASONS: dict[Step, dict[str, Reason]] = {
    "ingest": INGEST,
    "source": SOURCE,
    "destination": DESTINATION,
    "delivery": DELIVERY,
}
