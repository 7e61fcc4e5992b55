"""What must hold after every step, worked out from stored rows and the world, simply."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import permutations

from bot.domain.deployment import OVER, Deployment, Phase
from bot.domain.plan import ApprovalStage, RolloutStage, WatchStage
from bot.domain.release import Target
from bot.domain.roles import People
from bot.memory import Store, Surroundings, Transaction
from tests.builders import TEAM
from tests.fakes import FakeWorld
from tests.simulation.team import SERVICES
from tests.simulation.witness import Key

OTHER_TEAM = "T0OTHER"
TEAMS = (TEAM, OTHER_TEAM)
TARGETS = tuple(Target(team, service, "production") for team in TEAMS for service in SERVICES)


@dataclass(frozen=True)
class Picture:
    """Everything stored, at one instant."""

    deployments: dict[Key, Deployment]
    around: dict[Target, Surroundings]

    @property
    def unfinished(self) -> list[Deployment]:
        return [d for d in self.deployments.values() if not d.is_over]

    def of(self, target: Target) -> list[Deployment]:
        return [d for d in self.deployments.values() if d.target == target]


async def picture(store: Store) -> Picture:
    async def unit(tx: Transaction) -> Picture:
        every = [d for team in TEAMS for d in await tx.deployments.recent(team, None, 1000)]
        around = {t: await tx.deployments.surroundings(t, None) for t in TARGETS}
        return Picture({(d.team, d.id): d for d in every}, around)

    return await store.run(unit)


@dataclass
class Oracle:
    """Remembers what was allowed and when; raises `AssertionError` at the first violation."""

    world: FakeWorld
    people: People
    moved_at: dict[tuple[str, str], float] = field(default_factory=dict)
    allowed: dict[tuple[Target, str], int] = field(default_factory=lambda: defaultdict(int))
    stepped_at: dict[Key, datetime] = field(default_factory=dict)
    fences: dict[Target, int] = field(default_factory=lambda: defaultdict(int))
    jumped_at: datetime | None = None

    def check(self, before: Picture, after: Picture, now: datetime, promoted: Key | None) -> None:
        for key, d in after.deployments.items():
            was = before.deployments.get(key)
            self._one(was, d)
            if was is not None and was != d:
                self._moved(was, d, now, is_promoted=promoted == key)
            if was is None or (was.cursor, was.step) != (d.cursor, d.step):
                self.stepped_at[key] = now
        for target in TARGETS:
            self._environment(before, after, target)

    def door(self, d: Deployment) -> None:
        """Asked at the moment the environment is entered: people and the build still count."""
        stages = [s for s in d.plan.stages[: d.cursor] if isinstance(s, ApprovalStage)]
        assert all(is_signed(d, stage, self.people) for stage in stages), (
            f"{d.id} enters without the signatures of those who may sign now (F26)"
        )
        name = (d.plan.service, d.version.name)
        moved_at = self.moved_at.get(name)
        if moved_at is not None and self.world.clock.passed - moved_at > 2 * LAP.total_seconds():
            assert self.world.releases.known[name].is_same_build(d.version), (
                f"{d.version.name} is not what was signed (F81)"
            )

    def _one(self, was: Deployment | None, d: Deployment) -> None:
        if was is not None:
            assert was == d or d.revision > was.revision, "a save counts up (I11)"
            assert not was.is_over or was == d, "what is over stays as it is (I10)"
        signers = [a.by for a in d.approvals]
        assert len(signers) == len(set(signers)), "a signature counts once (I8)"
        assert d.requested_by not in signers, "nobody signs their own (I7)"
        if d.fence and d.kind != "rollback":
            assert d.approvals, "the door opens for signatures only (I5)"
            assert all(a.digest == d.digest for a in d.approvals[-2:]), "for this build only (I7)"
            asked = next(s for s in d.plan.stages if isinstance(s, ApprovalStage))
            assert len(signers) >= len(asked.slots), "every place is signed (I5)"

    def _moved(self, was: Deployment, d: Deployment, now: datetime, is_promoted: bool) -> None:
        self._proven(was, d, now)
        if d.phase is Phase.ROLLED_BACK:
            assert d.rollback is not None
            split = self.world.router.split(d.target)
            wanted = ((d.rollback.target.name, 100),)
            assert split.live == wanted, "rolled back is said when it is seen (I12)"
        stage = was.stage
        if not isinstance(stage, RolloutStage) or was.phase is not Phase.RUNNING:
            return
        if d.phase not in (Phase.RUNNING, Phase.WATCHING) or not was.fence:
            return
        assert d.cursor > was.cursor or d.step <= was.step + 1, "no step is skipped (I3)"
        if (d.cursor, d.step) <= (was.cursor, was.step) or is_promoted:
            return
        mood = self.world.metrics.moods.get(d.version.name, "good")
        assert mood == "good", f"{mood} metrics promote nothing (I4, F66)"
        assert dict(self.world.router.split(d.target).live) == dict(was.wanted_weights), (
            "a step is left when it was seen (I4)"
        )
        seen_since = self.world.router.split(d.target).live_at
        since = max(self.stepped_at[d.team, d.id], seen_since)
        if self.jumped_at is None or self.jumped_at < since:
            assert now - since >= stage.steps[was.step].bake, "a whole bake (I4)"

    def _proven(self, was: Deployment, d: Deployment, now: datetime) -> None:
        if was.is_proven or not d.is_proven or d.live_at is None:
            return
        watch = d.plan.stages[-1]
        assert isinstance(watch, WatchStage)
        if self.jumped_at is None or self.jumped_at < d.live_at:
            assert now - d.live_at >= watch.proven_after, "a version is proven in its time (I13)"

    def _environment(self, before: Picture, after: Picture, target: Target) -> None:
        here, around = after.of(target), after.around[target]
        holders = [d.id for d in here if d.fence]
        slot = around.slot
        assert holders == ([slot.holder] if slot.holder else []), "one changes it (I1, I26)"
        assert slot.fence >= before.around[target].slot.fence, "fences count up (I16)"
        for d in here:
            if d.fence:
                key = (target, d.version.name)
                self.allowed[key] = max(self.allowed[key], d.weight)
        split = self.world.router.split(target)
        assert split.fence >= self.fences[target], "the router never goes back in time (I16)"
        self.fences[target] = split.fence
        served = {around.ledger.serving.name} if around.ledger.serving else set()
        served |= {d.rollback.target.name for d in here if d.rollback}
        served |= {d.stable.name for d in here if d.stable}
        for name, share in split.live:
            may = 100 if name in served else self.allowed[target, name]
            assert share <= may, f"{name} has {share} %, allowed are {may} % (I2)"
        self._ledger(before, after, target)
        if any(d.phase is Phase.ROLLBACK_FAILED for d in here) and around.lock is None:
            fresh = [d for d in here if d.phase is Phase.ROLLBACK_FAILED]
            assert all(before.deployments.get((d.team, d.id)) == d for d in fresh), (
                "a failed rollback locks (I12)"
            )

    def _ledger(self, before: Picture, after: Picture, target: Target) -> None:
        was = {v.name for v in before.around[target].ledger.proven}
        new = {v.name for v in after.around[target].ledger.proven} - was
        watched = {d.version.name for d in after.of(target) if d.is_proven}
        assert new <= watched, "only a watched version is proven (I13)"


def is_signed(d: Deployment, stage: ApprovalStage, people: People) -> bool:
    """Tried in every order: distinct, active, entitled humans, and none of the parties."""
    barred = [people.find(user) for user in (d.requested_by, *d.version.authors)]
    humans = {person.id: person for a in d.approvals if (person := people.find(a.by))}
    able = [p for p in humans.values() if p.is_active and p not in barred]
    roles = [slot.role for slot in stage.slots for _ in range(slot.needed)]
    return any(
        all(role in person.roles for person, role in zip(order, roles, strict=True))
        for order in permutations(able, len(roles))
    )


def is_at_rest(d: Deployment, picture: Picture) -> bool:
    """Over, or waiting for a person, or for its turn behind one that waits for a person."""
    if d.phase in OVER or d.phase is Phase.HELD:
        return True
    if d.phase is not Phase.RUNNING:
        return False
    holder = picture.around[d.target].slot.holder
    is_locked = picture.around[d.target].lock is not None
    return isinstance(d.stage, ApprovalStage) or (
        d.needs_entry and (is_locked or (holder is not None and holder != d.id))
    )


LAP = timedelta(seconds=15)
LONGEST_SETTLING = timedelta(minutes=30)
