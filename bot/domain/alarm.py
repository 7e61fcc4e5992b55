"""When the bot cannot trust what it knows: what runs stays where it is."""

from datetime import datetime

from bot.domain.deployment import Decision, Phase
from bot.domain.stopping import hold_by_itself


def hold(decision: Decision, why: str, now: datetime) -> Decision:
    """Hold what runs, and leave everything else alone, a rollback most of all.

    Nobody is called from here: whoever raised the alarm has told people already.
    """
    if decision.state.phase is not Phase.RUNNING:
        return decision
    return hold_by_itself(decision, why, now)
