"""The funnel's arithmetic: whatever happened when, each window's numbers add up to what was pending."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from onward.metering.outcomes import Flow, Inflow, Tally, funnel

OUTCOMES = ("delivered", "filtered", "discarded", "skipped")


def tally(counts):
    found = Tally()
    for outcome, count in counts.items():
        found.add(outcome, "successes.attempt.1", count)
    return found


@given(st.data())
def test_numbers_add_up_in_every_window(data):
    draw = data.draw
    minutes = draw(st.integers(1, 12))
    connected_at = draw(st.integers(0, minutes))
    came: list[int] = []
    counters: list[dict[str, int]] = []
    pending_after: list[int] = []
    pending = seq = start_seq = passed = 0
    discarded = 0
    for minute in range(minutes):
        new = draw(st.integers(0, 9))
        came.append(new)
        seq += new
        if minute < connected_at:
            start_seq = passed = seq
        counts = defaultdict(int)
        if minute >= connected_at:
            pending += new
            fanned = draw(st.integers(0, 3))
            redriven = draw(st.integers(0, discarded))
            discarded -= redriven
            counts["fanned_out"], counts["redriven"] = fanned, redriven
            pending += fanned + redriven
            for outcome in OUTCOMES:
                ended = draw(st.integers(0, pending))
                pending -= ended
                counts[outcome] += ended
            discarded += counts["discarded"]
        counters.append(counts)
        pending_after.append(pending)
    start = draw(st.integers(0, minutes - 1))
    end = draw(st.integers(start + 1, minutes))
    uncounted = draw(st.integers(0, 5)) if connected_at < minutes else 0

    def total(begin, stop):
        found = defaultdict(int)
        for counts in counters[begin:stop]:
            for outcome, count in counts.items():
                found[outcome] += count
        return tally(found)

    passed = start_seq + sum(came[connected_at:])
    flow = Flow(total(start, end), total(end, minutes), passed, pending)
    inflow = Inflow(sum(came[start:end]), sum(came[end:]), seq)
    found = funnel(flow, inflow, seq + uncounted, to_now=end == minutes)
    assert (
        found.pending_before + found.accepted + found.fanned_out + found.redriven
        == found.not_for_it + found.filtered + found.discarded + found.delivered + found.pending
    )
    assert found.pending_before == (pending_after[start - 1] if start else 0)
    assert found.pending_now == pending + uncounted
    if end > connected_at:
        assert found.pending == pending_after[end - 1] + (uncounted if end == minutes else 0)
