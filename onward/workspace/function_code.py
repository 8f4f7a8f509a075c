"""A function's code as it is saved: what was written, and what runs.

Who opens the `Store` says how code is checked, for that takes the sandbox, which is no part of this room
(`onward.functions.checking`). Where nothing checks, code is kept as it came.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

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
