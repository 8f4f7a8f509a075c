"""What `/metrics` says is in the docs, and the dashboard asks for nothing else."""

import json
import re
import time
from pathlib import Path

from onward.delivery.state.protocol import Changes, Count
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog import open_reader
from onward.eventlog.protocol import Position
from onward.metrics import Metrics
from onward.tracking.ledger import LedgerReader
from onward.workspace.snapshot import Destination, Snapshot, Source

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\bonward_[a-z0-9_]+")
DOCUMENTED = {
    found[1]
    for found in re.finditer(r"^\| `(onward_[a-z0-9_]+)`", (ROOT / "docs/metrics.md").read_text(), re.M)
}


def test_the_dashboard_asks_for_what_there_is() -> None:
    dashboard = json.loads((ROOT / "examples/grafana/onward.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [each["query"]["query"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
    asked = {name for query in queries for name in NAME.findall(query)}
    assert len(asked) > 15 and asked <= DOCUMENTED
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_the_docs_name_what_is_said_and_no_more(tmp_path: Path) -> None:
    store = SqliteStateStore(tmp_path)
    store.open_destination("d", Position())
    changes = Changes()
    changes.count(Count("delivered", "successes.attempt.1", "s", "track", "A", ""), 3)
    changes.count(Count("discarded", "400", "s", "track", "A", ""), 1)
    changes.count(Count("retried", "503", "s", "track", "A", ""), 2)
    changes.latency = {("s", 0): 3}
    store.commit([("d", changes)], time.time())
    snapshot = Snapshot(
        version=7,
        sources=(Source(id="s", workspace_id="w", slug="web", name="Web"),),
        destinations=(
            Destination(
                id="d", workspace_id="w", source_id="s", definition="x", name='Shop "1"', enabled=True
            ),
        ),
    )
    metrics = Metrics(tmp_path, open_reader(tmp_path), store, LedgerReader(tmp_path / "ingest.db"))
    text = metrics.render(snapshot).decode()
    store.close()
    said = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert said <= DOCUMENTED, said - DOCUMENTED
    values = {
        name: float(value)
        for name, value in re.findall(r"^(onward_destination_[a-z0-9_]+)\{[^\n]*\} (\S+)$", text, re.M)
    }
    assert values["onward_destination_delivery_ratio"] == 0.75
    assert values["onward_destination_first_attempt_ratio"] == 0.75
    assert values["onward_destination_retried_attempts"] == 2
    assert values["onward_destination_latency_p95_seconds"] == 0.0095
