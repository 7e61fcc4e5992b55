"""What a decision asks for: effects on the world, and records in the same transaction."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.line import Line
from bot.domain.refusal import Way
from bot.domain.release import Weights


@dataclass(frozen=True, slots=True)
class RefreshCard:
    """A wish: the card shows the stored state. Not *urgent*: numbers moved, nothing else."""

    is_urgent: bool = True


@dataclass(frozen=True, slots=True)
class Announce:
    """A fact for the thread, told once and in order."""

    line: Line
    at: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """A new thread message that asks these people to sign; *round* counts the askings."""

    round: int
    is_reminder: bool = False


@dataclass(frozen=True, slots=True)
class CloseAsk:
    """A wish: the newest asking shows what became of it, without buttons."""


@dataclass(frozen=True, slots=True)
class PostUpdate:
    """The status for beat number *beat*, due at *due_at*; an unsent older one gives way.

    *beat* is None for the extra status of a change in between; *occasion* says which.
    """

    due_at: datetime
    beat: int | None
    occasion: str = ""


@dataclass(frozen=True, slots=True)
class CloseUpdate:
    """A wish: nothing more is scheduled, so the last status shrinks to its line."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A top-level message everybody cares about: `complete`, `rolled_back`, `failed`."""

    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StartJob:
    """Run *argv* under *key*; the runner starts a key at most once."""

    stage: int
    key: str


@dataclass(frozen=True, slots=True)
class StopJob:
    """Nobody wants the result of *key* any more."""

    stage: int
    key: str


@dataclass(frozen=True, slots=True)
class ShowOutput:
    """A fact for the thread: how a job's output ended, redacted, newest line last."""

    name: str
    tail: str


@dataclass(frozen=True, slots=True)
class SetTraffic:
    """A wish: this split. *fence* never falls for one environment; a stale one is refused."""

    weights: Weights
    fence: int


@dataclass(frozen=True, slots=True)
class Page:
    """Somebody must look now. *key* names the cause, so that the same one is not told twice."""

    reason: Line
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """Whoever holds the role *on_call* must look, at something that may be no deployment."""

    channel: str
    on_call: str
    line: Line
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a click, for the one who clicked; *rule* is why it was refused."""

    to: str
    line: Line
    next_step: Line = ()
    ways: tuple[Way, ...] = ()
    is_refusal: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The journal's newest hash goes to the thread, outside the database."""

    at: datetime


Effect = (
    RefreshCard
    | Announce
    | Ask
    | CloseAsk
    | PostUpdate
    | CloseUpdate
    | Milestone
    | StartJob
    | StopJob
    | ShowOutput
    | SetTraffic
    | Page
    | Alarm
    | Reply
    | Anchor
)


@dataclass(frozen=True, slots=True)
class TakeSlot:
    """Become the one deployment that changes this environment; *fence* is the new count."""

    fence: int


@dataclass(frozen=True, slots=True)
class RaiseFence:
    """Hold the slot under a higher count: a router has seen commands nobody here remembers."""

    fence: int


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """Give the environment back."""


@dataclass(frozen=True, slots=True)
class Serves:
    """The ledger: this version has all traffic now."""

    version: str


@dataclass(frozen=True, slots=True)
class Proves:
    """The ledger: this version may be rolled back to."""

    version: str


@dataclass(frozen=True, slots=True)
class Disproves:
    """The ledger: being rolled back takes a version's proof away."""

    version: str


@dataclass(frozen=True, slots=True)
class LockEnvironment:
    """Nobody deploys here until a person lifts it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Supersede:
    """Another deployment's watch ends, because this one takes over."""

    deployment: str


Slotting = TakeSlot | RaiseFence | FreeSlot
Record = Slotting | Serves | Proves | Disproves | LockEnvironment | Supersede


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact for the journal and the timeline: what happened, by whom, in words."""

    what: str
    line: Line
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything one decision asks for, gathered in order."""

    effects: tuple[Effect, ...] = ()
    records: tuple[Record, ...] = ()
    entries: tuple[Entry, ...] = field(default=())

    def __add__(self, other: "Wanted") -> "Wanted":
        return Wanted(
            self.effects + other.effects,
            self.records + other.records,
            self.entries + other.entries,
        )
