"""Sentences as data: the only place from which a mention, a time or emphasis can come."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Mention:
    """One Slack user, by id (`U…`); shown as a mention, and notifies them in a new message."""

    user: str


@dataclass(frozen=True, slots=True)
class Said:
    """Words of a person or an outside system, quoted and never interpreted."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """An id, a version or a command, shown in a code span."""

    text: str


@dataclass(frozen=True, slots=True)
class Bold:
    """The part of a sentence that must be seen first."""

    text: str


@dataclass(frozen=True, slots=True)
class At:
    """A moment, shown as the reader's local time with UTC as the fallback."""

    moment: datetime


Part = str | Mention | Said | Code | Bold | At
Line = tuple[Part, ...]


def plain(line: Line) -> str:
    """What *line* says where no mark-up is drawn: the terminal, the journal, a test."""
    return "".join(_plain(part) for part in line)


def mentions(users: tuple[str, ...] | list[str], last: str = "or") -> Line:
    """`@a, @b or @c`; an honest word when the list is empty."""
    if not users:
        return ("nobody yet",)
    parts: list[Part] = []
    for position, user in enumerate(users):
        if position:
            parts.append(f" {last} " if position == len(users) - 1 else ", ")
        parts.append(Mention(user))
    return tuple(parts)


def unstopped(line: Line) -> Line:
    """*line* without its full stop, so that the sentence can go on."""
    last = line[-1] if line else None
    return (*line[:-1], last.removesuffix(".")) if isinstance(last, str) else line


def _plain(part: Part) -> str:
    match part:
        case str():
            return part
        case Mention(user):
            return f"@{user}"
        case At(moment):
            return f"{moment.astimezone(UTC):%H:%M UTC}"
        case Said(text) | Code(text) | Bold(text):
            return text
