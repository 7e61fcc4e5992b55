"""What the buttons stand for: the actions that make sense in a state, and nothing else."""

from bot.domain.deployment import Deployment, Phase
from bot.domain.plan import ApprovalStage


def offered(d: Deployment) -> tuple[str, ...]:
    """The actions that make sense now, most expected first; what the buttons stand for.

    Where nothing served before, rolling back cannot work: it is ended with what is live left.
    """
    undo = "cancel" if d.is_first or not d.is_touched else "roll_back"
    match d.phase:
        case Phase.RUNNING if isinstance(d.stage, ApprovalStage):
            ways_out = ("hold",) if d.is_touched else ("reject", "hold")
            return ("approve", *ways_out, undo)
        case Phase.RUNNING if d.is_touched and d.next_weight is not None:
            return ("promote", "hold", undo)
        case Phase.RUNNING:
            return ("hold", undo)
        case Phase.HELD:
            return (undo,) if d.is_job_lost else ("resume", undo)
        case Phase.WATCHING | Phase.SUCCEEDED:
            return () if d.is_first else ("roll_back",)
    return ()
