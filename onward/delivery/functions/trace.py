"""What people see of an invocation that failed: made only for the few that are kept, in a thread."""

from typing import Any

from onward.egress.masking import Masking
from onward.egress.record import Exchange
from onward.functions.errors import Ending
from onward.functions.invocation import Invocation
from onward.workspace.snapshot import DeployedFunction

LOG_SHOWN = 16_384
"""Characters of the log that are kept."""


class RunTrace:
    """A `Trace`. Secret settings are masked wherever they turned up."""

    def __init__(
        self,
        function: DeployedFunction,
        handler: str,
        made: Invocation,
        masking: Masking,
        events: int = 1,
        ending: Ending | None = None,
    ) -> None:
        """`events`: how many it was called for at once; `ending`: of the event, if its own."""
        self._function = function
        self._handler = handler
        self._made = made
        self._masking = masking
        self._events = events
        self._ending = made.ending if ending is None else ending

    def exchanges(self) -> list[Exchange]:
        return [] if self._made.record is None else self._made.record.exchanges()

    def shown(self) -> dict[str, Any]:
        """`{functionId, versionId, instanceId, handler, events, kind, message, error, logs, …}`."""
        made, mask, function = self._made, self._masking, self._function
        error = made.error
        lines, lost = self._lines()
        return {
            "functionId": function.id,
            "versionId": function.version,
            "instanceId": function.instance,
            "handler": self._handler,
            "events": self._events,
            "kind": self._ending.kind.value,
            "message": mask.text(self._ending.message),
            "error": error
            and {
                "name": mask.text(error.name),
                "message": mask.text(error.message),
                "line": error.line,
                "stack": mask.text(error.stack) if error.stack else None,
            },
            "logs": lines,
            "lostLogs": lost,
            "uncaught": [mask.text(f"{each.name}: {each.message}") for each in made.uncaught],
            "wallMs": round(made.wall_ms, 2),
            "queueMs": round(made.queue_ms, 2),
            "cold": made.cold,
        }

    def _lines(self) -> tuple[list[dict[str, Any]], int]:
        lines: list[dict[str, Any]] = []
        left = LOG_SHOWN
        for at, level, text in self._made.logs:
            if left <= 0:
                break
            shown = self._masking.text(text)[:left]
            left -= len(shown)
            lines.append({"at": at, "level": level, "text": shown})
        return lines, self._made.lost_logs + len(self._made.logs) - len(lines)
