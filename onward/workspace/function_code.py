"""A function's code as it is saved: what was written, and what runs.

Who opens the `Store` says how code is checked, for that takes the sandbox, which is no part of this room
(`onward.functions.checking`). Where nothing checks, code is kept as it came.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import msgspec
from sqlalchemy import Engine

from onward.workspace.database import reading
from onward.workspace.entities import FunctionVersion

Language = Literal["JAVASCRIPT", "TYPESCRIPT"]


class Code(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    """As it was written."""
    language: Language = "JAVASCRIPT"
    compiled: str | None = None
    """The JavaScript that runs, if it is not the text itself."""
    handlers: tuple[str, ...] | None = None
    """Those that the code has, such as `onTrack`; None if nobody could look."""


CheckCode = Callable[[str, Language | None], Code]
"""`(text, language or None to find out)` → what is saved; raises `Invalid` with the line. May be slow, may be
called in any thread, and answers at once for what it was asked a moment ago."""


def unchecked(text: str, language: Language | None) -> Code:
    return Code(text=text, language=language or "JAVASCRIPT")


class DeployedCode:
    """The JavaScript of versions, by id, for what runs them. Versions never change, so what was read once is
    kept; the oldest goes. For any thread."""

    def __init__(self, engine: Engine, keep: int = 64) -> None:
        self._engine = engine
        self._keep = keep
        self._known: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, version_id: str) -> str | None:
        """Without looking into the database."""
        with self._lock:
            return self._known.get(version_id)

    def read(self, version_id: str) -> str | None:
        """None if the version, with its function, is gone. Raises what the database does."""
        found = self.known(version_id)
        if found is None:
            with reading(self._engine) as session:
                version = session.get(FunctionVersion, version_id)
                found = version.runs if version is not None else None
            if found is not None:
                with self._lock:
                    self._known[version_id] = found
                    while len(self._known) > self._keep:
                        self._known.popitem(last=False)
        return found
