"""Locks, heartbeats and reports under DATA/run."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from onward.roles import (
    BEAT_EVERY,
    STALE,
    Beat,
    Child,
    DataFolderError,
    Heartbeat,
    Report,
    TreeLock,
    beats,
    read_report,
    run_folder,
    write_report,
)

NOBODY = 65534


@pytest.mark.parametrize("closed", [".", "run"])
def test_a_folder_that_this_user_cannot_write_to_is_named(tmp_path: Path, closed: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / closed).chmod(0o500)
    me = os.geteuid()
    if me == 0:  # who may write everywhere
        os.seteuid(NOBODY)
    try:
        with pytest.raises(DataFolderError, match=rf"{tmp_path}: Permission denied\. .* --data"):
            run_folder(tmp_path)
    finally:
        os.seteuid(me)
        (tmp_path / closed).chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make files of two users")
def test_a_file_of_another_user_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:  # tmp_path lies in a folder that is closed to others
        data = Path(name)
        (data / "dedupe").mkdir()
        (data / "demo" / "log").mkdir(parents=True, mode=0o700)
        (data / "dedupe" / "CURRENT").touch(0o600)
        for folder in (data, data / "dedupe"):
            os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            with pytest.raises(DataFolderError, match=f"{data}/dedupe/CURRENT belongs to another user"):
                TreeLock(data)
            (data / "dedupe" / "CURRENT").unlink()
            TreeLock(data).release()
        finally:
            os.seteuid(0)


def test_a_data_folder_has_one_supervisor(tmp_path: Path) -> None:
    lock = TreeLock(tmp_path)
    with pytest.raises(DataFolderError, match=rf"in use by another onward serve \(pid {os.getpid()}\)"):
        TreeLock(tmp_path)
    lock.release()
    TreeLock(tmp_path).release()


def test_a_new_supervisor_waits_for_the_children_of_the_old(tmp_path: Path) -> None:
    lock = TreeLock(tmp_path)
    orphan = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock.tree,))
    lock.release()  # as the kernel does when the supervisor is killed
    with pytest.raises(DataFolderError, match="still run"):
        TreeLock(tmp_path, patience=0.1)
    orphan.communicate(b"\n")
    TreeLock(tmp_path).release()


def test_a_folder_that_cannot_be_made_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderError, match="--data"):
        TreeLock(tmp_path / "file" / "data")


def test_a_heartbeat_is_seen_until_its_process_ends_on_purpose(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path, "web")
    heartbeat.start()
    while "web" not in beats(tmp_path):
        pass
    beat = beats(tmp_path)["web"]
    assert (beat.role, beat.pid) == ("web", os.getpid())
    heartbeat.stop()
    assert beats(tmp_path) == {}


async def test_a_heart_with_a_loop_stands_still_while_the_loop_is_stuck(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path, "web", asyncio.get_running_loop())
    heartbeat.start()
    while "web" not in beats(tmp_path):
        await asyncio.sleep(0)
    before = beats(tmp_path)["web"].at
    time.sleep(2.5 * BEAT_EVERY)  # the loop is stuck for two beats
    assert beats(tmp_path)["web"].at - before < BEAT_EVERY / 2
    while beats(tmp_path)["web"].at == before:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(heartbeat.stop)


def test_an_old_beat_is_not_fresh() -> None:
    beat = Beat("web", 1, started_at=0.0, at=100.0)
    assert beat.fresh(100.0 + STALE / 2)
    assert not beat.fresh(100.0 + STALE)


def test_what_an_earlier_tree_left_is_removed_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "delivery-7.beat").write_bytes(b'{"role":"delivery-7","pid":1,"started_at":0,"at":1}')
    write_report(tmp_path, Report(1, 0.0, []))
    TreeLock(tmp_path).release()
    assert beats(tmp_path) == {}
    assert read_report(tmp_path) is None


def test_half_a_file_reads_as_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "web.beat").write_bytes(b'{"role":"we')
    (tmp_path / "run" / "supervisor.json").write_bytes(b"")
    assert beats(tmp_path) == {}
    assert read_report(tmp_path) is None


def test_a_report_reads_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    report = Report(7, 1.5, [Child("web", "running", 8, 2, "signal 9 (SIGKILL)", 3.5)])
    write_report(tmp_path, report)
    assert read_report(tmp_path) == report
