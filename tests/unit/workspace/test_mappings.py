"""What a mapping may hold besides fields (spec §9.4), and which fields it must have."""

from types import SimpleNamespace

import pytest

from onward.workspace.checks import check_mapping
from onward.workspace.errors import Invalid

from .catalogue import Action, Field

WHEN = {"conditions": [{"fieldKey": "email", "operator": "is"}]}
ADD = Action(
    slug="add",
    fields={"list": Field(required=True), "email": Field(), "phone": Field(required=WHEN)},
    sync_mode=SimpleNamespace(choices=("add", "delete")),
)
PLAIN = Action(slug="plain", fields={"email": Field()})


@pytest.mark.parametrize(
    "more",
    [
        {"__segment_internal_sync_mode": "delete", "__segment_internal_matching_key": "email"},
        {"onMappingSave": {"inputs": {"name": "A list"}, "outputs": {"id": "7"}}},
        {"retlOnMappingSave": {"inputs": {"name": {"@odd": 1}}, "outputs": {}}},
    ],
)
def test_sync_modes_and_what_hooks_left_are_no_fields(more):
    check_mapping(ADD, {"list": "a", **more}, complete=True)


@pytest.mark.parametrize(("action", "mode"), [(ADD, "mirror"), (ADD, ""), (ADD, ["add"]), (PLAIN, "add")])
def test_a_sync_mode_that_the_action_does_not_offer_is_refused(action, mode):
    mapping = {"email": "a@b.co", "__segment_internal_sync_mode": mode}
    with pytest.raises(Invalid, match="has no sync mode") as caught:
        check_mapping(action, mapping, complete=False)
    assert caught.value.field == "mapping.__segment_internal_sync_mode"


def test_other_names_and_bad_directives_are_refused():
    with pytest.raises(Invalid, match="has no field nope"):
        check_mapping(PLAIN, {"nope": 1}, complete=False)
    with pytest.raises(Invalid, match="invalid directive") as caught:
        check_mapping(PLAIN, {"email": {"@nope": 1}}, complete=False)
    assert caught.value.field == "mapping.email"


def test_only_what_is_required_in_any_case_must_be_mapped():
    check_mapping(ADD, {"list": "a"}, complete=True)  # whether a phone is needed depends on the event
    with pytest.raises(Invalid, match="needs the field list"):
        check_mapping(ADD, {"email": "a"}, complete=True)
    root = {"__segment_internal_directive": {"@merge": {"direction": "right", "objects": [{"@path": "$."}]}}}
    check_mapping(ADD, root, complete=True)
