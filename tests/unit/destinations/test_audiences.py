import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.audiences import Change, membership, merge, operation, outcome_of, worst
from onward.destinations.outcome import DELIVERED, discarded, retry

KEY = "loyal"
PERSONAS = {"computation_class": "audience", "computation_key": KEY}

CHANGES = st.lists(
    st.builds(
        Change,
        list_id=st.sampled_from(["1", "2"]),
        how=st.booleans(),
        people=st.lists(st.sampled_from("abcd"), min_size=1, max_size=3).map(tuple),
    ),
    max_size=12,
)


def engage(kind, value, **personas):
    held = {"identify": "traits", "track": "properties"}[kind]
    return {"type": kind, held: {KEY: value}, "context": {"personas": PERSONAS | personas}}


@pytest.mark.parametrize("kind", ["identify", "track"])
@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("sync_mode", [None, "mirror", "add", "delete"])
def test_an_audience_says_who_belongs_to_it(kind, value, sync_mode):
    assert operation({"operation": "auto"}, engage(kind, value), sync_mode) is value


@pytest.mark.parametrize(
    ("event", "sync_mode", "member"),
    [
        ({"type": "track", "event": "new"}, "add", True),
        ({"type": "track", "event": "new"}, "delete", None),
        ({"type": "track", "event": "updated"}, "add", None),
        ({"type": "track", "event": "updated"}, "mirror", True),
        ({"type": "track", "event": "deleted"}, "mirror", False),
        ({"type": "track", "event": "deleted"}, "add", None),
        ({"type": "identify", "event": "deleted"}, None, None),
        ({"type": "track", "event": "Audience Entered"}, "mirror", True),
        ({"type": "track", "event": "Audience Exited"}, None, False),
        ({"type": "track", "event": "Audience Exited"}, "add", True),
        ({"type": "track", "event": "Signed Up"}, "add", True),
        ({"type": "track", "event": "Signed Up"}, "delete", False),
        ({"type": "track", "event": "Signed Up"}, "mirror", None),
        ({"type": "track", "event": ["new"], "context": {"personas": 7}}, "mirror", None),
        ({}, "mirror", None),
    ],
)
def test_other_events_go_by_their_name_or_the_sync_mode(event, sync_mode, member):
    assert operation({}, event, sync_mode) is member


def test_the_mapping_has_the_last_word():
    assert operation({"operation": "remove"}, engage("track", True), "add") is False
    assert operation({"operation": "add"}, engage("track", False), "delete") is True


@pytest.mark.parametrize(
    "event",
    [
        engage("track", 1),
        engage("identify", "true"),
        engage("track", True, computation_class="trait"),
        engage("track", True, computation_key=""),
        engage("track", True) | {"type": "page"},
    ],
)
def test_what_is_no_boolean_of_an_audience_says_nothing(event):
    assert membership(event, None) is None


@given(CHANGES)
def test_the_last_word_on_a_person_counts(changes):
    merged = merge(changes)
    for (list_id, how), people in merged.items():
        assert len(set(people)) == len(people)
        for person in people:
            said = [change.how for change in changes if change.list_id == list_id and person in change.people]
            assert said[-1] == how
    named = {(change.list_id, person) for change in changes for person in change.people}
    assert sum(map(len, merged.values())) == len(named)


@given(CHANGES, st.data())
def test_every_payload_has_the_worst_outcome_of_its_people(changes, data):
    outcome = st.sampled_from([DELIVERED, retry("503", ""), discarded("400", "")])
    results = {
        (list_id, person): data.draw(outcome)
        for (list_id, _), people in merge(changes).items()
        for person in people
    }
    for change in changes:
        kinds = {results[change.list_id, person].kind for person in change.people}
        expected = "retry" if "retry" in kinds else "discarded" if "discarded" in kinds else "delivered"
        assert outcome_of(change, results).kind == expected


def test_nothing_that_went_wrong_is_delivered():
    assert worst([]) == DELIVERED
