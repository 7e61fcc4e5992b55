"""One attempt to deploy: its phases, the moves between them, and everything that is stored."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.approvals import Approval, Parties, Seat, seats
from bot.domain.effects import Effect, Entry, Record, Wanted
from bot.domain.gates import CheckResult
from bot.domain.health import Health
from bot.domain.jobs import JobState, JobStatus
from bot.domain.line import Line, Part
from bot.domain.plan import ApprovalStage, GateStage, Plan, RolloutStage, Stage
from bot.domain.release import Target, Version, Weights
from bot.domain.roles import People
from bot.domain.slots import fence_at


class Phase(StrEnum):
    """Where a deployment stands. The values are stored: never rename one."""

    RUNNING = "running"  #: a cursor walks the plan
    HELD = "held"  #: stays where it is until a person resumes
    WATCHING = "watching"  #: all traffic moved, the slot given back, health looked after
    SUCCEEDED = "succeeded"
    SUPERSEDED = "superseded"  #: a newer deployment took over during the watch
    ROLLING_BACK = "rolling_back"  #: traffic returns, until it is seen to be back
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"  #: the environment is locked until a person lifts it
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"  #: stopped by itself before the environment was touched


#: Every move there is. The diagram in the README is drawn from this table.
MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.RUNNING: frozenset(
        {
            Phase.HELD,
            Phase.WATCHING,
            Phase.ROLLING_BACK,
            Phase.REJECTED,
            Phase.CANCELLED,
            Phase.EXPIRED,
            Phase.FAILED,
        }
    ),
    Phase.HELD: frozenset(
        {Phase.RUNNING, Phase.ROLLING_BACK, Phase.REJECTED, Phase.CANCELLED, Phase.EXPIRED}
    ),
    Phase.WATCHING: frozenset({Phase.SUCCEEDED, Phase.SUPERSEDED, Phase.ROLLING_BACK}),
    Phase.ROLLING_BACK: frozenset({Phase.ROLLED_BACK, Phase.ROLLBACK_FAILED}),
    **{
        over: frozenset()
        for over in (
            Phase.SUCCEEDED,
            Phase.SUPERSEDED,
            Phase.ROLLED_BACK,
            Phase.ROLLBACK_FAILED,
            Phase.REJECTED,
            Phase.CANCELLED,
            Phase.EXPIRED,
            Phase.FAILED,
        )
    },
}

OVER = frozenset(phase for phase, onward in MOVES.items() if not onward)

#: While one of these lasts, a second request of the same kind is refused.
BUSY = frozenset({Phase.RUNNING, Phase.HELD, Phase.ROLLING_BACK})


@dataclass(frozen=True, slots=True)
class Hold:
    """Who stopped the deployment, or None when it stopped itself."""

    by: str | None
    reason: str
    since: datetime
    reminded_at: datetime


@dataclass(frozen=True, slots=True)
class RollbackRun:
    """A rollback on its way: *by* is None when a trigger fired, *evidence* the health then."""

    target: Version
    by: str | None
    reason: str
    since: datetime
    paged_at: datetime
    is_traffic_back: bool = False
    evidence: Health | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """The newest thing that happened, for the answer to a button that came too late."""

    line: Line
    by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Deployment:
    """The whole state of one deployment; what it is worth is decided in `decide.py`.

    `revision` counts every save, `offer` changes of what the buttons mean, `offered_since` says
    since which offer each one means the same. `fence`: the slot's count while it is held, else 0.
    Nothing seen before `stage_since`, `step_since` counts. `passing_since`, `unsure_since`: since
    when health is good or unknown; `watched`: time with PASS, `counted_at` its last beat;
    `is_paged`: people know that health is unknown; `is_alarmed`: that a trigger fired.
    """

    team: str
    id: str
    kind: str
    version: Version
    plan: Plan
    digest: str
    policy_digest: str
    requested_by: str
    requested_at: datetime
    phase: Phase
    phase_since: datetime
    stage_since: datetime
    step_since: datetime
    last: Last
    stable: Version | None = None
    cursor: int = 0
    step: int = 0
    fence: int = 0
    is_touched: bool = False
    checks: tuple[CheckResult, ...] = ()
    approvals: tuple[Approval, ...] = ()
    ask_round: int = 0
    is_reminded: bool = False
    job: JobStatus | None = None
    weights: Weights | None = None
    live_since: datetime | None = None
    passing_since: datetime | None = None
    unsure_since: datetime | None = None
    health: Health | None = None
    hold: Hold | None = None
    rollback: RollbackRun | None = None
    waits_for: str = ""
    watched: timedelta = timedelta()
    counted_at: datetime | None = None
    is_behind: bool = False  #: the world is ahead, see `ahead.py`
    taken_back: int = 0  #: the command that takes its traffic back, see `ending.py`
    is_router_told: bool = False
    is_proven: bool = False
    is_paged: bool = False
    is_alarmed: bool = False
    started_at: datetime | None = None
    update_due_at: datetime | None = None
    beat: int = 0
    live_at: datetime | None = None
    finished_at: datetime | None = None
    offer: int = 0
    offered_since: tuple[tuple[str, int], ...] = ()
    revision: int = 0

    @property
    def stage(self) -> Stage:
        return self.plan.stages[self.cursor]

    @property
    def target(self) -> Target:
        return Target(self.team, self.plan.service, self.plan.environment)

    @property
    def is_over(self) -> bool:
        return self.phase in OVER

    @property
    def weight(self) -> int:
        """The share of traffic, in percent, that the plan wants for this version now."""
        if self.phase in (Phase.WATCHING, Phase.SUCCEEDED, Phase.SUPERSEDED):
            return 100
        where = self.plan.position(RolloutStage)
        if where is None or not self.is_touched or self.cursor < where:
            return 0
        stage = self.plan.stages[where]
        assert isinstance(stage, RolloutStage)
        return stage.steps[self.step].weight if self.cursor == where else 100

    @property
    def wanted_weights(self) -> Weights:
        """The split the world must show now."""
        if self.rollback is not None:
            return ((self.rollback.target.name, 100),)
        if self.taken_back:
            return ()
        split = [(self.version.name, self.weight)]
        if not self.is_first:
            assert self.stable is not None, "traffic is split once the serving version is known"
            split.append((self.stable.name, 100 - self.weight))
        return tuple((version, share) for version, share in split if share)

    @property
    def is_first(self) -> bool:
        """Whether nothing served before it, so that there is nothing to roll back to."""
        return self.plan.is_first and self.stable is None

    @property
    def is_job_lost(self) -> bool:
        """Whether nobody can say how the current job ended: to run it again could do harm."""
        return self.job is not None and self.job.state is JobState.LOST

    @property
    def job_key(self) -> str:
        return f"{self.team}/{self.id}@{self.requested_at:%Y%m%dT%H%M%S}/{self.cursor}"

    @property
    def traffic_fence(self) -> int:
        """A number that never falls for one environment: the slot's count, then the revision."""
        return fence_at(self.fence, self.revision + 1)

    @property
    def next_weight(self) -> int | None:
        """Where an early promotion would lead."""
        if isinstance(self.stage, RolloutStage) and self.step + 1 < len(self.stage.steps):
            return self.stage.steps[self.step + 1].weight
        return None

    @property
    def approvals_reached(self) -> tuple[int, ...]:
        """Where in the plan signatures were asked for so far, the newest last."""
        reached = enumerate(self.plan.stages[: self.cursor + 1])
        return tuple(i for i, stage in reached if isinstance(stage, ApprovalStage))

    @property
    def approval_stage(self) -> ApprovalStage | None:
        """The stage that asks for signatures: the current one, or the newest behind it."""
        reached = self.approvals_reached
        return self._asking(reached[-1]) if reached else None

    def parties(self, stage: ApprovalStage) -> Parties:
        return Parties(self.requested_by, self.version.authors, stage.is_self_allowed)

    def seats(self, people: People, where: int | None = None) -> tuple[Seat, ...]:
        """The places to sign, filled by what counts with the roles people have now; of the
        newest approval stage, or of the one at *where*."""
        reached = self.approvals_reached
        if not reached:
            return ()
        at = reached[-1] if where is None else where
        stage = self._asking(at)
        signed = tuple(approval for approval in self.approvals if approval.stage == at)
        return seats(stage.slots, signed, self.digest, self.parties(stage), people)

    def _asking(self, where: int) -> ApprovalStage:
        stage = self.plan.stages[where]
        assert isinstance(stage, ApprovalStage)
        return stage

    @property
    def needs_entry(self) -> bool:
        """Whether the next thing to do is the first that changes the environment."""
        return (
            self.phase is Phase.RUNNING
            and self.fence == 0
            and not isinstance(self.stage, GateStage | ApprovalStage)
            and (isinstance(self.stage, RolloutStage) or getattr(self.stage, "changes", False))
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state, what it asks for, and the answer to whoever wished for it."""

    state: Deployment
    wanted: Wanted = Wanted()
    answer: Line = ()

    def also(self, *effects: Effect) -> "Decision":
        return replace(self, wanted=self.wanted + Wanted(effects=effects))

    def recording(self, *records: Record) -> "Decision":
        return replace(self, wanted=self.wanted + Wanted(records=records))

    def telling(self, what: str, line: Line, by: str | None = None) -> "Decision":
        return replace(self, wanted=self.wanted + Wanted(entries=(Entry(what, line, by),)))

    def answering(self, *line: Part) -> "Decision":
        return replace(self, answer=line)


def move(d: Deployment, to: Phase, now: datetime) -> Deployment:
    """The only place that changes a phase; a move that is not in `MOVES` is a bug."""
    if to not in MOVES[d.phase]:
        raise AssertionError(f"no move from {d.phase} to {to}")
    finished = now if to in OVER else None
    return replace(d, phase=to, phase_since=now, finished_at=finished, waits_for="")
