"""A row that nobody can read is found, and blinds neither the auditor nor the audit to others."""

# ruff: noqa: S608 - what is planted is SQL of the test's own

from collections.abc import Awaitable

import pytest

from bot.domain.deployment import Phase
from bot.memory import InboxKey, Transaction
from bot.violation import Violation
from bot.writer import Source
from storage import audit
from storage.invariants import Invariants
from storage.store import OpenStore
from tests.builders import NOW, SAM, TEAM, a_target, a_version
from tests.storage.alarms import HERE, Site, add, over, step
from tests.storage.test_audit import disarmed


@pytest.fixture
def url(sqlite: str) -> str:
    """Postgres keeps no text where a time belongs."""
    return sqlite


@pytest.fixture
async def site(store: OpenStore, url: str) -> Site:
    site = Site(store)
    await site.begin()
    await disarmed(store, url)
    return site


GARBLED = {
    "a time": "at = 'yesterday'",
    "a body of bytes": "body = X'00'",
    "a link of bytes": "prev = X'00'",
    "who did it, in bytes": "actor = X'00'",
}


@pytest.mark.parametrize("garbled", GARBLED)
async def test_a_journal_row_that_nobody_can_read_is_a_chain_that_does_not_hold(
    site: Site, garbled: str
) -> None:
    await site.store.run(lambda tx: step(tx, "one"))
    await site.plant(f"UPDATE journal SET {GARBLED[garbled]} WHERE thing = 'D-142' AND seq = 2")

    await site.auditor.audit()
    assert site.numbers.alarms == {"journal": 1}

    found = {finding.thing for finding in await audit.verify(site.store)}
    assert found == {"D-142"}
    rows = [row async for row in audit.export(site.store, NOW.replace(year=2000))]
    assert [(row["thing"], row["seq"]) for row in rows][:2] == [("D-142", 1), ("D-142", 2)]


async def test_an_alarm_that_nobody_can_read_stays_one(site: Site) -> None:
    found = Violation("ahead", TEAM, "router", "the router knows better", a_target())
    await site.auditor.tell(found)
    await site.plant("UPDATE journal SET body = '{}' WHERE thing LIKE 'alarm:%'")

    await site.auditor.audit()

    assert site.numbers.alarms == {"ahead": 1, "journal": 1}


async def test_a_state_that_nobody_can_read_hides_nothing_else(site: Site) -> None:
    await site.auditor.audit()
    await site.store.run(lambda tx: add(tx, over(Phase.ROLLED_BACK)))
    await site.plant(
        "UPDATE deployments SET state = '{}' WHERE id = 'D-140'",
        f"UPDATE environments SET fence = 7, serving_at = NULL WHERE {HERE}",
    )

    await site.auditor.audit()

    assert site.numbers.alarms == {"rollback": 1, "slot": 1}


async def test_what_serves_is_compared_also_when_nobody_can_read_it(site: Site) -> None:
    await site.plant(f"UPDATE environments SET serving = '' WHERE {HERE}")

    async def unit(tx: Transaction) -> list[str]:
        return [each.serving for each in await Invariants().standing(tx)]

    assert await site.store.run(unit) == ["a version that cannot be read"]


async def test_where_nobody_can_read_what_serves_an_alarm_is_told_and_the_place_locked(
    site: Site,
) -> None:
    await site.plant(f"UPDATE environments SET serving = '{{}}', fence = 7 WHERE {HERE}")

    held: list[str] = []

    async def failing(name: str, work: Awaitable[object]) -> bool:
        with pytest.raises(ValueError, match="the version on record cannot be read"):
            await work
        held.append(name)
        return False

    auditor = site.one_more("one", under=failing)
    for _ in range(2):
        await auditor.audit()

    assert site.numbers.alarms == {"slot": 1}
    assert held == ["alarm:checkout/production/slot/slot"] * 2
    assert await site.row(f"SELECT lock_reason IS NOT NULL FROM environments WHERE {HERE}") == (1,)


async def test_a_person_who_says_what_serves_makes_it_readable_again(site: Site) -> None:
    await site.plant(f"UPDATE environments SET serving = '{{}}' WHERE {HERE}")
    said = Source(InboxKey(TEAM, "host", "adopt", "a"))

    await site.replica.engine.adopt(a_target(), a_version("v1.8.2"), SAM, said)

    around = await site.store.run(lambda tx: tx.deployments.surroundings(a_target(), None))
    assert around.ledger.serving == a_version("v1.8.2")
