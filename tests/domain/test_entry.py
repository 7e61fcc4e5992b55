"""The door: everything is looked at again before the environment is first changed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import Ask, Page, SetTraffic, StartJob, Supersede, TakeSlot
from bot.domain.events import Approved, Observed, Resumed, Superseded
from bot.domain.health import Verdict
from bot.domain.plan import GateStage
from bot.domain.slots import Active, Ledger, Lock, Slot
from tests.builders import ANA, DANA, NOW, QUINN, TESS, a_version, people
from tests.domain.builders import (
    MINUTE,
    NEW,
    OLD,
    TICK,
    Story,
    a_migration_job,
    at_door,
    enters,
    fails,
    guarded_plan,
    held,
    passes,
    watching,
    without,
)


def is_outside(story: Story) -> bool:
    """Nothing was taken and nothing asked of the world."""
    asked = (*story.wanted(SetTraffic), *story.wanted(StartJob), *story.wanted(TakeSlot))
    return not (asked or story.d.fence or story.d.is_touched)


def test_when_all_still_is_as_it_was_the_slot_is_taken_and_traffic_moves() -> None:
    story = enters(at_door())

    assert story.d.fence == 1
    assert story.d.is_touched
    assert story.d.stable == OLD
    assert story.context.slot == Slot("D-142", 1)
    assert len(story.wanted(SetTraffic)) == 1


def test_each_taking_of_a_slot_counts_on() -> None:
    story = at_door().with_context(slot=Slot(None, 7))

    assert enters(story).wanted(TakeSlot) == [TakeSlot(8)]


def test_a_moved_tag_voids_what_was_approved() -> None:
    moved = a_version("v1.8.3", commit="f" * 40)

    story = enters(at_door(), resolved=moved)

    assert story.d.phase is Phase.FAILED
    assert "another build than the one approved" in str(story.d.last.line)
    assert is_outside(story)


def test_another_artefact_of_the_same_commit_is_another_build() -> None:
    story = enters(at_door(), resolved=replace(NEW, artefact="sha256:other"))

    assert story.d.phase is Phase.FAILED


def test_a_catalogue_that_does_not_answer_is_waited_for_and_then_pages() -> None:
    story = enters(at_door(), resolved=None)
    assert is_outside(story)
    assert story.d.waits_for == "the release catalogue did not answer"

    story.later(10 * MINUTE).sees()

    assert story.d.phase is Phase.HELD
    assert len(story.wanted(Page)) == 1
    assert is_outside(story)


def test_a_look_from_before_the_door_opens_nothing() -> None:
    story = at_door()
    before = story.d.stage_since - TICK

    story.after(Observed(before, resolved=NEW, checks=passes(story.now)))

    assert is_outside(story)


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.FAIL])
def test_a_gate_that_no_longer_passes_keeps_it_out(verdict: Verdict) -> None:
    story = at_door()
    results = fails(story.now + TICK) if verdict is Verdict.FAIL else ()

    enters(story, checks=results)

    assert story.d.phase is (Phase.FAILED if verdict is Verdict.FAIL else Phase.RUNNING)
    assert is_outside(story)


def test_an_old_answer_of_a_gate_is_no_answer_at_the_door() -> None:
    story = at_door()
    old = story.d.stage_since - TICK

    enters(story, checks=passes(old))

    assert is_outside(story)
    assert story.d.waits_for.startswith("gates are looked at again")


def test_a_signature_that_no_longer_counts_reopens_the_approval_stage() -> None:
    story = at_door().with_context(people=without(people(), ANA))

    enters(story)

    assert story.d.stage.name == "Approval"
    assert story.wanted(Ask) == [Ask(2)]
    assert story.told() == ["reopened"]
    assert is_outside(story)


def test_a_reopened_stage_needs_only_what_is_missing() -> None:
    everybody = without(people(), ANA)
    lead = replace(everybody.by_id[TESS], roles=frozenset({"deployment_lead"}))
    everybody = replace(everybody, by_id={**everybody.by_id, TESS: lead})
    story = enters(at_door().with_context(people=everybody))

    enters(story.later().after(Approved(TESS)))

    assert story.d.is_touched
    assert [seat.approval.by for seat in story.d.seats(everybody) if seat.approval] == [TESS, QUINN]


def test_a_slot_held_by_another_is_waited_for_without_a_page() -> None:
    story = at_door().with_context(slot=Slot("D-141", 3))
    for _ in range(20):
        enters(story.later(10 * MINUTE))
        assert is_outside(story)
        assert not story.wanted(Page)
    assert story.d.waits_for == "D-141 is changing production"

    enters(story.with_context(slot=Slot(None, 3)))

    assert story.d.fence == 4


def test_a_lock_keeps_it_out_and_after_the_patience_somebody_is_called() -> None:
    story = at_door().with_context(lock=Lock("rollback D-141 failed", None, NOW))
    assert is_outside(enters(story))
    assert story.d.waits_for == "locked: rollback D-141 failed"

    enters(story.later(10 * MINUTE))

    assert story.d.phase is Phase.HELD
    assert is_outside(story)


def test_resuming_at_the_door_looks_at_everything_again() -> None:
    story = held(at_door()).later().after(Resumed(DANA))
    assert is_outside(story)

    assert enters(story).d.is_touched


def test_without_a_known_serving_version_there_is_no_way_back_and_so_no_way_in() -> None:
    story = enters(at_door().with_context(ledger=Ledger()))

    assert story.d.phase is Phase.FAILED
    assert is_outside(story)


def test_what_another_deployment_brought_meanwhile_is_not_deployed_twice() -> None:
    story = enters(at_door().with_context(ledger=Ledger(NEW, (OLD,))))

    assert story.d.phase is Phase.FAILED
    assert "already serves" in str(story.d.last.line)


def test_the_way_back_leads_to_what_serves_when_the_slot_is_taken() -> None:
    hotfix = a_version("v1.8.2-1")

    assert enters(at_door().with_context(ledger=Ledger(hotfix, (OLD,)))).d.stable == hotfix


def test_taking_the_slot_ends_the_watch_of_the_one_before_and_of_nobody_else() -> None:
    others = (
        Active("D-140", "normal", Phase.WATCHING.value, "v1.8.2"),
        Active("D-141", "hotfix", Phase.RUNNING.value, "v1.8.4"),
    )

    story = enters(at_door().with_context(others=others))

    assert story.wanted(Supersede) == [Supersede("D-140")]


def test_a_superseded_watch_ends_without_touching_anything() -> None:
    story = watching().after(Superseded("D-143"))

    assert story.d.phase is Phase.SUPERSEDED
    assert not story.wanted(SetTraffic)


def test_only_a_watch_can_be_superseded() -> None:
    story = at_door()
    before = story.d

    assert replace(story.after(Superseded("D-143")).d, revision=before.revision) == before


def test_a_job_that_changes_the_environment_goes_through_the_door_too() -> None:
    story = at_door(guarded_plan(before_rollout=(a_migration_job(),)))
    assert not story.wanted(StartJob)

    enters(story)

    assert story.wanted(StartJob) == [StartJob(3, "T0DEMO/D-142@20260302T140000/3")]
    assert story.wanted(TakeSlot) == [TakeSlot(1)]
    assert story.d.wanted_weights == (("v1.8.2", 100),)


def test_the_gates_of_a_plan_are_all_asked_again() -> None:
    plan = guarded_plan()
    gate = plan.stages[0]
    assert isinstance(gate, GateStage)
    second = replace(gate, name="More", checks=(replace(gate.checks[0], name="scan"),))
    two = replace(plan, stages=(gate, *plan.stages[1:3], second, *plan.stages[3:]))
    story = at_door(two).later()
    story.sees(checks=passes(story.now, "scan"))
    assert story.d.stage.name == "Rollout"

    assert is_outside(enters(story, checks=passes(story.now + TICK, "scan")))
    assert enters(story, checks=passes(story.now + TICK, "ci", "scan")).d.is_touched


def test_waiting_at_the_door_is_bounded_from_its_own_beginning() -> None:
    story = enters(at_door().with_context(slot=Slot("D-141", 3)), resolved=None)
    story.with_context(slot=Slot(None, 3)).later(timedelta(hours=3))

    assert enters(story, resolved=None).d.phase is Phase.RUNNING
