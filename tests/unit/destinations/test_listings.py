import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.catalog import NATIVE
from onward.destinations.definition import EVENT_TYPES, Definition
from onward.destinations.listings import FILE, Facts, listing, methods_of, previous_names
from onward.pipeline.triggers import matches

AMPLITUDE = "5f7dd6d21ad74f3842b1fc47"
HEAP_CLOUD = "62e184d538b54413fe754512"  # not in the data of the documentation


def test_what_the_documentation_lists() -> None:
    found = listing(AMPLITUDE, "actions-amplitude")
    assert found.categories == ("Analytics",)
    assert found.methods == {"track", "identify", "page", "group", "alias"}
    assert (found.cloud, found.device) == ({"web", "server"}, frozenset())
    assert found.sources == {"web", "server", "warehouse"}
    assert (found.endpoints, found.regions) == (("US", "EU"), ("us-west-2", "eu-west-1"))
    assert (found.status, found.website, found.kind) == ("PUBLIC", "https://amplitude.com", "event_stream")
    assert found.replay


def test_is_found_by_its_id_and_else_by_its_slug() -> None:
    assert listing(AMPLITUDE, "renamed") == listing("0" * 24, "actions-amplitude")


def test_what_the_documentation_lacks_has_its_makers_categories_and_its_triggers_methods() -> None:
    found = listing(HEAP_CLOUD, "actions-heap-cloud", ['type = "track"', 'type = "identify"'])
    assert found.categories == listing("54521fd625e721e32a72eec6", "heap").categories
    assert found.methods == {"track", "identify"}
    assert found.status == "PUBLIC_BETA"


def test_methods_that_a_trigger_names_are_added_to_the_files() -> None:
    found = listing(AMPLITUDE, "actions-amplitude", ['type = "screen" and event != "x"', "userId = null"])
    assert found.methods == {"track", "identify", "page", "group", "alias", "screen"}


def test_what_nobody_has_heard_of() -> None:
    found = listing("0" * 24, "unheard-of")
    assert (found.categories, found.methods) == ((), set(EVENT_TYPES))
    assert previous_names("0" * 24, "unheard-of") == ()


def test_names_for_the_integrations_object() -> None:
    assert previous_names(AMPLITUDE, "actions-amplitude") == ("Amplitude (Actions)", "Actions Amplitude")
    assert previous_names(AMPLITUDE, "", "Actions Amplitude") == ("Amplitude (Actions)",)


@pytest.mark.parametrize(
    ("triggers", "methods"),
    [
        (['type = "page" or type = "screen"'], {"page", "screen"}),
        (['event = "Order Completed"'], {"track"}),
        (['type = "track" and event != "Order Completed"'], {"track"}),
        (['type != "alias"'], set(EVENT_TYPES) - {"alias"}),
        (['properties.plan = "pro"'], set(EVENT_TYPES)),
        (['type = "track"', "type ="], {"track"}),
        (['type = "track"', "("], {"track"}),
        ([], set(EVENT_TYPES)),
    ],
)
def test_methods_of_triggers(triggers: list[str], methods: set[str]) -> None:
    assert methods_of(triggers) == methods


@pytest.mark.parametrize(
    ("slug", "allowlist"),
    [
        ("actions-liveramp-audiences", False),
        ("actions-the-trade-desk-crm", False),
        ("actions-aws-kinesis", False),
        ("actions-slack", True),
    ],
)
def test_ip_allowlist(slug: str, allowlist: bool) -> None:
    assert listing("", slug).ip_allowlist is allowlist


def test_kinds_and_limits() -> None:
    assert listing("", "aws-s3").kind == "storage"
    assert listing("", "actions-segment-profiles").kind == "reverse_etl"
    assert listing("", "actions-google-analytics-4").replay_days == 3
    assert not listing("", "actions-google-analytics-4-web").replay


@pytest.mark.parametrize("definition", NATIVE, ids=lambda each: each.slug)
def test_onwards_own_do_all_that_the_documentation_lists(definition: Definition) -> None:
    known, own = listing(definition.id, definition.slug), definition.listing
    if not previous_names(definition.id, definition.slug):
        return  # Segment has no such destination.
    assert own.categories == known.categories
    assert own.sources >= known.sources
    assert own.cloud >= known.cloud
    # Segment's own is for rows of warehouses alone; ours sends on whatever a source sends.
    assert own.kind == known.kind or definition.slug == "actions-segment"


def test_the_file_is_in_order() -> None:
    lines = msgspec.convert(msgspec.json.decode(FILE.read_bytes())["listings"], list[Facts])
    assert len(lines) == 585
    slugs = [line.slug for line in lines]
    assert slugs == sorted(set(slugs))
    for line in lines:
        assert len(line.id) == 24 and line.names and all(line.names)
        assert (line.methods or set()) <= set(EVENT_TYPES)
        assert line.sources <= {"web", "mobile", "server", "warehouse"}
        assert line.cloud | line.device <= {"web", "mobile", "server"}


CONDITIONS = st.sampled_from(
    [
        *(f'type = "{name}"' for name in EVENT_TYPES),
        'type != "alias"',
        'event = "Bought"',
        'event != "Bought"',
        "userId != null",
        'properties.plan = "pro"',
        'contains(event, "ou")',
    ]
)
GROUPS = st.tuples(st.lists(CONDITIONS, min_size=1, max_size=3), st.sampled_from([" and ", " or "])).map(
    lambda group: f"({group[1].join(group[0])})"
)
TRIGGERS = st.tuples(
    st.lists(CONDITIONS | GROUPS, min_size=1, max_size=4), st.sampled_from([" and ", " or "])
).map(lambda trigger: trigger[1].join(trigger[0]))
EVENTS = st.builds(
    lambda kind, name, plan: {
        "type": kind,
        "userId": "u",
        "properties": {"plan": plan},
        **({"event": name} if kind == "track" else {}),
    },
    st.sampled_from(EVENT_TYPES),
    st.sampled_from(["Bought", "Sold"]),
    st.sampled_from(["pro", "free"]),
)


@given(TRIGGERS, EVENTS)
def test_what_a_trigger_takes_is_of_its_methods(trigger: str, event: dict[str, object]) -> None:
    if matches(trigger, event):
        assert event["type"] in methods_of([trigger])
