"""What the program needs of the outside world and of its memory, as small contracts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from bot.domain.deployment import Deployment
from bot.domain.effects import Effect, Entry
from bot.domain.gates import Check, CheckResult, Driver
from bot.domain.health import Reading
from bot.domain.jobs import JobStatus
from bot.domain.plan import JobStage, Plan
from bot.domain.refusal import Outcome
from bot.domain.release import Target, Version, Weights
from bot.domain.roles import People
from bot.domain.slots import Active, Ledger, Lock, Slot

T = TypeVar("T")
Block = Mapping[str, Any]


class Unavailable(Exception):
    """An outside system did not answer. Safe to try again; *retry_after* when it said when."""

    def __init__(self, why: str, retry_after: timedelta | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Rejected(Exception):
    """An outside system understood and said no, for good. Trying again changes nothing."""


class Gone(Rejected):
    """The message that was to be edited no longer exists."""


class Unreachable(Rejected):
    """The channel is archived, unknown, or the bot is not a member of it."""


class CannotLook(Exception):
    """Looking needs a right that the team did not grant."""


class StaleRevision(Exception):
    """Somebody else saved first, or a lease was lost: load again and decide again."""


class Duplicate(Exception):
    """This delivery was taken in before; the transaction that found out must not commit."""


# --- the outside world -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """What is shown: `text` for phones and screen readers, `blocks` for everybody else."""

    text: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message stands."""

    channel: str
    ts: str


class Chat(Protocol):
    """Where people read. Every call raises `Unavailable` (with Slack's Retry-After when it was
    a limit) or `Rejected`; nothing is retried inside."""

    async def post(
        self, channel: str, message: Message, key: str, thread: str | None = None
    ) -> Posted:
        """Post once; not idempotent. *key* is stored with the message so `find` can see it.

        Raises `Unreachable` when the channel cannot be posted to.
        """

    async def edit(self, where: Posted, message: Message) -> None:
        """Replace the content; idempotent. Raises `Gone` when the message was deleted."""

    async def answer(self, to: str, message: Message) -> None:
        """Answer a click at its response_url, for the clicker only. Raises `Rejected` when spent."""

    async def find(
        self, channel: str, key: str, since: datetime, thread: str | None = None
    ) -> Posted | None:
        """Look for a message posted under *key*. Raises `CannotLook` without the right to read."""

    async def link(self, where: Posted) -> str:
        """A permanent address of the message."""


class Releases(Protocol):
    """Resolves what was typed into a build."""

    async def resolve(self, driver: Driver, service: str, name: str) -> Version | None:
        """The version as it is now, None when there is none of that name. Raises `Unavailable`."""

    async def newest(self, driver: Driver, service: str, limit: int = 20) -> tuple[Version, ...]:
        """Versions that can be deployed, newest first. Raises `Unavailable`."""


class Checks(Protocol):
    """Answers one check about one version in one environment."""

    async def verdict(self, check: Check, target: Target, version: Version) -> CheckResult:
        """Read only. Raises `Unavailable`, which the caller takes as UNKNOWN.

        `CheckResult.at` is left to the caller's clock: any value is replaced.
        """


class Runner(Protocol):
    """Runs a job at most once per key; its result survives both the bot and the runner."""

    async def start(self, key: str, job: JobStage, target: Target, version: Version) -> None:
        """Idempotent per *key*, for ever. Raises `Unavailable`, or `Rejected` for a job that
        cannot be run at all (no such program, a version that is no version)."""

    async def status(self, key: str, job: JobStage) -> JobStatus:
        """Where *key* stands; ABSENT when it was never started. Raises `Unavailable`."""

    async def stop(self, key: str, job: JobStage) -> None:
        """End it if it runs; idempotent. Raises `Unavailable`."""


class TrafficRouter(Protocol):
    """Splits an environment's traffic between versions."""

    async def set_weights(
        self, driver: Driver, target: Target, weights: Weights, fence: int
    ) -> None:
        """Ask for this split; idempotent, returns before it is live. A router that knows fences
        refuses one lower than it has seen. Raises `Unavailable`, or `Rejected` for good."""

    async def weights(self, driver: Driver, target: Target) -> Weights:
        """The split that is really live. Raises `Unavailable`."""


class Metrics(Protocol):
    """How one version of a service does."""

    async def reading(self, driver: Driver, target: Target, version: str) -> Reading | None:
        """The newest reading of exactly this version, None when there is none. Raises
        `Unavailable`."""


@dataclass(frozen=True, slots=True)
class World:
    """The adapters by the kind a policy names, e.g. `routers["weighted_http"]`."""

    releases: Mapping[str, Releases]
    checks: Mapping[str, Checks]
    runners: Mapping[str, Runner]
    routers: Mapping[str, TrafficRouter]
    metrics: Mapping[str, Metrics]


# --- policies -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """One service's policy, compiled: a plan per (environment, kind), and the text it came from."""

    service: str
    aliases: tuple[str, ...]
    text: str
    digest: str
    default_environment: str
    plans: Mapping[tuple[str, str], Plan]

    @property
    def environments(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(environment for environment, _ in self.plans))


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything the policy files say, checked and compiled."""

    people: People
    services: Mapping[str, ServicePolicy]


# --- the memory ----------------------------------------------------------------------------------


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
    """A request that was previewed and not yet sent; good for a while, for its author only."""

    team: str
    id: str
    by: str
    service: str
    environment: str
    kind: str
    version: Version
    created_at: datetime


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
    effect: Effect
    key: str
    attempts: int
    is_in_doubt: bool
    created_at: datetime
    owner: str
    epoch: int
    is_superseded: bool = False


class Deployments(Protocol):
    """Deployments by (team, id)."""

    async def next_number(self, team: str) -> int:
        """The next `D-` number; never given out twice, gaps only when a transaction fails."""

    async def add(self, d: Deployment, due_at: datetime | None) -> None:
        """Raises `StaleRevision` when another of the same kind is on its way there."""

    async def get(self, team: str, id: str) -> Deployment | None: ...

    async def save(self, d: Deployment, due_at: datetime | None, claim: Claim | None) -> Deployment:
        """Store *d* if `d.revision` still is the newest (and *claim* still holds, which ends
        with it); returns it with the next revision. Raises `StaleRevision`."""

    async def put_off(self, claim: Claim, due_at: datetime | None) -> None:
        """Nothing changed: only the due time, and the claim ends. Silent when it was lost."""

    async def claim_due(self, owner: str, lease: timedelta, limit: int) -> tuple[Claim, ...]:
        """Due, unfinished and unclaimed ones, the longest overdue first; by database time."""

    async def surroundings(self, target: Target, without: str | None) -> Surroundings:
        """Slot, lock, ledger and other unfinished deployments of *target*, held still until
        the transaction ends."""

    async def current(self, target: Target) -> Deployment | None:
        """The one that `/rollback SERVICE` means: changing the environment, else watching it,
        else the newest that ended SUCCEEDED there."""

    async def unfinished(self, team: str) -> tuple[Deployment, ...]: ...

    async def recent(self, team: str, service: str | None, limit: int) -> tuple[Deployment, ...]:
        """Newest first, finished ones included."""


class Journal(Protocol):
    """Append only; one hash chain per thing."""

    async def append(
        self, d: Deployment, event: str, by: str | None, entries: Sequence[Entry]
    ) -> None:
        """One row for one transition, chained to the thing's row before; `d` as it is saved
        next in the same transaction (after `append`)."""

    async def head(self, team: str, thing: str) -> tuple[int, str]:
        """The newest row's number and hash; (0, "") when there is none."""


class Outbox(Protocol):
    """Effects on their way; at least once, in order per lane."""

    async def put(self, team: str, thing: str, parcels: Sequence[Parcel]) -> None: ...

    async def claim(self, owner: str, lease: timedelta, limit: int) -> tuple[Sending, ...]:
        """The first sendable parcel of up to *limit* lanes, most urgent first, marked as being
        sent. One whose sender's lease ran out comes back as in doubt."""

    async def done(self, row: Sending) -> None: ...

    async def again(self, row: Sending, at: datetime, why: str) -> None:
        """Try again at *at*; a wish that a newer one replaced meanwhile is dropped instead."""

    async def bury(self, row: Sending, why: str) -> None:
        """Give up for good; kept, counted, and the lane goes on."""

    async def next_at(self) -> datetime | None:
        """When the earliest waiting parcel may be sent."""


class Inbox(Protocol):
    """What was taken in, so that nothing counts twice."""

    async def find(self, key: InboxKey) -> Outcome | None:
        """What came of it the first time. Raises `Duplicate` when the key is known with another
        body."""

    async def add(self, key: InboxKey, outcome: Outcome) -> None:
        """Raises `Duplicate` when another transaction took it in first."""


class Environments(Protocol):
    """Slots, locks and the ledger of what serves and what is proven."""

    async def take(self, target: Target, deployment: str, fence: int) -> None:
        """Raises `StaleRevision` unless the slot is free and *fence* is the next count."""

    async def free(self, target: Target, deployment: str) -> None:
        """Silent when it is not held by *deployment*."""

    async def serves(self, target: Target, version: Version, at: datetime) -> None: ...

    async def proves(self, target: Target, version: str, at: datetime) -> None: ...

    async def disproves(self, target: Target, version: str) -> None: ...

    async def lock(self, target: Target, reason: str, by: str | None, at: datetime) -> None: ...

    async def unlock(self, target: Target) -> bool:
        """Whether there was a lock."""


class Threads(Protocol):
    """Which messages stand for a thing: `card`, `ask`, `update`."""

    async def find(self, team: str, thing: str, role: str) -> Posted | None: ...

    async def remember(self, team: str, thing: str, role: str, posted: Posted) -> None: ...

    async def thing_of(self, team: str, posted: Posted) -> str | None:
        """The thing whose card or thread this is; for a mention inside a thread."""


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

    async def acquire(self, name: str, owner: str, lease: timedelta) -> int | None:
        """The named lease's fence when *owner* has it now, else None."""


class Store(Protocol):
    """The only memory."""

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run *unit* in one transaction and commit; whatever it raises rolls everything back.

        Lost connections, deadlocks and serialisation failures are tried again a few times, so
        *unit* may run more than once. Raises `Unavailable` when the database stays away.
        """

    async def now(self) -> datetime:
        """The database's clock, UTC."""


Surface = Literal["message", "modal", "home"]
