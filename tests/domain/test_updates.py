"""The scheduled status: on its grid, late but never lost, and never twice."""

from datetime import timedelta

from bot.domain.decide import due_at
from bot.domain.deployment import Deployment, Phase
from bot.domain.effects import CloseUpdate, PostUpdate
from bot.domain.events import (
    Approved,
    Cancelled,
    Elapsed,
    Held,
    Promoted,
    Resumed,
    RollbackRequested,
)
from bot.domain.offer import offered, still_means
from bot.domain.plan import UpdateRules
from tests.builders import ANA, DANA, NOW, SAM, TESS, a_plan
from tests.domain.builders import (
    MINUTE,
    TICK,
    Story,
    at_approval,
    at_door,
    at_job,
    at_step,
    enters,
    held,
    requested,
    watching,
)

EVERY = 15 * MINUTE


def beats(story: Story) -> list[int]:
    return [update.beat for update in story.wanted(PostUpdate) if update.beat is not None]


def test_the_first_status_comes_with_the_start_and_the_next_on_the_grid() -> None:
    story = requested()

    assert story.wanted(PostUpdate) == [PostUpdate(NOW, None, "start")]
    assert story.d.update_due_at == NOW + EVERY


def test_each_beat_is_told_once() -> None:
    # The first step is held by hand, so nothing but the beat changes.
    story = at_step().healthy().after(Held(DANA))
    told = [beat for _ in range(60) for beat in beats(story.healthy(MINUTE))]

    assert told == sorted(set(told))
    assert len(told) == 4


def test_a_late_beat_is_told_with_the_moment_it_was_due() -> None:
    story = at_step().healthy().after(Held(DANA))
    due = story.d.update_due_at
    assert due is not None

    story.later(due - story.now + 7 * MINUTE).after(Elapsed())

    assert [(u.due_at, u.beat) for u in story.wanted(PostUpdate)] == [(due, 1)]


def test_missed_beats_are_told_as_one_and_the_next_is_on_the_old_grid() -> None:
    story = at_step().healthy().after(Held(DANA))
    start, due = story.d.started_at, story.d.update_due_at
    assert start is not None
    assert due is not None

    story.later(due - story.now + 4 * EVERY + MINUTE).after(Elapsed())

    assert beats(story) == [5]
    assert story.d.update_due_at == start + 6 * EVERY


def test_while_people_are_asked_and_while_it_is_watched_nothing_is_told_by_the_clock() -> None:
    for story in (at_approval(), watching()):
        assert story.d.update_due_at is None


def test_the_grid_is_the_same_after_an_approval() -> None:
    story = at_approval().later(20 * MINUTE).after(Approved(ANA), Approved("U0QUINN"))

    assert story.d.started_at == NOW
    assert story.d.update_due_at == NOW + 2 * EVERY


def test_a_change_of_phase_is_told_between_the_beats() -> None:
    story = at_step().healthy().after(Held(DANA))

    assert story.wanted(PostUpdate) == [PostUpdate(story.now, None, "held")]


def test_what_is_over_is_told_no_more() -> None:
    story = at_job().after(Cancelled(DANA))

    assert story.d.update_due_at is None
    assert not story.wanted(PostUpdate)


def test_a_rollback_out_of_the_watch_beats_again() -> None:
    story = watching().healthy().after(RollbackRequested(SAM, "500s on /pay"))

    assert story.d.update_due_at is not None


def due(d: Deployment, story: Story) -> timedelta:
    at = due_at(d, story.now, TICK)
    assert at is not None
    return at - story.now


def test_what_must_be_seen_is_due_every_tick() -> None:
    for story in (requested(), at_job(), at_door(), at_step(), watching(), held(at_step())):
        assert due(story.d, story) == TICK


def test_an_approval_is_due_when_it_reminds_and_when_it_expires() -> None:
    story = at_approval()
    assert due(story.d, story) == 30 * MINUTE

    story.elapses(30 * MINUTE)

    assert due(story.d, story) == timedelta(hours=3, minutes=30)


def test_a_hold_that_touched_nothing_is_due_when_it_speaks() -> None:
    seldom = UpdateRules(timedelta(hours=50), MINUTE)
    story = held(at_approval(a_plan(updates=seldom)))
    assert due(story.d, story) == 30 * MINUTE

    assert due(story.elapses(29 * MINUTE).d, story) == MINUTE
    assert due(story.elapses(timedelta(hours=23, minutes=30)).d, story) == MINUTE
    assert story.elapses(MINUTE).d.phase is Phase.EXPIRED


def test_what_is_overdue_is_due_now_and_what_is_over_never() -> None:
    story = at_approval()
    overdue = story.d

    assert due(overdue, story.later(timedelta(days=2))) == timedelta()
    assert due_at(story.after(Cancelled(DANA)).d, story.now, TICK) is None


def test_the_offer_changes_only_with_what_the_buttons_mean() -> None:
    story = at_step().healthy()
    offer = story.d.offer
    for _ in range(5):
        assert story.healthy().d.offer == offer

    assert story.healthy(5 * MINUTE).d.offer == offer + 1
    assert story.after(Held(DANA)).d.offer == offer + 2
    assert story.after(Resumed(DANA)).d.offer == offer + 3


def test_a_button_stays_good_while_it_means_the_same() -> None:
    story = at_step().healthy()
    offer = story.d.offer

    story.healthy(5 * MINUTE)

    assert story.d.offer == offer + 1
    assert still_means(story.d, Held(DANA), offer)
    assert still_means(story.d, RollbackRequested(SAM, "500s on /pay"), offer)
    assert not still_means(story.d, Promoted(TESS), offer), "it would go to another step"


def test_a_button_that_went_away_and_came_back_is_another_one() -> None:
    story = at_step().healthy()
    offer = story.d.offer

    story.after(Held(DANA))
    assert not still_means(story.d, Held(DANA), offer)
    story.after(Resumed(DANA))

    assert not still_means(story.d, Held(DANA), offer)
    assert not still_means(story.d, Resumed(DANA), story.d.offer)
    assert not still_means(story.d, Held(DANA), story.d.offer + 1), "nobody was ever offered that"


def test_a_signature_or_a_reminder_leaves_the_asking_as_it_is() -> None:
    story = at_approval()
    offer = story.d.offer

    assert story.after(Approved(ANA)).d.offer == offer
    assert story.elapses(30 * MINUTE).d.offer == offer


def test_going_through_the_door_changes_what_the_buttons_mean() -> None:
    story = at_door()
    before, offer = offered(story.d), story.d.offer

    enters(story)

    assert before == ("hold", "cancel")
    assert offered(story.d) == ("promote", "hold", "roll_back")
    assert story.d.offer == offer + 1


def test_each_phase_offers_what_makes_sense_there() -> None:
    assert offered(at_approval().d) == ("approve", "reject", "hold", "cancel")
    assert offered(held(at_approval()).d) == ("resume", "cancel")
    assert offered(at_step(2).d) == ("hold", "roll_back")
    assert offered(held(at_step()).d) == ("resume", "roll_back")
    assert offered(watching().d) == ("roll_back",)
    assert offered(at_step().after(RollbackRequested(SAM, "500s")).d) == ()
    assert at_job().after(Cancelled(DANA)).d.phase is Phase.CANCELLED


def test_when_it_begins_to_wait_for_people_the_last_status_says_so() -> None:
    story = at_approval()

    assert [u.occasion for u in story.wanted(PostUpdate)] == ["waiting"]
    assert story.d.update_due_at is None


def test_what_waits_for_people_is_not_told_again_every_lap() -> None:
    assert not at_approval().later(TICK).after(Elapsed()).wanted(PostUpdate)


def test_the_last_status_shrinks_when_nothing_more_is_scheduled() -> None:
    assert watching().wanted(CloseUpdate) == [CloseUpdate()]
    assert at_job().after(Cancelled(DANA, "not today")).wanted(CloseUpdate) == [CloseUpdate()]
