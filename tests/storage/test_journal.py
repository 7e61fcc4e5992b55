"""The journal: a chain per thing that nobody changes, read back in the order it was told."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import asyncpg
import pytest

from bot.domain.deployment import Deployment
from bot.domain.effects import Entry
from bot.domain.line import Mention
from bot.memory import StaleRevision, Transaction
from storage import audit
from storage.store import OpenStore
from storage.transaction import SqlTransaction, connection_of
from tests.builders import ANA, DANA, NOW, TEAM, a_deployment

Refused = (sqlite3.IntegrityError, asyncpg.RaiseError)


def entry(what: str = "requested") -> Entry:
    return Entry(what, ("Said by ", Mention(DANA)), DANA)


async def start(store: OpenStore, d: Deployment) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.journal.append(d, "Requested", DANA, [entry()])
        await tx.deployments.add(d, None)

    await store.run(unit)


async def step(store: OpenStore, word: str, id: str = "D-142") -> None:
    async def unit(tx: Transaction) -> None:
        before = await tx.deployments.get(TEAM, id)
        assert before is not None
        d = replace(before, waits_for=word)
        await tx.journal.append(d, "Approved", ANA, [entry(word)])
        await tx.deployments.save(d, None, None)

    await store.run(unit)


async def head(store: OpenStore, thing: str = "D-142") -> tuple[int, str]:
    return await store.run(lambda tx: tx.journal.head(TEAM, thing))


async def exported(store: OpenStore) -> list[dict[str, object]]:
    rows: AsyncIterator[dict[str, object]] = audit.export(store, NOW - timedelta(days=1))
    return [row async for row in rows]


async def sealed(tx: Transaction) -> tuple[str, ...]:
    assert isinstance(tx, SqlTransaction)
    return await tx.seal()


async def test_a_thing_nobody_wrote_about_has_no_head(store: OpenStore) -> None:
    assert await head(store) == (0, "")


async def test_every_transition_is_one_row_chained_to_the_one_before(store: OpenStore) -> None:
    await start(store, a_deployment())
    await step(store, "one")
    await step(store, "two")

    rows = await exported(store)

    assert [(row["seq"], row["event"], row["actor"], row["revision"]) for row in rows] == [
        (1, "Requested", DANA, 1),
        (2, "Approved", ANA, 1),
        (3, "Approved", ANA, 2),
    ]
    assert [row["prev"] for row in rows] == ["", rows[0]["hash"], rows[1]["hash"]]
    assert await head(store) == (3, rows[2]["hash"])
    assert await audit.verify(store) == []


async def test_the_story_is_told_oldest_first(store: OpenStore) -> None:
    await start(store, a_deployment())
    await step(store, "one")

    story = await store.run(lambda tx: tx.journal.story(TEAM, "D-142"))

    assert [told for _, told in story] == [entry(), entry("one")]
    assert story[0][0] <= story[1][0]


async def test_a_row_that_is_appended_after_the_save_is_the_head_too(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.deployments.add(a_deployment(), None)
        await tx.journal.append(a_deployment(), "Requested", DANA, [])

    await store.run(unit)
    await step(store, "one")

    assert (await head(store))[0] == 2
    assert await audit.verify(store) == []


async def test_several_rows_of_one_transaction_follow_each_other(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        d = a_deployment()
        for word in ("one", "two"):
            await tx.journal.append(d, "Requested", DANA, [entry(word)])
        await tx.deployments.add(d, None)

    await store.run(unit)

    assert (await head(store))[0] == 2
    assert await audit.verify(store) == []


async def test_what_happens_to_an_environment_has_a_chain_of_its_own(store: OpenStore) -> None:
    async def noted(tx: Transaction, word: str) -> None:
        await tx.journal.note(TEAM, "checkout/production", "Lock", ANA, [entry(word)])

    for word in ("locked", "unlocked"):
        await store.run(partial(noted, word=word))

    story = await store.run(lambda tx: tx.journal.story(TEAM, "checkout/production"))

    assert [told.what for _, told in story] == ["locked", "unlocked"]
    assert (await head(store, "checkout/production"))[0] == 2
    assert await audit.verify(store) == []


async def test_a_row_about_something_that_is_never_stored_is_a_bug(store: OpenStore) -> None:
    with pytest.raises(AssertionError, match="never stored"):
        await store.run(lambda tx: tx.journal.append(a_deployment(), "Requested", DANA, []))

    assert await exported(store) == []


async def test_a_lost_race_leaves_no_row(store: OpenStore) -> None:
    await start(store, a_deployment())

    async def hurry() -> bool:
        async def unit(tx: Transaction) -> None:
            await tx.journal.append(a_deployment(), "Approved", ANA, [])
            await tx.deployments.save(a_deployment(), None, None)

        try:
            await store.run(unit)
        except StaleRevision:
            return False
        return True

    assert sum(await asyncio.gather(*(hurry() for _ in range(10)))) == 1
    assert (await head(store))[0] == 2


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE journal SET event = 'Rejected'",
        "DELETE FROM journal",
        "UPDATE seals SET heads = ''",
        "DELETE FROM seals",
    ],
)
async def test_the_database_refuses_to_change_what_was_written(store: OpenStore, sql: str) -> None:
    await start(store, a_deployment())
    await store.run(sealed)

    with pytest.raises(Refused, match="append only"):
        await store.run(lambda tx: connection_of(tx).change(sql))


async def test_a_seal_holds_the_heads_that_changed_since_the_last(store: OpenStore) -> None:
    await start(store, a_deployment())
    first = await store.run(sealed)
    nothing = await store.run(sealed)
    await step(store, "one")
    second = await store.run(sealed)

    assert [anchor.rsplit(":", 1)[0] for anchor in (*first, *second)] == ["seal:1", "seal:2"]
    assert nothing == ()
    assert await audit.verify(store, [*first, *second]) == []
