"""Gates: together they say PASS only when every answer is good, new and fresh."""

from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import StartJob
from bot.domain.events import Observed
from bot.domain.gates import Check, CheckResult, Driver, judge
from bot.domain.health import Verdict
from tests.builders import NOW
from tests.domain.builders import (
    MINUTE,
    TICK,
    a_post_check,
    at_step,
    fails,
    guarded_plan,
    passes,
    requested,
)

CHECKS = (Check("ci", Driver("http")), Check("tests", Driver("http")))
FRESH = timedelta(minutes=5)


def result(name: str, verdict: Verdict = Verdict.PASS, age: timedelta = TICK) -> CheckResult:
    return CheckResult(name, verdict, NOW - age, "fact")


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((result("ci"), result("tests")), Verdict.PASS),
        ((result("ci"),), Verdict.UNKNOWN),
        ((), Verdict.UNKNOWN),
        ((result("ci"), result("tests", Verdict.UNKNOWN)), Verdict.UNKNOWN),
        ((result("ci"), result("tests", Verdict.FAIL)), Verdict.FAIL),
        ((result("ci", Verdict.UNKNOWN), result("tests", Verdict.FAIL)), Verdict.FAIL),
        ((result("ci"), result("tests", age=FRESH)), Verdict.PASS),
        ((result("ci"), result("tests", age=FRESH + TICK)), Verdict.UNKNOWN),
        ((result("ci"), result("tests"), result("other", Verdict.FAIL)), Verdict.PASS),
        ((result("ci", Verdict.FAIL), result("ci"), result("tests")), Verdict.PASS),
    ],
)
def test_a_gate_says_pass_only_when_every_check_does(
    results: tuple[CheckResult, ...], expected: Verdict
) -> None:
    assert judge(CHECKS, results, NOW - 10 * MINUTE, FRESH, NOW).verdict is expected


def test_an_answer_from_before_the_stage_counts_for_nothing() -> None:
    outcome = judge(CHECKS[:1], (result("ci", age=MINUTE),), NOW - TICK, FRESH, NOW)

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.blocking[0].fact == "not looked at yet"


def test_a_failed_gate_names_only_what_failed() -> None:
    results = (result("ci", Verdict.UNKNOWN), result("tests", Verdict.FAIL))

    blocking = judge(CHECKS, results, NOW - MINUTE, FRESH, NOW).blocking

    assert [r.name for r in blocking] == ["tests"]


def test_a_passed_gate_begins_the_next_stage() -> None:
    story = requested().later()
    story.sees(checks=passes(story.now))

    assert story.d.cursor == 1
    assert story.told() == ["gate_passed", "job_started"]
    assert story.wanted(StartJob) == [StartJob(1, "T0DEMO/D-142@20260302T140000/1")]


def test_a_failed_gate_ends_the_deployment_and_touches_nothing() -> None:
    story = requested().later()
    story.sees(checks=fails(story.now, fact="2 tests red"))

    assert story.d.phase is Phase.FAILED
    assert not story.d.is_touched
    assert "2 tests red" in str(story.d.last.line)


def test_not_knowing_is_borne_for_the_gates_patience_and_no_longer() -> None:
    story = requested()

    assert story.later(10 * MINUTE - TICK).sees().d.phase is Phase.RUNNING
    assert story.d.waits_for == "ci: not looked at yet"
    assert story.later().sees().d.phase is Phase.FAILED


def test_a_look_that_began_before_the_gate_says_nothing_about_it() -> None:
    story = requested()
    before = story.now - TICK
    story.later().after(Observed(before, checks=fails(story.now)))

    assert story.d.phase is Phase.RUNNING
    assert story.d.checks == ()


def test_a_gate_behind_the_rollout_that_fails_turns_round() -> None:
    story = at_step(2, guarded_plan(a_post_check())).healthy().healthy(5 * MINUTE).later()
    assert story.d.stage.name == "Post-check"

    story.sees(checks=fails(story.now, "smoke"))

    assert story.d.phase is Phase.ROLLING_BACK


def test_a_gate_behind_the_rollout_that_cannot_be_checked_is_held() -> None:
    story = at_step(2, guarded_plan(a_post_check())).healthy().healthy(5 * MINUTE)

    assert story.later(10 * MINUTE).sees().d.phase is Phase.HELD
