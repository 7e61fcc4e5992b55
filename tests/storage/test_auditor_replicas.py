"""What another replica commits while the auditor looks is looked at, and told once."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from bot.auditor import Known, Limits
from bot.domain.deployment import Phase
from bot.domain.effects import Entry
from bot.memory import Transaction
from bot.ports import Unavailable
from bot.violation import Violation
from storage import audit
from storage.invariants import Invariants
from storage.store import OpenStore, open_store
from tests.builders import NOW, TEAM, a_target, a_version
from tests.conftest import Databases
from tests.storage.alarms import Site, add, over

ALARMS = "SELECT COUNT(*) FROM outbox WHERE lane LIKE 'alarm:%'"


class Interrupted(Invariants):
    """Lets something happen once, after one of its answers and before what is done about it."""

    def __init__(self, after: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._after = after
        self._meanwhile = meanwhile

    async def known(self, tx: Transaction) -> tuple[Known, ...]:
        found = await super().known(tx)
        await self._interrupt("known")
        return found

    async def violations(
        self, tx: Transaction, limits: Limits, known: Sequence[Known]
    ) -> tuple[Violation, ...]:
        found = await super().violations(tx, limits, known)
        await self._interrupt("violations")
        return found

    async def _interrupt(self, answer: str) -> None:
        if answer == self._after:
            self._after = ""
            await self._meanwhile()


@pytest.fixture
async def url(postgres_databases: Databases) -> str:
    return await postgres_databases.migrated()


@pytest.fixture
async def site(store: OpenStore) -> Site:
    site = Site(store)
    await site.begin()
    return site


@pytest.fixture
async def other(url: str) -> AsyncIterator[OpenStore]:
    opened = await open_store(url)
    yield opened
    await opened.close()


async def go_on(tx: Transaction) -> None:
    d = await tx.deployments.get(TEAM, "D-142")
    assert d is not None
    d = replace(d, waits_for="more requests")
    await tx.journal.append(d, "Observed", None, [Entry("seen", ("And on",))])
    await tx.deployments.save(d, tx.now, None)


async def badly_rolled_back(tx: Transaction) -> None:
    await add(tx, over(Phase.ROLLED_BACK))
    await tx.environments.serves(a_target(), a_version("v1.8.1"), NOW)


async def test_what_is_committed_between_the_look_and_the_seal_is_looked_at_next(
    site: Site, other: OpenStore
) -> None:
    asks = Interrupted("violations", lambda: other.run(badly_rolled_back))

    await site.one_more("one", asks).audit()
    assert site.numbers.alarms == {}, "it came after the look"

    await site.auditor.audit()
    assert site.numbers.alarms == {"rollback": 1}


async def test_a_chain_that_grew_after_the_look_is_sealed_as_far_as_it_was_seen(
    site: Site, other: OpenStore
) -> None:
    asks = Interrupted("violations", lambda: other.run(go_on))

    await site.one_more("one", asks).audit()

    ends = "SELECT journal_seq, sealed_seq FROM deployments WHERE id = 'D-142'"
    assert await site.row(ends) == (2, 1)
    assert await audit.verify(site.store) == []
    await site.auditor.audit()
    assert await site.row(ends) == (2, 2)
    assert await audit.verify(site.store) == []


async def test_while_the_database_is_away_nothing_is_sealed_unlooked(site: Site) -> None:
    async def lost() -> None:
        raise Unavailable("it is away")

    assert await site.one_more("one", Interrupted("violations", lost)).audit() == ()

    assert await site.row("SELECT sealed_seq FROM deployments WHERE id = 'D-142'") == (0,)


async def test_what_two_replicas_find_at_once_is_told_once(site: Site, other: OpenStore) -> None:
    found = Violation("ahead", TEAM, "router", "the router knows better", a_target())
    second = Site(other, site.numbers, site.chat)

    asks = Interrupted("known", lambda: second.auditor.tell(found))
    await site.one_more("one", asks).tell(found)

    assert await site.row(ALARMS) == (1,)
