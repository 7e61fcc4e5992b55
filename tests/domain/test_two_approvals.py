"""Two approval stages: each is signed for itself, and both count at the door."""

from datetime import timedelta

from bot.domain.approvals import RoleSlot
from bot.domain.deployment import Phase
from bot.domain.effects import Ask, TakeSlot
from bot.domain.events import Approved
from bot.domain.plan import ApprovalStage
from tests.builders import ANA, QUINN, people
from tests.domain.builders import MINUTE, Story, at_approval, enters, guarded_plan, without

SECOND = ApprovalStage(
    "Second look", (RoleSlot("deployment_lead"),), timedelta(hours=1), 30 * MINUTE
)


def signed_once() -> Story:
    plan = guarded_plan(before_rollout=(SECOND,))
    return at_approval(plan).later().after(Approved(ANA), Approved(QUINN))


def test_a_signature_of_the_first_does_not_sign_the_second() -> None:
    story = signed_once()

    assert story.d.stage == SECOND
    assert story.d.phase is Phase.RUNNING
    assert [seat.approval for seat in story.d.seats(story.context.people)] == [None]


def test_the_same_person_may_sign_both() -> None:
    story = enters(signed_once().after(Approved(ANA)))

    assert story.wanted(TakeSlot) == [TakeSlot(1)]


def test_at_the_door_a_lost_signature_of_the_first_is_asked_for_again() -> None:
    story = signed_once().after(Approved(ANA))
    story = enters(story.with_context(people=without(people(), QUINN)))

    assert story.d.cursor == 2
    assert len(story.wanted(Ask)) == 1
    assert not story.wanted(TakeSlot)
