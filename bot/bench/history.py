"""A long past: a million finished deployments, loaded in bulk around the ones that are open."""

from datetime import datetime, timedelta
from typing import Any

from bot.bench import copies
from bot.domain.deployment import Deployment
from bot.memory import Store, Transaction
from bot.ports import Policies
from storage.transaction import connection_of

ACTIVE = 200
#: The journal, the inbox and the outbox are shorter than the past: rows of each at the most.
BESIDE = 100_000

_CHUNK = 1000

# A second for each: nobody finishes a thousand at once.
_AT_ON_POSTGRES = "CAST(:at AS TIMESTAMPTZ) + (n - CAST(:first AS INTEGER)) * INTERVAL '1 second'"
_AT_ON_SQLITE = (
    "replace(strftime('%Y-%m-%d %H|%M|%f000', :at, (n - :first) || ' seconds'), '|', char(58))"
)

_NUMBERS = """
WITH RECURSIVE numbers (n) AS (
  SELECT CAST(:first AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)"""

_FINISHED = """
INSERT INTO deployments (
  team, id, revision, plan, kind, service, environment, version, requested_by, requested_at,
  phase, is_rival, state, live_at, finished_at, has_card, journal_seq, journal_hash, sealed_seq,
  lease_fence)
{numbers}
SELECT team, 'D-' || n, revision, plan, kind,
  CASE WHEN n % 50 = 0 THEN service ELSE 'service-' || (n % 50) END,
  environment, version, requested_by, {at}, 'succeeded', FALSE, {state}, {at}, {at}, TRUE, 1,
  journal_hash, 1, 0
FROM numbers, deployments AS d WHERE d.team = :team AND d.id = :id"""

_JOURNAL = """
INSERT INTO journal (team, thing, seq, at, event, actor, revision, body, prev, hash)
{numbers}
SELECT team, 'D-' || n, 1, {at}, event, actor, revision, body, prev, hash
FROM numbers, journal AS j WHERE j.team = :team AND j.thing = :id AND j.seq = 1"""

_INBOX = """
INSERT INTO inbox (team, kind, key, body_hash, outcome, at)
{numbers}
SELECT team, kind, key || n, body_hash, outcome, {at}
FROM numbers, inbox AS i WHERE i.team = :team AND i.kind = 'bench' AND i.key = 'request'"""

_OUTBOX = """
INSERT INTO outbox (
  team, thing, lane, priority, wish, needs_card, is_card, effect, state, is_in_doubt, attempts,
  epoch, next_at, created_at, done_at)
{numbers}
SELECT CAST(:team AS TEXT), 'D-' || n, 'D-' || n || '/card', 4, 'card', FALSE, TRUE,
  '{{}}', 'done', FALSE, 1, 1, {at}, {at}, {at}
FROM numbers WHERE :id <> ''"""


async def load(store: Store, policies: Policies, past: int, is_postgres: bool) -> Deployment:
    """*past* finished ones, `ACTIVE` that wait for approval, and the first of these."""
    d = await copies.at_approval(store, policies)
    await copies.spread(store, d, ACTIVE - 1)
    state = await _state(store, d)
    for text, rows in ((_FINISHED, past), (_JOURNAL, past), (_INBOX, past), (_OUTBOX, past)):
        limit = rows if text is _FINISHED else min(rows, BESIDE)
        await _repeat(store, d, text, limit, state, is_postgres)
    if is_postgres:
        await store.run(lambda tx: connection_of(tx).rows("ANALYZE"))
    return d


async def _state(store: Store, d: Deployment) -> str:
    rows = await store.run(
        lambda tx: connection_of(tx).rows(
            "SELECT state FROM deployments WHERE team = :team AND id = :id", team=d.team, id=d.id
        )
    )
    text: str = rows[0][0]
    return text.replace('"phase":"running"', '"phase":"succeeded"')


async def _repeat(
    store: Store, d: Deployment, text: str, rows: int, state: str, is_postgres: bool
) -> None:
    at = _AT_ON_POSTGRES if is_postgres else _AT_ON_SQLITE
    own_id = 'replace(CAST(:state AS TEXT), \'"id":"D-1"\', \'"id":"D-\' || n || \'"\')'
    sql = text.format(numbers=_NUMBERS, at=at, state=own_id)
    values: dict[str, Any] = {"team": d.team, "id": d.id}
    if text is _FINISHED:
        values["state"] = state
    now = await store.now()
    for first in range(1_000_000, 1_000_000 + rows, _CHUNK):
        last = min(first + _CHUNK, 1_000_000 + rows) - 1
        await _insert(store, sql, now - _age(first), first, last, values)


async def _insert(
    store: Store, sql: str, at: datetime, first: int, last: int, values: dict[str, Any]
) -> None:
    async def unit(tx: Transaction) -> None:
        await connection_of(tx).change(sql, first=first, last=last, at=at, **values)

    await store.run(unit)


def _age(first: int) -> timedelta:
    """The higher the number, the younger; all of it is older than a day."""
    return timedelta(days=1) + timedelta(seconds=2_000_000 - first)


async def make_due(store: Store) -> None:
    async def unit(tx: Transaction) -> None:
        await connection_of(tx).change(
            "UPDATE deployments SET next_due_at = :now, lease_until = NULL "
            "WHERE finished_at IS NULL",
            now=tx.now,
        )

    await store.run(unit)
