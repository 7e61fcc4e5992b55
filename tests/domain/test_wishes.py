"""Holding, resuming and cancelling: by whom, when, and what stays as it is."""

from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import Ask, CloseAsk, SetTraffic
from bot.domain.events import Cancelled, Event, Held, Promoted, Resumed, RollbackRequested
from bot.domain.line import plain
from bot.domain.roles import Rights
from bot.domain.slots import Lock
from tests.builders import ANA, DANA, DEVO, NOW, SAM, TESS, a_plan, people
from tests.domain.builders import (
    MINUTE,
    TICK,
    Story,
    at_approval,
    at_job,
    at_step,
    held,
    requested,
    rolling_back,
    watching,
    without,
)

NOBODYS = Rights((*a_plan().rights.request,), ("cto",), (), ("cto",), (), (), (), ())
STRICT = a_plan(rights=NOBODYS)


@pytest.mark.parametrize("wish", [Held(DEVO), Cancelled(DEVO)])
def test_a_role_or_having_asked_for_it_is_needed(wish: Event) -> None:
    assert at_approval(STRICT).refused(wish).rule == "role"


@pytest.mark.parametrize("story", [held(at_step()), at_step().healthy()], ids=["held", "moving"])
def test_while_it_is_locked_traffic_moves_only_back(story: Story) -> None:
    wish = Resumed(DANA) if story.d.phase is Phase.HELD else Promoted(TESS)
    story.with_context(lock=Lock("the records do not agree", None, NOW))

    refusal = story.refused(wish)
    assert refusal.rule == "locked"
    assert "/deploy unlock checkout" in plain(refusal.next_step)

    story.after(RollbackRequested(SAM, "500s on /pay"))
    assert story.d.phase is Phase.ROLLING_BACK


def test_a_lock_that_comes_while_a_step_bakes_ends_the_climb() -> None:
    story = at_step().healthy()
    weight = story.d.weight
    story.with_context(lock=Lock("the records do not agree", None, NOW))

    story.healthy(5 * MINUTE)
    assert (story.d.weight, story.wanted(SetTraffic)) == (weight, [])
    assert "locked" in story.d.waits_for

    story.with_context(lock=None).healthy(MINUTE)
    assert story.d.weight > weight


def test_whoever_asked_for_it_may_hold_resume_and_cancel() -> None:
    story = at_approval(STRICT).after(Held(DANA), Resumed(DANA), Cancelled(DANA))

    assert story.d.phase is Phase.CANCELLED


def test_unless_they_are_no_longer_active() -> None:
    story = at_approval(STRICT).with_context(people=without(people(), DANA))

    assert story.refused(Cancelled(DANA)).rule == "role"
    assert story.refused(Held(DANA)).rule == "role"


def test_a_hold_moves_nothing_and_says_where_traffic_stays() -> None:
    story = at_step(1).healthy().after(Held(DEVO, "pager is noisy"))

    assert story.d.phase is Phase.HELD
    assert not story.wanted(SetTraffic)
    assert plain(story.d.last.line) == (f"Held by @{DEVO}: pager is noisy, traffic stays at 50 %")


def test_what_is_held_or_over_or_watched_cannot_be_held() -> None:
    for story in (held(at_approval()), watching(), rolling_back()):
        assert story.refused(Held(DANA)).rule == "too_late"


def test_only_what_is_held_can_be_resumed() -> None:
    for story in (at_approval(), watching(), rolling_back()):
        assert story.refused(Resumed(DANA)).rule == "too_late"


def test_the_time_on_hold_does_not_count_against_those_who_are_asked() -> None:
    story = held(at_approval()).later(timedelta(hours=5)).after(Resumed(DANA))

    assert story.elapses(timedelta(hours=3)).d.phase is Phase.RUNNING
    assert not story.wanted(CloseAsk)


def test_a_gate_begins_anew_after_a_hold() -> None:
    story = held(requested()).later(MINUTE).after(Resumed(DANA))

    assert story.d.stage_since == story.now
    assert story.d.stage.name == "Gates"


def test_a_hold_reminds_at_the_policys_beat() -> None:
    story = held(at_approval())
    told = ["held_long" in story.elapses(10 * MINUTE).told() for _ in range(9)]

    assert [lap for lap, is_told in enumerate(told, 1) if is_told] == [3, 6, 9]
    assert plain(story.d.last.line) == "Still held, for 1 h 30 min. Resume or cancel."
    assert not story.wanted(Ask)


def test_a_hold_that_touched_nothing_expires() -> None:
    story = held(at_approval()).elapses(timedelta(hours=24) - TICK)
    phases = [story.d.phase, story.elapses(TICK).d.phase]

    assert phases == [Phase.HELD, Phase.EXPIRED]
    assert story.wanted(CloseAsk)


def test_a_hold_in_a_touched_environment_never_expires_but_goes_on_reminding() -> None:
    story = held(at_step(1).healthy())
    told = [story.healthy(timedelta(hours=8)).told() for _ in range(9)]

    assert story.d.phase is Phase.HELD
    assert all("held_long" in lap for lap in told)


def test_before_anything_is_touched_it_can_be_cancelled() -> None:
    for story in (requested(), at_job(), at_approval(), held(at_approval())):
        assert story.after(Cancelled(DANA, "wrong one")).d.phase is Phase.CANCELLED
        assert "production was not touched" in plain(story.d.last.line)


def test_afterwards_the_way_out_is_a_rollback() -> None:
    for story in (at_step(), held(at_step())):
        refusal = story.refused(Cancelled(ANA))
        assert refusal.rule == "touched"
        assert "/rollback D-142 reason" in plain(refusal.next_step)
    assert watching().refused(Cancelled(ANA)).rule == "too_late"
