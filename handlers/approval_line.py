"""Reads an approval or a rejection, and asks when it could be either."""

import re

from handlers.commands import Approve, Command, Help, Misread, Reject
from handlers.line import Line, named_id, needs_reason, take_id, the_service
from handlers.wording import bare, close, deployment_id

_VERSION_SEEN = re.compile(r"v[0-9][A-Za-z0-9._+-]{0,126}|[0-9]+\.[0-9][A-Za-z0-9._+-]{0,124}")
_NO_WORRIES = frozenset({"issue", "issues", "problem", "problems", "objection", "objections"})
#: Words that begin the opposite of an approval.
_OBJECTIONS = frozenset(
    [
        "no",
        "not",
        "never",
        "dont",
        "don't",
        "do",
        "deny",
        "decline",
        "denied",
        "declined",
        "stop",
        "wait",
        "cancel",
        "hold",
    ]
)


def approve(line: Line) -> Command:
    first = line.first.casefold()
    if first == "help":
        return Help()
    if first == "reject":
        return reject(line.rest())
    found, line = _id(line)
    if line.first.casefold() == "reject" and found is not None:
        return _rejected(found, line.rest())
    _refuse_objection(line.polite())
    version = line.first if _VERSION_SEEN.fullmatch(line.first) else None
    return Approve(found, (line.rest() if version else line).text, version)


def _id(line: Line) -> tuple[str | None, Line]:
    """The id at the beginning, or the only one anywhere; what is typed beats the thread."""
    found = named_id(line)
    if found is not None:
        return found, line.rest()
    if line.words and the_service(line) is not None:
        raise Misread(
            f"{line.first} is a service, and an approval is for one deployment.",
            "Another one of that service may be waiting, too.",
            f"Say it with its id, such as `{line.command} D-142`.",
        )
    named = {deployment_id(word, is_number_enough=False) for word in line.words} - {None}
    if len(named) > 1:
        raise Misread(
            "You named two deployments.",
            "An approval is for one.",
            f"Begin with its id, such as `{line.command} D-142`.",
        )
    return (named.pop() if named else line.implied), line


def _refuse_objection(line: Line) -> None:
    """A mistyped rejection must not be taken for an approval with a note."""
    said = [bare(word).casefold() for word in line.words]
    is_clear = said[:1] == ["no"] and said[1:2] and said[1] in _NO_WORRIES
    is_slip = bool(line.words and close(line.first, ["reject"], likeness=0.8))
    is_no = any(word in _OBJECTIONS for word in said[:1]) or "reject" in said
    if (is_no or is_slip) and not is_clear:
        raise Misread(
            f"I cannot tell whether {line.first[:40]} is a no.",
            "So I did not sign anything in your name.",
            "Approve without that word, or reject with a reason.",
        )


def reject(line: Line) -> Command:
    found, line = take_id(line)
    return _rejected(found, line)


def _rejected(found: str, line: Line) -> Reject:
    if not line.reason:
        raise needs_reason(line)
    return Reject(found, line.reason)
