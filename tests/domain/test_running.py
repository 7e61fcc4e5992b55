"""Jobs: started once per key, finished only when seen, and never waited for without end."""

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import Page, StartJob, StopJob
from bot.domain.events import Cancelled, Observed, Resumed
from bot.domain.jobs import JobState, JobStatus
from bot.domain.line import plain
from tests.builders import DANA
from tests.domain.builders import (
    MINUTE,
    TICK,
    Story,
    a_migration_job,
    a_post_check,
    at_door,
    at_job,
    at_step,
    enters,
    guarded_plan,
    held,
    job,
    one_way,
    passes,
)

LIMIT = 20 * MINUTE  # twice the job's own ten: its runner had time enough to say so


def migrating() -> Story:
    return enters(at_door(guarded_plan(before_rollout=(a_migration_job(),))))


def test_a_job_passes_when_its_runner_says_so() -> None:
    story = at_job().later(MINUTE)

    story.sees(job=job(story))

    assert story.d.stage.name == "Approval"
    assert story.told() == ["job_passed"]


def test_another_jobs_success_is_not_this_ones() -> None:
    story = at_job().later().sees(job=JobStatus("T0DEMO/D-141/1", JobState.SUCCEEDED))

    assert story.d.stage.name == "Staging"


def test_a_failed_job_before_the_environment_ends_it_untouched() -> None:
    story = at_job().later()

    story.sees(job=job(story, JobState.FAILED, "exit 3"))

    assert story.d.phase is Phase.FAILED
    assert "Staging failed: exit 3" in str(story.d.last.line)


def test_a_failed_job_in_the_environment_turns_round() -> None:
    story = migrating().later()

    story.sees(job=job(story, JobState.FAILED, "exit 3"))

    assert story.d.phase is Phase.ROLLING_BACK


def test_a_failed_one_way_migration_is_left_to_people() -> None:
    plan = guarded_plan(before_rollout=(a_migration_job(),))
    story = enters(at_door(plan, one_way())).later()

    story.sees(job=job(story, JobState.FAILED, "exit 3"))

    assert story.d.phase is Phase.HELD
    assert len(story.wanted(Page)) == 1


def test_a_job_nobody_knows_the_end_of_is_held() -> None:
    story = at_job().later()

    story.sees(job=job(story, JobState.LOST, "the runner was restarted"))

    assert story.d.phase is Phase.HELD
    (page,) = story.wanted(Page)
    assert "the runner was restarted" in plain(page.reason)
    assert "ended with /deploy cancel D-142 reason and requested again" in plain(page.reason)


def test_a_job_nobody_knows_the_end_of_is_not_resumed_and_the_refusal_leads_on() -> None:
    plan = guarded_plan(before_rollout=(a_migration_job(),))
    early = at_job().later()
    late = enters(at_door(plan)).later()
    for story in (early, late):
        story.sees(job=job(story, JobState.LOST, "the runner was restarted"))

    ways = [plain(story.refused(Resumed(DANA)).next_step) for story in (early, late)]

    assert "/deploy cancel D-142 reason" in ways[0]
    assert "/rollback D-142 reason" in ways[1]


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.ABSENT, None])
def test_a_job_that_does_not_end_is_held_whatever_its_runner_says(state: JobState | None) -> None:
    story = at_job()
    status = job(story, state) if state else None

    assert story.later(LIMIT - TICK).sees(job=status).d.phase is Phase.RUNNING
    assert story.later(TICK).sees(job=status).d.phase is Phase.HELD
    assert len(story.wanted(Page)) == 1


def test_resuming_an_overdue_job_waits_for_it_once_more_without_starting_it_twice() -> None:
    story = at_job()
    story.later(LIMIT).sees(job=job(story, JobState.RUNNING)).after(Resumed(DANA))
    assert not story.wanted(StartJob)

    assert story.later(MINUTE).sees(job=job(story, JobState.RUNNING)).d.phase is Phase.RUNNING


def test_a_refused_job_ends_it_but_a_refusal_from_before_does_not() -> None:
    story = at_job()
    before = story.d.stage_since - TICK

    assert story.after(Observed(before, refusal="no such program")).d.phase is Phase.RUNNING
    assert story.later().sees(refusal="no such program").d.phase is Phase.FAILED


def test_ending_it_stops_the_job_nobody_wants_any_more() -> None:
    story = at_job().after(Cancelled(DANA))

    assert story.wanted(StopJob) == [StopJob(1, "T0DEMO/D-142@20260302T140000/1")]


def test_a_job_that_ended_is_not_stopped() -> None:
    story = at_job().later()
    story.sees(job=job(story, JobState.FAILED))

    assert not story.wanted(StopJob)


def test_a_job_that_fails_while_nobody_can_go_on_is_looked_at_after_the_hold() -> None:
    story = held(at_job()).later()
    assert story.sees(job=job(story)).d.phase is Phase.HELD

    story.after(Resumed(DANA)).later()

    assert story.sees(job=job(story)).d.stage.name == "Approval"


def test_resuming_a_gate_behind_the_rollout_looks_at_it_anew() -> None:
    story = at_step(2, guarded_plan(a_post_check())).healthy().healthy(5 * MINUTE)
    story.later(10 * MINUTE).sees().after(Resumed(DANA)).later()
    assert story.sees().d.waits_for == "smoke: not looked at yet"

    story.later().sees(checks=passes(story.now, "smoke"))

    assert story.d.phase is Phase.WATCHING
