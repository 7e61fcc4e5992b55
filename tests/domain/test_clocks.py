"""A clock that jumps raises no traffic, blinds nobody, and is told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.clocks import NO_JUMP
from bot.domain.deployment import Phase
from bot.domain.effects import Page, PostUpdate
from bot.domain.events import Approved, Elapsed, Promoted
from bot.domain.gates import CheckResult
from bot.domain.health import Verdict
from bot.domain.line import plain
from bot.domain.plan import ApprovalStage
from tests.builders import ANA, TESS
from tests.domain.builders import (
    MINUTE,
    TICK,
    Story,
    at_approval,
    at_step,
    held,
    requested,
    watching,
)

JUMP = timedelta(hours=2)
STALE = 10 * MINUTE


def put_back(story: Story, by: timedelta = JUMP) -> Story:
    story.now -= by
    return story


def changed(story: Story, **changes: Any) -> Story:
    story.decision = replace(story.decision, state=replace(story.d, **changes))
    return story


def ahead() -> Story:
    """At its second step, which was begun by a clock two hours ahead."""
    story = at_step(1).later(JUMP)
    now = story.now
    return changed(story, phase_since=now, stage_since=now, step_since=now).healthy()


def test_time_that_did_not_pass_is_no_part_of_a_bake() -> None:
    story = at_step().healthy().healthy(JUMP, weights=(("v1.8.2", 90), ("v1.8.3", 10)))

    assert story.d.step == 0
    assert story.healthy(4 * MINUTE).d.step == 0
    assert story.healthy(MINUTE).d.step == 1


def test_a_trigger_fires_in_its_own_time_though_the_step_began_in_the_future() -> None:
    story = put_back(ahead())

    story.healthy().fires()

    assert story.d.phase is Phase.ROLLING_BACK


def test_nobody_promotes_on_what_was_seen_in_the_future() -> None:
    story = put_back(ahead())

    assert story.refused(Promoted(TESS)).rule
    story.healthy().healthy().after(Promoted(TESS))

    assert story.d.step == 2


def test_a_bake_that_was_seen_in_the_future_begins_again() -> None:
    story = put_back(ahead().healthy(4 * MINUTE))

    assert story.healthy(4 * MINUTE).d.step == 1
    assert story.healthy(2 * MINUTE).d.step == 2


def test_not_knowing_is_borne_no_longer_than_the_patience() -> None:
    story = put_back(ahead().healthy(reading=None))

    for _ in range(3):
        story.healthy(5 * MINUTE, reading=None)

    assert story.d.phase is Phase.HELD
    assert story.wanted(Page)


def test_a_rollback_that_began_in_the_future_ends_when_it_is_seen() -> None:
    story = put_back(ahead().fires())
    assert story.d.rollback is not None

    story.healthy().healthy()

    assert story.d.phase is Phase.ROLLED_BACK


def test_a_watch_never_counts_backwards() -> None:
    story = watching().healthy().later(JUMP).healthy()
    watched = story.d.watched

    put_back(story).healthy()

    assert story.d.watched == watched


def test_an_approval_expires_in_its_own_time() -> None:
    story = at_approval()
    changed(story, phase_since=story.now + JUMP, stage_since=story.now + JUMP)

    stage = story.d.stage
    assert isinstance(stage, ApprovalStage)
    story.elapses().elapses(stage.expires_after)

    assert story.d.phase is Phase.EXPIRED


def test_answers_from_the_future_pass_no_gate() -> None:
    story = requested()
    passed = CheckResult("Production answers", Verdict.PASS, story.now + JUMP)
    changed(story, checks=(passed,))

    story.after(Elapsed())

    assert story.d.checks == ()


def test_a_hold_reminds_in_its_own_time() -> None:
    story = held(at_step())
    assert story.d.hold is not None
    future = replace(story.d.hold, since=story.now + JUMP, reminded_at=story.now + JUMP)

    changed(story, hold=future).elapses()

    assert story.d.hold is not None
    assert story.d.hold.reminded_at <= story.now


def test_the_status_goes_on_upon_its_grid() -> None:
    story = put_back(ahead()).healthy()

    assert story.d.update_due_at is not None
    assert story.now < story.d.update_due_at <= story.now + story.d.plan.updates.every


def test_that_it_was_put_back_is_told_once_with_by_how_much() -> None:
    story = put_back(ahead()).healthy()

    assert "clock_back" in story.told()
    (entry,) = [e for e in story.decision.wanted.entries if e.what == "clock_back"]
    assert "put back by 1 h 59 min" in str(entry.line)
    assert "clock_back" not in story.healthy().told()


@pytest.mark.parametrize("by", [TICK, NO_JUMP])
def test_a_clock_that_is_put_right_by_seconds_loses_nothing(by: timedelta) -> None:
    story = at_step().healthy().healthy(3 * MINUTE)
    since = story.d.passing_since

    put_back(story, by).sees()

    assert story.d.passing_since in (None, since)
    assert "clock_back" not in story.told()


def test_a_limit_that_is_exceeded_is_so_since_it_was() -> None:
    story = at_step(1).healthy().unhealthy().later(JUMP).sees(reading=None)

    put_back(story).unhealthy(2 * MINUTE)

    assert story.d.phase is Phase.ROLLING_BACK


def test_what_a_person_did_stays_the_newest_line_and_the_clock_is_told_before_it() -> None:
    story = put_back(at_approval()).after(Approved(ANA))

    assert story.told() == ["clock_back", "approved"]
    assert "Approved by" in plain(story.d.last.line)


def test_how_long_it_took_is_forgotten_when_it_ended_in_the_future() -> None:
    known, ahead_of_us = watching().later(JUMP).healthy(), watching().healthy()

    assert put_back(known, JUMP / 2).healthy().d.live_at
    assert put_back(ahead_of_us).healthy().d.live_at is None


def test_a_beat_that_was_told_in_the_future_is_not_told_again() -> None:
    story = at_step().healthy()
    due = story.d.update_due_at
    assert due is not None
    told = story.later(due - story.now).healthy().d.beat
    put_back(story, 3 * MINUTE).healthy()

    beats = [e.beat for _ in range(6) for e in story.healthy(MINUTE).wanted(PostUpdate)]

    assert [beat for beat in beats if beat is not None] == [told + 1]
