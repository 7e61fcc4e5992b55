"""Structured logs: one line an event, no secret in any of them, no line broken by its content."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog
from aiohttp.http_exceptions import HttpProcessingError

from bot.redact import redact

#: Control characters (line breaks too) and the marks that turn text round.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")


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
    for chatty in ("slack_sdk", "aiohttp.access", "alembic.autogenerate", "apscheduler", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)  # a warning of it quotes the payload
    logging.getLogger("aiohttp.server").addFilter(_is_ours)


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
