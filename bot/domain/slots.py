"""What must count at once: read in the same transaction as the state it is decided with."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.release import Version
from bot.domain.roles import People


@dataclass(frozen=True, slots=True)
class Slot:
    """Who may change an environment now, and how often it was handed out (the fence)."""

    holder: str | None = None
    fence: int = 0


_REVISIONS = 24  # in bits: more than any deployment will see


def fence_at(slot: int, revision: int) -> int:
    """The number a router is told with a split: a later holder's, then a later one's, is higher."""
    return (slot << _REVISIONS) + revision


def slot_count(traffic_fence: int) -> int:
    """Under which holding of the slot a command to the router was given."""
    return traffic_fence >> _REVISIONS


@dataclass(frozen=True, slots=True)
class Lock:
    """Nobody deploys here until a person lifts it."""

    reason: str
    by: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """What serves an environment, and the proven versions, newest proof first."""

    serving: Version | None = None
    proven: tuple[Version, ...] = ()

    def known(self, name: str) -> Version | None:
        every = (*((self.serving,) if self.serving else ()), *self.proven)
        return next((version for version in every if version.name == name), None)

    def targets(self, current: str) -> tuple[Version, ...]:
        """Proven versions one may go back to from *current*, best first."""
        return tuple(version for version in self.proven if version.name != current)


@dataclass(frozen=True, slots=True)
class Active:
    """Another unfinished deployment of the same service and environment."""

    id: str
    kind: str
    phase: str
    version: str


@dataclass(frozen=True, slots=True)
class Context:
    """The world of rules around one deployment, as it stands in this transaction."""

    people: People
    slot: Slot = Slot()
    lock: Lock | None = None
    ledger: Ledger = Ledger()
    others: tuple[Active, ...] = ()
    tick: timedelta = field(default=timedelta(seconds=5))
