"""The first deployment of a service: all traffic at once, and nobody is promised a way back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.approvals import Approval
from bot.domain.deployment import Phase
from bot.domain.effects import FreeSlot, Proves, Serves, SetTraffic, TakeSlot
from bot.domain.events import Approved
from bot.domain.line import plain
from bot.domain.plan import JobStage, RolloutStage, Step, WatchStage, digest
from bot.domain.refusal import Refused
from bot.domain.slots import Active, Ledger
from tests.builders import ANA, POLICY_DIGEST, QUINN, a_plan, a_version
from tests.domain.builders import (
    MINUTE,
    NEW,
    OLD,
    TICK,
    a_context,
    enters,
    job,
    passes,
    refusal_of,
    requested,
)
from tests.domain.firsts import (
    BAKE,
    SORRY,
    allowed,
    asked,
    at_door,
    inside,
    live,
    page_of,
    watching,
)

# --- asking ----------------------------------------------------------------------------------


def test_it_is_refused_unless_the_policy_allows_it_and_both_ways_on_are_named() -> None:
    with pytest.raises(Refused) as refused:
        requested(a_plan(), NEW, a_context(ledger=Ledger()))

    refusal = refusal_of(refused.value)
    assert refusal.rule == "nothing_to_return_to"
    assert "pilothouse adopt checkout VERSION" in plain(refusal.next_step)
    assert "first_deployment: allowed" in plain(refusal.next_step)


def test_where_something_serves_the_permission_changes_nothing() -> None:
    story = requested(allowed(), NEW, a_context())

    assert not story.d.is_first
    assert story.d.plan == allowed()
    assert story.d.stable == OLD


def test_the_plan_that_people_sign_is_that_of_a_first_deployment() -> None:
    d = asked().d
    (rollout,) = (s for s in d.plan.stages if isinstance(s, RolloutStage))

    assert d.is_first
    assert rollout.steps == (Step(100, BAKE),)
    assert d.digest == digest(NEW, allowed().first(), POLICY_DIGEST)
    assert d.digest != digest(NEW, allowed(), POLICY_DIGEST)


def test_a_signature_for_a_deployment_with_a_way_back_is_none_for_one_without() -> None:
    story = asked().later()
    story.sees(checks=passes(story.now)).later()
    story.sees(job=job(story))
    other = Approval(ANA, story.now, digest(NEW, allowed(), POLICY_DIGEST), "", story.d.cursor)

    seats = replace(story.d, approvals=(other,)).seats(story.context.people)

    assert all(seat.approval is None for seat in seats)


def test_of_two_that_are_asked_for_at_once_the_second_is_told_of_the_first() -> None:
    story = live()
    other = Active("D-142", story.d.kind, story.d.phase.value, NEW.name)

    with pytest.raises(Refused) as refused:
        requested(allowed(), a_version("v2"), replace(story.context, others=(other,)))

    refusal = refusal_of(refused.value)
    assert refusal.rule == "already_running"
    assert "/deploy cancel D-142" in plain(refusal.next_step)


# --- the door --------------------------------------------------------------------------------


def test_it_enters_when_the_router_sends_nobody_anything_and_asks_for_all_traffic() -> None:
    story = inside()

    assert story.d.is_touched
    assert story.wanted(TakeSlot)
    assert [split.weights for split in story.wanted(SetTraffic)] == [((NEW.name, 100),)]


def test_what_somebody_started_by_hand_already_is_no_obstacle() -> None:
    assert enters(at_door(), weights=((NEW.name, 100),)).d.is_touched


@pytest.mark.parametrize("weights", [((OLD.name, 100),), ((OLD.name, 1), (NEW.name, 99))])
def test_what_the_router_serves_is_never_run_over(weights: Any) -> None:
    story = enters(at_door(), weights=weights)

    assert story.d.phase is Phase.FAILED
    assert not story.d.is_touched
    assert "pilothouse adopt checkout v1.8.2" in plain(story.d.last.line)


def test_without_a_word_of_the_router_it_waits_and_then_calls_somebody() -> None:
    story = enters(at_door())
    assert (story.d.phase, story.d.is_touched) == (Phase.RUNNING, False)
    assert "whether anything serves yet" in story.d.waits_for

    enters(story.later(10 * MINUTE))

    assert story.d.phase is Phase.HELD
    assert "/deploy cancel D-142" in page_of(story)


@pytest.mark.parametrize("version", [OLD, NEW])
def test_what_came_to_serve_meanwhile_ends_it_before_anything_is_touched(version: Any) -> None:
    story = at_door().with_context(ledger=Ledger(version, (version,)))

    enters(story, weights=())

    assert story.d.phase is Phase.FAILED
    assert not story.wanted(TakeSlot)


# --- the rollout -----------------------------------------------------------------------------


def test_it_bakes_as_long_as_all_steps_together_would() -> None:
    assert live().healthy(BAKE - TICK).d.phase is Phase.RUNNING
    assert live().healthy(BAKE).d.phase is Phase.WATCHING


def test_traffic_that_is_not_seen_is_no_traffic() -> None:
    assert inside().healthy(weights=()).healthy(BAKE, weights=()).d.phase is Phase.HELD


def test_in_the_end_it_serves_and_once_watched_it_is_proven() -> None:
    story = live().healthy(BAKE)
    assert [record.version for record in story.wanted(Serves)] == [NEW.name]
    assert story.wanted(FreeSlot)

    proven: list[Proves] = []
    while not story.d.is_over:
        proven += story.healthy(timedelta(seconds=30)).wanted(Proves)

    assert story.d.phase is Phase.SUCCEEDED
    assert [record.version for record in proven] == [NEW.name]
    assert story.context.ledger == Ledger(NEW, (NEW,))


def test_the_next_deployment_has_a_way_back_even_before_the_first_is_proven() -> None:
    story = watching()
    assert not story.d.is_proven

    following = requested(allowed(), a_version("v1.9.0"), story.context)
    following.later().sees(checks=passes(following.now)).later()
    following.sees(job=job(following)).later().after(Approved(ANA), Approved(QUINN))
    enters(following)
    following.later().after(SORRY)

    assert following.d.rollback is not None
    assert following.d.rollback.target == NEW


def test_a_plan_keeps_its_jobs_approvals_and_watch() -> None:
    plan = allowed()
    kinds = [type(stage) for stage in plan.first().stages]

    assert kinds == [type(stage) for stage in plan.stages]
    assert [s for s in plan.first().stages if isinstance(s, JobStage | WatchStage)] == [
        s for s in plan.stages if isinstance(s, JobStage | WatchStage)
    ]
