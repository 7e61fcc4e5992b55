"""Ending a first deployment before its traffic was seen: nothing comes live afterwards."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import FreeSlot, LockEnvironment, Page, Serves, SetTraffic
from bot.domain.events import (
    Cancelled,
    Observed,
    Overtaken,
    Resumed,
    RollbackAbandoned,
    Taken,
)
from bot.domain.line import plain
from bot.domain.offer import offered, still_means
from bot.domain.release import Weights
from bot.domain.slots import Ledger
from tests.builders import CHRIS, DANA, DEVO
from tests.domain.builders import MINUTE, NEW, OLD, TICK, Story, at_step, enters, held
from tests.domain.firsts import BAKE, ENOUGH, SORRY, at_door, inside, live, page_of
from tests.domain.test_table import WISHES, sights, stands

NOBODY: Weights = ()
ALL: Weights = ((NEW.name, 100),)
OTHERS: Weights = ((OLD.name, 100),)


def ending() -> Story:
    """Asked for, not seen, and given up: asked of the router to take it back."""
    return inside().later().after(ENOUGH)


def told() -> Story:
    story = ending().later()
    return story.after(Taken(story.d.taken_back))


def test_it_is_not_over_while_its_command_may_be_under_way() -> None:
    story = ending()

    assert story.d.phase is Phase.HELD
    assert story.d.fence
    assert [split.weights for split in story.wanted(SetTraffic)] == [NOBODY]
    assert "taken back first" in plain(story.d.last.line)
    assert story.later().sees(weights=NOBODY).d.phase is Phase.HELD


def test_it_is_over_when_the_router_was_told_and_is_seen_to_send_nobody_anything() -> None:
    story = told().later().sees(weights=NOBODY)

    assert story.d.phase is Phase.CANCELLED
    assert story.wanted(FreeSlot)
    assert not story.wanted(Serves)
    assert story.context.ledger == Ledger()
    assert "nobody gets traffic in production, as before" in plain(story.d.last.line)


def test_what_takes_it_back_is_newer_than_all_that_was_asked_for() -> None:
    story = inside()
    (asked,) = story.wanted(SetTraffic)
    story.healthy(weights=NOBODY)
    (again,) = story.wanted(SetTraffic)

    story.later().after(ENOUGH)

    (back,) = story.wanted(SetTraffic)
    assert asked.fence < again.fence < back.fence == story.d.taken_back


def test_what_the_router_took_before_says_nothing_of_it() -> None:
    story = ending().later()

    story.after(Taken(story.d.taken_back - 1)).later().sees(weights=NOBODY)

    assert story.d.phase is Phase.HELD


@pytest.mark.parametrize("ago", [timedelta(seconds=1), TICK])
def test_a_look_from_before_the_router_was_told_says_nothing_of_it(ago: timedelta) -> None:
    story = told()

    story.after(Observed(story.now - ago, weights=NOBODY))

    assert story.d.phase is Phase.HELD


def test_being_told_twice_that_the_router_took_it_changes_nothing() -> None:
    story = told().later()
    before = story.d

    story.after(Taken(before.taken_back + 1))

    assert replace(story.d, revision=before.revision) == before


def test_what_came_live_meanwhile_is_taken_back_before_it_is_over() -> None:
    story = told().later().sees(weights=ALL)

    assert story.d.phase is Phase.HELD
    assert [split.weights for split in story.wanted(SetTraffic)] == [NOBODY]
    assert story.later().sees(weights=NOBODY).d.phase is Phase.CANCELLED


@pytest.mark.parametrize("place", [inside, lambda: held(inside())])
def test_a_router_that_is_silent_ends_nothing_and_people_are_called_again_and_again(
    place: object,
) -> None:
    assert callable(place)
    story: Story = place().later().after(ENOUGH)
    pages: list[Page] = []
    for _ in range(12):
        pages += story.later(MINUTE).sees().wanted(Page)

    assert story.d.phase is Phase.HELD
    assert len(pages) == 2
    assert "is over when the router is seen to send nobody anything" in plain(pages[0].reason)
    assert "given up with /rollback abandon D-142 reason" in plain(pages[0].reason)


# --- what cannot be taken back -----------------------------------------------------------------


def is_left_to_people(story: Story) -> bool:
    assert story.d.phase is Phase.CANCELLED
    assert not story.d.taken_back
    assert story.wanted(LockEnvironment)
    assert story.context.slot.holder is None
    said = page_of(story)
    assert "its traffic may still come" in said
    assert "/deploy unlock checkout reason" in said
    return "its traffic may still come" in plain(story.d.last.line)


def test_what_the_router_refuses_for_good_locks_and_calls_people() -> None:
    assert is_left_to_people(ending().later().sees(refusal="no such service"))


def test_a_refusal_from_before_is_no_news_of_it() -> None:
    story = ending()

    assert story.after(Observed(story.now - TICK, refusal="403")).d.phase is Phase.HELD


def test_what_others_serve_is_never_taken_away() -> None:
    story = told().later().sees(weights=OTHERS)

    assert is_left_to_people(story)
    assert not story.wanted(SetTraffic)


def test_what_a_person_says_serves_meanwhile_is_never_taken_away() -> None:
    story = told().with_context(ledger=Ledger(OLD, (OLD,))).later().sees(weights=NOBODY)

    assert is_left_to_people(story)
    assert not story.wanted(SetTraffic)


def test_a_router_that_knows_newer_commands_is_left_as_it_is() -> None:
    story = ending().later()

    assert is_left_to_people(story.after(Overtaken(story.d.traffic_fence + (5 << 24))))


def test_whoever_may_abandon_a_rollback_may_give_it_up() -> None:
    assert ending().refused(RollbackAbandoned(DEVO, "by hand")).rule == "role"
    assert ending().refused(RollbackAbandoned(CHRIS, " ")).rule == "reason"

    assert is_left_to_people(ending().later().after(RollbackAbandoned(CHRIS, "by hand")))


def test_where_the_router_knew_better_nobody_can_say_what_will_be_live() -> None:
    story = live().later().sees(weights=OTHERS)
    assert story.d.is_behind

    assert is_left_to_people(story.later().after(ENOUGH))


# --- people --------------------------------------------------------------------------------------


def test_until_it_is_over_a_person_may_change_their_mind() -> None:
    story = told().later()
    assert offered(story.d) == ("resume",)

    story.after(Resumed(DANA)).healthy(weights=NOBODY)

    assert story.d.phase is Phase.RUNNING
    assert [split.weights for split in story.wanted(SetTraffic)] == [ALL]
    assert story.healthy().healthy(BAKE).d.phase is Phase.WATCHING


def test_what_was_told_to_the_router_before_a_change_of_mind_does_not_end_it() -> None:
    story = told().later().after(Resumed(DANA)).later().after(ENOUGH)

    assert story.later().sees(weights=NOBODY).d.phase is Phase.HELD


def test_a_second_wish_to_end_it_is_told_what_is_waited_for() -> None:
    refusal = ending().refused(ENOUGH)

    assert refusal.rule == "too_late"
    assert "is over when the router is seen" in plain(refusal.next_step)


def test_a_resume_from_before_is_no_change_of_mind() -> None:
    story = held(inside())
    offer = story.d.offer

    story.later().after(ENOUGH)

    assert not still_means(story.d, Resumed(DANA), offer)
    assert still_means(story.d, Resumed(DANA), story.d.offer)


def test_once_over_nothing_gives_it_up_any_more() -> None:
    story = told().later().sees(weights=NOBODY)

    assert story.refused(RollbackAbandoned(CHRIS, "by hand")).rule == "too_late"


def test_where_a_person_said_meanwhile_what_serves_it_is_rolled_back_instead() -> None:
    story = inside().with_context(ledger=Ledger(OLD, (OLD,))).later()

    assert "/rollback D-142 reason" in plain(story.refused(ENOUGH).next_step)

    assert story.after(SORRY).d.wanted_weights == OTHERS


def test_rolling_back_while_it_is_being_ended_goes_to_what_serves() -> None:
    story = ending().with_context(ledger=Ledger(OLD, (OLD,))).later().after(SORRY)

    assert story.d.phase is Phase.ROLLING_BACK
    assert [split.weights for split in story.wanted(SetTraffic)] == [OTHERS]
    assert story.later().sees(weights=OTHERS).d.phase is Phase.ROLLED_BACK


# --- what stays live -----------------------------------------------------------------------------


def test_what_was_seen_live_stays_so_though_the_router_is_silent_now() -> None:
    story = live().healthy(weights=None).later().after(ENOUGH)

    assert story.d.phase is Phase.CANCELLED
    assert story.context.ledger == Ledger(NEW, ())


def test_what_somebody_had_started_by_hand_stays_as_it_was() -> None:
    story = enters(at_door(), weights=ALL).later().after(ENOUGH)

    assert story.d.phase is Phase.CANCELLED
    assert story.context.ledger == Ledger(NEW, ())


def test_what_a_person_said_serves_stays_so() -> None:
    story = inside().with_context(ledger=Ledger(NEW, (NEW,))).later().after(ENOUGH)

    assert story.d.phase is Phase.CANCELLED
    assert story.context.ledger == Ledger(NEW, (NEW,))


def test_what_was_live_and_is_not_any_more_does_not_come_back() -> None:
    story = live().healthy(weights=NOBODY).later().after(ENOUGH)

    assert [split.weights for split in story.wanted(SetTraffic)] == [NOBODY]
    assert not story.d.is_over


# --- the table -------------------------------------------------------------------------------


@pytest.mark.parametrize("lateness", [TICK, 11 * MINUTE, timedelta(days=3)])
@pytest.mark.parametrize("place", [ending, told])
def test_whatever_is_seen_is_decided(place: object, lateness: timedelta) -> None:
    assert callable(place)
    story: Story = place().later(lateness)

    for event in sights(story.d, story).values():
        stands(story, event)


@pytest.mark.parametrize("wish", WISHES)
def test_every_wish_is_granted_or_refused_with_a_sentence(wish: str) -> None:
    story = ending().later()
    is_granted = wish in ("resume", "abandon")

    if is_granted:
        stands(story, WISHES[wish])
    else:
        assert story.refused(WISHES[wish])


def test_one_with_a_way_back_is_never_ended_like_this() -> None:
    story = at_step()

    assert story.after(Taken(story.d.traffic_fence)).d.phase is Phase.RUNNING
    assert story.refused(Cancelled(DANA, "enough")).rule == "touched"
