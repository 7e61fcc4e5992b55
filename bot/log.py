"""Structured logs: one line an event, no secret in any of them, no line broken by its content."""

import logging
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Literal

import structlog
from aiohttp.http_exceptions import HttpProcessingError

from bot.redact import redact

#: Control characters (line breaks too) and the marks that turn text round.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def set_up(style: Literal["console", "json"], level: int = logging.INFO) -> None:
    """Send everything, the libraries' own records too, to standard error in one shape."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _clean,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These name every request and payload at INFO or DEBUG, and payloads carry people's words.
    for chatty in ("slack_sdk", "aiohttp.access", "apscheduler", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # That it has plugins is no news; which migration it runs is.
    for inner in ("alembic.autogenerate", "alembic.runtime.plugins"):
        logging.getLogger(inner).setLevel(logging.WARNING)
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)  # a warning of it quotes the payload
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    _take_the_uncaught()


def _take_the_uncaught() -> None:
    """What nobody catches would go out as it is, and an error may quote a password."""
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def visible(text: str) -> str:
    """*text* for a terminal: its lines stay, and nothing in them moves or turns anything."""
    return "\n".join(_UNSAFE.sub(_escaped, line) for line in text.split("\n"))


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("pilothouse").critical("uncaught", exc_info=(kind, error, trace))


def _uncaught_in_thread(fallen: threading.ExceptHookArgs) -> None:
    if fallen.exc_value is not None:
        _uncaught(fallen.exc_type, fallen.exc_value, fallen.exc_traceback)


def _is_ours(record: logging.LogRecord) -> bool:
    """Not for what is no HTTP at all: whoever sends that must not fill our log with tracebacks."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def _clean(logger: Any, name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {key: _safe(value) for key, value in event.items()}


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSAFE.sub(_escaped, redact(value))
    if isinstance(value, int | float | bool) or value is None:
        return value
    return _UNSAFE.sub(_escaped, redact(str(value)))


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()
