"""What the buttons stand for: the actions that make sense in a state, and nothing else."""

from bot.domain.deployment import Deployment, Phase
from bot.domain.plan import ApprovalStage


def offered(d: Deployment) -> tuple[str, ...]:
    """The actions that make sense now, most expected first; what the buttons stand for."""
    match d.phase:
        case Phase.RUNNING if isinstance(d.stage, ApprovalStage):
            ways_out = ("hold", "roll_back") if d.is_touched else ("reject", "hold", "cancel")
            return ("approve", *ways_out)
        case Phase.RUNNING if not d.is_touched:
            return ("hold", "cancel")
        case Phase.RUNNING if d.next_weight is not None:
            return ("promote", "hold", "roll_back")
        case Phase.RUNNING:
            return ("hold", "roll_back")
        case Phase.HELD:
            back = "roll_back" if d.is_touched else "cancel"
            return (back,) if d.is_job_lost else ("resume", back)
        case Phase.WATCHING | Phase.SUCCEEDED:
            return ("roll_back",)
    return ()
