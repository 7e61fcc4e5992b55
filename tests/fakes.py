"""A world in memory: it keeps state, holds its contracts strictly, and fails on demand."""

import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from bot.domain.gates import Check, CheckResult, Driver
from bot.domain.health import Reading, Verdict
from bot.domain.jobs import JobState, JobStatus
from bot.domain.plan import JobStage
from bot.domain.release import Target, Version, Weights
from bot.ports import Outrun, Rejected, Unavailable, World
from tests.builders import NOW, a_version


class Trouble(Enum):
    """What becomes of one call to the outside."""

    NONE = "it works"
    DOWN = "it never arrived"
    LOST = "it was done, and the answer was lost"
    LIMITED = "not now, says the other side"


#: Asked before every call; may also raise, or wait, to stand for a crash or a long pause.
Fate = Callable[[str], Awaitable[Trouble]]


async def calm(_call: str) -> Trouble:
    return Trouble.NONE


@dataclass
class Clock:
    """The wall clock, which a test may make jump, and seconds that only ever pass."""

    now: datetime = NOW
    passed: float = 0.0

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.passed

    def pass_(self, time: timedelta) -> None:
        self.now += time
        self.passed += time.total_seconds()


def mind(trouble: Trouble, who: str) -> bool:
    """Whether the answer gets lost; raises when the call does not even arrive."""
    if trouble is Trouble.DOWN:
        raise Unavailable(f"{who} does not answer")
    if trouble is Trouble.LIMITED:
        raise Unavailable(f"{who} says wait", timedelta(seconds=20))
    return trouble is Trouble.LOST


def lose(is_lost: bool, who: str) -> None:
    if is_lost:
        raise Unavailable(f"the answer of {who} was lost", is_in_doubt=True)


@dataclass
class FakeReleases:
    """Knows the versions it was given; `moved` ones have become another build."""

    fate: Fate = calm
    known: dict[tuple[str, str], Version] = field(default_factory=dict)

    def offer(self, service: str, *names: str) -> None:
        self.known |= {(service, name): a_version(name) for name in names}

    async def resolve(self, driver: Driver, service: str, name: str) -> Version | None:
        lose(mind(await self.fate("releases.resolve"), "the catalogue"), "the catalogue")
        return self.known.get((service, name))

    async def newest(self, driver: Driver, service: str, limit: int = 20) -> tuple[Version, ...]:
        lose(mind(await self.fate("releases.newest"), "the catalogue"), "the catalogue")
        mine = [version for (of, _), version in self.known.items() if of == service]
        return tuple(reversed(mine))[:limit]


@dataclass
class FakeChecks:
    """Everything passes unless `verdicts` says otherwise, by check name."""

    clock: Clock
    fate: Fate = calm
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    async def verdict(self, check: Check, target: Target, version: Version) -> CheckResult:
        lose(mind(await self.fate("checks.verdict"), "the check"), "the check")
        verdict = self.verdicts.get(check.name, Verdict.PASS)
        return CheckResult(check.name, verdict, self.clock.now, "looked")


@dataclass
class FakeRunner:
    """Starts a key once for ever; a started job ends as `ends` says, after `takes`."""

    clock: Clock
    fate: Fate = calm
    takes: timedelta = timedelta(seconds=20)
    ends: JobState = JobState.SUCCEEDED
    tail: str = ""
    refuses: str = ""
    started: dict[str, tuple[datetime, Version]] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)

    async def start(self, key: str, job: JobStage, target: Target, version: Version) -> None:
        is_lost = mind(await self.fate("runner.start"), "the runner")
        kept = self.started.setdefault(key, (self.clock.now, version))
        assert kept[1] == version, f"{key} was started for another version"
        lose(is_lost, "the runner")

    async def status(self, key: str, job: JobStage) -> JobStatus:
        lose(mind(await self.fate("runner.status"), "the runner"), "the runner")
        if key not in self.started:
            return JobStatus(key, JobState.ABSENT)
        if key in self.stopped:
            return JobStatus(key, JobState.FAILED, fact="stopped")
        if self.clock.now - self.started[key][0] < self.takes:
            return JobStatus(key, JobState.RUNNING)
        return JobStatus(key, self.ends, tail=self.tail, fact=self.ends.value)

    async def stop(self, key: str, job: JobStage) -> None:
        is_lost = mind(await self.fate("runner.stop"), "the runner")
        if self.refuses:
            raise Rejected(self.refuses)
        self.stopped.add(key)
        lose(is_lost, "the runner")


@dataclass
class Split:
    """One environment at the router: what is live, and what was asked for last."""

    live: Weights = (("v1.8.2", 100),)
    wanted: Weights = (("v1.8.2", 100),)
    fence: int = 0
    live_at: datetime = NOW


@dataclass
class FakeRouter:
    """Knows fences. `late`: how long a move takes; `is_lying`: says yes and moves nothing."""

    clock: Clock
    fate: Fate = calm
    late: timedelta = timedelta()
    is_lying: bool = False
    splits: dict[Target, Split] = field(default_factory=lambda: defaultdict(Split))
    refuses: str = ""
    stale: int = 0

    async def set_weights(
        self, driver: Driver, target: Target, weights: Weights, fence: int
    ) -> None:
        is_lost = mind(await self.fate("router.set_weights"), "the router")
        if self.refuses:
            raise Rejected(self.refuses)
        split = self.split(target)
        assert sum(share for _, share in weights) in (0, 100), weights
        if fence < split.fence:
            self.stale += 1
            raise Outrun("a newer command was seen", split.fence)
        if not self.is_lying and split.wanted != weights:
            split.wanted, split.live_at = weights, self.clock.now + self.late
        split.fence = fence
        lose(is_lost, "the router")

    async def weights(self, driver: Driver, target: Target) -> Weights:
        lose(mind(await self.fate("router.weights"), "the router"), "the router")
        return self.split(target).live

    async def fence(self, driver: Driver, target: Target) -> int | None:
        lose(mind(await self.fate("router.fence"), "the router"), "the router")
        return self.split(target).fence

    def split(self, target: Target) -> Split:
        split = self.splits[target]
        if self.clock.now >= split.live_at:
            split.live = split.wanted
        return split


#: What metrics may say: error rate, age, requests. None: nothing at all.
READINGS: Mapping[str, tuple[float, timedelta, int] | None] = {
    "good": (0.5, timedelta(), 1000),
    "bad": (90.0, timedelta(), 1000),
    "NaN": (math.nan, timedelta(), 1000),
    "infinite": (math.inf, timedelta(), 1000),
    "stale": (0.5, timedelta(minutes=5), 1000),
    "few": (0.5, timedelta(), 2),
    "none": None,
}


@dataclass
class FakeMetrics:
    """Says of each version what `moods` names, see `READINGS`."""

    clock: Clock
    fate: Fate = calm
    moods: dict[str, str] = field(default_factory=dict)

    async def reading(self, driver: Driver, target: Target, version: str) -> Reading | None:
        lose(mind(await self.fate("metrics.reading"), "the metrics"), "the metrics")
        said = READINGS[self.moods.get(version, "good")]
        if said is None:
            return None
        value, age, requests = said
        return Reading(version, self.clock.now - age, requests, (("error_rate", value),))


@dataclass
class FakeWorld:
    """All of it over one clock and one fate."""

    clock: Clock
    fate: Fate = calm

    def __post_init__(self) -> None:
        self.releases = FakeReleases(self.fate)
        self.checks = FakeChecks(self.clock, self.fate)
        self.runner = FakeRunner(self.clock, self.fate)
        self.router = FakeRouter(self.clock, self.fate)
        self.metrics = FakeMetrics(self.clock, self.fate)

    def ports(self) -> World:
        return World(
            {"http": self.releases},
            {"http": self.checks},
            {"shell": self.runner},
            {"weighted_http": self.router},
            {"prometheus": self.metrics, "http": self.metrics},
        )
