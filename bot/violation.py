"""What the auditor found broken, and how people are told."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.line import Bold, Code, Line, Said
from bot.domain.release import Target

#: Every rule by its name in numbers and journal, and the invariant it stands for in the log.
RULES: Mapping[str, str] = {
    "slot": "I26",
    "rollback": "I12",
    "journal": "I17",
    "overdue": "I19",
    "dead": "I21",
    "unsent": "I21",
    "ahead": "F46",
}

#: Rules about what is late or lost: people are told, but what production does is not in doubt,
#: and a busy or badly connected program must not lock it.
_TOLD_ONLY = frozenset({"dead", "unsent", "overdue"})

#: What the journal's chains about alarms begin with.
PREFIX = "alarm:"


@dataclass(frozen=True, slots=True)
class Violation:
    """`rule` that is broken, by `subject`; `things` are deployments that must go no further.

    `target` is the environment it concerns, None when no environment is known.
    """

    rule: str
    team: str
    subject: str
    what: str
    target: Target | None
    things: tuple[str, ...] = ()

    @property
    def is_grave(self) -> bool:
        """Whether nothing may go on in its environment before a person has looked."""
        return self.rule not in _TOLD_ONLY

    @property
    def thing(self) -> str:
        """Whose chain in the journal tells of it: the journal is the auditor's memory, so that
        it is told once, whichever replica looks and however often it starts."""
        where = f"{self.target.service}/{self.target.environment}" if self.target else "-/-"
        return f"{PREFIX}{where}/{self.rule}/{self.subject}"


def heading(violation: Violation) -> str:
    """What kind of thing is wrong, for a title and for the reason of a hold."""
    if violation.rule == "overdue":
        return "deployments are not looked at"
    if not violation.is_grave:
        return "a message did not get through"
    if violation.rule == "ahead":
        return "the world is ahead of what the bot remembers"
    return "the bot's records do not agree"


def telling(violation: Violation, holder: str | None) -> Line:
    """What those on call read: what is wrong, what was stopped, and how to go on."""
    target = violation.target
    if target is None:
        title = Bold(heading(violation).capitalize())
        return (title, ": ", Said(violation.what), f". See {RULES[violation.rule]} in the log.")
    service = target.service
    head: Line = (
        Bold(f"{service} in {target.environment}: {heading(violation)}"),
        ": ",
        Said(violation.what),
    )
    if not violation.is_grave:
        status = Code(f"/deploy status {service}")
        return (*head, ". Nothing was stopped. How it stands: ", status, ".")
    head = (*head, ". Nothing new starts there")
    held: Line = (".",)
    if holder is not None:
        held = (", and ", Code(holder), " goes no further. Rolling back works: ")
        held = (*held, Code(f"/rollback {holder} reason"), ".")
    adopt: Line = ()
    if violation.rule == "ahead":
        adopt = (" Say on the host what serves: ", Code(f"pilothouse adopt {service} VERSION"), ".")
    unlock = Code(f"/deploy unlock {service} reason")
    return (*head, *held, *adopt, " When it is clear what happened: ", unlock, ".")
