"""Every phase and stage knows every event: it is decided, or refused with a sentence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from bot.domain import canon
from bot.domain.decide import decide, due_at
from bot.domain.deployment import MOVES, OVER, Deployment, Phase, move
from bot.domain.effects import Page, SetTraffic, StartJob
from bot.domain.events import (
    Alarmed,
    Approved,
    Cancelled,
    Elapsed,
    Event,
    Held,
    Observed,
    Overtaken,
    Promoted,
    Rejected,
    Resumed,
    RollbackAbandoned,
    RollbackRequested,
    Seen,
    Superseded,
    Taken,
    Wish,
)
from bot.domain.jobs import JobState, JobStatus
from bot.domain.refusal import Refused
from tests.builders import ANA, CHRIS, DANA, NOW, SAM
from tests.domain.builders import (
    MINUTE,
    NEW,
    TICK,
    Story,
    a_migration_job,
    a_post_check,
    a_reading,
    at_approval,
    at_door,
    at_job,
    at_step,
    enters,
    fails,
    guarded_plan,
    held,
    passes,
    refusal_of,
    requested,
    rolling_back,
    verified_plan,
    watching,
)


def over(phase: Phase) -> Story:
    story = watching()
    ended = replace(story.d, phase=phase, update_due_at=None, finished_at=story.now)
    return Story(story.context, story.now, replace(story.decision, state=ended))


PLACES: dict[str, Callable[[], Story]] = {
    "gate": requested,
    "job": at_job,
    "approval": at_approval,
    "door": at_door,
    "touching job": lambda: enters(at_door(guarded_plan(before_rollout=(a_migration_job(),)))),
    "first step": at_step,
    "seen step": lambda: at_step(1).healthy(),
    "last step": lambda: at_step(2).healthy(),
    "post-check": lambda: at_step(2, guarded_plan(a_post_check())).healthy().healthy(5 * MINUTE),
    "held gate": lambda: held(requested()),
    "held job": lambda: held(at_job()),
    "held approval": lambda: held(at_approval()),
    "held door": lambda: held(at_door()),
    "held step": lambda: held(at_step(1).healthy()),
    "watch": watching,
    "rollback": rolling_back,
    "verified rollback": lambda: rolling_back(verified_plan()),
    **{phase.value: (lambda phase=phase: over(phase)) for phase in sorted(OVER)},  # type: ignore[misc]
}

WISHES: dict[str, Wish] = {
    "approve": Approved(ANA),
    "approve another version": Approved(ANA, version="v9"),
    "reject": Rejected(ANA, "no"),
    "hold": Held(DANA, "lunch"),
    "resume": Resumed(DANA),
    "promote": Promoted(ANA),
    "cancel": Cancelled(DANA, "wrong"),
    "roll back": RollbackRequested(SAM, "500s on /pay"),
    "roll back to nowhere": RollbackRequested(SAM, "500s on /pay", "v0"),
    "abandon": RollbackAbandoned(CHRIS, "by hand"),
    "a stranger": RollbackRequested("U0NOBODY", "because I can"),
}


def sights(d: Deployment, story: Story) -> dict[str, Seen]:
    now = story.now
    checks = passes(now, "ci", "smoke", "serves")
    good = Observed(now, NEW, checks, None, d.wanted_weights, a_reading(now))
    return {
        "nothing": Observed(now),
        "from before": replace(good, at=NOW - timedelta(days=1)),
        "good": good,
        "bad": replace(good, checks=fails(now, "ci", "smoke"), reading=a_reading(now, 90)),
        "elsewhere": replace(good, weights=(("v0", 100),)),
        "job done": Observed(now, job=JobStatus(d.job_key, JobState.SUCCEEDED)),
        "job failed": Observed(now, job=JobStatus(d.job_key, JobState.FAILED)),
        "job lost": Observed(now, job=JobStatus(d.job_key, JobState.LOST)),
        "refused": Observed(now, refusal="403"),
        "time": Elapsed(),
        "superseded": Superseded("D-143"),
        "late": Overtaken(d.traffic_fence - 1),
        "overtaken": Overtaken(d.traffic_fence + (5 << 24)),
        "overtaken by a stranger": Overtaken(1 << 60),
        "taken": Taken(d.traffic_fence),
        "alarmed": Alarmed("the slot is held twice"),
    }


def stands(before: Story, event: Event) -> None:
    """The decision about *event* is a legal one."""
    d = before.d
    decision = decide(d, event, before.context, before.now)
    after = decision.state
    assert after.phase is d.phase or after.phase in MOVES[d.phase]
    assert after.is_over == (after.finished_at is not None)
    assert (due_at(after, before.now, TICK) is None) == after.is_over
    assert canon.decoder(Deployment)(canon.encode(after)) == after
    if d.is_over:
        assert after == d
        assert not decision.wanted.effects
        assert not decision.wanted.records
    if after.is_over:
        asked = decision.wanted.effects
        assert not any(isinstance(effect, SetTraffic | StartJob) for effect in asked)
        assert after.fence == 0


@pytest.mark.parametrize("lateness", [TICK, timedelta(minutes=11), timedelta(days=3)])
@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_seen_is_decided_and_never_raises(place: str, lateness: timedelta) -> None:
    story = PLACES[place]().later(lateness)

    for event in sights(story.d, story).values():
        stands(story, event)


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("place", PLACES)
def test_every_wish_is_granted_or_refused_with_a_sentence(place: str, wish: str) -> None:
    story = PLACES[place]().later()

    try:
        stands(story, WISHES[wish])
    except Refused as refused:
        refusal_of(refused)


def test_the_table_covers_every_phase_and_every_event() -> None:
    phases = {make().d.phase for make in PLACES.values()}
    story = requested()
    events = (*WISHES.values(), *sights(story.d, story).values())

    assert phases == set(Phase)
    assert {type(event) for event in events} == set(get_args(Event))


@pytest.mark.parametrize("phase", sorted(OVER))
@pytest.mark.parametrize("wish", WISHES)
def test_what_is_over_refuses_every_wish(phase: Phase, wish: str) -> None:
    assert over(phase).refused(WISHES[wish])


def test_a_move_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        move(watching().d, Phase.RUNNING, NOW)


def test_every_phase_is_in_the_table_and_can_be_reached() -> None:
    assert set(MOVES) == set(Phase)
    assert {to for onward in MOVES.values() for to in onward} == set(Phase)


def test_nothing_that_is_seen_in_a_touched_environment_ends_it_but_a_rollback() -> None:
    for place in ("touching job", "seen step", "post-check", "held step"):
        story = PLACES[place]().later(timedelta(days=3))
        for event in sights(story.d, story).values():
            after = decide(story.d, event, story.context, story.now)
            assert after.state.phase not in OVER
            assert after.state.fence or after.state.phase is Phase.WATCHING


def test_what_cannot_go_on_calls_somebody() -> None:
    for place in ("touching job", "seen step", "post-check"):
        story = PLACES[place]().later(timedelta(hours=1))
        stuck = decide(story.d, Observed(story.now), story.context, story.now)
        again = decide(
            stuck.state, Observed(story.now + MINUTE), story.context, story.now + 20 * MINUTE
        )
        pages = (*stuck.wanted.effects, *again.wanted.effects)
        assert any(isinstance(effect, Page) for effect in pages)
