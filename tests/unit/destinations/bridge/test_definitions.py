"""Exports of destinations → definitions."""

from typing import Any

from onward.destinations.bridge.definitions import definition, load
from onward.destinations.bridge.fields import field
from onward.workspace.checks import check_trigger


def action(**more: Any) -> dict[str, Any]:
    made = {
        "slug": "send",
        "title": "Send",
        "fields": {"email": {"label": "Email", "type": "string", "required": True}},
        "batches": True,
        "hidden": False,
        "dynamicFields": {},
        "hooks": {},
    }
    return made | more


def export(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {
        "id": "0" * 24,
        "directory": "tool",
        "slug": "actions-tool",
        "name": "Tool",
        "presets": [],
        "onDelete": False,
        "readsEvents": False,
        "hasTransactions": False,
        "actions": list(actions),
    }
    return made | more


def test_a_field_with_everything() -> None:
    made = field(
        "kind",
        {
            "label": "Kind",
            "type": "object",
            "description": "d",
            "required": {"conditions": [{"fieldKey": "a", "operator": "is", "value": 1}]},
            "default": {"@path": "$.x"},
            "choices": [{"label": "One", "value": "1"}, "2"],
            "multiple": True,
            "allowNull": True,
            "properties": {"a": {"type": "number", "minimum": 1, "maximum": 2}},
            "additionalProperties": True,
            "dynamic": True,
            "depends_on": {"conditions": []},
            "category": "c",
            "defaultObjectUI": "keyvalue",
            "placeholder": "p",
            "readOnly": True,
            "unsafe_hidden": True,
            "format": "uri",
        },
    )
    assert (made.choices, made.choice_labels) == (("1", "2"), ("One", "2"))
    assert made.properties is not None
    assert (made.properties["a"].minimum, made.properties["a"].label) == (1, "a")
    assert made.required == {"conditions": [{"fieldKey": "a", "operator": "is", "value": 1}]}
    assert (made.presentation, made.hidden, made.read_only, made.multiple) == ("keyvalue", True, True, True)
    assert not made.secret
    assert field("p", {"type": "password"}).secret
    assert field("x", {"choices": ["a", "b"]}).choice_labels == ()


def test_default_triggers_can_be_saved() -> None:
    made = definition(export(action(defaultSubscription='type = "track" and event == "Bought"')))
    check_trigger(made.actions["send"].default_trigger)


def test_batching_is_offered_where_the_action_can() -> None:
    made = definition(export(action())).actions["send"]
    assert made.fields["enable_batching"].type == "boolean"
    assert (made.batches, made.default_batch_size, made.max_batch_size) == (True, 1000, 10_000)
    assert made.bulk_from is None
    assert not made.by_audience
    alone = definition(export(action(batches=False))).actions["send"]
    assert "enable_batching" not in alone.fields
    free = definition(export(action(fields={}))).actions["send"]
    assert free.fields == {}  # it takes whatever is mapped


def test_batch_sizes_are_those_of_the_field() -> None:
    def sizes(**of: Any) -> tuple[int, int]:
        fields = {"batch_size": {"type": "number", **of}}
        made = definition(export(action(fields=fields))).actions["send"]
        return made.default_batch_size, made.max_batch_size

    assert sizes(default=75, maximum=75) == (75, 75)
    assert sizes(default=25_000) == (25_000, 25_000)
    assert sizes(default=0) == (1000, 10_000)
    assert sizes(default=500_000) == (100_000, 100_000)
    assert sizes(default={"@path": "$.x"}) == (1000, 10_000)


def test_the_bulk_list() -> None:
    made = definition(export(action(), directory="klaviyo")).actions["send"]
    assert made.bulk_from == 1
    assert made.timeout == 300.0


def test_audiences_keep_batches_apart() -> None:
    audience = {"mode": {"type": "synced", "full_audience_sync": True}, "create": True, "get": True}
    made = definition(export(action(), audience={**audience, "fields": {"a": {"type": "string"}}}))
    assert made.actions["send"].by_audience
    assert made.audiences is not None
    assert made.audiences.full_sync
    assert "a" in made.audiences.fields
    half = definition(export(action(), audience={**audience, "get": False, "fields": {}}))
    assert half.audiences is None
    assert half.actions["send"].by_audience


def test_presets() -> None:
    mapping = {"email": {"@path": "$.traits.email"}}
    presets = [
        {
            "name": "A",
            "type": "automatic",
            "partnerAction": "send",
            "subscribe": 'type = "track"',
            "mapping": mapping,
        },
        {
            "name": "B",
            "type": "specificEvent",
            "partnerAction": "send",
            "eventSlug": "warehouse_audience_membership_changed_identify",
            "mapping": mapping,
        },
    ]
    automatic, specific = definition(export(action(), presets=presets)).presets
    assert (automatic.automatic, automatic.trigger) == (True, 'type = "track"')
    assert (specific.automatic, specific.trigger) == (False, 'type = "identify"')
    assert specific.event == "warehouse_audience_membership_changed_identify"


def test_oauth_has_settings_of_its_own() -> None:
    authentication = {
        "scheme": "oauth2",
        "fields": {"portal": {"type": "string"}},
        "test": True,
        "refresh": True,
    }
    made = definition(export(action(), authentication=authentication))
    secrets = {name for name, each in made.settings.items() if each.secret}
    assert secrets == {"oauth_access_token", "oauth_refresh_token", "oauth_client_secret"}
    assert {"portal", "oauth_client_id", "oauth_refresh_token_url"} <= made.settings.keys()
    assert made.test is not None
    assert definition(export(action())).test is None


def test_those_that_cannot_be_served() -> None:
    made = definition(export(action(), directory="kafka"))
    assert made.listing.own_sockets
    assert not made.native
    action_of = definition(export(action(slug="audienceEnteredSFTP"), directory="liveramp-audiences"))
    assert action_of.actions["audienceEnteredSFTP"].perform.of.unserved  # type: ignore[attr-defined]


def test_nothing_is_there_before_it_is_installed(tmp_path: Any) -> None:
    assert dict(load(tmp_path / "none")) == {}
