"""Jobs: one key for ever, started at most once, finished only when it was seen."""

from dataclasses import dataclass
from enum import StrEnum


class JobState(StrEnum):
    """Where a keyed job stands at its runner."""

    ABSENT = "absent"  #: this key was never started
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"  #: it was started, and nobody can say how it ended


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What the runner says of *key*; `tail` is redacted output, newest last."""

    key: str
    state: JobState
    exit_code: int | None = None
    tail: str = ""
    fact: str = ""
