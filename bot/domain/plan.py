"""The plan: what a deployment will go through, fixed when it is requested and hashed."""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain import canon
from bot.domain.approvals import RoleSlot
from bot.domain.gates import Check, Driver
from bot.domain.health import HealthRules
from bot.domain.release import Version
from bot.domain.roles import Rights


@dataclass(frozen=True, slots=True)
class GateStage:
    """Passes when every check has a PASS younger than *fresh_for*.

    A FAIL ends the deployment; not knowing is borne for *patience*.
    """

    name: str
    checks: tuple[Check, ...]
    fresh_for: timedelta
    patience: timedelta


@dataclass(frozen=True, slots=True)
class ApprovalStage:
    """Passes when every role slot is signed; expires *expires_after* the stage began."""

    name: str
    slots: tuple[RoleSlot, ...]
    expires_after: timedelta
    remind_after: timedelta
    is_self_allowed: bool = False


@dataclass(frozen=True, slots=True)
class JobStage:
    """Runs *argv* once; `{service}`, `{version}`, `{commit}`, `{artefact}`, `{environment}`
    are replaced only where they are a whole argument.

    *changes* says whether it touches the environment that is deployed to, and so needs the slot.
    """

    name: str
    runner: Driver
    argv: tuple[str, ...]
    time_limit: timedelta
    changes: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A share of traffic in percent, and how long health must PASS there."""

    weight: int
    bake: timedelta


@dataclass(frozen=True, slots=True)
class RolloutStage:
    """Moves traffic step by step; every step waits for the weight to be seen and a whole bake."""

    name: str
    steps: tuple[Step, ...]
    health: HealthRules
    is_rollback_automatic: bool = True
    is_unknown_rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class WatchStage:
    """Looks after a version that has all traffic; only time with PASS counts."""

    name: str
    lasts: timedelta
    proven_after: timedelta
    health: HealthRules
    is_rollback_automatic: bool = True


Stage = GateStage | ApprovalStage | JobStage | RolloutStage | WatchStage


@dataclass(frozen=True, slots=True)
class RollbackRules:
    """How going back is verified, and how often people are paged while it is not done.

    `by_hand` is what a person can do where there is nothing to go back to, in the policy's words.
    """

    verify: tuple[Check, ...]
    page_every: timedelta
    reason_length: int
    by_hand: str = ""


@dataclass(frozen=True, slots=True)
class UpdateRules:
    """The scheduled status: its beat, and how late it may be before it says so."""

    every: timedelta
    late_after: timedelta


@dataclass(frozen=True, slots=True)
class HoldRules:
    """How often a hold reminds, and when one that touched nothing expires."""

    remind_every: timedelta
    expires_after: timedelta


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a deployment needs to know about its policy, from request to end.

    `is_first`: nothing serves yet, so there is no way back; approvals bind to that as well.
    """

    service: str
    environment: str
    kind: str
    channel: str
    releases: Driver
    router: Driver
    metrics: Driver
    stages: tuple[Stage, ...]
    rights: Rights
    rollback: RollbackRules
    updates: UpdateRules
    hold: HoldRules
    on_call: str
    version: int = 1
    is_first_allowed: bool = False
    is_first: bool = False

    def first(self) -> "Plan":
        """This plan for where nothing serves yet.

        Ten percent of no traffic is none, and a router cannot split over one version. So all
        traffic comes in one step, which bakes as long as all of them together: whoever approves
        sees what will happen, and health is looked at for as long as the policy means it to be.
        Until then checks of what serves are left out, for nobody could ever answer them.
        """
        where = self.position(RolloutStage) or 0
        before = tuple(map(_without_serving, self.stages[:where]))
        kept = tuple(s for s in before if not isinstance(s, GateStage) or s.checks)
        rest = tuple(map(_at_once, self.stages[where:]))
        return replace(self, stages=kept + rest, is_first=True)

    def position(self, kind: type[Stage]) -> int | None:
        """Where the first stage of *kind* stands."""
        return next((i for i, s in enumerate(self.stages) if isinstance(s, kind)), None)


def _without_serving(stage: Stage) -> Stage:
    if not isinstance(stage, GateStage):
        return stage
    return replace(stage, checks=tuple(c for c in stage.checks if not c.needs_serving))


def _at_once(stage: Stage) -> Stage:
    if not isinstance(stage, RolloutStage):
        return stage
    bake = sum((step.bake for step in stage.steps), start=timedelta())
    return replace(stage, steps=(Step(stage.steps[-1].weight, bake),))


def digest(version: Version, plan: Plan, policy_digest: str) -> str:
    """What an approval binds to: the build, the plan and the policy text; no clock, no ids."""
    facts = {
        "commit": version.commit,
        "artefact": version.artefact,
        "plan": canon.encode(plan),
        "policy": policy_digest,
    }
    return hashlib.sha256(canon.canonical(facts)).hexdigest()
