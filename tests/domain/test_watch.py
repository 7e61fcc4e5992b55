"""The watch: only time that was seen to be good counts; doubt stops the clock."""

from datetime import timedelta

from bot.domain.deployment import Phase
from bot.domain.effects import FreeSlot, Milestone, Page, Proves, SetTraffic, TakeSlot
from bot.domain.events import Elapsed, Observed, Resumed, RollbackRequested
from bot.domain.plan import WatchStage
from bot.domain.slots import Ledger, Slot
from tests.builders import DANA, SAM, a_plan
from tests.domain.builders import (
    MINUTE,
    NEW,
    OLD,
    OLDER,
    TICK,
    Story,
    a_reading,
    at_step,
    held,
    one_way,
    watching,
    with_stage,
)

LAP = timedelta(seconds=30)  # the oldest a reading may be: no longer gap counts
SHORT = with_stage(a_plan(), WatchStage, lasts=10 * MINUTE, proven_after=5 * MINUTE)


def good(story: Story, time: timedelta) -> Story:
    for _ in range(int(time / LAP)):
        story.healthy(LAP)
    return story


def test_with_all_traffic_moved_the_slot_is_given_back() -> None:
    story = watching()

    assert story.d.phase is Phase.WATCHING
    assert story.d.fence == 0
    assert story.wanted(FreeSlot) == [FreeSlot()]
    assert story.context.slot == Slot(None, 1)
    assert story.wanted(Milestone)[0].what == "complete"


def test_it_is_proven_after_the_policys_time_and_not_before() -> None:
    story = good(watching(SHORT).healthy(), 5 * MINUTE - LAP)
    assert not story.d.is_proven

    good(story, LAP)

    assert story.d.is_proven
    assert story.wanted(Proves) == [Proves("v1.8.3")]


def test_it_is_proven_once() -> None:
    story = good(watching(SHORT).healthy(), 5 * MINUTE)

    assert not good(story, LAP).wanted(Proves)


def test_it_succeeds_when_the_whole_watch_was_good() -> None:
    story = good(watching(SHORT).healthy(), 10 * MINUTE - LAP)
    phases = [story.d.phase, good(story, LAP).d.phase]

    assert phases == [Phase.WATCHING, Phase.SUCCEEDED]
    assert story.d.finished_at == story.now


def test_time_that_nobody_saw_counts_as_one_gap_at_most() -> None:
    story = watching(SHORT).healthy().healthy(timedelta(hours=5))

    assert story.d.watched == LAP
    assert story.d.phase is Phase.WATCHING


def test_doubt_stops_the_clock_and_good_news_starts_it_again() -> None:
    story = good(watching(SHORT).healthy(), MINUTE)
    for seen in ({"reading": None}, {"weights": None}, {"weights": (("v1.8.2", 100),)}):
        story.healthy(LAP, **seen)
        story.healthy(LAP)
    assert story.d.watched == MINUTE

    good(story, MINUTE)

    assert story.d.watched == 2 * MINUTE


def test_mere_time_and_looks_from_before_do_not_move_the_clock() -> None:
    story = watching(SHORT).healthy()
    before = story.d.phase_since - TICK

    story.later(LAP).after(Elapsed(), Observed(before, weights=story.d.wanted_weights))

    assert story.d.watched == timedelta()
    assert story.healthy(timedelta()).d.watched == LAP


def test_a_clock_that_is_set_back_proves_nothing() -> None:
    story = watching(SHORT).healthy()
    for _ in range(20):
        story.healthy(-LAP).healthy(LAP)

    assert not story.d.is_proven


def test_a_reading_from_before_the_watch_is_no_news_of_it() -> None:
    story = watching().later()
    story.sees(weights=story.d.wanted_weights, reading=a_reading(story.d.phase_since))

    assert story.d.counted_at is None


def test_doubt_pages_once_after_the_patience_and_once_more_after_it_went_away() -> None:
    story = watching()
    laps = [len(story.healthy(MINUTE, reading=None).wanted(Page)) for _ in range(20)]
    assert sum(laps) == 1
    assert laps.index(1) == 10

    story.healthy()

    assert sum(len(story.healthy(MINUTE, reading=None).wanted(Page)) for _ in range(20)) == 1


def test_a_trigger_in_the_watch_takes_the_slot_again_and_turns_round() -> None:
    story = watching().healthy().fires()

    assert story.d.phase is Phase.ROLLING_BACK
    assert story.wanted(TakeSlot) == [TakeSlot(2)]
    assert dict(story.wanted(SetTraffic)[0].weights) == {"v1.8.2": 100}


def test_a_trigger_while_another_changes_the_environment_touches_nothing() -> None:
    story = watching().healthy().with_context(slot=Slot("D-143", 2)).fires()

    assert story.d.phase is Phase.WATCHING
    assert not story.wanted(SetTraffic)


def test_a_trigger_that_is_left_to_people_pages_once_and_the_watch_goes_on() -> None:
    story = watching(version=one_way()).healthy().fires()
    assert story.d.phase is Phase.WATCHING
    assert len(story.wanted(Page)) == 1
    assert "one-way" in str(story.wanted(Page)[0].reason)

    assert not story.unhealthy().wanted(Page)
    story.healthy().fires()

    assert len(story.wanted(Page)) == 1


def test_a_trigger_pages_although_people_know_that_health_was_unknown() -> None:
    story = watching(version=one_way()).healthy().healthy(reading=None)
    assert story.healthy(10 * MINUTE, reading=None).wanted(Page)

    assert len(story.fires().wanted(Page)) == 1


def test_an_alarm_on_hold_does_not_silence_the_watch() -> None:
    story = held(at_step(2, version=one_way()).healthy()).fires().healthy()
    story.after(Resumed(DANA)).healthy().healthy(5 * MINUTE)
    assert story.d.phase is Phase.WATCHING

    assert len(story.healthy().fires().wanted(Page)) == 1


def test_from_the_watch_one_goes_back_to_the_newest_proven_version() -> None:
    unproven = Ledger(NEW, (OLDER,))

    by_itself = watching().with_context(ledger=unproven).healthy().fires()
    by_word = watching().with_context(ledger=unproven).after(RollbackRequested(SAM, "500s on /pay"))

    for story in (by_itself, by_word):
        assert story.d.rollback is not None
        assert story.d.rollback.target == OLDER


def test_with_nothing_proven_what_served_before_is_the_way_back() -> None:
    story = watching().with_context(ledger=Ledger(NEW, ())).healthy().fires()

    assert story.d.rollback is not None
    assert story.d.rollback.target == OLD
