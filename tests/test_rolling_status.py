"""The status in the channel: one message per beat, edited in between, a grey line in the end."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from bot.domain.deployment import Phase
from bot.domain.events import Cancelled, Held
from bot.memory import InboxKey
from bot.ports import Posted
from bot.writer import Source
from tests.blocks.shown import lines
from tests.builders import ANA, DANA, QUINN, TEAM
from tests.fake_chat import Shown
from tests.fakes import Trouble
from tests.handlers.office import Office
from tests.handlers.reading import text_of
from tests.simulation.fate import Fate


@pytest.fixture
async def office(database: Path) -> AsyncIterator[Office]:
    async with Office(database) as office:
        yield office


async def standing(office: Office, id: str) -> Posted:
    """Where the newest status is."""
    where = (await office.places(id))["update"]
    assert where in office.chat.shown
    return where


def statuses(office: Office) -> list[Shown]:
    """Those in full."""
    shown = office.chat.shown.values()
    return [each for each in shown if "Deployment Status - " in text_of(each.message)]


async def test_a_short_deployment_leaves_one_line(office: Office) -> None:
    id = await office.requested()
    first = await standing(office, id)
    await office.until(id, "Approval")
    assert "Waiting for approval" in text_of(office.chat.shown[first].message)

    for user in (ANA, QUINN):
        await office.presses(user, "dep.approve", await office.value(id))
    await office.until(id, "Rollout")
    assert "Rollout 10 %" in text_of(office.chat.shown[first].message)
    posted = [where for where in office.chat.shown if where.channel == "C0DEPLOY"]
    top = [where for where in posted if office.chat.shown[where].thread is None]

    assert top == [await office.card(id), first]
    assert len(statuses(office)) == 1


async def test_a_hold_is_told_in_a_new_message_and_going_on_changes_that(office: Office) -> None:
    id = await office.at_canary()
    before = await standing(office, id)

    await office.presses(DANA, "dep.hold", await office.value(id))
    held = await standing(office, id)
    told = text_of(office.chat.shown[held].message)
    await office.presses(DANA, "dep.resume", await office.value(id))

    assert held != before
    assert "Held" in told
    assert len(office.chat.shown[before].message.blocks) == 1
    assert await standing(office, id) == held
    assert "Held" not in text_of(office.chat.shown[held].message)


async def test_a_line_says_what_the_status_said_last_and_when(office: Office) -> None:
    id = await office.at_canary()
    old = await standing(office, id)
    await office.presses(DANA, "dep.hold", await office.value(id))
    held = await standing(office, id)
    office.clock.pass_(timedelta(seconds=61))
    await office.presses(DANA, "dep.resume", await office.value(id))
    resumed = office.clock.now
    office.clock.pass_(timedelta(minutes=5))
    await office.beat()

    assert "IN PROGRESS" not in text_of(office.chat.shown[old].message)
    assert lines(office.chat.shown[held].message)[0].startswith(f"{resumed:%H:%M} UTC · checkout")
    assert "healthy, no issues" in text_of(office.chat.shown[held].message)


async def test_a_status_that_somebody_deleted_comes_back_in_a_new_message(office: Office) -> None:
    id = await office.at_canary()
    await office.presses(DANA, "dep.hold", await office.value(id))
    old = await standing(office, id)
    office.chat.delete(old)

    await office.presses(DANA, "dep.resume", await office.value(id))

    assert await standing(office, id) != old
    assert len(statuses(office)) == 1


async def test_a_status_of_before_an_upgrade_is_followed_by_a_new_one(office: Office) -> None:
    id = await office.at_approval()
    old = await standing(office, id)
    await office.plain_store.run(
        lambda tx: tx.threads.remember(TEAM, id, "update", old, "Waiting, no issues")
    )

    await office.presses(ANA, "dep.approve", await office.value(id))
    await office.presses(QUINN, "dep.approve", await office.value(id))

    assert await standing(office, id) != old
    assert " · Waiting, no issues · " in lines(office.chat.shown[old].message)[0]
    assert len(statuses(office)) == 1


async def test_the_status_says_who_is_still_missing(office: Office) -> None:
    id = await office.at_approval()
    await office.presses(ANA, "dep.approve", await office.value(id))

    shown = text_of(office.chat.shown[await standing(office, id)].message)
    assert "1 of 2 signed, QA Lead missing" in shown


async def test_the_last_line_says_how_it_ended(office: Office) -> None:
    id = await office.at_canary()
    await office.submits(DANA, "rollback.submit", await office.value(id), reason="500s on /pay")
    await office.over(id)

    where = await standing(office, id)
    assert lines(office.chat.shown[where].message)[0].split(" · ")[2] == (
        "Rolled back to v1.8.2, 500s on /pay"
    )


async def test_a_rollback_out_of_the_watch_leaves_the_line_that_said_it_was_live(
    office: Office,
) -> None:
    id = await office.watching()
    live = await standing(office, id)
    said = text_of(office.chat.shown[live].message)
    await office.submits(DANA, "rollback.submit", await office.value(id), reason="500s on /pay")
    await office.replica.drain()

    assert "Live" in said
    assert text_of(office.chat.shown[live].message) == said
    assert await standing(office, id) != live


async def test_nothing_in_full_stays_of_what_was_rejected(office: Office) -> None:
    id = await office.at_approval()
    last = await standing(office, id)

    await office.submits(ANA, "reject.submit", await office.value(id), reason="not tested")
    await office.replica.drain()

    assert (await office.get(id)).phase is Phase.REJECTED
    assert statuses(office) == []
    assert "Rejected, production not touched · " in text_of(office.chat.shown[last].message)


async def test_a_hold_that_was_not_told_before_more_happened_is_a_new_message_all_the_same(
    office: Office,
) -> None:
    id = await office.at_canary()
    before = await standing(office, id)
    source = Source(InboxKey(TEAM, "test", "hold", ""))
    await office.engine.apply(id, Held(DANA, "looks odd"), source)
    office.world.metrics.moods["v1.8.3"] = "none"
    await office.beat()

    held = await standing(office, id)
    await office.beat()

    assert held != before
    assert "looks odd" in text_of(office.chat.shown[held].message)
    assert await standing(office, id) == held, "told once"


async def test_the_last_line_waits_for_a_slack_that_does_not_answer(office: Office) -> None:
    id = await office.at_approval()
    last = await standing(office, id)
    source = Source(InboxKey(TEAM, "test", "end", ""))
    await office.engine.apply(id, Cancelled(DANA, "not today"), source)
    office.fate.odds["chat"] = {Trouble.DOWN: 1.0}
    await office.replica.drain()
    office.fate.be_kind()
    for _ in range(3):
        await office.beat()

    assert statuses(office) == []
    assert "Cancelled" in text_of(office.chat.shown[last].message)


@dataclass
class Editing(Fate):
    """Slack takes posts, and edits only while nobody says otherwise."""

    is_limited: bool = False

    async def __call__(self, call: str) -> Trouble:
        limited = self.is_limited and call == "chat.edit"
        return Trouble.LIMITED if limited else await super().__call__(call)


async def test_an_older_status_shrinks_later_when_slack_takes_no_edits_now(
    database: Path,
) -> None:
    fate = Editing(Random(1))
    async with Office(database, fate=fate) as office:
        id = await office.at_canary()
        fate.is_limited = True
        await office.presses(DANA, "dep.hold", await office.value(id))
        told = len(statuses(office))
        fate.is_limited = False
        for _ in range(3):
            await office.beat()

        assert told == 2
        assert ["Held" in text_of(each.message) for each in statuses(office)] == [True]
