"""What the program needs of the outside world and of its memory, as small contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from bot.domain.gates import Check, CheckResult, Driver
from bot.domain.health import Reading
from bot.domain.jobs import JobStatus
from bot.domain.plan import JobStage, Plan
from bot.domain.release import Target, Version, Weights
from bot.domain.roles import People

T = TypeVar("T")
Block = Mapping[str, Any]


class Unavailable(Exception):
    """An outside system did not answer. Safe to try again; *retry_after* when it said when.

    *is_in_doubt*: the call may have been carried out, so what is not idempotent looks first.
    """

    def __init__(
        self, why: str, retry_after: timedelta | None = None, is_in_doubt: bool = False
    ) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        self.is_in_doubt = is_in_doubt


class Limited(Unavailable):
    """A limit is reached, and nothing was called. After *retry_after* the next caller is let
    through; after *turn* this one is, when everybody who was turned away before went first."""

    def __init__(self, why: str, retry_after: timedelta, turn: timedelta) -> None:
        super().__init__(why, retry_after)
        self.turn = turn


class InDoubt(Unavailable):
    """A change was handed over and its answer was lost: it may have been done."""

    def __init__(self, why: str) -> None:
        super().__init__(why, is_in_doubt=True)


class Outrun(Unavailable):
    """A newer command than ours was taken. *fence* is the newest one's number, None when the
    other side does not say."""

    def __init__(self, why: str, fence: int | None) -> None:
        super().__init__(why)
        self.fence = fence


class Rejected(Exception):
    """An outside system understood and said no, for good. Trying again changes nothing."""


class Gone(Rejected):
    """The message that was to be edited, or its thread, no longer exists or is closed."""


class Unreachable(Rejected):
    """The channel is archived, unknown, or the bot is not a member of it."""


class Unreadable(Rejected):
    """What is stored was written by a program that this one does not understand."""


class CannotLook(Exception):
    """Looking needs a right that the team did not grant."""


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

        Raises `Unreachable` when the channel cannot be posted to, `Gone` when only the thread
        cannot.
        """

    async def edit(self, where: Posted, message: Message) -> None:
        """Replace the content; idempotent. Raises `Gone` when the message was deleted."""

    async def answer(self, to: str, message: Message) -> None:
        """Answer a click at its response_url, for them only. Raises `Rejected` when spent."""

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
        """Ask for this split, of nothing when nobody is to get any traffic; idempotent, returns
        before it is live. A router that knows fences refuses one lower than it has seen. Raises
        `Unavailable` (`Outrun` for a lower fence), or `Rejected` for good."""

    async def weights(self, driver: Driver, target: Target) -> Weights:
        """The split that is really live; empty when nothing has traffic. Raises `Unavailable`."""

    async def fence(self, driver: Driver, target: Target) -> int | None:
        """The highest it has seen; None when it knows none or does not say. Raises
        `Unavailable`."""


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
class Limits:
    """How much may be asked within a minute: by one person typing, by one pressing, and by
    everybody in one channel together. `lookups` of versions while one person fills in a form.

    The refusals say how often one person is told that it was too much; each is a call to Slack.
    """

    commands: int
    clicks: int
    channel: int
    lookups: int
    click_refusals: int
    mention_refusals: int


@dataclass(frozen=True, slots=True)
class Patience:
    """When being late is worth an alarm: a look by more than that beside several laps, a message
    so long after its sender's lease; and for how long one that was given up is."""

    look: timedelta
    sending: timedelta
    given_up: timedelta


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything the policy files say, checked and compiled.

    `preview_lasts`: how long after a preview it can be confirmed. No `limits` limit nothing.
    """

    people: People
    services: Mapping[str, ServicePolicy]
    preview_lasts: timedelta
    patience: Patience
    limits: Limits | None = None
