"""The auditor finds what no healthy program leaves behind, stops there, and says so once."""

# ruff: noqa: S608 - what is planted is SQL of the test's own

import pytest
from structlog.testing import capture_logs

from bot.domain.deployment import Phase
from bot.domain.effects import RefreshCard
from bot.memory import Transaction
from bot.outbox import route
from bot.violation import RULES
from storage.store import OpenStore
from tests.builders import NOW, TEAM, a_target, a_version
from tests.storage.alarms import HERE, Site, add, canary, over, step, unlock
from tests.storage.test_audit import disarmed


@pytest.fixture
async def site(store: OpenStore) -> Site:
    site = Site(store)
    await site.begin()
    return site


#: The rule, what is planted, and what mends it.
LEAKED = f"UPDATE environments SET deployment_id = 'D-99' WHERE {HERE}"
GIVEN_BACK = f"UPDATE environments SET deployment_id = 'D-142' WHERE {HERE}"
PARCEL = "UPDATE outbox SET {} WHERE lane = 'D-142/card'"
PLANTS: dict[str, tuple[str, str, str]] = {
    "slot of nobody": ("slot", LEAKED, GIVEN_BACK),
    "slot that is free": (
        "slot",
        f"UPDATE environments SET deployment_id = NULL WHERE {HERE}",
        GIVEN_BACK,
    ),
    "slot under another fence": (
        "slot",
        f"UPDATE environments SET fence = 7 WHERE {HERE}",
        f"UPDATE environments SET fence = 1 WHERE {HERE}",
    ),
    "nobody looks": (
        "overdue",
        "UPDATE deployments SET next_due_at = :past WHERE id = 'D-142'",
        "UPDATE deployments SET next_due_at = '9999-01-01' WHERE id = 'D-142'",
    ),
    "never to be looked at": (
        "overdue",
        "UPDATE deployments SET next_due_at = NULL WHERE id = 'D-142'",
        "UPDATE deployments SET next_due_at = '9999-01-01' WHERE id = 'D-142'",
    ),
    "given up": (
        "dead",
        PARCEL.format("state = 'dead', done_at = :past"),
        PARCEL.format("state = 'done'"),
    ),
    "sent for ever": (
        "unsent",
        PARCEL.format("state = 'sending', owner = 'gone', lease_until = :past"),
        PARCEL.format("state = 'done', done_at = :past"),
    ),
}


@pytest.mark.parametrize("plant", PLANTS)
async def test_what_is_planted_is_found_held_told_once_and_over_when_mended(
    site: Site, plant: str
) -> None:
    rule, harm, mend = PLANTS[plant]
    if "outbox" in harm:
        parcel = route("D-142", RefreshCard())
        await site.store.run(lambda tx: tx.outbox.put(TEAM, "D-142", [parcel]))
    assert len(await site.auditor.audit()) == 1, "it seals, too"
    assert site.numbers.alarms == {}

    await site.plant(harm)
    with capture_logs() as logs:
        for _ in range(2):
            await site.auditor.audit()

    assert site.numbers.alarms == {rule: 1}
    assert site.counted(rule) == 1
    errors = [line for line in logs if line["log_level"] == "error"]
    assert [(line["code"], line["rule"]) for line in errors] == [(RULES[rule], rule)]
    is_grave = rule == "slot"
    held = await site.canary()
    assert held.phase is (Phase.HELD if is_grave else Phase.RUNNING)
    if is_grave:
        assert held.hold is not None
        assert "do not agree" in held.hold.reason
    assert (await site.lock() is not None) == is_grave
    assert await site.row("SELECT COUNT(*) FROM outbox WHERE lane LIKE 'alarm:%'") == (1,)

    await site.plant(mend)
    await site.auditor.audit()

    assert site.numbers.alarms == {}
    assert site.counted(rule) == 0
    assert (await site.lock() is not None) == is_grave, "a person looks first"


THIS = "WHERE thing = 'D-142' AND seq = 2"
VANDALISM = {
    "a head that is another": "UPDATE deployments SET journal_hash = 'x' WHERE id = 'D-142'",
    "a head that is ahead": "UPDATE deployments SET journal_seq = 9 WHERE id = 'D-142'",
    "an entry that is gone": f"DELETE FROM journal {THIS}",
    "an entry that was edited": f"UPDATE journal SET actor = 'U0X' {THIS}",
}


@pytest.mark.parametrize("seals", [0, 1])
@pytest.mark.parametrize("harm", VANDALISM)
async def test_a_journal_that_does_not_hold_is_alarming_until_a_person_has_seen_it(
    site: Site, url: str, harm: str, seals: int
) -> None:
    for _ in range(seals):
        await site.auditor.audit()
    for words in ("one", "two"):
        await site.store.run(lambda tx, words=words: step(tx, words))  # type: ignore[misc]
    await disarmed(site.store, url)
    await site.plant(VANDALISM[harm])

    for _ in range(3):
        await site.auditor.audit()

    assert site.numbers.alarms == {"journal": 1}
    assert await site.row("SELECT COUNT(*) FROM outbox WHERE lane LIKE 'alarm:%'") == (1,)
    assert await site.lock() is not None

    await unlock(site)
    for _ in range(3):
        await site.auditor.audit()

    assert site.numbers.alarms == {}
    assert await site.lock() is None
    assert await site.row("SELECT COUNT(*) FROM outbox WHERE lane LIKE 'alarm:%'") == (1,)


@pytest.mark.parametrize("serving", ["v1.8.1", None])
async def test_a_rollback_ends_with_what_it_went_back_to(site: Site, serving: str | None) -> None:
    async def unit(tx: Transaction) -> None:
        await add(tx, over(Phase.ROLLED_BACK))
        if serving is not None:
            await tx.environments.serves(a_target(), a_version(serving), NOW)

    await site.auditor.audit()
    await site.store.run(unit)
    for _ in range(2):
        await site.auditor.audit()

    assert site.numbers.alarms == ({"rollback": 1} if serving else {})
    assert ((await site.canary()).phase is Phase.HELD) == bool(serving)

    await site.plant(f"UPDATE environments SET serving_at = '9999-01-01' WHERE {HERE}")
    await site.auditor.audit()
    assert site.numbers.alarms == {}


@pytest.mark.parametrize("is_locked", [True, False])
async def test_a_rollback_that_failed_leaves_a_lock(site: Site, is_locked: bool) -> None:
    async def unit(tx: Transaction) -> None:
        await add(tx, over(Phase.ROLLBACK_FAILED))
        if is_locked:
            await tx.environments.lock(a_target(), "the rollback failed", None, tx.now)

    await site.store.run(unit)
    await site.auditor.audit()

    assert site.numbers.alarms == ({} if is_locked else {"rollback": 1})
    lock = await site.lock()
    assert lock is not None
    assert ("failed to roll back" in lock.reason) == (not is_locked)

    await site.auditor.audit()
    assert site.numbers.alarms == {}, "it is locked now"


async def test_a_lock_that_a_person_lifted_is_missed_by_nobody(site: Site) -> None:
    async def unit(tx: Transaction) -> None:
        await add(tx, over(Phase.ROLLBACK_FAILED))
        await tx.environments.lock(a_target(), "the rollback failed", None, tx.now)

    await site.store.run(unit)
    await unlock(site)

    await site.auditor.audit()

    assert site.numbers.alarms == {}


async def test_a_slot_that_two_have_names_both_and_holds_both(site: Site) -> None:
    other = canary(id="D-143", kind="hotfix", fence=2)
    await site.store.run(lambda tx: add(tx, other))

    await site.auditor.audit()

    for id in ("D-142", "D-143"):
        held = await site.store.run(lambda tx, id=id: tx.deployments.get(TEAM, id))  # type: ignore[misc]
        assert held is not None
        assert held.phase is Phase.HELD
    lock = await site.lock()
    assert lock is not None
    assert "D-142 and D-143" in lock.reason


async def test_a_busy_minute_is_read_page_by_page_and_nothing_is_left_out(
    site: Site, url: str
) -> None:
    async def busy(tx: Transaction) -> None:
        for number in range(400):
            await add(tx, canary(id=f"D-{1000 + number}", fence=0, phase=Phase.WATCHING))

    await site.store.run(busy)
    for _ in range(700):
        await site.store.run(lambda tx: step(tx, "and on"))
    await disarmed(site.store, url)
    await site.plant("UPDATE journal SET actor = 'U0X' WHERE thing = 'D-1399'")

    await site.auditor.audit()

    assert site.numbers.alarms == {"journal": 1}
