"""Audience membership against `resolveAudienceMembership` of `@segment/actions-core`."""

from collections.abc import Iterator

import pytest
from conformance.reference import Engines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.destinations.audiences import membership
from onward.destinations.definition import SYNC_MODES

KEYS = st.sampled_from(["loyal", "lost", "", 7, None])
HELD = st.dictionaries(st.sampled_from(["loyal", "lost"]), st.sampled_from([True, False, 1, "true", None]))
PERSONAS = st.fixed_dictionaries(
    {},
    optional={
        "computation_class": st.sampled_from(["audience", "journey_step", "trait", "", 1]),
        "computation_key": KEYS,
    },
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "identify", "page", "", 3]),
        "event": st.sampled_from(["new", "updated", "deleted", "Audience Entered", "", 3]),
        "traits": HELD,
        "properties": HELD,
        "context": st.fixed_dictionaries({}, optional={"personas": PERSONAS}),
    },
)


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as running:
        yield running


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(event=EVENTS, sync_mode=st.sampled_from([None, *SYNC_MODES]))
def test_membership_is_that_of_segment(engines, event, sync_mode):
    assert engines.ask("membership", event, sync_mode) == {"value": membership(event, sync_mode)}
