"""Waiting for changes, and permissions that die."""

import asyncio

import pytest

from bot.demo.slack.changes import Changes
from bot.demo.slack.timing import Timing
from bot.demo.slack.triggers import DEAD_KEPT, Triggers
from bot.demo.slack.wire import SlackError
from tests.demo.conftest import Clock


async def test_a_wait_ends_with_the_change_that_makes_it_true() -> None:
    changes, seen = Changes(), [0]
    waiting = asyncio.create_task(changes.until(lambda: seen if seen[0] == 3 else None, 60))

    for number in (1, 2, 3):
        await asyncio.sleep(0)
        seen[0] = number
        changes.touch()

    assert await waiting == [3]


async def test_a_wait_looks_again_for_what_changes_elsewhere() -> None:
    changes, seen = Changes(), list[str]()
    asyncio.get_running_loop().call_later(0.01, seen.append, "elsewhere")

    assert await changes.until(lambda: seen, 60) == ["elsewhere"]


async def test_a_wait_for_what_never_comes_ends_in_time() -> None:
    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        await Changes().until(lambda: None, 0.01)


async def test_nobody_waits_for_a_slack_that_has_stopped() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.until(lambda: False, 60))
    await asyncio.sleep(0)

    changes.close()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting, 30)


async def test_a_change_between_two_looks_is_not_missed() -> None:
    changes = Changes()
    changes.touch()

    assert await changes.after(0, 60) == 1


def test_dead_triggers_are_told_from_unknown_ones_for_a_while() -> None:
    clock = Clock()
    triggers = Triggers(clock, Timing())
    first = triggers.mint("U0DANA")
    clock.pass_(4)
    last = [triggers.mint("U0DANA") for _ in range(DEAD_KEPT)][-1]
    clock.pass_(4)
    triggers.mint("U0DANA")

    with pytest.raises(SlackError, match="invalid_trigger_id"):
        triggers.redeem(first)
    with pytest.raises(SlackError, match="expired_trigger_id"):
        triggers.redeem(last)


def test_a_trigger_belongs_to_whoever_caused_it() -> None:
    triggers = Triggers(Clock(), Timing())

    assert triggers.redeem(triggers.mint("U0ANA")) == "U0ANA"
