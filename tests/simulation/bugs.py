"""Bugs made by hand, each an edit of the program, which the tests must notice."""

from dataclasses import dataclass
from pathlib import Path

Edit = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Bug:
    """`edits`: file, the words that stand there exactly once, and what is put in their place."""

    name: str
    edits: tuple[Edit, ...]

    def apply(self, root: Path) -> None:
        """Break the copy of the program at *root*. Raises `LookupError` for words that moved."""
        for file, good, bad in self.edits:
            path = root / file
            words = path.read_text()
            if words.count(good) != 1:
                raise LookupError(f"{self.name}: {file} has {words.count(good)} times {good!r}")
            path.write_text(words.replace(good, bad))


def _bug(name: str, *edits: Edit) -> Bug:
    return Bug(name, edits)


_ROWS = "storage/deployments.py"
_OUT = "storage/outbox.py"
_ROLLOUT = "bot/domain/rollout.py"
_SIGNING = "bot/domain/signing.py"
_ENTRY = "bot/domain/entry.py"
_WATCH = "bot/domain/watch.py"

BUGS = (
    # --- two at once ---------------------------------------------------------------------------
    _bug("a save does not look at the revision", (_ROWS, "AND revision = :revision", "")),
    _bug(
        "a lap saves though its lease ended",
        (_ROWS, "AND lease_owner = :owner AND lease_fence = :fence AND lease_until > :now", ""),
    ),
    _bug(
        "the slot is taken though another one holds it",
        (_ENTRY, "context.slot.holder not in (None, d.id)", "False"),
        ("storage/environments.py", "AND deployment_id IS NULL AND fence = :fence - 1", ""),
    ),
    _bug(
        "traffic is set without a fence",
        (
            "bot/delivery.py",
            "set_weights(d.plan.router, d.target, weights, fence)",
            "set_weights(d.plan.router, d.target, weights, 0)",
        ),
    ),
    _bug(
        "the fence counts slots, not what was decided while one was held",
        (
            "bot/domain/deployment.py",
            "fence_at(self.fence, self.revision + 1)",
            "fence_at(self.fence, 0)",
        ),
    ),
    # --- once, and not lost --------------------------------------------------------------------
    _bug(
        "a delivery that comes again counts again",
        ("storage/inbox.py", "if row is None:", "if row is not None or row is None:"),
        ("storage/inbox.py", "if not added:", "if False:"),
    ),
    _bug(
        "accepted is said before it is stored",
        (
            "bot/engine.py",
            "from bot.ports import Policies",
            "from bot.ports import Policies, Unavailable",
        ),
        (
            "bot/engine.py",
            "        except Duplicate:\n            # The same",
            "        except Unavailable:\n            outcome = Outcome(None, ('Accepted.',))\n"
            "        except Duplicate:\n            # The same",
        ),
    ),
    _bug(
        "what is being sent is not marked before the call",
        (_OUT, "state = 'sending', owner = :owner", "state = 'ready', owner = :owner"),
        (_OUT, "AND epoch = :epoch AND state = 'sending'", "AND epoch = :epoch"),
    ),
    _bug(
        "who takes over does not know of the doubt",
        (_OUT, "is_in_doubt = (is_in_doubt OR state = 'sending')", "is_in_doubt = is_in_doubt"),
    ),
    _bug(
        "nobody looks before posting again",
        (
            "bot/board.py",
            "posted = None\n        if row.is_in_doubt:",
            "posted = None\n        if False:",
        ),
    ),
    _bug(
        "what a dead replica was sending stays with it",
        (_OUT, "(o.state = 'ready' OR o.lease_until <= :now)", "o.state = 'ready'"),
    ),
    _bug(
        "what a dead replica was looking at stays with it",
        (
            _ROWS,
            "AND (d.lease_until IS NULL OR d.lease_until <= :by)",
            "AND d.lease_until IS NULL",
        ),
    ),
    _bug("lanes have no order", (_OUT, "e.done_at IS NULL AND e.team = o.team", "FALSE")),
    _bug(
        "an old split of traffic is sent though a newer one is wanted",
        ("bot/delivery.py", "return bool(d.fence) and weights == d.wanted_weights", "return True"),
    ),
    _bug(
        "a step has no row in the journal",
        (
            "bot/writer.py",
            "if decision.wanted.entries or decision.wanted.records or d.offer",
            "if before.step == d.step and d.offer",
        ),
    ),
    _bug(
        "a scheduled status is told at every lap",
        (
            "bot/domain/updates.py",
            "update_due_at=d.started_at + (number + 1) * every",
            "update_due_at=d.started_at + number * every",
        ),
    ),
    # --- people --------------------------------------------------------------------------------
    _bug(
        "the requester may sign",
        ("bot/domain/approvals.py", "people.is_same_human(user, self.requester)", "False"),
    ),
    _bug(
        "a signature for something else counts",
        (_SIGNING, "Approval(wish.by, now, d.digest", "Approval(wish.by, now, d.policy_digest"),
        ("bot/domain/approvals.py", "or approval.digest != digest", ""),
    ),
    _bug(
        "one person fills two places",
        (_SIGNING, "_mind_signed(d, wish.by, context)\n    sig", "sig"),
        ("bot/domain/approvals.py", "is_known or", ""),
    ),
    _bug("a signature after the time counts", (_SIGNING, "    _mind_expiry(d, stage, now)\n", "")),
    _bug(
        "roles are looked at when people sign, and not again at the door",
        (_ENTRY, "for where in d.approvals_reached:", "for where in ():"),
    ),
    _bug(
        "another build than the one that was signed passes the door",
        (_ENTRY, "not seen.resolved.is_same_build(d.version)", "False"),
    ),
    _bug(
        "a button of an older offer still works",
        (
            "bot/engine.py",
            "if offer is not None and not still_means(d, wish, offer):\n                return",
            "if False:\n                return",
        ),
    ),
    _bug(
        "another team's deployment answers",
        (_ROWS, 'WHERE team = :team AND id = :id"\n', "WHERE :team <> '' AND id = :id\"\n"),
    ),
    # --- traffic and health --------------------------------------------------------------------
    _bug(
        "not knowing is good news",
        (
            "bot/domain/health.py",
            'return Health(Verdict.UNKNOWN, now, doubt or "no reading"',
            'return Health(Verdict.PASS, now, doubt or "no reading"',
        ),
    ),
    _bug(
        "traffic goes up while a trigger fires",
        (_ROLLOUT, "is_live and health.verdict is Verdict.PASS and d.phase", "is_live and d.phase"),
        (_ROLLOUT, "if is_current and is_failing(d):", "if False:"),
    ),
    _bug("a step is skipped", (_ROLLOUT, "step=d.step + 1,", "step=len(d.stage.steps) - 1,")),
    _bug(
        "the bake counts from the asking, not from the seeing",
        (
            _ROLLOUT,
            "d.health is None:\n        return now",
            "d.health is None:\n        return d.step_since",
        ),
    ),
    _bug(
        "a look from before the step counts for it",
        (_ROLLOUT, "if seen.at < d.step_since:", "if False:"),
        (_ROLLOUT, "is_current = seen.at >= decision.state.step_since", "is_current = True"),
    ),
    _bug(
        "a version is proven before its time",
        (_WATCH, "d.watched >= stage.proven_after", "d.watched >= stage.proven_after / 2"),
    ),
    _bug(
        "rolled back is said before it is seen",
        ("bot/domain/rollback.py", "if not is_back:", "if False:"),
    ),
    _bug(
        "what is given up is over though its command is under way",
        ("bot/domain/ending.py", "if is_back and d.is_router_told:", "if is_back:"),
    ),
    _bug(
        "a failed rollback leaves the environment open",
        (
            "bot/domain/rollback.py",
            'ended = ended.recording(LockEnvironment(f"rollback {d.id} failed: {reason}"))',
            "",
        ),
    ),
    _bug(
        "the slot is kept at the end",
        (
            "bot/domain/stopping.py",
            "replace(ended.state, fence=0)).recording(FreeSlot())",
            "replace(ended.state, fence=0))",
        ),
    ),
)
