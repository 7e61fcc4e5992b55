"""A row that nobody can read is found, and blinds neither the auditor nor the audit to others."""

# ruff: noqa: S608 - what is planted is SQL of the test's own

import pytest

from bot.domain.deployment import Phase
from bot.memory import Transaction
from bot.violation import Violation
from storage import audit
from storage.invariants import Invariants
from storage.store import OpenStore
from tests.builders import NOW, TEAM, a_target
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
