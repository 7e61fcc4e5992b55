"""What every repository speaks to: portable SQL with named parameters, inside a transaction."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

Row = Sequence[Any]

_NAME = re.compile(r"(?<!:):([a-z_0-9]+)")
_ROW_LOCK = re.compile(r"\bFOR (UPDATE|SHARE)( OF \w+)?( SKIP LOCKED)?")

_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|SHARE)\b")

#: How many rows of values a statement may have: few sizes, so that few statements are prepared.
_SIZES = (1, 2, 4, 8, 16, 32)


class Conflict(Exception):
    """A unique index refused the row; the transaction can only be rolled back."""


class NotAsHoped(Exception):
    """What a gathering connection took for granted is not so; nothing was written."""


class Connection(Protocol):
    """One open transaction. Parameters are written `:name`; row locks are Postgres' own words,
    and left out where the database has a single writer anyway.

    A connection that *gathers* keeps writes back and sends them as one statement at the end, or
    when something is asked that must come after them. What such a write comes upon is known only
    then: if it is not what was hoped, the whole unit is run again on a connection that gathers
    nothing and asks before it writes.
    """

    @property
    def gathers(self) -> bool: ...

    @property
    def is_shared(self) -> bool:
        """Whether others write into the same database meanwhile."""

    async def rows(self, sql: str, **values: Any) -> Sequence[Row]:
        """Raises `Conflict`."""

    async def change(self, sql: str, **values: Any) -> int:
        """How many rows were written, now. Raises `Conflict`."""

    async def write_one(self, sql: str, **values: Any) -> bool:
        """Write exactly one row; True when it was written, or will be. Raises `Conflict`."""

    async def write_any(self, sql: str, **values: Any) -> None:
        """Write however many rows there are; nothing may be read back from it in this unit but
        by a later statement. Raises `Conflict`."""

    async def change_each(self, sql: str, values: Sequence[dict[str, Any]]) -> None:
        """The same change once for each of *values*, in one go."""

    async def only_if(self, sql: str, **values: Any) -> None:
        """Only where it gathers: this one row is written before the unit's first write, or
        nothing is. A unit that writes nothing is not bound to it."""

    async def send(self) -> None:
        """Send what was gathered now: the next write must find it."""


def padded(keys: Sequence[tuple[str, ...]], *names: str) -> tuple[int, dict[str, str]]:
    """The size of a statement that has room for *keys*, and its values `name0`, `name1` …; what
    is left over is filled with keys that nothing has."""
    size = next((size for size in _SIZES if size >= len(keys)), len(keys))
    nobody = ("",) * len(names)
    filled = [*keys, *[nobody] * (size - len(keys))]
    return size, {
        f"{name}{i}": value
        for i, key in enumerate(filled)
        for name, value in zip(names, key, strict=True)
    }


@lru_cache(maxsize=64)
def wanted(size: int, *names: str) -> str:
    """A table `wanted` of these values, at the head of a statement. What is joined to it is
    joined by CROSS JOIN, so that SQLite begins with it, too."""
    rows = ", ".join(f"({', '.join(f':{name}{i}' for name in names)})" for i in range(size))
    return f"WITH wanted ({', '.join(names)}) AS (VALUES {rows})"


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
def only_reads(sql: str) -> bool:
    """Whether the statement neither writes nor locks, so that it may run outside of a
    transaction: each sees what is committed when it begins, there as here."""
    return sql.lstrip().startswith(("SELECT", "WITH")) and _WRITES.search(sql) is None


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
