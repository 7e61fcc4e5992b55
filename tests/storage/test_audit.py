"""The audit finds every single change somebody makes to the journal behind our back."""

# ruff: noqa: S608 - the vandal writes SQL of its own

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import pytest

from bot.domain.effects import Entry
from bot.memory import Transaction
from storage import audit
from storage.connection import Connection, moment
from storage.journal import instant, linked
from storage.store import OpenStore
from storage.transaction import SqlTransaction, connection_of
from tests.builders import ANA, DANA, NOW, TEAM, a_deployment, a_plan

T = TypeVar("T")
THINGS = 3
ROWS = 4
MUTATIONS = 1000


class Undone(Exception):
    """The mutation was judged and is rolled back."""


@dataclass(frozen=True, slots=True)
class Inside:
    """A store whose transaction is already open, so that the audit sees what is undone later."""

    tx: Transaction

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        return await unit(self.tx)

    async def now(self) -> Any:
        return self.tx.now


async def history(store: OpenStore) -> tuple[str, ...]:
    """A few deployments, each sealed on its way but for its last row; the newest anchors."""
    for i in range(THINGS):
        await store.run(partial(_start, i=i))
    for step in range(ROWS - 1):
        if step == ROWS - 2:
            await store.run(_seal)
        for i in range(THINGS):
            await store.run(partial(_step, i=i, step=step))
    await store.run(lambda tx: tx.journal.note(TEAM, "checkout/production", "Lock", ANA, []))
    anchors = await store.run(_seal)
    heads = [await store.run(partial(_head, i=i)) for i in range(THINGS)]
    return (*anchors, *(f"D-{i}:{seq}:{hash}" for i, (seq, hash) in enumerate(heads)))


async def _start(tx: Transaction, i: int) -> None:
    d = a_deployment(id=f"D-{i}", plan=a_plan(service=f"service-{i}"))
    await tx.journal.append(d, "Requested", DANA, [Entry("requested", ("Please",), DANA)])
    await tx.deployments.add(d, None)


async def _step(tx: Transaction, i: int, step: int) -> None:
    before = await tx.deployments.get(TEAM, f"D-{i}")
    assert before is not None
    d = replace(before, waits_for=f"step {step}")
    await tx.journal.append(d, "Approved", ANA, [Entry("approved", (f"Yes {step}",), ANA)])
    await tx.deployments.save(d, None, None)


async def _head(tx: Transaction, i: int) -> tuple[int, str]:
    return await tx.journal.head(TEAM, f"D-{i}")


async def _seal(tx: Transaction) -> tuple[str, ...]:
    assert isinstance(tx, SqlTransaction)
    return await tx.seal()


async def disarmed(store: OpenStore, url: str) -> None:
    """Take the triggers away, as only an owner of the database could."""

    async def unit(tx: Transaction) -> None:
        for table in ("journal", "seals"):
            if url.startswith("sqlite"):
                for what in ("update", "delete"):
                    await connection_of(tx).change(f"DROP TRIGGER {table}_refuses_{what}")
            else:
                await connection_of(tx).rows(f"DROP TRIGGER {table}_refuses_change ON {table}")

    await store.run(unit)


WHERE = "WHERE team = :team AND thing = :thing AND seq = :seq"


@dataclass(frozen=True, slots=True)
class Vandal:
    """Makes one random change with direct SQL; says which."""

    connection: Connection
    dice: random.Random

    async def strike(self) -> str:
        kind = self.dice.choice(
            [
                self.edit,
                self.delete,
                self.swap,
                self.insert,
                self.truncate,
                self.edit_seal,
                self.forge,
            ]
        )
        return await kind()

    def _place(self) -> dict[str, Any]:
        thing = self.dice.choice([*(f"D-{i}" for i in range(THINGS)), "checkout/production"])
        last = 1 if thing == "checkout/production" else ROWS
        return {"team": TEAM, "thing": thing, "seq": self.dice.randint(1, last)}

    async def edit(self) -> str:
        place = self._place()
        column = self.dice.choice(["event", "actor", "body", "prev", "hash", "revision", "at"])
        value: Any = f"{self.dice.random()}"
        if column == "revision":
            value = self.dice.randint(100, 200)
        if column == "at":
            value = NOW
        sql = f"UPDATE journal SET {column} = :value {WHERE}"
        await self.connection.change(sql, value=value, **place)
        return f"edit {column} {place}"

    async def delete(self) -> str:
        place = self._place()
        await self.connection.change(f"DELETE FROM journal {WHERE}", **place)
        return f"delete {place}"

    async def swap(self) -> str:
        thing = f"D-{self.dice.randrange(THINGS)}"
        one, two = self.dice.sample(range(1, ROWS + 1), 2)
        for old, new in ((one, 999), (two, one), (999, two)):
            await self.connection.change(
                f"UPDATE journal SET seq = :new {WHERE}",
                team=TEAM,
                thing=thing,
                seq=old,
                new=new,
            )
        return f"swap {thing} {one} {two}"

    async def insert(self) -> str:
        """A forged row at the end, correctly hashed."""
        place = self._place() | {"seq": ROWS + 1}
        newest = "SELECT hash FROM journal WHERE team = :team AND thing = :thing AND seq = :seq"
        rows = await self.connection.rows(newest, **(place | {"seq": ROWS}))
        prev = rows[0][0] if rows else ""
        facts = {**place, "at": instant(NOW), "event": "Approved", "actor": DANA}
        facts |= {"revision": 9, "body": json.dumps({"entries": [], "state": None})}
        await self.connection.change(
            "INSERT INTO journal (team, thing, seq, at, event, actor, revision, body, prev, hash) "
            "VALUES (:team, :thing, :seq, :at, :event, :actor, :revision, :body, :prev, :hash)",
            **(facts | {"at": NOW}),
            prev=prev,
            hash=linked(prev, facts),
        )
        return f"insert {place}"

    async def forge(self) -> str:
        """Other words in the middle of a chain, correctly hashed."""
        place = self._place()
        columns = "at, actor, revision, body, prev"
        rows = await self.connection.rows(f"SELECT {columns} FROM journal {WHERE}", **place)
        at, actor, revision, body, prev = rows[0]
        facts = {**place, "at": instant(moment(at)), "event": "Rejected", "actor": actor}
        facts |= {"revision": revision, "body": body}
        sql = f"UPDATE journal SET event = 'Rejected', hash = :hash {WHERE}"
        await self.connection.change(sql, hash=linked(prev, facts), **place)
        return f"forge {place}"

    async def truncate(self) -> str:
        place = self._place()
        where = WHERE.replace("seq =", "seq >=")
        await self.connection.change(f"DELETE FROM journal {where}", **place)
        return f"truncate {place}"

    async def edit_seal(self) -> str:
        seq = self.dice.randint(1, 2)
        sql = self.dice.choice(
            [
                "UPDATE seals SET heads = '[]' WHERE team = :team AND seq = :seq",
                "UPDATE seals SET hash = prev || 'x' WHERE team = :team AND seq = :seq",
                "DELETE FROM seals WHERE team = :team AND seq = :seq",
            ]
        )
        await self.connection.change(sql, team=TEAM, seq=seq)
        return f"{sql} {seq}"


@pytest.mark.parametrize(
    "text",
    ["", "D-1", "D-1:4:ab12…", "D-1:four:" + "a" * 64, "Journal of D-1: 4 entries, newest hash"],
)
async def test_what_is_no_anchor_is_said_to_be_none(store: OpenStore, text: str) -> None:
    with pytest.raises(audit.BadAnchor, match="is no anchor"):
        await audit.verify(store, [text])


async def test_every_single_mutation_is_found(store: OpenStore, url: str) -> None:
    anchors = await history(store)
    await disarmed(store, url)
    dice = random.Random(20260302)
    assert await audit.verify(store, anchors) == []

    missed: list[str] = []

    async def unit(tx: Transaction) -> None:
        done = await Vandal(connection_of(tx), dice).strike()
        if not await audit.verify(Inside(tx)):
            missed.append(done)
        raise Undone

    for _ in range(MUTATIONS):
        with pytest.raises(Undone):
            await store.run(unit)

    assert missed == []


async def test_a_tail_that_was_cut_everywhere_is_found_by_the_anchor_outside(
    store: OpenStore, url: str
) -> None:
    anchors = await history(store)
    await disarmed(store, url)

    async def cut(tx: Transaction) -> None:
        connection = connection_of(tx)
        rows = await connection.rows(
            "SELECT hash FROM journal WHERE thing = 'D-0' AND seq = :seq", seq=ROWS - 2
        )
        await connection.change(
            "DELETE FROM journal WHERE thing = 'D-0' AND seq > :seq", seq=ROWS - 2
        )
        await connection.change("DELETE FROM seals")
        await connection.change("UPDATE deployments SET sealed_seq = 0")
        await connection.change("UPDATE heads SET sealed_seq = 0")
        await connection.change(
            "UPDATE deployments SET journal_seq = :seq, journal_hash = :hash WHERE id = 'D-0'",
            seq=ROWS - 2,
            hash=rows[0][0],
        )

    await store.run(cut)

    assert await audit.verify(store) == []
    found = await audit.verify(store, anchors)
    assert {finding.thing for finding in found} == {"seal", "D-0"}


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM deployments WHERE id = 'D-0'",
        "UPDATE deployments SET journal_seq = 1 WHERE id = 'D-0'",
        "UPDATE deployments SET state = '{}' WHERE id = 'D-0'",
        "DELETE FROM heads",
    ],
)
async def test_a_change_of_the_thing_itself_is_found(store: OpenStore, sql: str) -> None:
    await history(store)

    await store.run(lambda tx: connection_of(tx).change(sql))

    assert await audit.verify(store) != []
