"""A world that is ahead of what is remembered is left as it is, and people are asked once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import LockEnvironment, Page, RaiseFence, SetTraffic
from bot.domain.events import Held, Overtaken, Resumed, RollbackRequested
from bot.domain.line import plain
from bot.domain.release import Weights
from tests.builders import DANA, SAM
from tests.domain.builders import MINUTE, Story, at_step, rolling_back, watching

FURTHER: Weights = (("v1.8.3", 50), ("v1.8.2", 50))
UNKNOWN: Weights = (("v1.8.4", 100),)


def seen_live() -> Story:
    return at_step().healthy()


def held_live() -> Story:
    return seen_live().after(Held(DANA, "lunch"))


@pytest.mark.parametrize("seen", [FURTHER, UNKNOWN])
@pytest.mark.parametrize("begin", [seen_live, held_live])
def test_more_than_was_asked_for_is_held_locked_and_asked_about_once(
    begin: Callable[[], Story], seen: Weights
) -> None:
    story = begin().later().sees(weights=seen)

    assert (story.d.phase, story.d.is_behind) == (Phase.HELD, True)
    assert story.wanted(LockEnvironment)
    assert story.wanted(SetTraffic) == []
    [page] = story.wanted(Page)
    said = plain(page.reason)
    for words in ("v1.8.3 10 %, v1.8.2 90 %", "/rollback D-142", "/deploy resume D-142"):
        assert words in said
    for _ in range(3):
        story.later(MINUTE).sees(weights=seen)
        assert not story.wanted(Page)
        assert not story.wanted(SetTraffic), "hands off until a person resumes"


def test_what_was_never_seen_live_may_still_be_leaving() -> None:
    story = at_step().later().sees(weights=UNKNOWN)

    assert story.d.phase is Phase.RUNNING
    assert not story.d.is_behind


def test_whoever_resumes_puts_back_what_is_remembered() -> None:
    story = seen_live().later().sees(weights=FURTHER)
    assert story.refused(Resumed(DANA)).rule == "locked"
    story.with_context(lock=None).after(Resumed(DANA))

    story.later().sees(weights=FURTHER)
    assert story.d.phase is Phase.RUNNING
    [again] = story.wanted(SetTraffic)
    assert dict(again.weights)["v1.8.3"] == 10

    story.healthy()
    assert not story.d.is_behind
    assert story.later().sees(weights=FURTHER).d.is_behind, "and it is on its guard again"


def test_a_rollback_goes_on_under_a_count_the_router_takes() -> None:
    story = rolling_back()
    known = story.d.traffic_fence + (5 << 24) + 17

    story.after(Overtaken(known))

    assert story.d.phase is Phase.ROLLING_BACK
    [raised], [again] = story.wanted(RaiseFence), story.wanted(SetTraffic)
    assert again.fence > known
    assert raised.fence == story.d.fence
    assert again.weights == (("v1.8.2", 100),)


def test_a_router_that_knows_newer_commands_stops_a_canary_and_lets_it_be_rolled_back() -> None:
    story = at_step()
    known = story.d.traffic_fence + (1 << 24)

    story.after(Overtaken(known))
    assert story.d.phase is Phase.HELD
    assert story.wanted(LockEnvironment)
    assert story.wanted(SetTraffic) == []

    story.after(RollbackRequested(SAM, "500s on /pay"))
    [back] = story.wanted(SetTraffic)
    assert back.fence > known


def test_an_old_command_that_comes_late_says_nothing() -> None:
    story = at_step()
    for begun in (story, watching()):
        before = begun.d
        begun.after(Overtaken(max(0, story.d.traffic_fence - 1)))
        assert replace(begun.d, revision=before.revision) == before


def test_a_number_that_is_none_of_ours_is_not_counted_on_from() -> None:
    story = seen_live().later(timedelta(seconds=5)).after(Overtaken(1 << 60))

    assert story.d.phase is Phase.HELD
    assert story.wanted(RaiseFence) == []
    assert "none of ours" in story.d.hold.reason if story.d.hold else False
