"""Who sees every commit: what was decided, under which lease, and what the journal says of it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from bot.domain.deployment import Deployment, Phase
from bot.domain.plan import ApprovalStage
from bot.domain.release import Target, Weights, is_same_split
from bot.memory import Claim, Deployments, Store, Transaction
from storage.leases import LONGEST
from storage.transaction import connection_of

T = TypeVar("T")
Key = tuple[str, str]

_LEASE = "SELECT lease_owner FROM deployments WHERE team = :team AND id = :id"


@dataclass
class Notes:
    """What one transaction did, as far as it must be judged once it is committed."""

    at: datetime
    saved: list[tuple[Deployment, Claim | None, int]] = field(default_factory=list)
    claimed: list[tuple[Claim, datetime]] = field(default_factory=list)
    put_off: list[tuple[Claim, bool]] = field(default_factory=list)
    #: Set when the clock was found to have gone back: no lease lasts longer from here on.
    longest: datetime | None = None


@dataclass
class Witness:
    """Raises `AssertionError` when a commit breaks a promise; `look_at_door` may add its own."""

    look_at_door: Callable[[Deployment], None] = lambda d: None
    newest: dict[Key, Deployment] = field(default_factory=dict)
    wanted: dict[Target, list[Weights]] = field(default_factory=lambda: defaultdict(list))
    _leases: dict[Key, tuple[Claim, datetime]] = field(default_factory=dict)
    _told: dict[Key, int] = field(default_factory=lambda: defaultdict(int))

    def committed(self, notes: Notes) -> None:
        if notes.longest is not None:
            for key, (claim, until) in self._leases.items():
                self._leases[key] = (claim, min(until, notes.longest))
        for claim, until in notes.claimed:
            other = self._leases.get((claim.team, claim.thing))
            assert other is None or other[1] <= notes.at, (
                f"two look after {claim.thing} at once (I19)"
            )
            self._leases[claim.team, claim.thing] = (claim, until)
        for claim, is_free in notes.put_off:
            lease = self._leases.pop((claim.team, claim.thing), None)
            if lease is not None and lease[0] != claim:
                self._leases[claim.team, claim.thing] = lease
                assert not is_free, f"the lease of {claim.thing} is another one's (G5)"
        for d, under, told in notes.saved:
            key = (d.team, d.id)
            lease = self._leases.pop(key, None)
            is_held = lease is not None and lease[0] == under and notes.at < lease[1]
            assert under is None or is_held, f"a lap of {d.id} saved after its lease (G5)"
            self._changed(self.newest.get(key), d, told)
            self.newest[key], self._told[key] = d, told
            if d.fence and self.wanted[d.target][-1:] != [d.wanted_weights]:
                self.wanted[d.target].append(d.wanted_weights)

    def age(self, target: Target, weights: Weights) -> int:
        """The number of the newest decision that wanted this split; -1 when none ever did."""
        decisions = list(enumerate(self.wanted[target]))
        return max((i for i, wanted in decisions if is_same_split(wanted, weights)), default=-1)

    def _changed(self, was: Deployment | None, d: Deployment, told: int) -> None:
        if was is not None:
            assert d.revision == was.revision + 1, f"a decision about {d.id} was lost (I11)"
        if was is None or _place(was) != _place(d):
            assert told > self._told[d.team, d.id], (
                f"{d.id} became {_place(d)} without a line, it was {was and _place(was)} (I17)"
            )
        if was is not None and isinstance(was.stage, ApprovalStage):
            for signature in d.approvals[len(was.approvals) :]:
                asked_for = signature.at - was.stage_since
                assert asked_for < was.stage.expires_after, "nobody signs too late (F15)"
        if d.fence and not (was and was.fence) and d.phase is not Phase.ROLLING_BACK:
            self.look_at_door(d)


def _place(d: Deployment) -> tuple[object, ...]:
    return (d.phase, d.cursor, d.step)


def _news(was: Deployment | None, d: Deployment) -> str:
    return f"{d.id} went from {was and _place(was)} to {_place(d)}"


class WitnessedStore:
    def __init__(self, store: Store, witness: Witness) -> None:
        self._store = store
        self._witness = witness

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        taken: list[Notes] = []

        async def noted(tx: Transaction) -> T:
            notes = Notes(tx.now)
            taken[:] = [notes]
            result = await unit(WitnessedTransaction(tx, Witnessed(tx, notes)))
            for number, (d, claim, _) in enumerate(notes.saved):
                seq, _ = await tx.journal.head(d.team, d.id)
                notes.saved[number] = (d, claim, seq)
            return result

        result = await self._store.run(noted)
        self._witness.committed(taken[0])
        return result

    async def now(self) -> datetime:
        return await self._store.now()


class WitnessedTransaction:
    """The same transaction with other deployments."""

    def __init__(self, tx: Transaction, deployments: "Passing") -> None:
        self.deployments = cast(Deployments, deployments)
        self.now, self.journal, self.outbox = tx.now, tx.journal, tx.outbox
        self.inbox, self.environments = tx.inbox, tx.environments
        self.threads, self.drafts = tx.threads, tx.drafts
        self.snapshot_policy, self.seal, self.acquire = tx.snapshot_policy, tx.seal, tx.acquire


class Passing:
    """Deployments as they are, but for what a subclass says."""

    def __init__(self, inner: Deployments) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Witnessed(Passing):
    """Leaves a note of everything that is written."""

    def __init__(self, tx: Transaction, notes: Notes) -> None:
        super().__init__(tx.deployments)
        self._tx = tx
        self._notes = notes

    async def add(self, d: Deployment, due_at: datetime | None) -> None:
        await self._inner.add(d, due_at)
        self._notes.saved.append((d, None, 0))

    async def save(self, d: Deployment, due_at: datetime | None, claim: Claim | None) -> Deployment:
        saved = await self._inner.save(d, due_at, claim)
        self._notes.saved.append((saved, claim, 0))
        return saved

    async def all_due(self) -> None:
        await self._inner.all_due()
        self._notes.longest = self._notes.at + LONGEST

    async def put_off(self, *rests: Any) -> None:
        await self._inner.put_off(*rests)
        for claim in claims_in(rests):
            rows = await connection_of(self._tx).rows(_LEASE, team=claim.team, id=claim.thing)
            self._notes.put_off.append((claim, rows[0][0] is None))

    async def claim_due(
        self, owner: str, lease: timedelta, limit: int, by: datetime | None = None
    ) -> tuple[Claim, ...]:
        claims = await self._inner.claim_due(owner, lease, limit, by)
        self._notes.claimed += [(claim, self._notes.at + lease) for claim in claims]
        return claims


def claims_in(values: object) -> list[Claim]:
    if isinstance(values, Claim):
        return [values]
    if isinstance(values, tuple | list):
        return [claim for value in values for claim in claims_in(value)]
    return []
