"""The integrations object (spec §6.1, §22.19, §22.21)."""

from typing import Any

import pytest

from onward.pipeline.integrations import allows, function_key, options

NAMES = ("Amplitude", "Amplitude (Actions)")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, True),
        (None, True),
        ("no", True),
        ([False], True),
        ({"All": True}, True),
        ({"All": False}, False),
        ({"All": False, "Amplitude": True}, True),
        ({"All": False, "Amplitude (Actions)": True}, True),
        ({"All": True, "Amplitude": False}, False),
        ({"Amplitude": False}, False),
        ({"Mixpanel": True}, True),
        ({"Mixpanel": False}, True),
        ({"amplitude": False}, True),
        ({"all": False}, True),
        ({"All": False, "Amplitude": {"session_id": 5}}, True),
        ({"All": False, "Amplitude": {}}, True),
        ({"All": {}}, True),
        ({"All": False, "Amplitude": None}, False),
        ({"All": None}, True),
        ({"Amplitude": False, "Amplitude (Actions)": True}, False),
        ({"Amplitude": 0}, False),
        ({"Amplitude": ""}, False),
        ({"All": False, "Amplitude": []}, True),
    ],
)
def test_opt_out(given: Any, expected: bool) -> None:
    assert allows(given, NAMES) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, False), ({"All": True}, False), ({"Salesforce": True}, True), ({"Salesforce": {"a": 1}}, True)],
)
def test_opt_in_needs_its_own_name(given: Any, expected: bool) -> None:
    assert allows(given, ("Salesforce",), default_enabled=False) is expected


def test_a_destination_without_a_name_follows_all() -> None:
    assert not allows({"All": False}, ())
    assert allows({"x": False}, ())


def test_options() -> None:
    assert options({"Amplitude (Actions)": {"session_id": 5}}, NAMES) == {"session_id": 5}
    assert options({"Amplitude": {"a": 1}, "Amplitude (Actions)": {"b": 2}}, NAMES) == {"a": 1}
    for nothing in (None, {}, {"Amplitude": True}, {"Amplitude": None}, []):
        assert options(nothing, NAMES) == {}


def test_function_key() -> None:
    key = function_key("My Slack", "Acme")
    assert key == "My Slack (Acme)"
    assert not allows({key: False}, (key,))
