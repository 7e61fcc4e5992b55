"""What the buttons stand for: the actions that make sense in a state, and nothing else."""

from bot.domain import first
from bot.domain.deployment import Deployment, Phase
from bot.domain.events import (
    Approved,
    Cancelled,
    Held,
    Promoted,
    Rejected,
    Resumed,
    RollbackRequested,
    Wish,
)
from bot.domain.plan import ApprovalStage

_ACTIONS: dict[type[Wish], str] = {
    Approved: "approve",
    Rejected: "reject",
    Held: "hold",
    Resumed: "resume",
    Promoted: "promote",
    Cancelled: "cancel",
    RollbackRequested: "roll_back",
}


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
        case Phase.HELD if d.taken_back:
            return ("resume",)
        case Phase.HELD:
            return (undo,) if d.is_job_lost else ("resume", undo)
        case Phase.WATCHING | Phase.SUCCEEDED:
            return () if d.is_first else ("roll_back",)
    return ()


def renewed(before: Deployment | None, d: Deployment) -> tuple[int, tuple[tuple[str, int], ...]]:
    """The number of what *d* offers, and for each action since which number it means the same.

    A number is used up whenever the actions or the meaning of one of them change.
    """
    meant = _meanings(before) if before is not None else {}
    means = _meanings(d)
    if before is not None and meant == means:
        return d.offer, d.offered_since
    number, known = d.offer + 1, dict(d.offered_since)
    kept = {action for action in means if meant.get(action, _NOTHING) == means[action]}
    return number, tuple((a, known[a] if a in kept and a in known else number) for a in means)


def still_means(d: Deployment, wish: Wish, offer: int) -> bool:
    """Whether a button of *offer* asks for *wish* as one of today's would.

    So somebody who presses Hold while a step ends is not told to press again; a Promote of the
    step before is.
    """
    since = dict(d.offered_since).get(_ACTIONS.get(type(wish), ""))
    return since is not None and since <= offer <= d.offer


_NOTHING = object()


def _meanings(d: Deployment) -> dict[str, object]:
    """What pressing each offered action would lead to, as far as that changes."""
    return {action: _meaning(d, action) for action in offered(d)}


def _meaning(d: Deployment, action: str) -> object:
    match action:
        case "approve":
            return d.cursor
        case "promote":
            return d.next_weight
        case "resume":
            return bool(d.taken_back)  # goes on from a hold, or from being ended
        case "cancel":
            # Of a first deployment: what is live stays, or what was asked for is taken back.
            return d.is_touched, d.is_behind, first.is_taken_back(d)
    return None
