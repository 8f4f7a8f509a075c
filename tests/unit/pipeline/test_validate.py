"""What the front door refuses, and under which code (spec §3.8, §12.4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.pipeline.strategies import values

from onward.pipeline.validate import CONSENT_EVENT, discard_code

U = {"userId": "u"}
TRACK = {"type": "track", "event": "E", **U}


def consent(consent: Any) -> dict[str, Any]:
    return {"type": "track", "event": CONSENT_EVENT, **U, "context": {"consent": consent}}


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (TRACK, None),
        ({"type": "identify", "anonymousId": "a"}, None),
        ({"type": "alias", "previousId": "p", **U}, None),
        ({"type": "page", **U}, None),
        ({"type": "page", "name": None, "category": None, "properties": None, **U}, None),
        ({"type": "group", "traits": None, "groupId": 5, **U}, None),
        # Not an event at all
        (None, "BAD_REQUEST"),
        ([], "BAD_REQUEST"),
        ("x", "BAD_REQUEST"),
        # Type
        (U, "missing_type"),
        ({"type": None, **U}, "missing_type"),
        ({"type": "", **U}, "missing_type"),
        ({"type": "Track", "event": "E", **U}, "invalid_type"),
        ({"type": 5, **U}, "invalid_type"),
        ({"type": ["track"], **U}, "invalid_type"),
        ({"type": "delete", **U}, "invalid_type"),
        # Ids
        ({"type": "page"}, "no_user_anon_id"),
        ({"type": "page", "userId": None, "anonymousId": None}, "no_user_anon_id"),
        ({"type": "page", "userId": ""}, "id_not_string"),
        ({"type": "page", "userId": "", "anonymousId": "a"}, None),
        ({"type": "page", "userId": 5}, "id_not_string"),
        ({"type": "page", "userId": "u", "anonymousId": 5}, "id_not_string"),
        ({"type": "page", "userId": ["u"]}, "id_not_string"),
        ({"type": "page", "userId": False}, "id_not_string"),
        # Track
        ({"type": "track", **U}, "event_not_defined"),
        ({"type": "track", "event": None, **U}, "event_not_defined"),
        ({"type": "track", "event": "", **U}, "event_not_defined"),
        ({"type": "track", "event": 5, **U}, "event_not_string"),
        ({"type": "track", "event": {"a": 1}, **U}, "event_not_string"),
        ({**TRACK, "properties": []}, "properties_not_object"),
        ({**TRACK, "properties": "x"}, "properties_not_object"),
        # The others
        ({"type": "identify", "traits": "x", **U}, "traits_not_object"),
        ({"type": "group", "traits": [], **U}, "traits_not_object"),
        ({"type": "page", "name": "", **U}, "name_not_string"),
        ({"type": "screen", "name": 5, **U}, "name_not_string"),
        ({"type": "page", "category": "", **U}, "category_not_string"),
        ({"type": "screen", "category": {}, **U}, "category_not_string"),
        ({"type": "screen", "properties": 5, **U}, "properties_not_object"),
        # Context
        ({**TRACK, "context": {"device": {"advertisingId": 5}}}, "device_advertisingid_should_be_string"),
        ({**TRACK, "context": {"device": {"advertisingId": None}}}, None),
        ({**TRACK, "context": {"device": [5]}}, None),
        ({**TRACK, "context": [1]}, None),
        ({**TRACK, "context": {"consent": {"categoryPreferences": 5}}}, None),
        (consent({"version": 2, "categoryPreferences": {"ad": True}}), None),
        (consent({"categoryPreferences": {}}), None),
        (consent(None), "consent_categorypreferences_should_exist"),
        (consent({}), "consent_categorypreferences_should_exist"),
        (consent([]), "consent_categorypreferences_should_exist"),
        (consent({"categoryPreferences": [True]}), "consent_categorypreferences_fields_should_be_object"),
        (
            consent({"categoryPreferences": {"ad": "yes"}}),
            "consent_categorypreferences_fields_should_be_bool",
        ),
        (consent({"categoryPreferences": {"ad": 1}}), "consent_categorypreferences_fields_should_be_bool"),
        (consent({"categoryPreferences": {}, "version": "2"}), "consent_version_should_be_number"),
        (consent({"categoryPreferences": {}, "version": True}), "consent_version_should_be_number"),
        ({**TRACK, "event": CONSENT_EVENT, "context": 5}, "consent_categorypreferences_should_exist"),
    ],
)
def test_codes(event: Any, code: str | None) -> None:
    assert discard_code(event) == code


def test_the_path_implies_the_type() -> None:
    assert discard_code({"event": "E", **U}, "track") is None
    assert discard_code({"type": "page", **U}, "track") == "event_not_defined"
    assert discard_code({"type": 5, **U}, "identify") is None


FIELDS = ["type", "event", "userId", "anonymousId", "properties", "traits", "name", "category", "context"]


@given(
    st.dictionaries(st.sampled_from(FIELDS), values | st.sampled_from(["track", "page", CONSENT_EVENT])),
    st.sampled_from([None, "track", "identify", "page", "screen", "group", "alias"]),
)
def test_wrong_types_anywhere_are_judged_without_fail(event: dict[str, Any], implied: str | None) -> None:
    assert isinstance(discard_code(event, implied), str | None)
