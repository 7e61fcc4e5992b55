"""Stories of a first deployment, told as far as a test needs them."""

from collections.abc import Callable
from dataclasses import replace

from bot.domain.effects import Page
from bot.domain.events import Approved, Cancelled, RollbackRequested
from bot.domain.line import plain
from bot.domain.plan import Plan
from bot.domain.slots import Ledger
from tests.builders import ANA, DANA, QUINN, SAM, a_plan
from tests.domain.builders import (
    MINUTE,
    NEW,
    Story,
    a_context,
    a_migration_job,
    a_post_check,
    enters,
    guarded_plan,
    held,
    job,
    passes,
    requested,
)

SORRY = RollbackRequested(SAM, "500s on /pay")
ENOUGH = Cancelled(DANA, "it never answers")
BY_HAND = "pull the record of newthing"
BAKE = 15 * MINUTE


def allowed(plan: Plan | None = None) -> Plan:
    plan = plan or a_plan()
    rules = replace(plan.rollback, by_hand=BY_HAND)
    return replace(plan, is_first_allowed=True, rollback=rules)


def asked(plan: Plan | None = None, ledger: Ledger | None = None) -> Story:
    """Requested where nothing serves."""
    return requested(allowed(plan), NEW, a_context(ledger=ledger or Ledger()))


def at_door(plan: Plan | None = None) -> Story:
    story = asked(plan).later()
    story.sees(checks=passes(story.now)).later()
    return story.sees(job=job(story)).later().after(Approved(ANA), Approved(QUINN))


def inside(plan: Plan | None = None) -> Story:
    """Past the door, at which the router sent nobody anything."""
    return enters(at_door(plan), weights=())


def live(plan: Plan | None = None) -> Story:
    """All traffic is seen on it, and it is healthy so far."""
    return inside(plan).healthy()


def watching(plan: Plan | None = None) -> Story:
    return live(plan).healthy(BAKE)


def migrating() -> Story:
    return inside(guarded_plan(before_rollout=(a_migration_job(),)))


def post_check() -> Story:
    return watching(guarded_plan(a_post_check()))


def page_of(story: Story) -> str:
    (page,) = story.wanted(Page)
    return plain(page.reason)


PLACES: dict[str, Callable[[], Story]] = {
    "gate": asked,
    "door": at_door,
    "touching job": migrating,
    "asked for": inside,
    "live": live,
    "held": lambda: held(live()),
    "post-check": post_check,
    "watch": watching,
}
TOUCHED = tuple(PLACES)[2:]
