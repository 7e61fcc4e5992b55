"""Reads a rollback: where from, where to, and why."""

from dataclasses import replace

from handlers.commands import AbandonRollback, Command, Help, Misread, Rollback
from handlers.line import (
    Line,
    named_id,
    needs_reason,
    no_such_service,
    take_id,
    the_service,
)
from handlers.wording import (
    bare,
    close,
    deployment_id,
    environment_called,
    is_version,
    is_version_like,
    service_names,
)

_TOWARDS = frozenset({"to", "→", "->", "=>"})
_PLACED = _TOWARDS | {"on", "in"}


def roll_back(line: Line) -> Command:
    line = line.polite("rollback", "/rollback", "roll", "back")
    first = line.first.casefold()
    if first == "help":
        return Help()
    if first == "abandon":
        return _abandon(line.rest())
    target, line = _target(line)
    if line.first.casefold() == "abandon" and deployment_id(target or ""):
        return _abandoned(target or "", line.rest())
    version, environment = None, None
    while (step := _step(line)) is not None:
        word, line = step
        place = environment_called(word, line.known)
        if (environment if place else version) is not None:
            raise _two(word)
        version, environment = (version, place) if place else (word, environment)
    _refuse_bare_version(line)
    return Rollback(target, version, environment, line.reason)


def _abandon(line: Line) -> Command:
    found, line = take_id(line)
    return _abandoned(found, line)


def _abandoned(found: str, line: Line) -> AbandonRollback:
    if not line.reason:
        raise needs_reason(line)
    return AbandonRollback(found, line.reason)


def _target(line: Line) -> tuple[str | None, Line]:
    if not line.words:
        return line.implied, line
    found = the_service(line) or named_id(line)
    if found is not None:
        return found, line.rest()
    service, sign, version = line.first.replace(":", "@", 1).partition("@")
    if sign and service and version:
        apart = replace(line, words=(service, version, *line.words[1:]))
        return the_service(apart) or _none(apart), apart.rest()
    is_slip = bool(close(line.first, service_names(line.known)))
    if line.implied is None or (is_slip and line.first.casefold() not in _PLACED):
        _none(line)
    return line.implied, line


def _none(line: Line) -> str:
    raise no_such_service(line, 0, ("abandon", "help"))


def _step(line: Line) -> tuple[str, Line] | None:
    """The next version or environment of the line's beginning, and the words after it."""
    if environment_called(line.first, line.known) is not None:
        return line.first, line.rest()
    sign = line.first.casefold()
    if sign not in _PLACED or len(line.words) == 1:
        return None
    word = bare(line.words[1])
    if environment_called(word, line.known) is not None:
        return word, line.rest(2)
    if sign not in _TOWARDS:
        return None
    if is_version(word) and any(letter.isdigit() for letter in word):
        return word, line.rest(2)
    if len(line.words) == 2 or close(word, list(line.known.environments)):
        raise Misread(
            f"{word[:40]} is neither a version nor an environment.",
            "So I do not know where to go back to.",
            "Name the version after `to`, or leave it out for the last good one.",
            line.suggest(1, close(word, list(line.known.environments))),
        )
    return None


def _two(word: str) -> Misread:
    return Misread(
        f"{word[:40]} is one too many.",
        "A rollback has one version to go back to and one environment.",
        "Name one of each.",
    )


def _refuse_bare_version(line: Line) -> None:
    """`v1.8.3` may be what is broken as well as where to go."""
    word = line.first
    if not is_version_like(word) or not ("." in word or word[:1] in "vV"):
        return
    raise Misread(
        f"I cannot tell what {word[:40]} is.",
        "It may be the version to go back to, or the one that is broken.",
        f"Say `to {word[:40]}` to go there, or `because {word[:40]} …` for the reason.",
        line.suggest(0, [f"to {word}", f"because {word}"]),
    )
