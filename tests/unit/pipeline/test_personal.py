"""Which values are masked for those who may not see personal data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline.personal import MASK, document, is_personal, masked

keys = st.sampled_from(["email", "plan", "name", "total", "address", "properties"]) | st.text(max_size=6)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("ada@example.com"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


PERSONAL = """
email EMAIL e-mail e_mail userEmail emails phone phoneNumber phone_number mobilePhone password userPassword
creditCard credit_card_number cardNumber passport passportNo ssn social_security_number visa token accessToken
race birthdate birthday dateOfBirth dob address billing_address addresses gender city zip zipCode postalCode
street ip ipAddress photo salary religion mac macAddress sex sexualOrientation diagnosis medications allergies
name firstName first_name lastname LastName surname username fullName driverLicense serialNumber citizenship
ethnicity identification
"""
OTHERS = """
plan total event type messageId userId anonymousId product productName product_id eventName quantity url price
currency category shipping version locale timezone properties traits context integrations receivedAt brace
trace macro description zipped capacity velocity
"""


@pytest.mark.parametrize("key", PERSONAL.split())
def test_personal_keys(key: str) -> None:
    assert is_personal(key)


@pytest.mark.parametrize("key", OTHERS.split())
def test_other_keys(key: str) -> None:
    assert not is_personal(key)


def test_an_event() -> None:
    event: dict[str, Any] = {
        "type": "identify",
        "userId": "ada@example.com",
        "anonymousId": "a1",
        "traits": {"email": "a@b.co", "plan": "pro", "address": {"city": "Bonn"}, "name": "Ada", "phone": 49},
        "context": {
            "ip": "8.8.8.8",
            "app": {"name": "Shop"},
            "os": {"name": "iOS"},
            "library": {"name": "x"},
        },
        "properties": {"note": "write to bob@example.com, soon", "title": "", "photo": None},
    }
    assert masked(event) == {
        "type": "identify",
        "userId": MASK,
        "anonymousId": "a1",
        "traits": {"email": MASK, "plan": "pro", "address": MASK, "name": MASK, "phone": MASK},
        "context": {"ip": MASK, "app": {"name": "Shop"}, "os": {"name": "iOS"}, "library": {"name": "x"}},
        "properties": {"note": f"write to {MASK}, soon", "title": "", "photo": None},
    }


def test_keys_are_looked_at_too() -> None:
    assert masked({"ada@example.com": 1, "k" * 256: "Ada"}) == {MASK: 1, "k" * 256: MASK}


@pytest.mark.parametrize("text", ["@" + "a" * 1_000_000, "a@" * 500_000, "a@" + "b." * 500_000])
def test_whatever_is_sent_is_looked_through_once(text: str) -> None:
    """Else one event would hold up everybody, who sees it masked: this would take an hour."""
    assert masked({"note": f"{text} ada@example.com"})["note"].endswith(MASK)
    assert masked({text: 1}) == {masked(text): MASK}


def test_a_document_that_is_nested_too_deeply_is_masked_as_a_whole() -> None:
    assert document("[" * 1000 + "]" * 1000) == document("no JSON") == MASK


@given(json)
def test_no_address_is_left_and_the_shape_stays(value: Any) -> None:
    once = masked(value)
    assert "ada@example.com" not in repr(once)
    assert masked(once) == once
    if isinstance(value, dict):
        assert once.keys() == value.keys()
