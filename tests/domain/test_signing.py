"""Signing: once each, by the right people, for exactly this, and in time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import Ask, CloseAsk, Page
from bot.domain.events import Approved, Cancelled, Event, Rejected
from bot.domain.line import plain
from bot.domain.offer import offered
from tests.builders import ANA, CHRIS, DANA, DEVO, QUINN, SAM, people
from tests.domain.builders import (
    MINUTE,
    TICK,
    Story,
    a_late_decision,
    a_migration_job,
    at_approval,
    at_door,
    at_step,
    enters,
    guarded_plan,
    held,
    job,
    requested,
    without,
)


def test_the_stage_asks_and_passes_when_every_place_is_signed() -> None:
    story = at_approval()
    assert story.wanted(Ask) == [Ask(1)]

    story.after(Approved(ANA, "looks good"))
    assert story.d.stage.name == "Approval"
    assert plain(story.decision.answer) == (
        "You signed checkout v1.8.3 as Deployment Lead, 1 of 2. Still missing: QA Lead."
    )
    assert "looks good" in plain(story.d.last.line)

    story.after(Approved(QUINN))
    assert story.d.stage.name == "Rollout"
    assert plain(story.decision.answer).endswith("2 of 2. Rollout comes next, by itself.")
    assert story.wanted(CloseAsk) == [CloseAsk()]


def test_signing_touches_nothing_by_itself() -> None:
    story = at_door()

    assert not story.d.is_touched
    assert story.d.fence == 0


@pytest.mark.parametrize(
    ("wish", "rule"),
    [
        (Approved(DANA), "own"),
        (Approved(DEVO), "own"),
        (Approved(SAM), "role"),
        (Approved("U0NOBODY"), "role"),
        (Approved(ANA, version="v1.8.4"), "other_version"),
        (Rejected(SAM, "no"), "role"),
        (Rejected(ANA, " "), "reason"),
    ],
)
def test_what_does_not_count_is_refused_with_a_way_on(wish: Event, rule: str) -> None:
    assert at_approval().refused(wish).rule == rule


def test_signing_the_named_version_is_fine() -> None:
    assert len(at_approval().after(Approved(ANA, version="v1.8.3")).d.approvals) == 1


def test_the_refusal_names_who_can_sign_and_leaves_out_who_cannot() -> None:
    refusal = at_approval().after(Approved(ANA)).refused(Approved(SAM))

    assert f"@{QUINN}" in plain(refusal.why)
    assert f"@{ANA}" not in plain(refusal.why)
    assert "Your roles here: on call." in plain(refusal.why)


def test_one_signature_counts_once() -> None:
    story = at_approval().after(Approved(ANA))

    assert story.refused(Approved(ANA)).rule == "already_signed"


def test_an_inactive_person_cannot_sign() -> None:
    story = at_approval().with_context(people=without(people(), ANA))

    assert story.refused(Approved(ANA)).rule == "role"


def test_a_signature_of_someone_who_left_no_longer_fills_its_place() -> None:
    story = at_approval().after(Approved(ANA)).with_context(people=without(people(), ANA))

    story.after(Approved(QUINN))

    assert story.d.stage.name == "Approval"
    assert plain(story.decision.answer).endswith(
        "as QA Lead, 1 of 2. Still missing: Deployment Lead."
    )


def test_a_signer_is_told_the_role_they_signed_as_even_when_others_are_moved() -> None:
    everybody = people()
    both = replace(everybody.by_id[ANA], roles=frozenset({"deployment_lead", "qa_lead"}))
    lead = replace(everybody.by_id[CHRIS], roles=frozenset({"deployment_lead"}))
    mixed = replace(everybody, by_id={**everybody.by_id, ANA: both, CHRIS: lead})

    story = at_approval().with_context(people=mixed).after(Approved(ANA), Approved(CHRIS))

    assert "as Deployment Lead (2 of 2)" in plain(story.decision.wanted.entries[0].line)


@pytest.mark.parametrize("late", [timedelta(), TICK])
def test_a_signature_after_the_time_is_refused_though_nobody_looked_yet(late: timedelta) -> None:
    story = at_approval().later(timedelta(hours=4) + late)

    assert story.refused(Approved(ANA)).rule == "expired"


def test_an_approval_reminds_once_and_expires_with_the_names_of_who_is_missing() -> None:
    story = at_approval().after(Approved(ANA))
    assert not story.elapses(30 * MINUTE - TICK).wanted(Ask)
    assert story.elapses(TICK).wanted(Ask) == [Ask(1, is_reminder=True)]
    assert not story.elapses(30 * MINUTE).wanted(Ask)

    story.elapses(timedelta(hours=3))

    assert story.d.phase is Phase.EXPIRED
    assert "Expired after 4 h without QA Lead" in plain(story.d.last.line)
    assert story.wanted(CloseAsk)


def test_a_rejection_ends_it_untouched_with_the_words_of_who_said_no() -> None:
    story = at_approval().after(Rejected(QUINN, "the basket test is flaky"))

    assert story.d.phase is Phase.REJECTED
    assert "the basket test is flaky" in plain(story.d.last.line)
    assert story.wanted(CloseAsk)


def test_what_is_on_hold_can_be_rejected_but_not_signed() -> None:
    story = held(at_approval())

    assert story.refused(Approved(ANA)).rule == "too_late"
    assert story.after(Rejected(ANA, "no")).d.phase is Phase.REJECTED


def test_waiting_for_the_slot_it_can_still_be_rejected() -> None:
    assert at_door().after(Rejected(ANA, "changed my mind")).d.phase is Phase.REJECTED


def over() -> list[Story]:
    return [
        at_approval().after(Cancelled(DANA)),
        at_approval().after(Rejected(ANA, "no")),
        at_approval().elapses(timedelta(hours=4)),
        requested(),
        at_step(),
    ]


@pytest.mark.parametrize("case", range(5))
@pytest.mark.parametrize("wish", [Approved(ANA), Rejected(ANA, "no")])
def test_a_wish_that_comes_too_late_or_too_early_says_where_it_stands(
    case: int, wish: Event
) -> None:
    assert over()[case].refused(wish).rule == "too_late"


def at_late_decision() -> Story:
    """A sign-off after the migration already ran: the environment is touched."""
    plan = guarded_plan(before_rollout=(a_migration_job(), a_late_decision()))
    story = enters(at_door(plan)).later()
    return story.sees(job=job(story))


def test_a_sign_off_in_a_touched_environment_offers_the_way_back_and_no_reject() -> None:
    story = at_late_decision()

    assert offered(story.d) == ("approve", "hold", "roll_back")
    assert story.refused(Rejected(ANA, "no")).rule == "too_late"
    assert story.after(Approved(CHRIS)).d.stage.name == "Rollout"


def test_a_sign_off_in_a_touched_environment_never_just_expires() -> None:
    story = at_late_decision().elapses(timedelta(hours=1))

    assert story.d.phase is Phase.HELD
    assert story.d.fence
    assert "without cto" in plain(story.wanted(Page)[0].reason).lower()
