"""A payload as Customer Match knows people: normalised, hashed, one UserData each. Pure.

Source: common/offline_user_data.proto. A list takes identifiers of one kind only (its upload key type).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import orjson

from onward.destinations import audiences, hashing
from onward.destinations.audiences import Change
from onward.destinations.definition import Payload
from onward.destinations.google_ads_lists import api
from onward.destinations.outcome import Outcome, discarded
from onward.pipeline.types import Event

KEY_TYPES = ("CONTACT_INFO", "CRM_ID", "MOBILE_ADVERTISING_ID")
CONSENTS = ("UNSPECIFIED", "GRANTED", "DENIED")

_CONSENT = {
    "adUserData": ("ad_user_data_consent_state", "adUserData"),
    "adPersonalization": ("ad_personalization_consent_state", "adPersonalization"),
}
"""Members of Consent, the fields that say them, and the settings that do where those don't."""


class How(msgspec.Struct, frozen=True):
    """What is the same for all people of a job."""

    add: bool
    consent: tuple[tuple[str, Literal["GRANTED", "DENIED"]], ...] = ()


def change_of(
    settings: Mapping[str, Any], list_id: str, sync_mode: str | None, payload: Payload, event: Event
) -> Change | Outcome:
    """What a payload asks for, or why it can't be done. A person of the change is the JSON of the
    identifiers, one after the other."""
    if not api.is_list_id(list_id):
        return discarded(
            "MESSAGE_REJECTED",
            f"list_id is {list_id[:50]!r}, not the id of a user list; map it, or let the mapping make a list",
        )
    add = audiences.operation(payload, event, sync_mode)
    if add is None:
        return discarded(
            "MESSAGE_REJECTED",
            "the event does not say whether the person is added or removed; set operation, or the sync mode "
            "to add or delete",
        )
    consent = _consent(settings, payload) if add else ()
    for member, state in consent:
        if state == "DENIED":
            return discarded(
                "MESSAGE_REJECTED", f"consent is denied ({member}): Google adds nobody to a list without it"
            )
    found = identifiers(payload)
    if isinstance(found, str):
        return discarded("MESSAGE_REJECTED", found)
    return Change(list_id, How(add, consent), (b",".join(orjson.dumps(each) for each in found),))


def identifiers(payload: Payload) -> list[dict[str, Any]] | str:
    """UserIdentifiers, each with one member; or in one sentence why there are none."""
    kind = payload.get("external_id_type") or KEY_TYPES[0]
    if kind == "CRM_ID":
        crm_id = _text(payload, "crm_id")
        return [{"thirdPartyUserId": crm_id}] if crm_id else "crm_id is empty"
    if kind == "MOBILE_ADVERTISING_ID":
        mobile_id = _text(payload, "mobile_advertising_id")
        return [{"mobileId": mobile_id}] if mobile_id else "mobile_advertising_id is empty"
    if kind != "CONTACT_INFO":
        return f"external_id_type is {str(kind)[:50]!r}; it may be {', '.join(KEY_TYPES)}"
    phone = hashing.phone(_text(payload, "phone_country_code"))
    contact = {
        "hashedEmail": hashing.hashed(_text(payload, "email"), hashing.email),
        "hashedPhoneNumber": hashing.hashed(_text(payload, "phone"), phone),
        "addressInfo": _address(payload),
    }
    return [{name: value} for name, value in contact.items() if value] or (
        "there is nothing to know the person by: email is no address, phone no number with a country code, "
        "and first_name, last_name, country_code and postal_code are not all there"
    )


def _address(payload: Payload) -> dict[str, str] | None:
    """All four members, or none: Google matches by all of them."""
    address = {
        "hashedFirstName": hashing.hashed(_text(payload, "first_name"), hashing.name),
        "hashedLastName": hashing.hashed(_text(payload, "last_name"), hashing.name),
        "countryCode": _text(payload, "country_code").upper(),
        "postalCode": _text(payload, "postal_code"),
    }
    return address if all(address.values()) and len(address["countryCode"]) == 2 else None


def _consent(
    settings: Mapping[str, Any], payload: Payload
) -> tuple[tuple[str, Literal["GRANTED", "DENIED"]], ...]:
    said: list[tuple[str, Literal["GRANTED", "DENIED"]]] = []
    for member, (field, setting) in _CONSENT.items():
        for state in (payload.get(field), settings.get(setting)):
            if state == "GRANTED" or state == "DENIED":
                said.append((member, state))
                break
    return tuple(said)


def _text(payload: Payload, field: str) -> str:
    value = payload.get(field)
    return hashing.trim(value) if isinstance(value, str) else ""


def operations(add: bool, people: Sequence[bytes]) -> bytes:
    """The body of addOperations."""
    verb = b'{"create":' if add else b'{"remove":'
    return b"".join(
        (
            b'{"enablePartialFailure":true,"operations":[',
            b",".join(verb + b'{"userIdentifiers":[' + person + b"]}}" for person in people),
            b"]}",
        )
    )
