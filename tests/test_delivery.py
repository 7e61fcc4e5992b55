"""Making effects true when Slack is not as it was: deleted, closed, unread, or late."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import Announce, CloseAsk, CloseUpdate, Effect, PostUpdate, StopJob
from bot.domain.plan import JobStage
from bot.outbox import route
from bot.ports import Posted
from storage.audit import verify
from tests.blocks.shown import lines
from tests.builders import ANA, DANA, NOW, QUINN, SAM, TEAM
from tests.fakes import Trouble
from tests.handlers.office import Office
from tests.handlers.reading import buttons, text_of


@pytest.fixture
async def office(database: Path) -> AsyncIterator[Office]:
    async with Office(database) as office:
        yield office


async def role(office: Office, id: str, name: str) -> Posted | None:
    return await office.plain_store.run(lambda tx: tx.threads.find(TEAM, id, name))


async def test_a_deleted_card_comes_back_in_a_new_message(office: Office) -> None:
    id = await office.at_approval()
    old = await office.card(id)
    office.chat.delete(old)

    await office.presses(ANA, "dep.approve", await office.value(id))
    new = await office.card(id)

    assert new != old
    assert "1 of 2" in text_of(office.chat.shown[new].message)


async def test_a_closed_channel_is_told_to_whoever_asked(office: Office) -> None:
    id = await office.at_approval()
    office.chat.closed.add("C0DEPLOY")

    await office.presses(ANA, "dep.approve", await office.value(id))

    assert (await office.card(id)).channel == DANA


async def test_a_line_whose_thread_is_gone_stands_in_the_channel_under_a_new_card(
    office: Office,
) -> None:
    id = await office.at_approval()
    old = await office.card(id)
    office.chat.delete(old)
    line = Announce(("It was said.",), NOW)

    for _ in range(2):
        await office.plain_store.run(lambda tx: tx.outbox.put(TEAM, id, [route(id, line)]))
        await office.replica.drain()

    new = await office.card(id)
    told = [s for s in office.chat.shown.values() if "It was said" in text_of(s.message)]
    assert office.replica.dead == []
    assert new != old
    assert [shown.thread for shown in told] == [None, new.ts]


async def closed_while(office: Office, effect: Effect) -> str:
    """Deliver *effect* when the channel was archived since the asking and a status were posted."""
    id = await office.at_canary()
    office.chat.closed.add("C0DEPLOY")
    await office.plain_store.run(lambda tx: tx.outbox.put(TEAM, id, [route(id, effect)]))
    await office.replica.drain()
    return id


@pytest.mark.parametrize("effect", [CloseAsk(), CloseUpdate(), PostUpdate(NOW, 9)])
async def test_what_stands_in_an_archived_channel_is_left_there(
    office: Office, effect: Effect
) -> None:
    await closed_while(office, effect)

    assert office.replica.dead == []


async def test_a_status_goes_to_whoever_asked_when_the_channel_is_archived(office: Office) -> None:
    id = await closed_while(office, PostUpdate(NOW, 9))

    update = await role(office, id, "update")
    assert update is not None
    assert update.channel == DANA


async def test_a_card_that_would_show_the_same_is_left_alone(office: Office) -> None:
    id = await office.at_approval()
    edits = office.chat.shown[await office.card(id)].edits

    for _ in range(5):
        await office.beat()

    assert office.chat.shown[await office.card(id)].edits == edits


async def test_a_lost_reply_is_looked_up_and_not_said_again(office: Office) -> None:
    office.fate.odds["chat"] = {Trouble.LOST: 1.0}
    await office.types(DANA, "/deploy checkout v1.8.3")
    preview = await office.types(DANA, "/deploy checkout v1.8.3")
    value = buttons(preview.body)["deploy.request.confirm"]
    await office.presses(DANA, "deploy.request.confirm", value)
    office.fate.odds.clear()

    await office.until("D-1", "Approval")

    assert set(office.chat.posts.values()) == {1}


async def test_a_status_in_doubt_that_nobody_may_look_up_is_left_to_the_next(
    office: Office,
) -> None:
    await office.at_canary()
    office.chat.is_readable = False
    office.fate.odds["chat"] = {Trouble.LOST: 1.0}
    office.clock.pass_(timedelta(minutes=5))
    await office.replica.lap()
    await office.replica.drain()
    office.fate.odds.clear()
    before = sum("status" in text_of(s.message) for s in office.chat.shown.values())

    office.clock.pass_(timedelta(seconds=30))
    await office.replica.drain()

    assert sum("status" in text_of(s.message) for s in office.chat.shown.values()) == before
    assert not [key for key, count in office.chat.posts.items() if count > 2]


async def test_the_newest_asking_keeps_its_buttons_and_the_signed_one_loses_them(
    office: Office,
) -> None:
    id = await office.at_approval()
    ask = await role(office, id, "ask")
    assert ask is not None
    open_ask = buttons(office.chat.shown[ask].message)
    for user in (ANA, QUINN):
        await office.presses(user, "dep.approve", await office.value(id))

    assert "dep.approve" in open_ask
    assert not buttons(office.chat.shown[ask].message)


async def test_an_older_status_shrinks_when_a_newer_one_is_posted(office: Office) -> None:
    id = await office.at_canary()
    old = await role(office, id, "update")
    office.clock.pass_(timedelta(minutes=5))
    await office.beat()
    new = await role(office, id, "update")

    assert old is not None
    assert new is not None
    assert new != old
    sizes = [len(office.chat.shown[each].message.blocks) for each in (old, new)]
    assert sizes[0] < sizes[1]


async def test_traffic_that_nobody_wants_any_more_is_not_asked_for(office: Office) -> None:
    id = await office.at_canary()
    office.fate.odds["router"] = {Trouble.DOWN: 1.0}
    await office.presses(ANA, "dep.promote", await office.value(id))
    await office.submits(SAM, "rollback.submit", json.dumps({"d": id}), reason="500s on /pay")
    office.fate.odds.clear()
    for _ in range(4):
        await office.beat()

    d = await office.get(id)
    assert office.world.router.split(d.target).live == (("v1.8.2", 100),)
    assert office.world.router.stale == 0


async def test_a_job_of_a_cancelled_deployment_is_not_started(office: Office) -> None:
    office.fate.odds["runner"] = {Trouble.DOWN: 1.0}
    id = await office.requested()
    while not isinstance((await office.get(id)).stage, JobStage):
        await office.beat()
    await office.types(DANA, f"/deploy cancel {id} wrong version")
    office.fate.odds.clear()

    for _ in range(4):
        await office.beat()

    assert (await office.get(id)).phase is Phase.CANCELLED
    assert office.world.runner.started == {}


async def test_a_refusal_of_what_nobody_waits_for_ends_no_rollback(office: Office) -> None:
    id = await office.at_canary()
    office.fate.odds["router"] = {Trouble.DOWN: 1.0}
    await office.submits(SAM, "rollback.submit", json.dumps({"d": id}), reason="500s on /pay")
    late = StopJob(1, f"{TEAM}/{id}/1")
    office.world.runner.refuses = "no such job"
    await office.plain_store.run(lambda tx: tx.outbox.put(TEAM, id, [route(id, late)]))
    await office.replica.drain()

    assert (await office.get(id)).phase is Phase.ROLLING_BACK
    assert [why for _, why in office.replica.dead] == ["no such job"]


async def test_a_hung_slack_holds_back_no_rollback(office: Office) -> None:
    id = await office.at_canary()
    office.fate.odds["chat"] = {Trouble.DOWN: 1.0}
    office.world.metrics.moods["v1.8.3"] = "bad"
    for _ in range(8):
        await office.beat()

    d = await office.get(id)
    assert d.phase.value == "rolled_back"
    assert office.world.router.split(d.target).live == (("v1.8.2", 100),)
    office.fate.odds.clear()
    for _ in range(8):
        await office.beat()
    told = [text_of(s.message) for s in office.chat.shown.values()]
    assert any("is being rolled back" in text for text in told)


async def test_a_router_that_says_no_is_not_asked_again_before_the_next_lap(office: Office) -> None:
    id = await office.at_canary()
    await office.presses(ANA, "dep.hold", await office.value(id))
    office.world.router.splits[(await office.get(id)).target].live = (("v1.8.2", 100),)
    office.world.router.splits[(await office.get(id)).target].wanted = (("v1.8.2", 100),)
    office.world.router.refuses = "no such environment"

    for _ in range(3):
        async with asyncio.timeout(60):
            await office.beat()

    assert (await office.get(id)).phase.value == "held"


async def test_the_last_line_of_a_thread_is_an_anchor_that_verifies(office: Office) -> None:
    id = await office.at_canary()
    await office.submits(SAM, "rollback.submit", json.dumps({"d": id}), reason="500s on /pay")
    await office.over(id)
    card = await office.card(id)
    for _ in range(4):
        await office.beat()

    thread = [shown.message for at, shown in office.chat.shown.items() if shown.thread == card.ts]
    words, _, anchor = lines(thread[-1])[0].partition(": ")

    assert words.endswith("its anchor")
    assert await verify(office.plain_store, [anchor]) == []
    assert len(await verify(office.plain_store, [anchor.replace(":", ":9", 1)])) == 1
