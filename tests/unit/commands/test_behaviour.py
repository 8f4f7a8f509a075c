"""How the sink chooses its answers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.sink import Behaviour, changed


@pytest.mark.parametrize(
    ("behaviour", "statuses"),
    [
        (Behaviour(), {200}),
        (Behaviour(status=503), {503}),
        (Behaviour(status=204), {204}),
        (Behaviour(fail_rate=0.0, status=503), {200}),
        (Behaviour(fail_rate=1.0), {500}),
        (Behaviour(fail_rate=0.5, status=429), {200, 429}),
    ],
)
def test_which_statuses_are_answered(behaviour: Behaviour, statuses: set[int]) -> None:
    random.seed(1)
    assert {behaviour.choose() for _ in range(100)} == statuses


def test_null_sets_a_field_back() -> None:
    failing = changed(Behaviour(), b'{"status":503,"latency":1}')
    assert (failing.status, failing.latency) == (503, 1.0)
    assert changed(failing, b'{"status":null,"latency":null}') == Behaviour()


@given(st.binary(max_size=40))
def test_any_body_is_either_understood_or_refused_with_a_reason(body: bytes) -> None:
    try:
        changed(Behaviour(), body).check()
    except ValueError as error:
        assert str(error)
