import re

import pytest

from onward.destinations import catalog


def test_finds_by_slug_and_by_id():
    for slug, definition in catalog.CATALOG.items():
        assert catalog.get(slug) is definition
        assert catalog.by_id(definition.id) is definition


def test_an_unknown_destination_is_named_with_what_there_is():
    with pytest.raises(catalog.UnknownDestinationError, match=r"'actions-nope'.*actions-webhook"):
        catalog.get("actions-nope")
    with pytest.raises(catalog.UnknownDestinationError, match=r"'0000'.*614a3c7d791c91c41bae7599"):
        catalog.by_id("0000")


@pytest.mark.parametrize("definition", catalog.CATALOG.values(), ids=lambda each: each.slug)
def test_definitions_hold_together(definition):
    assert re.fullmatch(r"[0-9a-f]{24}", definition.id)
    assert definition.name and definition.description
    for name, field in definition.settings.items():
        assert (field.type == "password") == field.secret, name
    for slug, action in definition.actions.items():
        assert action.slug == slug
        assert action.default_batch_size <= action.max_batch_size
        for name, field in action.fields.items():
            assert field.label and field.description, name
            assert not field.choices or field.default in field.choices, name
    for preset in definition.presets:
        action = definition.actions[preset.action]
        assert preset.mapping.keys() <= action.fields.keys()
        for name, value in preset.mapping.items():
            assert value == action.fields[name].default, name


def test_the_definitions_are_segments():
    assert catalog.get("actions-webhook").id == "614a3c7d791c91c41bae7599"
    assert catalog.get("actions-segment").id == "6371eee1ae5e324869aa8b1b"
