"""Rollout: act, then look; a step is left only when seen and healthy for its whole bake."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import Page, Serves, SetTraffic, TakeSlot
from bot.domain.events import Held, Observed, Promoted, Resumed
from bot.domain.plan import RolloutStage
from tests.builders import ANA, DANA, DEVO, a_plan
from tests.domain.builders import (
    MINUTE,
    TICK,
    a_reading,
    at_door,
    at_step,
    enters,
    held,
    one_way,
    with_stage,
)


def test_the_first_step_asks_for_its_share_and_nothing_more() -> None:
    story = enters(at_door())

    (asked,) = story.wanted(SetTraffic)
    assert dict(asked.weights) == {"v1.8.3": 10, "v1.8.2": 90}
    assert story.wanted(TakeSlot) == [TakeSlot(1)]


def test_a_share_that_is_not_seen_is_asked_for_again() -> None:
    story = at_step().healthy(weights=(("v1.8.2", 100),))

    assert dict(story.wanted(SetTraffic)[0].weights) == {"v1.8.3": 10, "v1.8.2": 90}
    assert story.d.waits_for == "10 % of traffic asked for, not seen yet"


@pytest.mark.parametrize(
    ("waited", "step"), [(5 * MINUTE - TICK, 0), (5 * MINUTE, 1), (60 * MINUTE, 1)]
)
def test_a_step_is_left_only_after_its_whole_bake(waited: timedelta, step: int) -> None:
    assert at_step().healthy().healthy(waited).d.step == step


def test_the_bake_begins_when_the_share_is_seen_not_when_it_is_asked_for() -> None:
    story = at_step().healthy(4 * MINUTE, weights=None).healthy(2 * MINUTE)

    assert story.d.step == 0
    assert story.healthy(5 * MINUTE).d.step == 1


def test_steps_are_taken_one_by_one_up_to_the_last() -> None:
    story, shares = at_step(), []
    while story.d.phase is Phase.RUNNING:
        story.healthy(5 * MINUTE)
        shares += [dict(e.weights)["v1.8.3"] for e in story.wanted(SetTraffic)]

    assert shares == [50, 100]
    assert story.d.phase is Phase.WATCHING
    assert story.wanted(Serves) == [Serves("v1.8.3")]


def test_a_trigger_that_fires_turns_round_and_pages() -> None:
    story = at_step(1).healthy().fires()

    assert story.d.phase is Phase.ROLLING_BACK
    assert story.d.rollback is not None
    assert story.d.rollback.by is None
    assert story.d.rollback.evidence is not None
    assert dict(story.wanted(SetTraffic)[-1].weights) == {"v1.8.2": 100}
    assert len(story.wanted(Page)) == 1


def test_a_decision_asks_for_one_split_only_the_last() -> None:
    # The look finds the share gone and asks for it again, and then the trigger fires.
    story = at_step(1).healthy().unhealthy()
    now = story.later(2 * MINUTE).now

    story.sees(weights=(("v1.8.2", 100),), reading=a_reading(now, 50))

    (asked,) = story.wanted(SetTraffic)
    assert dict(asked.weights) == {"v1.8.2": 100}


def test_a_policy_may_leave_the_rollback_to_people() -> None:
    plan = with_stage(a_plan(), RolloutStage, is_rollback_automatic=False)

    story = at_step(1, plan).healthy().fires()

    assert story.d.phase is Phase.HELD
    assert "the policy leaves the rollback to people" in str(story.wanted(Page)[0].reason)


def test_a_one_way_migration_turns_the_automatic_rollback_into_a_page() -> None:
    story = at_step(1, version=one_way()).healthy().fires()

    assert story.d.phase is Phase.HELD
    assert not story.wanted(SetTraffic)
    assert "migration 0042_drop_column is one-way" in str(story.wanted(Page)[0].reason)


def test_not_knowing_for_the_whole_patience_holds_and_pages() -> None:
    story = at_step().healthy()
    phases = [story.healthy(5 * MINUTE, reading=None).d.phase for _ in range(3)]

    assert phases == [Phase.RUNNING, Phase.RUNNING, Phase.HELD]
    assert "not known to be healthy for 10 min" in str(story.wanted(Page)[0].reason)


def test_a_policy_may_roll_back_when_not_knowing_for_too_long() -> None:
    plan = with_stage(a_plan(), RolloutStage, is_unknown_rolled_back=True)

    story = at_step(0, plan).healthy(reading=None).healthy(10 * MINUTE, reading=None)

    assert story.d.phase is Phase.ROLLING_BACK


def test_who_was_called_is_not_called_again_until_it_was_good_in_between() -> None:
    story = at_step(1, version=one_way()).healthy().fires()

    on_hold = story.unhealthy().wanted(Page)
    again = story.after(Resumed(ANA)).unhealthy()
    is_held, resumed = again.d.phase is Phase.HELD, story.wanted(Page)
    story.after(Resumed(ANA)).healthy().fires()

    assert (on_hold, resumed) == ([], [])
    assert is_held
    assert len(story.wanted(Page)) == 1


def test_even_then_a_one_way_migration_leaves_it_to_people() -> None:
    plan = with_stage(a_plan(), RolloutStage, is_unknown_rolled_back=True)

    story = at_step(0, plan, one_way()).healthy(reading=None).healthy(10 * MINUTE, reading=None)

    assert story.d.phase is Phase.HELD
    assert len(story.wanted(Page)) == 1


def test_a_refusal_by_the_router_holds_and_pages() -> None:
    story = at_step().later().sees(refusal="403 no such service")

    assert story.d.phase is Phase.HELD
    assert "403 no such service" in str(story.wanted(Page)[0].reason)


def test_a_refusal_from_before_the_step_is_no_news_of_it() -> None:
    story = at_step()
    before = story.d.step_since - TICK

    assert story.after(Observed(before, refusal="403")).d.phase is Phase.RUNNING


def test_a_look_from_before_the_step_leaves_everything_as_it_is() -> None:
    story = at_step(1).healthy()
    before = story.d

    from_before = Observed(before.step_since - TICK, weights=(("v1.8.2", 100),))
    story.later().after(from_before)

    assert replace(story.d, revision=before.revision) == before
    assert not story.wanted(SetTraffic)


def test_a_hold_keeps_the_share_and_resuming_bakes_again() -> None:
    story = at_step().healthy().healthy(4 * MINUTE)
    held(story).healthy(weights=(("v1.8.2", 100),))
    assert dict(story.wanted(SetTraffic)[0].weights) == {"v1.8.3": 10, "v1.8.2": 90}
    story.healthy(60 * MINUTE)
    assert (story.d.phase, story.d.step) == (Phase.HELD, 0)

    story.after(Resumed(DANA)).healthy().healthy(4 * MINUTE)

    assert story.d.step == 0
    assert story.healthy(MINUTE).d.step == 1


def test_even_the_shortest_hold_starts_the_bake_again() -> None:
    story = at_step().healthy().healthy(4 * MINUTE)
    story.after(Held(DANA), Resumed(DANA)).healthy()

    assert story.healthy(4 * MINUTE).d.step == 0
    assert story.healthy(MINUTE).d.step == 1


def test_a_trigger_that_fires_on_hold_turns_round() -> None:
    assert held(at_step(1).healthy()).fires().d.phase is Phase.ROLLING_BACK


def test_a_trigger_on_hold_that_is_left_to_people_pages_once_per_hold() -> None:
    story = held(at_step(1, version=one_way()).healthy()).fires()
    assert story.d.phase is Phase.HELD
    assert len(story.wanted(Page)) == 1
    assert not story.unhealthy().wanted(Page)

    story.healthy().after(Resumed(DANA)).healthy().after(Held(DANA)).fires()

    assert len(story.wanted(Page)) == 1


def test_a_lead_may_promote_what_is_seen_and_healthy_now() -> None:
    story = at_step().healthy().later().after(Promoted(ANA))

    assert story.d.step == 1
    assert dict(story.wanted(SetTraffic)[0].weights) == {"v1.8.3": 50, "v1.8.2": 50}
    assert story.d.passing_since is None


def test_nobody_promotes_what_is_not_known_to_be_healthy() -> None:
    unseen = at_step().later()
    unknown = at_step().healthy().healthy(reading=None)
    long_ago = at_step().healthy().later(MINUTE)

    for story in (unseen, unknown, long_ago):
        assert story.refused(Promoted(ANA)).rule == "not_healthy"


def test_promotion_takes_the_policys_role_and_a_step_that_is_left() -> None:
    assert at_step().healthy().refused(Promoted(DEVO)).rule == "role"
    assert at_step(2).healthy().refused(Promoted(ANA)).rule == "too_late"
    assert at_door().refused(Promoted(ANA)).rule == "too_late"
    assert held(at_step().healthy()).refused(Promoted(ANA)).rule == "too_late"
