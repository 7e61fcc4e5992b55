"""What looks alarming and is not: late answers, late looks, and what moved on meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import RefreshCard
from bot.memory import Transaction
from bot.outbox import route
from storage.store import OpenStore
from tests.builders import NOW, TEAM, a_target, a_version
from tests.storage.alarms import Site, add, canary, over


@pytest.fixture
async def site(store: OpenStore) -> Site:
    site = Site(store)
    await site.begin()
    return site


async def test_an_answer_that_came_too_late_alarms_nobody(site: Site) -> None:
    for thing in ("click1/reply", "alarm:-/-/dead/9/page"):
        parcel = replace(route("D-142", RefreshCard()), lane=thing)
        await site.store.run(lambda tx, t=thing, p=parcel: tx.outbox.put(TEAM, t, [p]))  # type: ignore[misc]
    await site.plant("UPDATE outbox SET state = 'dead', done_at = :past")

    await site.auditor.audit()

    assert site.numbers.alarms == {}


async def test_one_late_look_alarms_nobody(site: Site) -> None:
    await site.plant("UPDATE deployments SET next_due_at = :past WHERE id = 'D-142'")
    await site.auditor.audit()
    await site.plant("UPDATE deployments SET next_due_at = '9999-01-01'")

    await site.auditor.audit()
    assert (site.numbers.alarms, await site.lock()) == ({}, None)


@pytest.mark.parametrize(("is_moved", "found"), [(True, {}), (False, {"rollback": 1})])
async def test_whoever_moved_on_after_a_rollback_may_say_so_under_an_earlier_clock(
    site: Site, is_moved: bool, found: dict[str, int]
) -> None:
    async def unit(tx: Transaction) -> None:
        await add(tx, over(Phase.ROLLED_BACK))
        await tx.environments.serves(a_target(), a_version("v1.8.4"), NOW - timedelta(minutes=3))
        if is_moved:
            next_one = canary(id="D-141", kind="hotfix", fence=0, phase=Phase.WATCHING, cursor=4)
            await add(tx, next_one)

    await site.auditor.audit()
    await site.store.run(unit)
    await site.auditor.audit()

    assert site.numbers.alarms == found


async def test_many_messages_that_were_given_up_are_one_alarm_that_ends_after_a_day(
    site: Site,
) -> None:
    for number in range(30):
        parcel = replace(route("D-142", RefreshCard()), lane=f"D-142/{number}/card")
        await site.store.run(lambda tx, p=parcel: tx.outbox.put(TEAM, "D-142", [p]))  # type: ignore[misc]
    await site.plant("UPDATE outbox SET state = 'dead', done_at = :past, why = 'is_archived'")

    for _ in range(3):
        await site.auditor.audit()

    assert site.numbers.alarms == {"dead": 1}
    assert await site.row("SELECT COUNT(*) FROM outbox WHERE lane LIKE 'alarm:%'") == (1,)
    body = str(await site.row("SELECT effect FROM outbox WHERE lane LIKE 'alarm:%'"))
    assert "30 messages were given up; the newest is of the kind card about D-142" in body

    await site.plant("UPDATE outbox SET done_at = '2000-01-01' WHERE state = 'dead'")
    await site.auditor.audit()

    assert site.numbers.alarms == {}


async def test_many_late_looks_are_one_alarm_and_lock_nothing(site: Site) -> None:
    for number in range(5):
        d = canary(id=f"D-{200 + number}", fence=0, phase=Phase.WATCHING, cursor=4)
        await site.store.run(lambda tx, d=d: add(tx, d))  # type: ignore[misc]
    await site.plant("UPDATE deployments SET next_due_at = :past")

    for _ in range(3):
        await site.auditor.audit()

    assert site.numbers.alarms == {"overdue": 1}
    assert await site.lock() is None
    assert (await site.canary()).phase is Phase.RUNNING
