"""Going back: done only when the old version is seen to serve, and verified."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import (
    CloseAsk,
    Disproves,
    FreeSlot,
    LockEnvironment,
    Milestone,
    Page,
    Serves,
    SetTraffic,
    StopJob,
)
from bot.domain.events import Elapsed, Observed, RollbackAbandoned, RollbackRequested
from bot.domain.line import plain
from bot.domain.slots import Ledger, Lock, Slot
from tests.builders import ANA, CHRIS, NOW, SAM, a_plan
from tests.domain.builders import (
    MINUTE,
    NEW,
    OLD,
    OLDER,
    TICK,
    Story,
    a_migration_job,
    at_approval,
    at_door,
    at_step,
    enters,
    fails,
    guarded_plan,
    held,
    one_way,
    passes,
    rolling_back,
    verified_plan,
    watching,
)

BACK = (("v1.8.2", 100),)
SORRY = RollbackRequested(SAM, "500s on /pay")


def back(story: Story, time: timedelta = TICK, *, is_verified: bool = True) -> Story:
    """The old version is seen to serve."""
    story.later(time)
    checks = passes(story.now, "serves") if is_verified else ()
    return story.sees(weights=BACK, checks=checks)


def test_a_word_turns_round_at_once_without_a_page() -> None:
    story = rolling_back()

    assert story.d.phase is Phase.ROLLING_BACK
    assert story.d.fence == 1
    assert story.wanted(SetTraffic)[0].weights == BACK
    assert not story.wanted(Page)
    assert plain(story.decision.answer).startswith("Rolling checkout back to v1.8.2.")


def test_it_is_done_when_the_old_version_is_seen_to_serve() -> None:
    story = back(rolling_back())

    assert story.d.phase is Phase.ROLLED_BACK
    assert story.wanted(Serves) == [Serves("v1.8.2")]
    assert story.wanted(Disproves) == [Disproves("v1.8.3")]
    assert story.wanted(FreeSlot)
    assert story.d.fence == 0
    assert story.wanted(Milestone)[0].what == "rolled_back"
    assert not story.wanted(SetTraffic)


@pytest.mark.parametrize(
    "weights",
    [None, (), (("v1.8.3", 100),), (("v1.8.2", 99), ("v1.8.3", 1)), (("v1.8.2", 99),)],
)
def test_until_then_the_old_version_is_asked_for_again_and_again(
    weights: tuple[tuple[str, int], ...] | None,
) -> None:
    story = rolling_back().later().sees(weights=weights)

    assert story.d.phase is Phase.ROLLING_BACK
    assert story.wanted(SetTraffic)[0].weights == BACK


def test_a_look_from_before_the_turn_ends_nothing() -> None:
    story = rolling_back(verified_plan())
    before = story.now - TICK

    seen = Observed(before, weights=BACK, checks=passes(story.now, "serves"))

    assert story.after(seen).d.phase is Phase.ROLLING_BACK


def test_a_refusal_from_before_the_turn_is_not_of_the_rollback() -> None:
    story = rolling_back()
    before = story.now - TICK

    assert story.after(Observed(before, refusal="stale")).d.phase is Phase.ROLLING_BACK


def test_mere_time_ends_nothing() -> None:
    story = rolling_back()

    assert story.later(timedelta(hours=5)).after(Elapsed()).d.phase is Phase.ROLLING_BACK
    assert story.wanted(Page)


def test_traffic_that_is_back_must_be_verified_too() -> None:
    story = back(rolling_back(verified_plan()), is_verified=False)
    assert story.d.phase is Phase.ROLLING_BACK
    assert story.d.waits_for == "traffic is back, not verified: serves: not looked at yet"

    assert back(story).d.phase is Phase.ROLLED_BACK


def test_what_was_verified_before_the_traffic_was_back_proves_nothing() -> None:
    story = rolling_back(verified_plan()).later()
    story.sees(weights=(("v1.8.3", 10), ("v1.8.2", 90)), checks=passes(story.now, "serves"))

    assert back(story, is_verified=False).d.phase is Phase.ROLLING_BACK


def test_traffic_that_goes_away_again_takes_the_verification_with_it() -> None:
    plan = verified_plan()
    two = replace(
        plan.rollback, verify=(*plan.rollback.verify, replace(plan.rollback.verify[0], name="b"))
    )
    story = back(rolling_back(replace(plan, rollback=two)))
    story.later().sees(weights=(("v1.8.3", 100),)).later()

    story.sees(weights=BACK, checks=passes(story.now, "b"))

    assert story.d.phase is Phase.ROLLING_BACK


def test_a_failed_verification_goes_on_until_it_passes() -> None:
    story = rolling_back(verified_plan()).later()
    story.sees(weights=BACK, checks=fails(story.now, "serves", fact="503"))
    assert story.d.phase is Phase.ROLLING_BACK

    assert back(story).d.phase is Phase.ROLLED_BACK


def test_many_looks_keep_only_the_newest_answers() -> None:
    story = rolling_back(verified_plan())
    for _ in range(10):
        story.later().sees(weights=BACK, checks=fails(story.now, "serves"))

    assert len(story.d.checks) == 1


def test_a_rollback_that_is_not_done_pages_again_and_again() -> None:
    story = rolling_back()
    pages = [bool(story.later(MINUTE).sees(weights=None).wanted(Page)) for _ in range(15)]

    assert [lap for lap, is_paged in enumerate(pages, 1) if is_paged] == [5, 10, 15]


def test_a_definite_refusal_fails_it_and_locks_the_environment() -> None:
    story = rolling_back().later().sees(refusal="no such version")

    assert story.d.phase is Phase.ROLLBACK_FAILED
    assert story.wanted(LockEnvironment) == [
        LockEnvironment("rollback D-142 failed: the router refused: no such version")
    ]
    assert len(story.wanted(Page)) == 1
    assert story.d.fence == 0
    assert story.context.slot.holder is None
    assert not story.wanted(Serves)


def test_a_lead_may_give_it_up_with_a_reason() -> None:
    story = rolling_back()
    assert story.refused(RollbackAbandoned(SAM, "by hand")).rule == "role"
    assert story.refused(RollbackAbandoned(CHRIS, " ")).rule == "reason"

    story.after(RollbackAbandoned(CHRIS, "put right by hand"))

    assert story.d.phase is Phase.ROLLBACK_FAILED
    assert story.wanted(LockEnvironment)
    assert story.wanted(Page)


def test_only_a_rollback_can_be_given_up() -> None:
    refusal = at_step().refused(RollbackAbandoned(CHRIS, "why"))
    assert refusal.rule == "too_late"
    assert "Resume" not in plain(held(at_step()).refused(RollbackAbandoned(CHRIS, "why")).next_step)


def test_one_deployment_is_rolled_back_once() -> None:
    assert rolling_back().refused(SORRY).rule == "too_late"
    assert ".," not in plain(back(rolling_back()).refused(SORRY).why)
    assert back(rolling_back()).refused(SORRY).rule == "too_late"


def test_before_anything_was_touched_there_is_nothing_to_roll_back() -> None:
    for story in (at_approval(), at_door(), held(at_approval())):
        assert story.refused(SORRY).rule == "untouched"


def test_a_lock_never_stops_a_rollback() -> None:
    story = at_step().with_context(lock=Lock("freeze", ANA, NOW))

    assert story.after(SORRY).d.phase is Phase.ROLLING_BACK


def test_a_person_rolls_back_even_past_a_one_way_migration() -> None:
    assert at_step(version=one_way()).after(SORRY).d.phase is Phase.ROLLING_BACK


def test_from_a_hold_too() -> None:
    story = held(at_step().healthy()).after(SORRY)

    assert story.d.phase is Phase.ROLLING_BACK
    assert story.d.hold is None


def test_who_may_and_with_which_words_is_policy() -> None:
    rights = replace(a_plan().rights, roll_back=("cto",))

    assert at_step(plan=a_plan(rights=rights)).refused(SORRY).rule == "role"
    assert at_step().refused(RollbackRequested(SAM, "  x ")).rule == "reason"
    assert at_step(plan=a_plan(rights=rights)).after(RollbackRequested(CHRIS, "500s")).d.rollback


def test_a_watch_does_not_roll_back_what_another_is_changing() -> None:
    refusal = watching().with_context(slot=Slot("D-143", 2)).refused(SORRY)

    assert refusal.rule == "slot"
    assert "/rollback D-143" in plain(refusal.next_step)


@pytest.mark.parametrize(("wished", "target"), [(None, OLD), ("v1.8.2", OLD), ("v1.8.1", OLDER)])
def test_it_goes_to_what_served_before_or_to_a_proven_version_by_name(
    wished: str | None, target: object
) -> None:
    story = at_step().with_context(ledger=Ledger(OLD, (OLDER,)))

    story.after(RollbackRequested(SAM, "500s on /pay", wished))

    assert story.d.rollback is not None
    assert story.d.rollback.target == target


@pytest.mark.parametrize("wished", ["v1.0.0", "v1.8.3"])
def test_what_is_not_proven_is_no_target_and_the_refusal_names_what_is(wished: str) -> None:
    refusal = at_step().refused(RollbackRequested(SAM, "500s on /pay", wished))

    assert refusal.rule == "unproven_target"
    assert "v1.8.2" in plain(refusal.next_step)


def test_with_nothing_to_go_back_to_a_person_is_told_so() -> None:
    story = watching().with_context(ledger=Ledger(NEW, (NEW,)))
    story.decision = replace(story.decision, state=replace(story.d, stable=NEW))

    assert story.refused(SORRY).rule == "no_target"
    assert story.healthy().fires().d.phase is Phase.WATCHING
    assert "nothing proven to roll back to" in str(story.wanted(Page)[0].reason)


def test_turning_round_in_a_job_stops_it() -> None:
    story = enters(at_door(guarded_plan(before_rollout=(a_migration_job(),)))).after(SORRY)

    assert story.wanted(StopJob) == [StopJob(3, "T0DEMO/D-142@20260302T140000/3")]
    assert not story.wanted(CloseAsk)


def test_the_fence_never_falls_from_one_asking_to_the_next() -> None:
    story = enters(at_door())
    fences = [e.fence for e in story.wanted(SetTraffic)]
    story.healthy().healthy(5 * MINUTE)
    fences += [e.fence for e in story.wanted(SetTraffic)]
    story.after(SORRY)
    fences += [e.fence for e in story.wanted(SetTraffic)]
    story.later().sees(weights=None)
    fences += [e.fence for e in story.wanted(SetTraffic)]

    assert len(fences) == 4
    assert fences == sorted(set(fences))


def test_the_fence_never_falls_from_one_deployment_to_the_next() -> None:
    many_laps = at_step(1)
    for _ in range(50):
        many_laps.later().sees(weights=None)
    (last,) = many_laps.wanted(SetTraffic)

    (first,) = enters(at_door().with_context(slot=Slot(None, 1))).wanted(SetTraffic)

    assert first.fence > last.fence
