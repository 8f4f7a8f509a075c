"""What `/readyz` says."""

from pathlib import Path

import msgspec
import pytest

from onward.health import readiness
from onward.roles import Beat, Child, Heartbeat, Report, replace, write_report
from onward.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "log").mkdir()
    (tmp_path / "run").mkdir()
    return Settings(data=tmp_path, workers=1, disk_reserve_bytes=0)


def beat(settings: Settings, role: str, at: float) -> None:
    replace(settings.data / "run" / f"{role}.beat", msgspec.json.encode(Beat(role, 1, 0.0, at)))


def test_ready_when_every_part_is(settings: Settings) -> None:
    heartbeat = Heartbeat(settings.data, "delivery-0")
    heartbeat.start()
    while not (settings.data / "run" / "delivery-0.beat").exists():
        pass
    state = readiness(settings, None, 7)
    heartbeat.stop()
    assert state["ready"]
    assert state["configuration_version"] == 7
    assert set(state["checks"].values()) == {"ok"}


def test_a_delivery_process_that_is_missing_or_silent_is_named(settings: Settings) -> None:
    assert readiness(settings, None, 1)["checks"]["delivery-0"] == "not running"
    beat(settings, "delivery-0", at=0.0)
    state = readiness(settings, None, 1)
    assert not state["ready"]
    assert state["checks"]["delivery-0"].startswith("no heartbeat for")


def test_a_full_disk_is_named(settings: Settings) -> None:
    full = msgspec.structs.replace(settings, disk_reserve_bytes=1 << 60)
    assert "less than the reserve" in readiness(full, None, 1)["checks"]["log"]


def test_a_configuration_that_cannot_be_read_is_named(settings: Settings) -> None:
    state = readiness(settings, "the key is another", 1)
    assert state["checks"]["configuration"] == "the key is another"
    assert not state["ready"]


def test_crashes_are_shown(settings: Settings) -> None:
    children = [
        Child("web"),
        Child("delivery-0", restarts=2, last_exit="signal 9 (SIGKILL)", last_exit_at=5.0),
    ]
    write_report(settings.data, Report(1, 0.0, children))
    crashes = readiness(settings, None, 1)["crashes"]
    assert crashes == {"delivery-0": {"restarts": 2, "last_exit": "signal 9 (SIGKILL)", "at": 5.0}}
