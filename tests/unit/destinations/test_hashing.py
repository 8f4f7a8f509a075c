import base64
import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations import hashing
from onward.destinations.hashing import DIGEST_BYTES, hashed, is_hashed, process_hashing

ALGORITHMS = st.sampled_from(sorted(DIGEST_BYTES))
ENCODINGS = st.sampled_from(["hex", "base64"])
TEXTS = st.text()
SPACES = st.text(st.sampled_from(" \t\n\u00a0\ufeff"), max_size=3)
WORDS = st.text(string.ascii_letters + string.digits + ".+-_", min_size=1, max_size=20)
EMAILS = st.builds("{}@{}.example".format, WORDS, WORDS)


@given(TEXTS, ALGORITHMS, ENCODINGS)
def test_a_hash_of_a_hash_is_the_hash(value, algorithm, encoding):
    once = process_hashing(value, algorithm, encoding)
    assert process_hashing(once, algorithm, encoding) == once
    assert once == "" or is_hashed(once, algorithm, encoding)


@given(WORDS, ALGORITHMS, ENCODINGS)
def test_the_hash_is_that_of_the_library(value, algorithm, encoding):
    digest = hashlib.new(algorithm, value.encode()).digest()
    expected = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert process_hashing(value, algorithm, encoding) == expected


@given(SPACES, ALGORITHMS, ENCODINGS)
def test_nothing_makes_nothing(value, algorithm, encoding):
    assert process_hashing(value, algorithm, encoding) == ""
    assert hashed(value, hashing.email) == ""


def test_what_is_normalised_to_nothing_is_no_value():
    with pytest.raises(ValueError, match="nothing is left"):
        process_hashing("?!", normalise=hashing.name)


def test_half_a_surrogate_pair_is_hashed_as_javascript_writes_it():
    assert process_hashing("\ud83d") == hashlib.sha256("\ufffd".encode()).hexdigest()


@given(EMAILS, SPACES, SPACES)
def test_spellings_of_an_address_make_one_hash(address, before, after):
    spelled = before + address.swapcase() + after
    assert hashed(spelled, hashing.email) == hashlib.sha256(address.lower().encode()).hexdigest()


@given(EMAILS, SPACES)
def test_a_hash_is_let_through_in_lower_case(address, space):
    digest = hashed(address, hashing.email)
    assert hashed(space + digest.upper() + space, hashing.email) == digest


@given(TEXTS.filter(lambda text: "@" not in text and not is_hashed(hashing.trim(text))))
def test_what_is_no_address_makes_nothing(text):
    assert hashed(text, hashing.email) == ""


@pytest.mark.parametrize(
    ("country_code", "written", "number"),
    [
        ("", "+1 (555) 234-5678", "+15552345678"),
        ("", "0044 20 7946 0000", "+442079460000"),
        ("+49", "030 1234567", "+49301234567"),
        ("49", "+1 555 234 5678", "+15552345678"),
        ("+1", "555.234.5678", "+15552345678"),
        ("", "555 234 5678", ""),
        ("", "+1", ""),
        ("", "+0555 234 5678", ""),
        ("+1", "call me", ""),
        ("", "+1234567890123456", ""),
    ],
)
def test_phone_numbers_become_e164(country_code, written, number):
    assert hashing.phone(country_code)(written) == number


@given(st.text(string.digits + " +-()./x", max_size=30), st.sampled_from(["", "+1", "+49"]))
def test_a_phone_number_is_e164_or_nothing(written, country_code):
    number = hashing.phone(country_code)(written)
    assert number == "" or (number[0] == "+" and 7 <= len(number) - 1 <= 15 and number[1:].isdigit())
    assert number == "" or hashing.phone("+7")(number) == number


@pytest.mark.parametrize(
    ("written", "clean"),
    [("  O'Brien-Smith ", "obriensmith"), ("Zoë  van\tDyk", "zoë van dyk"), ("...", ""), ("Jr.", "jr")],
)
def test_names_lose_case_punctuation_and_spare_space(written, clean):
    assert hashing.name(written) == clean


@given(TEXTS)
def test_normalising_twice_changes_nothing(text):
    for normalise in (hashing.email, hashing.name, hashing.phone("+1")):
        assert normalise(normalise(text)) == normalise(text)
