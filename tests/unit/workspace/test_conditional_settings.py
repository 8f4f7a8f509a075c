"""Settings that are required only where others have certain values (spec §9.5)."""

import pytest

from onward.workspace.errors import Invalid
from onward.workspace.values import settle

from .catalogue import Definition, Field

DEFINITION = Definition(
    slug="either",
    id="0" * 24,
    name="Either",
    settings={
        "auth": Field(choices=("none", "basic"), default="none"),
        "user": Field(
            required={
                "match": "all",
                "conditions": [{"fieldKey": "auth", "operator": "is", "value": "basic"}],
            }
        ),
    },
)


def test_a_setting_is_missed_only_under_its_condition():
    assert settle(DEFINITION, {}, {}) == ({"auth": "none"}, {})
    assert settle(DEFINITION, {"auth": "basic", "user": "ada"}, {}) == ({"auth": "basic", "user": "ada"}, {})
    with pytest.raises(Invalid, match="needs the setting user") as caught:
        settle(DEFINITION, {"auth": "basic"}, {})
    assert caught.value.field == "settings.user"
