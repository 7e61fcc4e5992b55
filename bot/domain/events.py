"""What can happen to a deployment: what a person wants, and what the bot sees."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.gates import CheckResult
from bot.domain.health import Reading
from bot.domain.jobs import JobStatus
from bot.domain.plan import Plan
from bot.domain.release import Version, Weights


@dataclass(frozen=True, slots=True)
class Requested:
    """Deploy *version* as *plan* says; the plan was compiled and hashed for this request."""

    by: str
    version: Version
    plan: Plan
    digest: str
    policy_digest: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Approved:
    """Sign as whichever role is still open; *version*, when given, must be the one asked for."""

    by: str
    note: str = ""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Say no to exactly this deployment."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """Stay where we are, traffic included."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Go on from a hold; a bake starts again."""

    by: str


@dataclass(frozen=True, slots=True)
class Promoted:
    """Do not wait for the rest of this step's bake."""

    by: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Give up before the environment was touched."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollbackRequested:
    """Go back, to *target* or to what the ledger offers first."""

    by: str
    reason: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class RollbackAbandoned:
    """A person says that this rollback will not be finished by the bot."""

    by: str
    reason: str


Wish = (
    Approved
    | Rejected
    | Held
    | Resumed
    | Promoted
    | Cancelled
    | RollbackRequested
    | RollbackAbandoned
)


@dataclass(frozen=True, slots=True)
class Observed:
    """What one look at the world found; None or empty means that it could not be seen.

    *at* is the moment before the look began: anything that was changed later than that
    cannot have been seen. *refusal* is a definite no of the executor.
    """

    at: datetime
    resolved: Version | None = None
    checks: tuple[CheckResult, ...] = ()
    job: JobStatus | None = None
    weights: Weights | None = None
    reading: Reading | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Time went by; nothing was looked at."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """Another deployment takes over the environment that this one was watching."""

    by: str


@dataclass(frozen=True, slots=True)
class Alarmed:
    """What the bot knows cannot be trusted here: nothing goes further until a person says so."""

    why: str


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The router refused a command, because it has taken one under the number *fence*."""

    fence: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The router has taken a command of this deployment under the number *fence*."""

    fence: int


Seen = Observed | Elapsed | Superseded | Alarmed | Overtaken | Taken
Event = Wish | Seen
