"""How this installation is set up and how large it is (ours), for owners of its first workspace."""

import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TypedDict

from litestar import get

from onward import __version__
from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.context import ApiRequest, Context, InContext
from onward.destinations.bridge.install import read_exported
from onward.settings import Settings
from onward.workspace.database import FILE


class CatalogueView(TypedDict):
    destinations: int
    native: int
    """Written for Onward."""
    openSource: int
    """Segment's own, run as JavaScript."""
    version: str | None
    """Of Segment's open-source destinations; null if they are not installed."""
    javascript: bool
    """Whether anything is installed that runs JavaScript."""


class RetentionView(TypedDict):
    logHours: float
    logBytes: int | None
    """At most this much event log; null for no limit but the age."""
    dedupeHours: float
    discardHours: float


class StoresView(TypedDict):
    """What runs behind each seam."""

    eventLog: str
    state: str
    configuration: str
    dedupe: str


class SizesView(TypedDict):
    """Bytes on disk."""

    eventLog: int
    state: int
    """Cursors, counters, what is parked for a retry, and what was given up on."""
    ingest: int
    """Counters and samples of the front door."""
    dedupe: int
    configuration: int
    free: int
    """Left on the disk."""
    reserve: int
    """Below this much free disk nothing is accepted."""


class InstallationView(TypedDict):
    version: str
    catalogue: CatalogueView
    retention: RetentionView
    stores: StoresView
    sizes: SizesView
    workers: int
    """Delivery processes."""
    dedupeScope: str
    apiRequestsPerMinute: int


class InstallationAnswer(TypedDict):
    installation: InstallationView


@get("/installation", operation_id="getInstallation", sync_to_thread=True, answer=InstallationAnswer)
def get_installation(context: InContext, request: ApiRequest) -> Json:
    """Version, retention, sizes on disk, and what runs behind each seam."""
    context.require_installation()
    settings: Settings = request.app.state.settings
    view: InstallationView = {
        "version": __version__,
        "catalogue": _catalogue(context, settings.catalog_folder),
        "retention": {
            "logHours": settings.log_retention_hours,
            "logBytes": settings.log_retention_bytes,
            "dedupeHours": settings.dedupe_hours,
            "discardHours": settings.discard_retention_hours,
        },
        "stores": {
            "eventLog": "sqlite",
            "state": "sqlite",
            "configuration": context.store.engine.dialect.name,
            "dedupe": "rocksdb",
        },
        "sizes": {
            "eventLog": _size(settings.data / "log"),
            "state": _size(settings.data, "state.db*"),
            "ingest": _size(settings.data, "ingest.db*"),
            "dedupe": _size(settings.data / "dedupe"),
            "configuration": _size(settings.data, f"{FILE}*"),
            "free": shutil.disk_usage(settings.data).free,
            "reserve": settings.disk_reserve_bytes,
        },
        "workers": settings.workers,
        "dedupeScope": settings.dedupe_scope,
        "apiRequestsPerMinute": settings.api_requests_per_minute,
    }
    return answer(installation=view)


def _catalogue(context: Context, folder: Path) -> CatalogueView:
    entries = context.metadata.directory.entries
    native = sum(entry.native for entry in entries)
    return {
        "destinations": len(entries),
        "native": native,
        "openSource": len(entries) - native,
        "version": _version(folder),
        "javascript": context.runtime is not None,
    }


@cache
def _version(folder: Path) -> str | None:
    """The catalogue doesn't change while a process runs."""
    try:
        return read_exported(folder).source["version"]
    except FileNotFoundError:
        return None


def _size(folder: Path, pattern: str = "**/*") -> int:
    total = 0
    for path in folder.glob(pattern):
        with suppress(OSError):  # gone meanwhile
            total += path.stat().st_size if path.is_file() else 0
    return total
