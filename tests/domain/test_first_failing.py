"""A first deployment that fails is held for people: nothing to go back to, and never a dead end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import Page, Serves
from bot.domain.events import Cancelled, Held, Resumed
from bot.domain.jobs import JobState
from bot.domain.line import plain
from bot.domain.offer import offered
from bot.domain.plan import RolloutStage
from bot.domain.refusal import Refused
from bot.domain.request import request_rollback
from bot.domain.slots import Ledger
from tests.builders import DANA, DEVO, TEAM, a_plan, a_version
from tests.domain.builders import (
    MINUTE,
    NEW,
    OLD,
    TICK,
    Story,
    fails,
    held,
    job,
    one_way,
    refusal_of,
    requested,
    with_stage,
)
from tests.domain.firsts import (
    BAKE,
    BY_HAND,
    ENOUGH,
    PLACES,
    SORRY,
    TOUCHED,
    allowed,
    at_door,
    inside,
    live,
    migrating,
    page_of,
    watching,
)
from tests.domain.test_table import WISHES, sights, stands

# --- when it fails ---------------------------------------------------------------------------


def fires(story: Story) -> Story:
    return story.fires()


def refused_by_router(story: Story) -> Story:
    return story.later().sees(refusal="no such service")


def fails_its_check(story: Story) -> Story:
    return story.later().sees(checks=fails(story.now, "smoke"))


def fails_its_job(story: Story) -> Story:
    return story.later().sees(job=job(story, JobState.FAILED))


@pytest.mark.parametrize(
    ("place", "happens"),
    [
        ("live", fires),
        ("asked for", fires),
        ("post-check", fails_its_check),
        ("touching job", fails_its_job),
    ],
)
def test_what_fails_is_held_and_people_are_told_what_did_not_happen_and_what_they_can_do(
    place: str, happens: Callable[[Story], Story]
) -> None:
    story = happens(PLACES[place]())

    assert story.d.phase is Phase.HELD
    assert story.d.rollback is None
    said = page_of(story)
    assert "nothing was rolled back, because there is nothing to go back to" in said
    assert "D-142 can be resumed, or ended with /deploy cancel D-142 reason" in said
    assert said.endswith(f"By hand: {BY_HAND}.")
    assert "/rollback" not in said


def test_a_migration_is_not_blamed_for_a_way_back_that_never_was() -> None:
    story = live()
    story.decision = replace(
        story.decision, state=replace(story.d, version=one_way()), wanted=story.decision.wanted
    )

    assert "one-way" not in page_of(story.fires())


def test_not_knowing_is_held_even_where_the_policy_would_go_back() -> None:
    story = inside(with_stage(a_plan(), RolloutStage, is_unknown_rolled_back=True))

    story.later().sees().later(10 * MINUTE).sees()

    assert story.d.phase is Phase.HELD
    assert "nothing to go back to" in page_of(story)


def test_a_held_one_that_fails_calls_once_and_says_how_to_end_it() -> None:
    story = held(live()).fires()
    assert story.d.phase is Phase.HELD
    assert "/deploy cancel D-142 reason" in page_of(story)

    assert not story.unhealthy().wanted(Page)


def test_in_the_watch_people_are_called_and_pointed_to_a_version_that_works() -> None:
    story = watching().fires()

    assert story.d.phase is Phase.WATCHING
    said = page_of(story)
    assert "Deploy a version that works: /deploy checkout VERSION" in said
    assert "/rollback" not in said


def test_where_the_world_is_ahead_nobody_is_pointed_to_a_rollback() -> None:
    story = live().later().sees(weights=((OLD.name, 100),))

    assert story.d.phase is Phase.HELD
    assert "End it with /deploy cancel D-142 reason" in page_of(story)
    assert "/rollback" not in page_of(story)


def test_once_mended_it_is_resumed_and_bakes_anew() -> None:
    story = live().fires().later().after(Resumed(DANA))

    assert story.healthy().d.phase is Phase.RUNNING
    assert story.healthy(BAKE - TICK).d.phase is Phase.RUNNING
    assert story.healthy().d.phase is Phase.WATCHING


@pytest.mark.parametrize("place", TOUCHED)
def test_a_rollback_is_refused_with_the_reason_and_a_way_on(place: str) -> None:
    story = PLACES[place]()

    refusal = story.refused(SORRY)

    assert refusal.rule == "first_deployment"
    assert "nothing to roll back to" in plain(refusal.why)
    is_over = place == "watch"
    way = "/deploy checkout VERSION" if is_over else "/deploy cancel D-142 reason"
    assert way in plain(refusal.next_step)
    assert BY_HAND in plain(refusal.next_step)
    assert "roll_back" not in offered(story.d)


def test_before_it_touched_anything_it_is_cancelled_like_any_other() -> None:
    assert at_door().refused(SORRY).rule == "untouched"

    story = at_door().later().after(Cancelled(DANA))

    assert story.d.phase is Phase.CANCELLED
    assert not story.wanted(Serves)


def test_what_a_person_adopts_meanwhile_is_a_way_back() -> None:
    story = live().with_context(ledger=Ledger(OLD, (OLD,)))

    story.fires()

    assert story.d.rollback is not None
    assert story.d.rollback.target == OLD
    assert story.d.wanted_weights == ((OLD.name, 100),)


def test_a_finished_one_is_not_rolled_back_to_nowhere() -> None:
    story = watching()
    finished = replace(story.d, phase=Phase.SUCCEEDED, finished_at=story.now)

    with pytest.raises(Refused) as refused:
        request_rollback(TEAM, "D-143", finished, SORRY, story.context, story.now)

    assert refusal_of(refused.value).rule == "first_deployment"


def test_a_finished_one_goes_back_to_what_was_proven_since() -> None:
    story = watching()
    finished = replace(story.d, phase=Phase.SUCCEEDED, finished_at=story.now)
    context = replace(story.context, ledger=Ledger(NEW, (NEW, OLD)))

    back = request_rollback(TEAM, "D-143", finished, SORRY, context, story.now).state

    assert back.rollback is not None
    assert (back.rollback.target, back.is_first) == (OLD, False)


# --- ending it -------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["live", "held"])
def test_ended_half_way_what_is_seen_to_be_live_serves_and_is_not_proven(place: str) -> None:
    story = PLACES[place]().later().after(ENOUGH)

    assert story.d.phase is Phase.CANCELLED
    assert story.context.slot.holder is None
    assert story.context.ledger == Ledger(NEW, ())
    assert "Nothing was rolled back: v1.8.3 keeps the traffic it has" in plain(story.d.last.line)


def test_ended_before_any_traffic_was_asked_for_the_next_is_a_first_again() -> None:
    story = migrating().later().after(ENOUGH)
    assert story.d.phase is Phase.CANCELLED
    assert story.context.ledger == Ledger()

    assert requested(allowed(), a_version("v1.9.0"), story.context).d.is_first


def test_after_an_ended_one_the_next_shares_traffic_with_what_it_left() -> None:
    story = live().later().after(ENOUGH)

    following = requested(allowed(), a_version("v1.9.0"), story.context)

    assert not following.d.is_first
    assert following.d.stable == NEW


def test_ending_it_half_way_needs_words_and_the_right() -> None:
    assert live().refused(Cancelled(DANA)).rule == "reason"

    rights = replace(a_plan().rights, cancel=("cto",))
    assert live(a_plan(rights=rights)).refused(Cancelled(DEVO, "no")).rule == "role"


def test_a_job_that_nobody_can_say_the_end_of_is_ended_by_a_person() -> None:
    story = migrating().later()
    story.sees(job=job(story, JobState.LOST))
    assert offered(story.d) == ("cancel",)

    story.later().after(ENOUGH)

    assert story.d.phase is Phase.CANCELLED
    assert "stays as it is" in plain(story.d.last.line)


def test_one_with_a_way_back_is_still_not_cancelled_half_way() -> None:
    story = live()
    story.decision = replace(story.decision, state=replace(story.d, stable=OLD))

    assert story.refused(ENOUGH).rule == "touched"


# --- the table -------------------------------------------------------------------------------


@pytest.mark.parametrize("lateness", [TICK, 11 * MINUTE, timedelta(days=3)])
@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_seen_is_decided_and_nothing_is_sent_back(
    place: str, lateness: timedelta
) -> None:
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


@pytest.mark.parametrize("place", TOUCHED)
def test_there_is_always_something_a_person_can_do(place: str) -> None:
    story = PLACES[place]()
    if story.d.phase is Phase.RUNNING:
        assert "cancel" in offered(story.d)
        assert "cancel" in offered(story.later().after(Held(DANA)).d)
