"""What the database means to do: every statement of a piece of work, explained as it runs."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from bot.memory import Store, Transaction
from storage.connection import Connection, Row
from storage.transaction import SqlTransaction, connection_of, settled

T = TypeVar("T")

#: What grows with the past; a table of a few rows is rightly read as a whole.
GROWING = frozenset({"deployments", "journal", "inbox", "outbox"})


class Explained:
    """A connection that explains each new statement before it runs, and notes the scans."""

    def __init__(self, inner: Connection, is_postgres: bool, found: dict[str, list[str]]) -> None:
        self._inner = inner
        self._is_postgres = is_postgres
        self._found = found
        self.gathers, self.is_shared = inner.gathers, inner.is_shared

    async def rows(self, sql: str, **values: Any) -> Sequence[Row]:
        await self._explain(sql, values)
        return await self._inner.rows(sql, **values)

    async def change(self, sql: str, **values: Any) -> int:
        await self._explain(sql, values)
        return await self._inner.change(sql, **values)

    async def write_one(self, sql: str, **values: Any) -> bool:
        await self._explain(sql, values)
        return await self._inner.write_one(sql, **values)

    async def write_any(self, sql: str, **values: Any) -> None:
        await self._explain(sql, values)
        await self._inner.write_any(sql, **values)

    async def change_each(self, sql: str, values: Sequence[dict[str, Any]]) -> None:
        for first in values[:1]:
            await self._explain(sql, first)
        await self._inner.change_each(sql, values)

    async def only_if(self, sql: str, **values: Any) -> None:
        await self._explain(sql, values)
        await self._inner.only_if(sql, **values)

    async def send(self) -> None:
        await self._inner.send()

    async def _explain(self, sql: str, values: dict[str, Any]) -> None:
        if sql in self._found:
            return
        if self._is_postgres:
            rows = await self._inner.rows(f"EXPLAIN (FORMAT JSON) {sql}", **values)
            self._found[sql] = _postgres_scans(json.loads(rows[0][0]))
        else:
            rows = await self._inner.rows(f"EXPLAIN QUERY PLAN {sql}", **values)
            self._found[sql] = [row[3] for row in rows if is_scan(row[3], sql)]


class ExplainedStore:
    """*store*, with what it read in full noted in `found`, by statement."""

    def __init__(self, store: Store, is_postgres: bool) -> None:
        self._store = store
        self._is_postgres = is_postgres
        self.found: dict[str, list[str]] = {}

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        async def explained(tx: Transaction) -> T:
            connection = Explained(connection_of(tx), self._is_postgres, self.found)
            return await settled(unit, SqlTransaction(connection, tx.now, {}))

        return await self._store.run(explained)

    async def now(self) -> datetime:
        return await self._store.now()


def is_scan(step: str, sql: str) -> bool:
    """Whether a step of SQLite's plan reads a whole table; a walk along an index is none."""
    if step.startswith("SCAN "):
        is_wanted = step == "SCAN w"  # a statement's own list of what it wants
        return not is_wanted and "INDEX" not in step and "CONSTANT" not in step
    # Every deployment of a team, unless it stops at the newest few.
    return "USING INDEX deployments_newest" in step and "LIMIT" not in sql


def _postgres_scans(plan: Any) -> list[str]:
    if isinstance(plan, list):
        return [scan for part in plan for scan in _postgres_scans(part)]
    if not isinstance(plan, dict):
        return []
    is_read_whole = plan.get("Node Type") == "Seq Scan" and plan["Relation Name"] in GROWING
    own = [f"Seq Scan on {plan['Relation Name']}"] if is_read_whole else []
    return own + [scan for part in plan.values() for scan in _postgres_scans(part)]
