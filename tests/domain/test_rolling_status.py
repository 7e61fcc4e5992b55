"""The rolling status: one message per beat, drawn over in between, gone when all is over."""

from dataclasses import replace

from bot.domain.deployment import Phase
from bot.domain.effects import CloseUpdate, PostUpdate
from bot.domain.events import (
    Approved,
    Cancelled,
    Elapsed,
    Held,
    Rejected,
    Resumed,
    RollbackRequested,
)
from bot.domain.plan import ApprovalStage, WatchStage
from bot.domain.updates import is_new_message, news
from tests.builders import ANA, DANA, SAM, a_plan
from tests.domain.builders import (
    MINUTE,
    Story,
    at_approval,
    at_step,
    requested,
    watching,
    with_stage,
)

EVERY = 15 * MINUTE


def drawn(story: Story, last: int) -> list[bool]:
    """Which of the statuses wanted now are messages of their own, after one of beat *last*."""
    return [is_new_message(story.d, last, "") for _ in story.wanted(PostUpdate)]


def test_within_a_beat_progress_changes_the_status_that_stands() -> None:
    story = at_approval()
    assert drawn(story, last=0) == [False]

    story.after(Approved(ANA), Approved("U0QUINN"))
    assert drawn(story, last=0) == [False]


def test_each_step_changes_the_status_that_stands() -> None:
    story = at_step().healthy()
    step = story.d.step

    story.healthy(5 * MINUTE)

    assert story.d.step == step + 1
    assert [update.occasion for update in story.wanted(PostUpdate)] == ["progress"]
    assert drawn(story, story.d.beat) == [False]


def test_what_is_seen_of_health_changes_the_status_and_the_same_again_does_not() -> None:
    story = at_step()
    told = [len(story.healthy().wanted(PostUpdate)) for _ in range(4)]
    sick = story.unhealthy()

    assert told[0] == 1
    assert told[2:] == [0, 0]
    assert drawn(sick, sick.d.beat) == [False]


def test_every_beat_has_a_status_of_its_own() -> None:
    story = at_step().healthy().after(Held(DANA))
    due = story.d.update_due_at
    assert due is not None

    story.later(due - story.now).after(Elapsed())

    assert story.d.beat == 1
    assert drawn(story, last=0) == [True]


def test_a_beat_that_gave_way_to_a_change_of_phase_is_told_with_it() -> None:
    story = at_step().healthy().after(Held(DANA))
    due = story.d.update_due_at
    assert due is not None

    story.later(due - story.now).after(Elapsed()).after(Resumed(DANA))

    assert [update.beat for update in story.wanted(PostUpdate)] == [None]
    assert drawn(story, last=0) == [True]


def test_going_on_after_a_long_wait_is_told_at_the_bottom_of_the_channel() -> None:
    story = at_approval().later(EVERY + MINUTE).after(Approved(ANA), Approved("U0QUINN"))

    assert drawn(story, last=0) == [True]


def test_what_holds_or_turns_back_is_a_message_of_its_own_at_once() -> None:
    by_hand, in_approval = at_step().healthy(), at_approval()
    turned, late = at_step().healthy(), watching().healthy()
    back = RollbackRequested(SAM, "500s on /pay")

    assert drawn(by_hand.after(Held(DANA)), by_hand.d.beat) == [True]
    assert drawn(in_approval.after(Held(DANA)), in_approval.d.beat) == [True]
    assert drawn(turned.after(back), turned.d.beat) == [True]
    assert drawn(late.after(back), late.d.beat) == [True]
    assert drawn(by_hand.after(Resumed(DANA)), by_hand.d.beat) == [False]


def test_a_second_hold_is_news_and_the_same_one_told_again_is_not() -> None:
    story = at_step().healthy().after(Held(DANA))
    first, beat = news(story.d), story.d.beat
    told_again = is_new_message(story.d, beat, first)
    story.later().after(Resumed(DANA)).later().after(Held(DANA))

    assert not told_again
    assert is_new_message(story.d, beat, first)


def test_a_status_that_says_what_it_waits_for_shrinks_when_nobody_waits_any_more() -> None:
    for end in (Cancelled(DANA, "not today"), Rejected(ANA, "not tested")):
        assert at_approval().after(end).wanted(CloseUpdate) == [CloseUpdate()]


def test_a_signature_changes_the_status_that_says_who_is_missing() -> None:
    story = at_approval().later(MINUTE).after(Approved(ANA))

    assert [update.occasion for update in story.wanted(PostUpdate)] == ["waiting"]
    assert drawn(story, last=0) == [False]
    assert not story.later(MINUTE).after(Elapsed()).wanted(PostUpdate)


def test_what_has_shrunk_does_not_shrink_again() -> None:
    story = watching(with_stage(a_plan(), WatchStage, lasts=MINUTE))
    for _ in range(30):
        story.healthy()

    assert story.d.phase is Phase.SUCCEEDED
    assert not story.wanted(CloseUpdate)


def test_what_was_never_told_has_no_status_to_shrink() -> None:
    plan = a_plan()
    asking = next(i for i, stage in enumerate(plan.stages) if isinstance(stage, ApprovalStage))
    story = requested(replace(plan, stages=plan.stages[asking:]))
    assert story.d.started_at is None

    assert not story.after(Cancelled(DANA, "not today")).wanted(CloseUpdate)
