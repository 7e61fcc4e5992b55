"""What every repository speaks to: portable SQL with named parameters, inside a transaction."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

Row = Sequence[Any]

_NAME = re.compile(r"(?<!:):([a-z_0-9]+)")
_ROW_LOCK = re.compile(r"\bFOR (UPDATE|SHARE)( OF \w+)?( SKIP LOCKED)?")


class Conflict(Exception):
    """A unique index refused the row; the transaction can only be rolled back."""


class Connection(Protocol):
    """One open transaction. Parameters are written `:name`; row locks are Postgres' own words,
    and left out where the database has a single writer anyway."""

    async def rows(self, sql: str, **values: Any) -> Sequence[Row]:
        """Raises `Conflict`."""

    async def change(self, sql: str, **values: Any) -> int:
        """How many rows were written. Raises `Conflict`."""


async def one(connection: Connection, sql: str, **values: Any) -> Row:
    """The row that must be there."""
    row = await first(connection, sql, **values)
    if row is None:
        raise AssertionError(f"no row for {sql.split()[:3]} {values}")
    return row


async def first(connection: Connection, sql: str, **values: Any) -> Row | None:
    found = await connection.rows(sql, **values)
    return found[0] if found else None


@lru_cache(maxsize=512)
def for_sqlite(sql: str) -> str:
    return _ROW_LOCK.sub("", sql)


@lru_cache(maxsize=512)
def for_postgres(sql: str) -> tuple[str, tuple[str, ...]]:
    """The text with `$1`, `$2` … and the names in that order, each once."""
    names = tuple(dict.fromkeys(_NAME.findall(sql)))
    places = {name: f"${position}" for position, name in enumerate(names, 1)}
    return _NAME.sub(lambda found: places[found[1]], sql), names


def stamp(moment: datetime) -> str:
    """How SQLite keeps a moment: UTC, fixed width, so that text sorts as time does."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def moment(raw: Any) -> datetime:
    """A moment as either database returns it."""
    if isinstance(raw, datetime):
        return raw
    return datetime.fromisoformat(raw).replace(tzinfo=UTC)


def moment_or_none(raw: Any) -> datetime | None:
    return None if raw is None else moment(raw)
