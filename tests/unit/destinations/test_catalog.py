import re

import pytest

from onward.destinations import catalog
from onward.destinations.definition import Definition
from onward.pipeline import mapping

CATALOGUE = catalog.Catalogue()


def test_every_slug_and_id_is_one_destination():
    for slug, definition in CATALOGUE.items():
        assert CATALOGUE[slug] is definition
    assert len({definition.id for definition in CATALOGUE.values()}) == len(CATALOGUE)


def test_an_unknown_destination_is_named():
    with pytest.raises(
        catalog.UnknownDestinationError, match=r"^the catalogue has no destination 'actions-nope'"
    ):
        CATALOGUE["actions-nope"]
    assert CATALOGUE.get("actions-nope") is None


def test_onwards_own_answers_where_there_are_both():
    other = Definition(slug="actions-webhook", id="0" * 24, name="Other", description="", native=False)
    bridged = Definition(slug="actions-x", id="1" * 24, name="X", description="", native=False)
    both = catalog.Catalogue({"actions-webhook": other, "actions-x": bridged})
    assert both["actions-webhook"].native
    assert both["actions-x"] is bridged
    assert len(both) == len(CATALOGUE) + 1


@pytest.mark.parametrize("definition", CATALOGUE.values(), ids=lambda each: each.slug)
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
            if field.choices and not isinstance(field.default, dict | None):
                assert field.default in field.choices, name
    for preset in definition.presets:
        action = definition.actions[preset.action]
        assert preset.mapping.keys() <= action.fields.keys()
        for name, value in preset.mapping.items():
            # The default, or another valid mapping.
            assert value == action.fields[name].default or not mapping.validate({name: value}), name


def test_the_definitions_are_segments():
    assert CATALOGUE["actions-webhook"].id == "614a3c7d791c91c41bae7599"
    assert CATALOGUE["actions-segment"].id == "6371eee1ae5e324869aa8b1b"
