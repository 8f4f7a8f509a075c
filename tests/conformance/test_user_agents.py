"""What Amplitude is told of user agents, against ua-parser-js as Segment's destination calls it.

For each rule of ours, texts that it is for are made from its pattern; others are put together from parts of
real ones. Beyond ASCII, case is folded otherwise, and a line break stops other patterns; no browser sends
either.
"""

from collections.abc import Iterator
from itertools import product

import pytest
from conformance.segment_destinations import Destinations
from conformance.user_agents import MODELS, SAMPLES, SYSTEMS, TAILS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.destinations.amplitude.user_agent import browsers, devices, properties, systems

PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
AROUND = ("{}", "Mozilla/5.0 (Linux; Android 13; {}) Chrome/9 Mobile Safari/5")
PATTERNS = [pattern for module in (devices, browsers, systems) for pattern, _ in module._COMPILED]


@pytest.fixture(scope="module")
def theirs() -> Iterator[Destinations]:
    with Destinations() as running:
        yield running


def compare(theirs: Destinations, texts: list[str]) -> None:
    answers = theirs.ask("userAgents", texts)
    assert [(text, properties(text, None)) for text in texts] == list(zip(texts, answers, strict=True))


def test_real_ones_and_their_parts(theirs: Destinations) -> None:
    made = [
        f"Mozilla/5.0 ({system}{model}{build}) {tail}"
        for system, model, build, tail in product(SYSTEMS, MODELS, ("", " Build/QKQ1"), TAILS)
    ]
    assert len(made) > 40_000
    compare(theirs, [*SAMPLES, "x" * 400, " " * 10 + SAMPLES[0] * 5, *made[::7]])


@pytest.mark.timeout(300)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_each_rule_is_for(theirs: Destinations, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=8))
    texts = [data.draw(st.from_regex(pattern, alphabet=PRINTABLE)) for pattern in chosen]
    around = data.draw(st.sampled_from(AROUND))
    compare(theirs, [around.format(text) for text in texts])
