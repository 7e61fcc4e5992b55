"""Asking: what is refused before anything starts, each with why and what to do next."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.approvals import RoleSlot
from bot.domain.decide import settle
from bot.domain.deployment import Deployment, Phase
from bot.domain.effects import RefreshCard, SetTraffic, TakeSlot
from bot.domain.events import Requested, RollbackRequested
from bot.domain.line import plain
from bot.domain.plan import ApprovalStage, Plan
from bot.domain.refusal import Refusal, Refused
from bot.domain.request import request, request_rollback
from bot.domain.slots import Active, Context, Ledger, Lock, Slot
from tests.builders import ANA, CHRIS, DANA, NOW, QUINN, SAM, a_plan, people
from tests.domain.builders import (
    MINUTE,
    NEW,
    OLD,
    OLDER,
    Story,
    a_context,
    refusal_of,
    requested,
    watching,
    with_stage,
    without,
)


def refused(plan: Plan | None = None, by: str = DANA, **context: Any) -> Refusal:
    wish = Requested(by, NEW, plan or a_plan(), "digest", "policy")
    with pytest.raises(Refused) as caught:
        request("T0DEMO", "D-1", wish, a_context(**context), NOW)
    return refusal_of(caught.value)


def busy(phase: Phase, kind: str = "normal") -> tuple[Active, ...]:
    return (Active("D-141", kind, phase.value, "v1.8.4"),)


def test_a_request_begins_at_the_first_stage_and_touches_nothing() -> None:
    story = requested()

    assert (story.d.phase, story.d.cursor, story.d.offer) == (Phase.RUNNING, 0, 1)
    assert story.told() == ["requested"]
    assert story.wanted(RefreshCard)
    assert not story.wanted(SetTraffic)
    assert plain(story.decision.answer) == "checkout v1.8.3 → production is requested as D-142."


def test_asking_takes_a_role() -> None:
    nobody = replace(a_plan().rights, request=("cto",))

    refusal = refused(a_plan(rights=nobody))

    assert refusal.rule == "role"
    assert f"@{CHRIS}" in plain(refusal.why)
    stranger = refused(by="U0NOBODY")
    assert stranger.rule == "role"
    assert "You are not listed in org.yaml" in plain(stranger.why)
    assert "Ask a lead to add you" in plain(stranger.next_step)
    assert refused(people=without(people(), DANA)).rule == "role"


def test_a_locked_environment_takes_no_request() -> None:
    refusal = refused(lock=Lock("rollback D-140 failed", ANA, NOW))

    assert refusal.rule == "locked"
    assert "rollback D-140 failed" in plain(refusal.why)
    assert "/deploy unlock checkout reason" in plain(refusal.next_step)


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.HELD, Phase.ROLLING_BACK])
def test_a_second_one_of_the_same_kind_is_refused_with_the_way_to_the_first(phase: Phase) -> None:
    refusal = refused(others=busy(phase))

    assert refusal.rule == "already_running"
    assert [way.value for way in refusal.ways] == ["D-141"]


@pytest.mark.parametrize(
    ("phase", "holder", "way"),
    [
        (Phase.RUNNING, None, "/deploy cancel D-141 reason"),
        (Phase.HELD, "D-141", "/rollback D-141 reason"),
        (Phase.ROLLING_BACK, "D-141", "when the old version is seen to serve"),
    ],
)
def test_how_the_first_is_ended_depends_on_what_it_changed(
    phase: Phase, holder: str | None, way: str
) -> None:
    refusal = refused(others=busy(phase), slot=Slot(holder, 1))

    assert way in plain(refusal.next_step)
    assert "on its way: D-141" in plain(refusal.why)


def test_a_rollback_on_its_way_refuses_every_kind() -> None:
    assert refused(others=busy(Phase.ROLLING_BACK, "rollback")).rule == "already_running"


def test_another_kind_may_run_beside_and_a_watch_blocks_nobody() -> None:
    assert requested(context=a_context(others=busy(Phase.RUNNING, "hotfix")))
    assert requested(context=a_context(others=busy(Phase.WATCHING)))


def test_what_serves_already_is_not_deployed_again() -> None:
    assert refused(ledger=Ledger(NEW, (OLD,))).rule == "already_serving"


def test_with_nothing_known_to_serve_it_is_said_before_the_start() -> None:
    assert refused(ledger=Ledger()).rule == "nothing_to_return_to"


@pytest.mark.parametrize("gone", [(ANA,), (QUINN,), (ANA, QUINN)])
def test_what_nobody_could_approve_is_refused_at_once(gone: tuple[str, ...]) -> None:
    assert refused(people=without(people(), *gone)).rule == "nobody_can_approve"


def test_the_requester_does_not_count_among_those_who_could() -> None:
    refusal = refused(by=ANA)

    assert refusal.rule == "nobody_can_approve"
    assert "Deployment Lead" in plain(refusal.why)


def test_two_places_of_one_role_need_two_people() -> None:
    plan = with_stage(a_plan(), ApprovalStage, slots=(RoleSlot("cto", needed=2),))

    assert refused(plan).rule == "nobody_can_approve"


def finished(context: Context | None = None) -> Story:
    """v1.8.3 serves, its watch is over."""
    story = watching()
    over = replace(story.d, phase=Phase.SUCCEEDED)
    ledger = Ledger(NEW, (NEW, OLD, OLDER))
    return Story(
        context or replace(story.context, ledger=ledger),
        story.now + MINUTE,
        replace(story.decision, state=over),
    )


def afterwards(story: Story, target: str | None = None, by: str = SAM) -> Deployment:
    wish = RollbackRequested(by, "500s on /pay", target)
    decision = request_rollback("T0DEMO", "D-143", story.d, wish, story.context, story.now)
    story.decision = settle(None, decision, story.now)
    return story.d


def test_after_the_watch_a_rollback_is_a_deployment_of_its_own() -> None:
    story = finished()
    d = afterwards(story)

    assert (d.id, d.kind, d.phase) == ("D-143", "rollback", Phase.ROLLING_BACK)
    assert d.rollback is not None
    assert d.rollback.target == OLD
    assert story.wanted(TakeSlot) == [TakeSlot(2)]
    assert dict(story.wanted(SetTraffic)[0].weights) == {"v1.8.2": 100}


def test_it_has_a_card_and_an_answer_like_any_other() -> None:
    story = finished()
    afterwards(story)

    assert story.wanted(RefreshCard)
    assert "Rolling checkout back to v1.8.2" in plain(story.decision.answer)


def test_it_ends_when_the_proven_version_is_seen_to_serve() -> None:
    story = finished()
    afterwards(story, "v1.8.1")
    story.context = replace(story.context, slot=Slot("D-143", 2))

    story.later().sees(weights=(("v1.8.1", 100),))

    assert story.d.phase is Phase.ROLLED_BACK
    assert story.context.ledger.serving == OLDER
    assert story.context.ledger.proven == (OLD, OLDER)


@pytest.mark.parametrize(
    ("context", "rule"),
    [
        (a_context(ledger=Ledger(OLD, (OLD,))), "replaced"),
        (a_context(ledger=Ledger()), "replaced"),
        (a_context(ledger=Ledger(NEW, (OLD,)), slot=Slot("D-144", 5)), "slot"),
        (a_context(ledger=Ledger(NEW, (NEW,))), "no_target"),
        (a_context(ledger=Ledger(NEW, (OLD,)), people=without(people(), SAM)), "role"),
    ],
)
def test_it_is_refused_with_the_way_on(context: Context, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        afterwards(finished(context))

    assert refusal_of(caught.value).rule == rule


def test_it_needs_a_reason_and_a_proven_target() -> None:
    story = finished()

    with pytest.raises(Refused) as unproven:
        afterwards(story, "v0.0.1")
    wish = RollbackRequested(SAM, "")
    with pytest.raises(Refused) as wordless:
        request_rollback("T0DEMO", "D-143", story.d, wish, story.context, story.now)

    assert refusal_of(unproven.value).rule == "unproven_target"
    assert refusal_of(wordless.value).rule == "reason"


def test_a_lock_does_not_stop_it() -> None:
    story = finished()
    story.with_context(lock=Lock("freeze", ANA, NOW))

    assert afterwards(story).phase is Phase.ROLLING_BACK


def test_a_note_of_the_requester_stands_in_the_timeline() -> None:
    wish = Requested(DANA, NEW, a_plan(), "digest", "policy", "fixes the tax line")
    decision = request("T0DEMO", "D-142", wish, a_context(), NOW)

    [entry] = [entry for entry in decision.wanted.entries if entry.what == "requested"]
    assert plain(entry.line) == f"Requested by @{DANA}: fixes the tax line"
