"""The program's only memory, as small contracts: one protocol per repository."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from bot.domain.deployment import Deployment
from bot.domain.effects import Effect, Entry
from bot.domain.past import Past
from bot.domain.refusal import Outcome
from bot.domain.release import Target, Version
from bot.domain.slots import Active, Ledger, Lock, Slot
from bot.ports import Posted, Unreadable

T = TypeVar("T")
Heads = Sequence[tuple[str, str, int, str]]  # team, thing, its newest number and hash


class StaleRevision(Exception):
    """Somebody else saved first, or a lease was lost: load again and decide again."""


class Duplicate(Exception):
    """This delivery was taken in before; the transaction that found out must not commit."""


@dataclass(frozen=True, slots=True)
class InboxKey:
    """Names one delivery: Slack's own id, or the body's hash where there is none."""

    team: str
    kind: str
    key: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write about one due deployment until the lease ends; *fence* proves it."""

    team: str
    thing: str
    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The rows that must count at once for one environment."""

    slot: Slot
    lock: Lock | None
    ledger: Ledger
    others: tuple[Active, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """Something that was previewed and not yet sent; good for a while, for its author only.

    `version` is what was resolved, `note` a remark; for a rollback they are the target and the
    reason, and `thing` is the deployment it was previewed for."""

    team: str
    id: str
    by: str
    service: str
    environment: str
    kind: str
    version: Version
    created_at: datetime
    note: str = ""
    thing: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One effect on its way into the outbox.

    `lane`: parcels of one lane leave one after the other. `priority`: smaller leaves first.
    `wish`: an unsent parcel of the same lane and wish gives way to this one; None for a fact.
    `needs_card`: stays until the thing's card is posted, and lends it its priority.
    """

    lane: str
    priority: int
    effect: Effect
    wish: str | None = None
    needs_card: bool = False


@dataclass(frozen=True, slots=True)
class Sending:
    """A claimed outbox row. `is_in_doubt`: somebody began to send it and nobody knows the end."""

    id: int
    team: str
    thing: str
    lane: str
    effect: Effect | Unreadable
    key: str
    attempts: int
    is_in_doubt: bool
    created_at: datetime
    owner: str
    epoch: int
    priority: int


class Deployments(Protocol):
    """Deployments by (team, id); `teams` are all that ever deployed something here."""

    async def next_number(self, team: str) -> int:
        """The next `D-` number; never given out twice, gaps only when a transaction fails."""

    async def add(self, d: Deployment, due_at: datetime | None) -> None:
        """Raises `StaleRevision` when another of the same kind is on its way there."""

    async def get(self, team: str, id: str) -> Deployment | None: ...
    async def look(self, team: str, id: str) -> tuple[Deployment, Surroundings] | None: ...
    async def save(self, d: Deployment, due_at: datetime | None, claim: Claim | None) -> Deployment:
        """Store *d* if `d.revision` still is the newest (and *claim* still holds, which ends
        with it); returns it with the next revision. Raises `StaleRevision`."""

    async def put_off(self, rests: Sequence[tuple[Claim, datetime | None]]) -> None:
        """Nothing changed: only the due times, and the claims end. Silent where one was lost."""

    async def claim_due(
        self, owner: str, lease: timedelta, limit: int, by: datetime | None = None
    ) -> tuple[Claim, ...]:
        """Due, unfinished, unclaimed: now by database time and at *by*; longest overdue first."""

    async def all_due(self) -> None:
        """What is unfinished is due now; claims stay, but no longer than any. Idempotent."""

    async def survey(
        self, claims: Sequence[Claim]
    ) -> tuple[tuple[Claim, Deployment, Surroundings], ...]:
        """Those that can be read, with what surrounds them now; nothing is held still."""

    async def surroundings(self, target: Target, without: str | None) -> Surroundings:
        """Slot, lock, ledger and others unfinished there, as they still are at the commit;
        `held` is their part that is told also where nobody can read what serves."""

    async def current(self, target: Target) -> Deployment | None:
        """What changes the environment, else watches it, else the newest whose version serves."""

    async def held(self, target: Target) -> tuple[Slot, Lock | None]: ...
    async def past(self, target: Target, kind: str) -> Past: ...
    async def teams(self) -> tuple[str, ...]: ...
    async def unfinished(self, team: str) -> tuple[Deployment, ...]: ...
    async def recent(self, team: str, service: str | None, limit: int) -> tuple[Deployment, ...]:
        """Newest first, finished ones included."""


class Journal(Protocol):
    """Append only; one hash chain per thing."""

    async def append(
        self, d: Deployment, event: str, by: str | None, entries: Sequence[Entry]
    ) -> None:
        """One row for one transition, chained to the thing's row before; `d` as saved next."""

    async def note(
        self, team: str, thing: str, event: str, by: str | None, entries: Sequence[Entry]
    ) -> None:
        """The same for a thing that is no deployment, e.g. `checkout/production` unlocked."""

    async def story(self, team: str, thing: str) -> tuple[tuple[datetime, Entry], ...]:
        """Everything told about *thing*, oldest first, with the moment of each."""

    async def head(self, team: str, thing: str) -> tuple[int, str]:
        """The newest row's number and hash; (0, "") when there is none."""


class Outbox(Protocol):
    """Effects on their way; at least once, in order per lane."""

    async def put(self, team: str, thing: str, parcels: Sequence[Parcel]) -> None: ...
    async def claim(
        self, owner: str, lease: timedelta, limit: int, only: Sequence[str] = ()
    ) -> tuple[Sending, ...]:
        """The first sendable of up to *limit* lanes, most urgent first, marked as being sent; in
        doubt if a sender's lease ran out. *only*: last parts of lanes; else all."""

    async def done(self, row: Sending) -> None: ...
    async def again(self, row: Sending, at: datetime, why: str, is_in_doubt: bool = False) -> None:
        """Try again at *at*; a wish that a newer one replaced meanwhile is dropped instead,
        unless it is *in doubt* (it may have been carried out) and no fenced traffic."""

    async def bury(self, row: Sending, why: str) -> None:
        """Give up for good; kept, counted, and the lane goes on."""

    async def all_sendable(self) -> None:
        """What is ready and was to wait may be sent now; leases as `all_due`. Idempotent."""

    async def next_at(self) -> datetime | None:
        """When the earliest waiting parcel may be sent."""


class Inbox(Protocol):
    """What was taken in, so that nothing counts twice."""

    async def find(self, key: InboxKey) -> Outcome | None:
        """What came of it the first time. Raises `Duplicate` when it had another body."""

    async def add(self, key: InboxKey, outcome: Outcome) -> None:
        """Raises `Duplicate` when another transaction took it in first."""


class Environments(Protocol):
    """Slots, locks and the ledger of what serves and what is proven."""

    async def take(self, target: Target, deployment: str, fence: int) -> None:
        """Raises `StaleRevision` unless the slot is free and *fence* is the next count."""

    async def free(self, target: Target, deployment: str) -> None:
        """Silent when it is not held by *deployment*."""

    async def raise_fence(self, target: Target, fence: int) -> None: ...
    async def serves(self, target: Target, version: Version, at: datetime) -> None: ...
    async def proves(self, target: Target, version: str, at: datetime) -> None: ...
    async def disproves(self, target: Target, version: str) -> None: ...
    async def lock(self, target: Target, reason: str, by: str | None, at: datetime) -> None: ...
    async def locks(self, team: str) -> tuple[tuple[Target, Lock], ...]:
        """Every lock there is, oldest first."""

    async def unlock(self, target: Target) -> bool:
        """Whether there was a lock."""


class Threads(Protocol):
    """Which messages stand for a thing: `card`, `ask`, `update`."""

    async def find(self, team: str, thing: str, role: str) -> Posted | None: ...
    async def remember(
        self, team: str, thing: str, role: str, posted: Posted, note: str = ""
    ) -> None:
        """*note* is what must be known of the message when it is edited later."""

    async def note(self, team: str, thing: str, role: str) -> str:
        """Kept with the message; empty when there is none."""

    async def thing_of(self, team: str, posted: Posted) -> str | None:
        """The thing whose card or thread this is; for a mention inside a thread."""

    async def places(self, team: str, thing: str) -> Mapping[str, Posted]:
        """Where all of them stand, by role."""


class Drafts(Protocol):
    """Previewed requests."""

    async def add(self, draft: Draft) -> None: ...
    async def get(self, team: str, id: str) -> Draft | None: ...


class Transaction(Protocol):
    """One unit of work. Only these may be awaited inside it: it never waits for the world."""

    @property
    def now(self) -> datetime:
        """The database's clock when the transaction began, UTC."""

    @property
    def deployments(self) -> Deployments: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def environments(self) -> Environments: ...
    @property
    def threads(self) -> Threads: ...
    @property
    def drafts(self) -> Drafts: ...
    async def snapshot_policy(self, digest: str, text: str) -> None:
        """Keep a policy's text once; idempotent."""

    async def seal(self, heads: Heads | None = None) -> tuple[str, ...]:
        """Link *heads*, or all that changed since they were sealed; returns the new links, which
        belong outside the database. One caller at a time: see `acquire`."""

    async def acquire(self, name: str, owner: str, lease: timedelta) -> int | None:
        """The named lease's fence when *owner* has it now, else None."""


class Store(Protocol):
    """The only memory."""

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run *unit* in one transaction and commit; whatever it raises rolls everything back.
        Lost connections, deadlocks and the like are tried again, so *unit* may run more than
        once. Raises `Unavailable`, or `InDoubt` when it may have been committed all the same."""

    async def now(self) -> datetime:
        """The database's clock, UTC."""
