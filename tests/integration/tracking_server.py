"""The front door alone in a process of its own: `python tracking_server.py DATA PORT`.

Granian, the SQLite log and the RocksDB index, as the web process has them, without the rest of Onward.
"""

import asyncio
import signal
import sys
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from onward.eventlog.sqlite import SqliteLog
from onward.settings import Settings
from onward.tracking.app import Tracking
from onward.tracking.dedupe import RocksDedupe
from onward.tracking.ledger import Ledger
from onward.workspace.snapshot import Snapshot, Source

SOURCE = Source(id="src_1", workspace_id="ws_1", slug="web", name="Web", write_keys=("key-1",))
SNAPSHOT = Snapshot(version=1, sources=(SOURCE,))
READ_SECONDS = 1.0


async def main(data: Path, port: int) -> None:
    log = SqliteLog(data / "log", reserve_bytes=0)
    tracking = Tracking(
        log,
        RocksDedupe(data / "dedupe"),
        Ledger(data / "ingest.db"),
        lambda: SNAPSHOT,
        Settings(data=data),
        read_seconds=READ_SECONDS,
    )
    await tracking.start()
    server = Server(tracking, address="127.0.0.1", port=port, interface=Interfaces.ASGINL)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()
    await tracking.stop()
    log.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
