"""What is wrong in a policy: where, why, and what to write instead."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Whether a finding stops the program."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake; *line* and *column* count from 1, *path* reads `kinds.standard.stages.0`.

    `fix` says what to write. Values that look like secrets stand in neither sentence.
    """

    file: str
    line: int
    column: int
    path: str
    problem: str
    fix: str
    level: Level = Level.ERROR

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        subject = f" {self.path}:" if self.path else ""
        return f"{where}: {self.level}:{subject} {self.problem}; {self.fix}"


class PolicyError(Exception):
    """The policies cannot be used; `findings` holds every mistake of every file."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean `x`?` when something known is near, otherwise what there is."""
    choices = sorted(known)
    near = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    near = near or [choice for choice in choices if word and choice.startswith(word.lower())]
    if near:
        return f"did you mean `{near[0]}`?"
    if not choices:
        return "nothing of that sort is defined yet"
    return "there is " + ", ".join(f"`{choice}`" for choice in choices[:12])
