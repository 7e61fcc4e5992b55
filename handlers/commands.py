"""What a person can have asked for by typing, as one closed set."""

from collections.abc import Mapping
from dataclasses import dataclass


class Misread(Exception):
    """The words do not make a command; nothing was done and nothing was guessed.

    *suggestions* are at most two whole commands, for the person to choose from.
    """

    def __init__(
        self, what: str, why: str, next_step: str, suggestions: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"{what} {why} {next_step}")
        self.what = what
        self.why = why
        self.next_step = next_step
        self.suggestions = suggestions[:2]


class Unnamed(Misread):
    """*command* is about one deployment, and neither the words nor the place say which."""

    def __init__(self, command: str) -> None:
        super().__init__(
            "Which deployment?",
            "There is no id, and this is not the thread of a deployment.",
            f"Say it with its id, such as `{command} D-142`.",
        )
        self.command = command


@dataclass(frozen=True)
class Known:
    #: Aliases by service.
    services: Mapping[str, tuple[str, ...]]
    environments: tuple[str, ...]


@dataclass(frozen=True)
class Deploy:
    """What was not typed is None, and the form asks for it."""

    service: str | None = None
    version: str | None = None
    environment: str | None = None


@dataclass(frozen=True)
class DeployStatus:
    #: A deployment id, a service, or None for everything that runs.
    target: str | None = None


@dataclass(frozen=True)
class DeployList:
    service: str | None = None
    count: int | None = None


@dataclass(frozen=True)
class DeployHelp:
    pass


@dataclass(frozen=True)
class HoldIt:
    id: str
    reason: str = ""


@dataclass(frozen=True)
class ResumeIt:
    id: str


@dataclass(frozen=True)
class CancelIt:
    id: str
    reason: str


@dataclass(frozen=True)
class Unlock:
    service: str
    reason: str = ""


@dataclass(frozen=True)
class Approve:
    id: str | None = None
    note: str = ""
    #: The version the approver says they looked at.
    version: str | None = None


@dataclass(frozen=True)
class Reject:
    id: str
    reason: str


@dataclass(frozen=True)
class Rollback:
    #: A deployment id or a service.
    target: str | None = None
    #: Where to go back to; None is the last good version.
    version: str | None = None
    environment: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class AbandonRollback:
    id: str
    reason: str


@dataclass(frozen=True)
class StatusOf:
    id: str


@dataclass(frozen=True)
class Help:
    pass


Command = (
    Deploy
    | DeployStatus
    | DeployList
    | DeployHelp
    | HoldIt
    | ResumeIt
    | CancelIt
    | Unlock
    | Approve
    | Reject
    | Rollback
    | AbandonRollback
    | StatusOf
    | Help
)
