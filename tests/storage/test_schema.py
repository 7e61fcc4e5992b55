"""The schema: up, down, exactly what the tables say, and never one this program does not know."""

# ruff: noqa: S608 - a history is written with SQL of its own

import asyncio
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.memory import Transaction
from storage import migrate, past, tables
from storage.addresses import BadAddress, for_migrations
from storage.store import HEAD, OpenStore, WrongSchema, open_store, prepare, require_current
from storage.transaction import connection_of
from tests.builders import NOW, TEAM, a_deployment


async def schema(url: str) -> str | None:
    store = await open_store(url)
    found = await store.schema()
    await store.close()
    return found


async def test_the_newest_revision_is_the_one_the_program_knows() -> None:
    assert migrate.head() == HEAD


async def test_an_empty_database_gets_the_tables(empty_url: str) -> None:
    assert await schema(empty_url) is None

    store = await prepare(empty_url)
    await store.run(lambda tx: tx.deployments.add(a_deployment(), None))
    await store.close()

    assert await schema(empty_url) == HEAD


async def test_a_database_that_was_never_set_up_is_called_different(empty_url: str) -> None:
    assert not await migrate.check(empty_url)


async def test_the_migrations_make_exactly_the_tables(empty_url: str) -> None:
    await migrate.upgrade(empty_url)

    assert await migrate.check(empty_url)


async def test_the_migrations_go_down_and_up_again(empty_url: str) -> None:
    await migrate.upgrade(empty_url)
    await migrate.downgrade(empty_url)
    assert await schema(empty_url) is None

    await migrate.upgrade(empty_url)

    assert await migrate.check(empty_url)


async def test_replicas_that_start_at_once_migrate_once(empty_url: str) -> None:
    await asyncio.gather(*(migrate.upgrade(empty_url) for _ in range(3)))

    assert await schema(empty_url) == HEAD


async def test_a_newer_schema_is_refused_with_a_sentence(url: str, store: OpenStore) -> None:
    sql = "UPDATE alembic_version SET version_num = '9999'"
    await store.run(lambda tx: connection_of(tx).change(sql))

    with pytest.raises(WrongSchema, match="schema 9999"):
        await prepare(url)
    with pytest.raises(WrongSchema, match="schema 9999"):
        await require_current(store)


async def test_an_empty_database_is_not_current(empty_url: str) -> None:
    store = await open_store(empty_url)

    with pytest.raises(WrongSchema, match="empty"):
        await require_current(store)
    await store.close()


async def test_the_tables_read_what_the_program_wrote(url: str, store: OpenStore) -> None:
    finished = datetime(2026, 3, 2, 15, 30, 0, 123456, tzinfo=UTC)

    async def unit(tx: Transaction) -> None:
        await tx.deployments.add(a_deployment(finished_at=finished), NOW)

    await store.run(unit)
    engine = create_async_engine(for_migrations(url))
    async with AsyncSession(engine) as session:
        row = (await session.exec(select(tables.DeploymentRow))).one()
    await engine.dispose()

    assert (row.team, row.id, row.phase, row.is_rival) == (TEAM, "D-142", "running", True)
    assert (row.finished_at, row.next_due_at) == (finished, NOW)


PLANS = {
    "deployments_due": """
        SELECT d.team, d.id FROM deployments AS d
        WHERE d.finished_at IS NULL AND d.next_due_at <= :now
        ORDER BY d.next_due_at LIMIT 10""",
    "deployments_open": """
        SELECT id FROM deployments WHERE team = 'T' AND service = 's' AND environment = 'e'
        AND finished_at IS NULL""",
    "deployments_lived": """
        SELECT id FROM deployments WHERE team = 'T' AND service = 's' AND environment = 'e'
        AND phase IN ('succeeded', 'superseded') AND version = 'v1'
        ORDER BY finished_at DESC LIMIT 1""",
    "deployments_took": past.TOOK.replace(":limit", "5"),
    "deployments_newest": """
        SELECT id FROM deployments WHERE team = 'T'
        ORDER BY requested_at DESC, length(id) DESC, id DESC LIMIT 10""",
    "outbox_urgent": """
        SELECT id FROM outbox WHERE done_at IS NULL ORDER BY priority, id LIMIT 10""",
    "outbox_lanes": """
        SELECT 1 FROM outbox WHERE done_at IS NULL AND team = 'T' AND lane = 'l' AND id < 7""",
    "threads_messages": """
        SELECT thing FROM threads WHERE team = 'T' AND channel = 'c' AND ts = '1'""",
}


_MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"

HISTORY = (
    f"""
INSERT INTO deployments (
  team, id, revision, plan, kind, service, environment, version, requested_by, requested_at,
  phase, is_rival, state, next_due_at, finished_at, has_card, journal_seq, journal_hash,
  sealed_seq, lease_fence)
{_MANY}
SELECT 'T', 'D-' || i, 0, '', 'normal', 's' || (i % 30), 'e', 'v', 'U', MOMENT,
  CASE WHEN i < 40 THEN 'watching' WHEN i % 5 = 0 THEN 'failed' ELSE 'succeeded' END, FALSE, '{{}}',
  MOMENT, CASE WHEN i < 40 THEN NULL ELSE MOMENT END, FALSE, 0, '', 0, 0
FROM n""",
    f"""
INSERT INTO outbox (
  team, thing, lane, priority, needs_card, is_card, effect, state, is_in_doubt, attempts,
  epoch, next_at, created_at, done_at)
{_MANY}
SELECT 'T', 'D-' || (i % 300), 'l' || i, i % 5, FALSE, FALSE, '{{}}', 'ready', FALSE, 0, 0, MOMENT,
  MOMENT, CASE WHEN i < 1000 THEN NULL ELSE MOMENT END
FROM n""",
    f"""
INSERT INTO threads (team, thing, role, channel, ts, at, note)
{_MANY}
SELECT 'T', 'D-' || i, 'card', 'c' || (i % 5), 't' || i, MOMENT, '' FROM n""",
)


async def with_history(tx: Transaction) -> None:
    """Thousands of finished things, so that reading all of them is never the cheapest way."""
    for sql in HISTORY:
        moment = ":now" if _is_sqlite(tx) else "CAST(:now AS TIMESTAMPTZ) - i * INTERVAL '1 s'"
        await connection_of(tx).change(sql.replace("MOMENT", moment), now=NOW)
    await connection_of(tx).rows("ANALYZE")


def _is_sqlite(tx: Transaction) -> bool:
    return type(connection_of(tx)).__name__ == "_SqliteConnection"


@pytest.mark.parametrize("index", PLANS)
async def test_the_hot_queries_use_their_index(store: OpenStore, index: str) -> None:
    await store.run(with_history)

    async def unit(tx: Transaction) -> str:
        explain = "EXPLAIN QUERY PLAN " if _is_sqlite(tx) else "EXPLAIN "
        known = {"now": NOW, "team": "T", "service": "s", "environment": "e", "kind": "normal"}
        values = {name: known[name] for name in known if f":{name}" in PLANS[index]}
        rows = await connection_of(tx).rows(explain + PLANS[index], **values)
        return " ".join(str(column) for row in rows for column in row)

    plan = await store.run(unit)

    assert re.search(rf"\b{index}\b", plan), plan


async def test_what_runs_all_day_imports_no_orm() -> None:
    code = "import sys, storage.store, storage.postgres; print(*sys.modules)"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    loaded = set(done.stdout.split())
    assert not loaded & {"sqlalchemy", "sqlmodel", "alembic", "pydantic"}


async def test_sqlite_alone_does_not_load_the_driver_of_postgres() -> None:
    code = "import sys, storage.store; print(*sys.modules)"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert "asyncpg" not in done.stdout.split()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///", "pilothouse.db", ""])
async def test_an_address_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(BadAddress, match="sqlite:///pilothouse"):
        await open_store(url)


async def test_a_relative_address_is_beside_where_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    store = await prepare("sqlite:///here.db")
    await store.close()

    assert is_made(tmp_path / "here.db")


def is_made(file: Path) -> bool:
    return file.exists()
