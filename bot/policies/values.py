"""The words that policies are written in: durations, shares, limits, names, addresses."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_PERCENT = re.compile(r"(0|[1-9][0-9]{0,2})%")
_LIMIT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
#: Longer than any release takes; above it a slip of the unit is likelier than a wish.
_LONGEST = timedelta(days=365)


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `2h` or `1d`. Raises `ValueError` for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def percent(text: str) -> int:
    """`10%` as 10. Raises `ValueError` for anything else."""
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no percentage")
    return int(match[1])


def limit(text: str) -> Decimal:
    """`5` or `0.5`, exactly as written."""
    return Decimal(text)


def wrong(problem: str, fix: str) -> PydanticCustomError:
    # Braces in the sentences would be read as a template, hence the indirection.
    return PydanticCustomError("policy", "{problem}", {"problem": problem, "fix": fix})


def _read_duration(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong("a duration needs its unit", f"write {value}s, {value}m, {value}h or {value}d")
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise wrong("this is no duration", "write it like 90s, 15m, 2h or 1d")
    if duration(value) > _LONGEST:
        raise wrong("this is longer than a year", "write at most 365d")
    return value


def _read_positive(value: Any) -> Any:
    if not duration(_read_duration(value)):
        raise wrong("a duration of nothing", "write at least 1s")
    return value


def _read_percent(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong("a percentage needs its sign", f"write {value}%, not {value}")
    if not isinstance(value, str) or not _PERCENT.fullmatch(value):
        raise wrong("this is no whole percentage", "write it like 5% or 100%")
    if not 1 <= percent(value) <= 100:
        raise wrong("a step is from 1% to 100%", "write for example 10%")
    return value


def _read_limit(value: Any) -> Any:
    # 5 and 0.5 stand for themselves with and without quotes; both become text.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _LIMIT.fullmatch(text):
        raise wrong("a limit is a number", "write it like 5 or 0.5, the unit goes into `unit`")
    return text


def _read_url(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong("this is no address", "write it like https://host/path")
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_usable = False
    if not is_usable or re.search(r"[\s\x00-\x1f]", value):
        raise wrong("this is no http address with a host", "write it like https://host/path")
    return value


def _read_zone(value: Any) -> Any:
    try:
        ZoneInfo(value if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong("this time zone is unknown", "write an IANA name like Europe/Berlin") from None
    return value


def _matching(pattern: re.Pattern[str], problem: str, fix: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise wrong(problem, fix)
        return value

    return read


def _words(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong("this must be text", "write a few words, in quotes if in doubt")
    if not value.strip() or len(value) > 120:
        raise wrong("this needs 1 to 120 characters", "write a few words")
    return value


Duration = Annotated[
    str,
    BeforeValidator(_read_positive),
    Field(json_schema_extra={"pattern": r"^[0-9]{1,6}[smhd]$", "examples": ["90s", "15m", "2h"]}),
]
#: As a duration, and `0s` too: at once.
Lasting = Annotated[
    str,
    BeforeValidator(_read_duration),
    Field(json_schema_extra={"pattern": r"^[0-9]{1,6}[smhd]$", "examples": ["0s", "2m"]}),
]
Percent = Annotated[
    str,
    BeforeValidator(_read_percent),
    Field(json_schema_extra={"pattern": r"^([1-9][0-9]?|100)%$", "examples": ["10%", "100%"]}),
]
Limit = Annotated[
    str,
    BeforeValidator(_read_limit),
    Field(json_schema_extra={"type": ["string", "integer", "number"], "examples": ["5", "0.5"]}),
]
Url = Annotated[
    str,
    BeforeValidator(_read_url),
    Field(json_schema_extra={"pattern": "^https?://", "examples": ["https://metrics.internal/v1"]}),
]
Zone = Annotated[
    str, BeforeValidator(_read_zone), Field(json_schema_extra={"examples": ["Europe/Berlin"]})
]
Words = Annotated[
    str, BeforeValidator(_words), Field(json_schema_extra={"minLength": 1, "maxLength": 120})
]
Key = Annotated[
    str,
    BeforeValidator(
        _matching(_KEY, "this is no plain name", "write small letters, digits, _ or -")
    ),
    Field(json_schema_extra={"pattern": "^[a-z][a-z0-9_-]{0,62}$"}),
]
#: A name that another system chose for something in its JSON.
Member = Annotated[
    str,
    BeforeValidator(
        _matching(_FIELD, "this is no field's name", "write it as the JSON has it, like error_rate")
    ),
    Field(json_schema_extra={"pattern": "^[A-Za-z_][A-Za-z0-9_.-]{0,62}$"}),
]
Variable = Annotated[
    str,
    BeforeValidator(
        _matching(_VARIABLE, "this is no variable's name", "write the name only, like DEPLOY_KEY")
    ),
    Field(json_schema_extra={"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$"}),
]
User = Annotated[
    str,
    BeforeValidator(
        _matching(_USER, "this is no Slack user id", "copy it from the profile: U0123ABCD")
    ),
    Field(json_schema_extra={"pattern": "^[UW][A-Z0-9]{2,20}$"}),
]
Channel = Annotated[
    str,
    BeforeValidator(
        _matching(_CHANNEL, "this is no Slack channel id", "copy it from the channel: C0123ABCD")
    ),
    Field(json_schema_extra={"pattern": "^[CG][A-Z0-9]{2,20}$"}),
]
