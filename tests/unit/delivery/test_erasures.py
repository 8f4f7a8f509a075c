"""Whose events are held back while a deletion is under way, and what the loop does about them."""

from types import SimpleNamespace

import pytest

from onward.delivery.erasures import Erasures
from onward.pipeline.normalise import USER_DELETED, Undecodable
from onward.workspace.erasure import Erasure

HOME = {"s1": "w", "s2": "w", "foreign": "v"}


def erasure(*users, source_id="", before=100, id="r"):
    return Erasure(
        SimpleNamespace(
            id=id,
            workspace_id="w",
            source_id=source_id,
            subjects=list(users),
            created_at=before,
            log_erased=False,
            log_offset=0,
        )
    )


@pytest.mark.parametrize(
    ("source_id", "user", "at", "covered"),
    [
        ("s1", "a", 100, True),
        ("s2", "a", 1, True),
        ("s1", "a", 101, False),  # received after the request
        ("s1", "b", 1, False),
        ("foreign", "a", 1, False),
        ("deleted source", "a", 1, True),  # whose nobody knows; nothing goes out from it
        ("s1", None, 1, False),
        ("s1", ["a"], 1, False),
        ("s1", "only in s1", 1, True),
        ("s2", "only in s1", 1, False),
    ],
)
def test_whom_it_covers(source_id, user, at, covered):
    erasures = Erasures()
    assert not erasures.covers(source_id, user, at)
    assert erasures.update([erasure("a"), erasure("only in s1", source_id="s1", id="r2")], HOME)
    assert erasures.covers(source_id, user, at) is covered
    event = {"type": "track", "userId": user}
    (found,) = erasures.apply(source_id, at, [event])
    assert isinstance(found, Undecodable) is covered
    assert found is event or found.code == USER_DELETED


def test_it_says_when_there_is_somebody_new():
    erasures = Erasures()
    assert not erasures.update([], HOME)
    assert erasures.update([erasure("a")], HOME)
    assert not erasures.update([erasure("a")], HOME)
    assert erasures.update([erasure("a"), erasure("b", id="r2")], HOME)
    assert not erasures.update([erasure("b", id="r2")], HOME)
    assert not erasures.covers("s1", "a", 1) and erasures.covers("s1", "b", 1)


def test_nothing_is_touched_that_is_not_meant():
    erasures = Erasures()
    events = [{"userId": "a"}, Undecodable(1, "broken"), {"userId": {"a": 1}}, {}]
    assert erasures.apply("s1", 1, events) is events
    erasures.update([erasure("a")], HOME)
    first, *rest = erasures.apply("s1", 1, events)
    assert first == Undecodable(0, "deleted with its user", USER_DELETED) and rest == events[1:]
    assert erasures.apply("s1", 101, events) is events
