"""Inbox, environments, threads, drafts, leases, policies: each keeps what it was told."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.domain.refusal import Outcome, Refusal
from bot.domain.slots import Lock
from bot.memory import Draft, Duplicate, InboxKey, StaleRevision, Transaction
from bot.ports import Posted
from storage.prune import prune
from storage.store import OpenStore
from storage.transaction import connection_of
from tests.builders import ANA, DANA, NOW, TEAM, a_target, a_version

KEY = InboxKey(TEAM, "action", "trigger-1", "a" * 64)
TARGET = a_target()


async def test_a_delivery_is_found_again_with_what_came_of_it(store: OpenStore) -> None:
    outcome = Outcome("D-1", ("Approved",), Refusal("role", ("no",), ("ask",)))
    assert await store.run(lambda tx: tx.inbox.find(KEY)) is None

    await store.run(lambda tx: tx.inbox.add(KEY, outcome))

    assert await store.run(lambda tx: tx.inbox.find(KEY)) == outcome


async def test_the_same_key_with_another_body_is_a_duplicate(store: OpenStore) -> None:
    await store.run(lambda tx: tx.inbox.add(KEY, Outcome("D-1")))

    with pytest.raises(Duplicate):
        await store.run(lambda tx: tx.inbox.find(replace(KEY, body_hash="b" * 64)))


async def test_a_delivery_is_taken_in_once(store: OpenStore) -> None:
    await store.run(lambda tx: tx.inbox.add(KEY, Outcome("D-1")))

    with pytest.raises(Duplicate):
        await store.run(lambda tx: tx.inbox.add(KEY, Outcome("D-2")))


@pytest.mark.parametrize("other", [{"team": "T0OTHER"}, {"kind": "view"}, {"key": "trigger-2"}])
async def test_another_team_kind_or_key_is_another_delivery(
    store: OpenStore, other: dict[str, str]
) -> None:
    await store.run(lambda tx: tx.inbox.add(KEY, Outcome("D-1")))

    assert await store.run(lambda tx: tx.inbox.find(replace(KEY, **other))) is None


async def test_of_many_copies_at_once_one_counts(store: OpenStore) -> None:
    async def take_in() -> int:
        async def unit(tx: Transaction) -> int:
            number = await tx.deployments.next_number(TEAM)
            await tx.inbox.add(KEY, Outcome(f"D-{number}"))
            return number

        try:
            return await store.run(unit)
        except Duplicate:
            return 0

    results = await asyncio.gather(*(take_in() for _ in range(20)))

    assert sorted(results) == [0] * 19 + [1]


async def test_a_free_slot_is_taken_with_the_next_count_only(store: OpenStore) -> None:
    for wrong in (0, 2):
        with pytest.raises(StaleRevision):
            await take(store, "D-1", wrong)

    await take(store, "D-1", 1)

    with pytest.raises(StaleRevision):
        await take(store, "D-2", 2)


async def test_a_slot_given_back_keeps_its_count(store: OpenStore) -> None:
    await take(store, "D-1", 1)
    await store.run(lambda tx: tx.environments.free(TARGET, "D-1"))

    with pytest.raises(StaleRevision):
        await take(store, "D-2", 1)
    await take(store, "D-2", 2)


async def test_only_its_holder_gives_a_slot_back(store: OpenStore) -> None:
    await take(store, "D-1", 1)

    await store.run(lambda tx: tx.environments.free(TARGET, "D-2"))

    around = await store.run(lambda tx: tx.deployments.surroundings(TARGET, None))
    assert around.slot.holder == "D-1"


async def test_of_many_that_want_the_slot_one_gets_it(store: OpenStore) -> None:
    async def want(i: int) -> bool:
        try:
            await take(store, f"D-{i}", 1)
        except StaleRevision:
            return False
        return True

    assert sum(await asyncio.gather(*(want(i) for i in range(20)))) == 1


async def test_a_lock_is_listed_until_it_is_lifted(store: OpenStore) -> None:
    await store.run(lambda tx: tx.environments.lock(TARGET, "incident", ANA, NOW))
    listed = await store.run(lambda tx: tx.environments.locks(TEAM))
    lifted = [await store.run(lambda tx: tx.environments.unlock(TARGET)) for _ in range(2)]

    assert listed == ((TARGET, Lock("incident", ANA, NOW)),)
    assert lifted == [True, False]
    assert await store.run(lambda tx: tx.environments.locks(TEAM)) == ()


async def test_the_proof_of_a_version_is_taken_away(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        for name in ("v1", "v2"):
            await tx.environments.serves(TARGET, a_version(name), NOW)
            await tx.environments.proves(TARGET, name, NOW)
        await tx.environments.disproves(TARGET, "v2")

    await store.run(unit)
    around = await store.run(lambda tx: tx.deployments.surroundings(TARGET, None))

    assert around.ledger.proven == (a_version("v1"),)
    assert around.ledger.serving == a_version("v2")


async def test_what_never_served_cannot_be_proven(store: OpenStore) -> None:
    with pytest.raises(LookupError):
        await store.run(lambda tx: tx.environments.proves(TARGET, "v9", NOW))


async def test_a_message_is_found_by_its_thing_and_the_thing_by_its_message(
    store: OpenStore,
) -> None:
    old, new = Posted("C0DEPLOY", "1.0"), Posted("C0DEPLOY", "2.0")
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-1", "card", old, "first"))
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-1", "card", new, "second"))

    async def unit(tx: Transaction) -> list[object]:
        return [
            await tx.threads.find(TEAM, "D-1", "card"),
            await tx.threads.find(TEAM, "D-1", "ask"),
            await tx.threads.note(TEAM, "D-1", "card"),
            await tx.threads.note(TEAM, "D-1", "ask"),
            await tx.threads.thing_of(TEAM, new),
            await tx.threads.thing_of("T0OTHER", new),
        ]

    assert await store.run(unit) == [new, None, "second", "", "D-1", None]


async def test_all_messages_of_a_thing_are_found_at_once_and_nobody_elses(
    store: OpenStore,
) -> None:
    card, asked, theirs = (Posted("C0DEPLOY", f"{number}.0") for number in (1, 2, 3))
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-1", "card", card))
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-1", "ask", asked))
    await store.run(lambda tx: tx.threads.remember("T0OTHER", "D-1", "card", theirs))
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-11", "card", theirs))

    async def unit(tx: Transaction) -> list[object]:
        return [await tx.threads.places(TEAM, "D-1"), await tx.threads.places(TEAM, "D-2")]

    assert await store.run(unit) == [{"card": card, "ask": asked}, {}]


async def test_a_draft_comes_back_as_it_was(store: OpenStore) -> None:
    draft = Draft(
        TEAM, "x1", DANA, "checkout", "production", "normal", a_version(), NOW, "why", "D-1"
    )
    await store.run(lambda tx: tx.drafts.add(draft))

    assert await store.run(lambda tx: tx.drafts.get(TEAM, "x1")) == draft
    assert await store.run(lambda tx: tx.drafts.get("T0OTHER", "x1")) is None


async def test_a_named_lease_has_one_owner_and_a_fence_that_only_grows(store: OpenStore) -> None:
    async def acquire(owner: str, seconds: int) -> int | None:
        return await store.run(lambda tx: tx.acquire("sealer", owner, timedelta(seconds=seconds)))

    fences = [
        await acquire("one", 60),
        await acquire("two", 60),
        await acquire("one", -1),
        await acquire("two", -1),
        await acquire("two", 60),
    ]

    assert fences == [1, None, 1, 2, 3]


async def test_a_policy_is_kept_once(store: OpenStore) -> None:
    for _ in range(2):
        await store.run(lambda tx: tx.snapshot_policy("digest", "service: checkout"))

    rows = await store.run(lambda tx: connection_of(tx).rows("SELECT digest, body FROM policies"))
    assert [tuple(row) for row in rows] == [("digest", "service: checkout")]


async def test_old_deliveries_and_drafts_are_forgotten(store: OpenStore) -> None:
    draft = Draft(TEAM, "x1", DANA, "checkout", "production", "normal", a_version(), NOW)
    await store.run(lambda tx: tx.drafts.add(draft))
    for i in range(5):
        key = replace(KEY, key=f"trigger {i}")
        await store.run(partial(_take_in, key=key))

    assert await prune(store, timedelta(days=36500)) == 0
    assert await prune(store, timedelta(seconds=-1), limit=2) == 6


async def _take_in(tx: Transaction, key: InboxKey) -> None:
    await tx.inbox.add(key, Outcome(None))


async def test_a_transaction_has_one_moment_near_the_stores(store: OpenStore) -> None:
    before = await store.now()

    async def unit(tx: Transaction) -> bool:
        first = tx.now
        await tx.deployments.next_number(TEAM)
        return tx.now == first and first.utcoffset() == timedelta()

    assert await store.run(unit)
    assert await store.now() >= before


async def take(store: OpenStore, deployment: str, fence: int) -> None:
    await store.run(lambda tx: tx.environments.take(TARGET, deployment, fence))
