"""`/readyz`: whether Onward can do its work, and if not, which part can't and why."""

import os
import time
from typing import Any

import msgspec

from onward.roles import STALE, beats, read_report, role_of
from onward.settings import Settings

OK = "ok"


def readiness(settings: Settings, configuration_error: str | None, version: int) -> dict[str, Any]:
    """`{"ready", "checks": {part: "ok" or what is wrong}, "functions", "crashes", "configuration_version"}`.

    Functions that are refused are told, but keep nothing else from being ready.
    """
    checks = {"log": _log(settings), "configuration": configuration_error or OK}
    checks.update(_delivery(settings))
    report = read_report(settings.data)
    crashes = {
        child.role: {"restarts": child.restarts, "last_exit": child.last_exit, "at": child.last_exit_at}
        for child in (report.children if report else ())
        if child.restarts
    }
    return {
        "ready": all(state == OK for state in checks.values()),
        "checks": checks,
        "functions": {
            role: msgspec.to_builtins(beat.functions)
            for role, beat in sorted(beats(settings.data).items())
            if beat.functions is not None
        },
        "crashes": crashes,
        "configuration_version": version,
    }


def _log(settings: Settings) -> str:
    try:
        disk = os.statvfs(settings.data)
    except OSError as error:
        return f"the data folder can't be read: {error.strerror}"
    free = disk.f_bavail * disk.f_frsize
    if free < settings.disk_reserve_bytes:
        return f"{free} bytes are free on the disk, less than the reserve of {settings.disk_reserve_bytes}"
    if not os.access(settings.data / "log", os.W_OK):
        return "the event log can't be written to"
    return OK


def _delivery(settings: Settings) -> dict[str, str]:
    now = time.time()
    seen = beats(settings.data)
    states = {}
    for index in range(settings.workers):
        role = role_of(index)
        beat = seen.get(role)
        if beat is None:
            states[role] = "not running"
        elif not beat.fresh(now):
            states[role] = f"no heartbeat for {now - beat.at:.0f} s (limit {STALE:g} s)"
        else:
            states[role] = OK
    return states
