"""Logs: structlog to stderr, one event a line; JSON where no terminal reads it.

Every line has `timestamp`, `level`, `event` and `role` (the process that speaks). What libraries say
through the standard `logging` takes the same way.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import Processor

Level = Literal["debug", "info", "warning", "error"]


def configure(level: Level, role: str) -> None:
    """Set up logging for this process; call it once, before anything logs."""

    def add_role(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line.setdefault("role", role)
        return line

    shared: list[Processor] = [
        add_role,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    final: list[Processor]
    if sys.stderr.isatty():
        # The plain traceback: others show local variables, and so tokens, secrets and people's data.
        plain = structlog.dev.plain_traceback
        final = [structlog.dev.ConsoleRenderer(pad_event_to=0, exception_formatter=plain)]
    else:
        final = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_dumps)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("asyncio", "alembic", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _log_uncaught


def _dumps(line: MutableMapping[str, Any], **_: Any) -> str:
    return orjson.dumps(line, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger("onward").critical("uncaught exception", exc_info=(kind, error, trace))
