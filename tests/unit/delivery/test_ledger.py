"""The cursor passes a record exactly when it and all before it have finished."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from onward.delivery.ledger import Ledger
from onward.delivery.state.protocol import Changes, Count
from onward.eventlog.protocol import Position


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.ledger = Ledger(Position())
        self.records = []
        """All records read, in order: (end, items unfinished, the open record)."""
        self.read_to = Position()
        self.counted = 0
        self.finished_events = 0

    @rule(events=st.integers(1, 5), filtered=st.integers(0, 5))
    def read(self, events, filtered):
        filtered = min(filtered, events)
        end = Position(self.read_to.offset + 1, self.read_to.seq + events)
        record = self.ledger.open(end, events)
        record.pending = events - filtered
        if filtered:
            record.own.count(Count("filtered", "x", "", "", "", ""), filtered)
        self.records.append((end, record))
        self.read_to = end

    @precondition(lambda self: any(record.pending for _, record in self.records))
    @rule(data=st.data())
    def settle(self, data):
        _, record = data.draw(st.sampled_from([each for each in self.records if each[1].pending]))
        record.pending -= 1
        record.settled = True
        record.own.count(Count("delivered", "x", "", "", "", ""))

    @rule()
    def commit(self):
        changes = Changes()
        self.ledger.advance(changes)
        self.counted += sum(changes.counts.values())
        done = []
        while self.records and self.records[0][1].pending == 0:
            done.append(self.records.pop(0)[0])
        if done:
            assert changes.cursor == done[-1]
        else:
            assert changes.cursor is None
        self.finished_events = self.ledger.cursor.seq

    @rule()
    def rewind_all_untouched(self):
        free = {record for _, record in self.records if not record.settled}
        self.read_to, dropped = self.ledger.rewind(free)
        assert not any(record.settled for record in dropped)
        while self.records and self.records[-1][1] in dropped:
            self.records.pop()
        assert not {record for _, record in self.records} & dropped

    @invariant()
    def what_is_counted_is_what_the_cursor_passed(self):
        assert self.counted == self.finished_events
        assert self.ledger.open_events == self.read_to.seq - self.ledger.cursor.seq


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
