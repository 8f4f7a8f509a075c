"""The public status page: rates by kind of destination, and nothing else."""

import json
import time

from onward.delivery.state.protocol import Changes, Count
from onward.delivery.state.sqlite import SqliteStateStore
from onward.destinations.catalog import Catalogue
from onward.eventlog.protocol import Position
from onward.status import StatusPage
from onward.workspace.snapshot import Destination, Snapshot


def destination(id, definition):
    return Destination(
        id=id, workspace_id="w", source_id="s", definition=definition, name="Our <secret> shop", enabled=True
    )


def test_it_tells_rates_by_kind_and_no_more(tmp_path):
    store = SqliteStateStore(tmp_path)
    snapshot = Snapshot(
        version=1,
        destinations=(
            destination("a", "actions-webhook"),
            destination("b", "actions-webhook"),
            destination("f", "function-secret"),
            destination("x", "<gone>"),
        ),
    )
    page = StatusPage(store.questions(), lambda: snapshot, Catalogue())
    assert json.loads(page.json())["status"] == "noData"
    page = StatusPage(store.questions(), lambda: snapshot, Catalogue())
    for id, at_once, later, lost in (("a", 60, 20, 20), ("b", 100, 0, 0), ("x", 0, 0, 5)):
        store.open_destination(id, Position())
        changes = Changes()
        for outcome, code, number in (
            ("delivered", "successes.attempt.1", at_once),
            ("delivered", "successes.attempt.2", later),
            ("discarded", "400", lost),
        ):
            changes.count(Count(outcome, code, "s", "track", "A", ""), number)
        store.commit([(id, changes)], time.time())
    told = json.loads(page.json())
    assert told["status"] == "down"
    by_slug = {each["slug"]: each for each in told["destinations"]}
    assert by_slug["actions-webhook"]["status"] == "degraded"
    assert by_slug["actions-webhook"]["lastHour"] == {"apiSuccess": 0.8, "finalDelivery": 0.9}
    assert by_slug["<gone>"]["status"] == "down"
    shown = page.page().decode()
    assert "80.00 %" in shown and "90.00 %" in shown and "Webhook" in shown and "{{" not in shown
    assert "secret" not in shown + page.json().decode() and "<gone>" not in shown
    store.close()
