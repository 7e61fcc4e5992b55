"""When the database's clock went ahead and comes back, what it put off until then goes on."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.domain.deployment import Phase
from bot.memory import Transaction
from storage.addresses import is_postgres, sqlite_path
from storage.connection import moment
from storage.leases import LONGEST
from storage.postgres import PostgresStore
from storage.sqlite import SqliteStore
from storage.store import OpenStore
from storage.takeover import end_leases
from tests.builders import NOW, a_plan
from tests.fakes import Clock
from tests.storage.alarms import Site, add, canary, over
from tests.storage.parcels import LEASE, again, claim, put, said, texts

TWO_HOURS = timedelta(hours=2)
WENT_BACK = "the database's clock went back"
WENT_AHEAD = "the database's clock went ahead"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(url: str, clock: Clock) -> AsyncIterator[OpenStore]:
    opened: OpenStore
    if is_postgres(url):
        opened = await PostgresStore.open(url, clock)
    else:
        opened = await SqliteStore.open(sqlite_path(url), clock)
    yield opened
    await opened.close()


@pytest.fixture
async def site(store: OpenStore, clock: Clock) -> Site:
    """A canary that was looked at once, by a clock two hours ahead."""
    site = Site(store, clock=clock)
    await site.begin()
    clock.now = NOW + TWO_HOURS
    await site.replica.lap()
    return site


async def due_at(site: Site) -> datetime:
    (at,) = await site.row("SELECT next_due_at FROM deployments WHERE id = 'D-142'")
    return moment(at)


async def fence(site: Site) -> object:
    return (await site.row("SELECT lease_fence FROM deployments WHERE id = 'D-142'"))[0]


async def test_what_was_put_off_by_a_clock_ahead_is_looked_at_when_it_is_back(
    site: Site, clock: Clock
) -> None:
    was = await fence(site)
    assert await due_at(site) >= NOW + TWO_HOURS

    clock.now = NOW + timedelta(seconds=30)
    await site.replica.lap()

    assert await fence(site) != was
    assert await due_at(site) < NOW + timedelta(minutes=5)


async def test_what_was_to_be_sent_by_a_clock_ahead_is_sent_when_it_is_back(
    site: Site, store: OpenStore, clock: Clock
) -> None:
    await put(store, said("hello"))
    (row,) = [row for row in await claim(store) if row.thing == "D-1"]
    await again(store, row, timedelta(seconds=2))

    clock.now = NOW + timedelta(seconds=30)
    assert "D-1" not in {row.thing for row in await claim(store)}
    await site.replica.lap()

    assert "D-1" in {row.thing for row in await claim(store)}


async def test_that_the_clock_went_back_is_told_once_with_both_times(
    site: Site, clock: Clock
) -> None:
    clock.now = NOW + timedelta(seconds=30)
    with capture_logs() as logs:
        for _ in range(3):
            await site.replica.lap()
            clock.pass_(timedelta(seconds=10))

    (line,) = [line for line in logs if line["event"] == WENT_BACK]
    assert line["log_level"] == "warning"
    assert line["was"] == str(NOW + TWO_HOURS)
    assert line["now"] == str(NOW + timedelta(seconds=30))


async def test_that_the_clock_went_ahead_is_told_once_with_both_times(
    site: Site, clock: Clock
) -> None:
    was = clock.now
    clock.now += TWO_HOURS
    with capture_logs() as logs:
        for _ in range(3):
            await site.replica.lap()
            clock.pass_(timedelta(minutes=5))

    (line,) = [line for line in logs if line["event"] == WENT_AHEAD]
    assert line["log_level"] == "warning"
    assert (line["was"], line["now"]) == (str(was), str(was + TWO_HOURS))


async def test_a_clock_that_is_put_right_by_seconds_changes_nothing(
    site: Site, clock: Clock
) -> None:
    due = await due_at(site)

    clock.now -= timedelta(seconds=59)
    with capture_logs() as logs:
        await site.replica.lap()

    assert (await due_at(site), [line["event"] for line in logs]) == (due, [])


async def test_all_is_due_now_but_what_is_claimed_stays_claimed(
    site: Site, store: OpenStore, clock: Clock
) -> None:
    clock.pass_(timedelta(minutes=1))
    (mine,) = await store.run(lambda tx: tx.deployments.claim_due("one", LEASE, 9))
    await store.run(lambda tx: tx.deployments.all_due())
    was_due = await due_at(site)
    clock.now = NOW + timedelta(seconds=30)

    for _ in range(2):
        await store.run(lambda tx: tx.deployments.all_due())
        assert await due_at(site) == clock.now < was_due
        assert await store.run(lambda tx: tx.deployments.claim_due("two", LEASE, 9)) == ()
    await store.run(lambda tx: tx.deployments.put_off([(mine, clock.now)]))

    assert len(await store.run(lambda tx: tx.deployments.claim_due("two", LEASE, 9))) == 1


async def test_what_was_due_before_and_what_is_over_keep_their_time(
    store: OpenStore, clock: Clock
) -> None:
    site = Site(store)

    async def unit(tx: Transaction) -> None:
        await add(tx, over(Phase.SUCCEEDED))
        await tx.deployments.add(canary(), NOW - timedelta(hours=1))

    await store.run(unit)
    await store.run(lambda tx: tx.deployments.all_due())

    assert await due_at(site) == NOW - timedelta(hours=1)
    assert await site.row("SELECT next_due_at FROM deployments WHERE id = 'D-140'") == (None,)


async def test_what_is_being_sent_is_not_sent_twice_when_all_may_be_sent_now(
    store: OpenStore, clock: Clock
) -> None:
    await put(store, said("under way", "D-1/thread"), said("waits", "D-2/thread"))
    rows = {row.lane: row for row in await claim(store)}
    await again(store, rows["D-2/thread"], TWO_HOURS)

    for _ in range(2):
        await store.run(lambda tx: tx.outbox.all_sendable())

    assert texts(await claim(store)) == ["waits"]


async def test_a_lap_claims_only_what_was_due_and_free_when_it_began(
    store: OpenStore, clock: Clock
) -> None:
    await store.run(lambda tx: tx.deployments.add(canary(), NOW))
    await store.run(lambda tx: tx.deployments.claim_due("gone", LEASE, 9, NOW))
    later = canary(id="D-143", fence=0, plan=a_plan(service="search"))
    await store.run(lambda tx: tx.deployments.add(later, NOW + timedelta(seconds=1)))
    clock.pass_(timedelta(minutes=1))

    async def claimed(by: datetime | None) -> set[str]:
        claims = await store.run(lambda tx: tx.deployments.claim_due("one", LEASE, 9, by))
        return {claim.thing for claim in claims}

    assert await claimed(NOW) == set()
    assert await claimed(clock.now + TWO_HOURS) == {"D-142", "D-143"}


async def test_a_claim_of_a_clock_ahead_lasts_no_longer_than_any(
    store: OpenStore, clock: Clock
) -> None:
    site = Site(store)
    await site.begin()
    await put(store, said("hello"))
    clock.now = NOW + TWO_HOURS
    assert len(await store.run(lambda tx: tx.deployments.claim_due("gone", LEASE, 9))) == 1
    (lost,) = await claim(store, "gone")

    clock.now = NOW + timedelta(seconds=30)
    for _ in range(2):
        await store.run(lambda tx: tx.deployments.all_due())
        await store.run(lambda tx: tx.outbox.all_sendable())
    assert await claim(store) == (), "its sender may be at it this very moment"

    clock.pass_(LONGEST)
    assert len(await store.run(lambda tx: tx.deployments.claim_due("two", LEASE, 9))) == 1
    (taken,) = await claim(store)
    assert (taken.id, taken.is_in_doubt) == (lost.id, True)


async def test_a_named_lease_of_a_clock_ahead_is_anybodys(store: OpenStore, clock: Clock) -> None:
    clock.now = NOW + TWO_HOURS
    fence = await store.run(lambda tx: tx.acquire("sealer", "gone", LEASE))
    assert fence is not None
    assert await store.run(lambda tx: tx.acquire("sealer", "two", LEASE)) is None

    clock.now = NOW

    assert await store.run(lambda tx: tx.acquire("sealer", "two", LEASE)) == fence + 1


async def test_that_the_clock_went_back_while_nobody_ran_is_noticed_once(
    site: Site, clock: Clock
) -> None:
    await site.auditor.audit()
    clock.now = NOW + timedelta(seconds=30)

    with capture_logs() as logs:
        for _ in range(2):
            await site.one_more("two").audit()
            clock.pass_(timedelta(minutes=1))

    assert await due_at(site) == NOW + timedelta(seconds=30)
    assert [line["log_level"] for line in logs if line["event"] == WENT_BACK] == ["warning"]


async def test_whoever_starts_alone_after_the_clock_went_back_waits_for_nothing(
    site: Site, store: OpenStore, clock: Clock
) -> None:
    await site.auditor.audit()
    clock.now = NOW + timedelta(seconds=30)

    await end_leases(store)

    assert await due_at(site) == clock.now


async def test_whoever_starts_alone_by_a_clock_that_is_right_leaves_due_times_alone(
    site: Site, store: OpenStore
) -> None:
    await site.auditor.audit()
    due = await due_at(site)

    await end_leases(store)

    assert await due_at(site) == due
