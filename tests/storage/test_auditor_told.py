"""What people hear of an alarm, who hears it, and how they go on from there."""

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import RefreshCard
from bot.domain.events import RollbackRequested
from bot.memory import InboxKey
from bot.outbox import route
from bot.writer import Source
from storage.store import OpenStore
from tests.builders import SAM, TEAM
from tests.storage.alarms import HERE, Site, is_alarm, resume, unlock

UNDER_ANOTHER_FENCE = f"UPDATE environments SET fence = 7 WHERE {HERE}"  # noqa: S608


@pytest.fixture
async def site(store: OpenStore) -> Site:
    site = Site(store)
    await site.begin()
    return site


async def test_what_is_held_by_an_alarm_can_be_rolled_back(site: Site) -> None:
    await site.plant(UNDER_ANOTHER_FENCE)
    await site.auditor.audit()

    source = Source(InboxKey(TEAM, "click", "c", "c"))
    await site.replica.engine.apply(
        "D-142", RollbackRequested(SAM, "500s on /pay since 14:21"), source
    )
    await site.auditor.audit()

    assert (await site.canary()).phase is Phase.ROLLING_BACK


async def test_whoever_wants_to_go_on_lifts_the_lock_first(site: Site) -> None:
    await site.plant(UNDER_ANOTHER_FENCE)
    await site.auditor.audit()

    await resume(site, "1")
    assert (await site.canary()).phase is Phase.HELD

    await unlock(site)
    await resume(site, "2")
    for _ in range(2):
        await site.auditor.audit()
    assert (await site.canary()).phase is Phase.RUNNING, "a person knows better"
    assert site.numbers.alarms == {}


async def test_people_are_told_what_is_wrong_what_stopped_and_how_to_go_on(site: Site) -> None:
    await site.plant(UNDER_ANOTHER_FENCE)
    for _ in range(3):
        await site.auditor.audit()
        await site.replica.drain()

    [said] = [str(s.message.blocks) for s in site.chat.shown.values() if is_alarm(s)]
    for words in (f"<@{SAM}>", "checkout in production", "D-142 under 7"):
        assert words in said.replace("`", ""), said
    for words in ("Nothing new starts there", "D-142` goes no further"):
        assert words in said
    for words in ("`/rollback D-142 reason`", "`/deploy unlock checkout reason`"):
        assert words in said


async def test_a_message_that_was_given_up_is_told_and_stops_nothing(site: Site) -> None:
    parcel = route("D-142", RefreshCard())
    await site.store.run(lambda tx: tx.outbox.put(TEAM, "D-142", [parcel]))
    await site.plant("UPDATE outbox SET state = 'dead', done_at = :past, why = 'is_archived'")
    await site.auditor.audit()
    await site.replica.drain()

    [said] = [str(s.message.blocks) for s in site.chat.shown.values() if is_alarm(s)]
    for words in ("did not get through", "is_archived", "Nothing was stopped", "/deploy status"):
        assert words in said
    assert "Nothing new starts" not in said
    assert (await site.canary()).phase is Phase.RUNNING


async def test_an_alarm_reaches_somebody_when_the_channel_is_closed(site: Site) -> None:
    site.chat.closed.add("C0DEPLOY")
    await site.plant(UNDER_ANOTHER_FENCE)
    await site.auditor.audit()
    await site.replica.drain()

    assert [where.channel for where, s in site.chat.shown.items() if is_alarm(s)] == [SAM]


async def test_one_replica_looks_and_the_other_shows_what_it_found(site: Site) -> None:
    other = site.one_more("two")
    await site.auditor.audit()
    await site.plant(UNDER_ANOTHER_FENCE)

    await other.audit()
    assert site.numbers.alarms == {}, "it is the other's turn"
    await site.auditor.audit()
    site.numbers.alarms = {}
    await other.audit()

    assert site.numbers.alarms == {"slot": 1}


async def test_a_restarted_auditor_tells_nothing_twice(site: Site) -> None:
    await site.plant(UNDER_ANOTHER_FENCE)
    for _ in range(3):
        await site.one_more("one").audit()

    assert await site.row("SELECT COUNT(*) FROM outbox WHERE lane LIKE 'alarm:%'") == (1,)
