"""Reads service, version and environment, in whatever order they were typed."""

from dataclasses import dataclass, replace

from handlers.commands import Deploy, Misread
from handlers.line import (
    Line,
    hotfix_is_not_built,
    is_polite,
    no_such_service,
    the_service,
    unknown_flag,
)
from handlers.wording import (
    bare,
    close,
    environment_called,
    is_version,
    is_version_like,
    service_names,
)

_TOWARDS = frozenset({"to", "on", "in", "into", "→", "->", "=>"})
_FILLERS = frozenset({"deploy", "/deploy", "version", "release", "ship", "of", "for"})


@dataclass(frozen=True)
class _Found:
    service: str | None = None
    environment: str | None = None
    #: Positions of the words that are neither.
    others: tuple[int, ...] = ()


def release(line: Line, subcommands: tuple[str, ...]) -> Deploy:
    """Raises `Misread` unless every word has a place."""
    line = _apart(line)
    _refuse_open_end(line)
    found = _Found()
    for index in range(len(line.words)):
        found = _placed(line, index, found)
    if found.service is None and found.others:
        found = _without_service(line, found, subcommands)
    return Deploy(found.service, _version(line, found), found.environment)


def _refuse_open_end(line: Line) -> None:
    if line.words and bare(line.words[-1]).casefold() in _TOWARDS:
        raise Misread(
            "I do not know where to.",
            "The line ends before the environment.",
            f"These I know: {', '.join(line.known.environments[:8])}.",
            line.rest(len(line.words)).suggest(0, line.known.environments),
        )


def _apart(line: Line) -> Line:
    """Writes `service@version` and `service:version` as two words."""
    apart: list[str] = []
    for word in line.words:
        service, sign, version = bare(word).replace(":", "@", 1).partition("@")
        apart += [service, version] if sign and service and version else [word]
    return replace(line, words=tuple(apart))


def _placed(line: Line, index: int, found: _Found) -> _Found:
    word = bare(line.words[index])
    if word.startswith("-") and word.strip("->"):
        raise unknown_flag(word)
    service = the_service(line, index)
    if service is not None:
        return _only(line, found, service=service)
    environment = environment_called(word, line.known)
    if environment is not None:
        return _only(line, found, environment=environment)
    if word.casefold() == "hotfix":
        raise hotfix_is_not_built()
    if not word or is_polite(word) or word.casefold() in _FILLERS | _TOWARDS:
        return found
    if index and bare(line.words[index - 1]).casefold() in _TOWARDS:
        _refuse_other_place(line, index)
    return replace(found, others=(*found.others, index))


def _only(line: Line, found: _Found, **named: str) -> _Found:
    """*found* with the name in it; raises `Misread` when there is another one already."""
    for field, name in named.items():
        before = found.service if field == "service" else found.environment
        if before not in (None, name):
            raise Misread(
                f"You named two: {before} and {name}.",
                f"One deployment has one {field}.",
                f"Name one {field}; a second deployment takes a second command.",
            )
    return replace(found, **named)  # type: ignore[arg-type]


def _refuse_other_place(line: Line, index: int) -> None:
    """After `to` stands an environment; only what has a digit may be a version there."""
    word = bare(line.words[index])
    if is_version(word) and any(letter.isdigit() for letter in word):
        return
    raise _no_such_environment(line, index)


def _no_such_environment(line: Line, index: int) -> Misread:
    known = list(line.known.environments)
    return Misread(
        f"I know no environment {bare(line.words[index])[:40]}.",
        "It is not in the policy.",
        f"These I know: {', '.join(known[:8])}.",
        line.suggest(index, close(bare(line.words[index]), known)),
    )


def _without_service(line: Line, found: _Found, subcommands: tuple[str, ...]) -> _Found:
    """A version alone is enough for the form; any other word was meant as the service."""
    words = {index: bare(line.words[index]) for index in found.others}
    strange = [index for index, word in words.items() if not is_version_like(word)]
    for index in found.others:
        if close(words[index], service_names(line.known)) and index not in strange:
            strange.append(index)
    if not strange and len(found.others) == 1:
        return found
    index = min(strange, default=found.others[0])
    raise no_such_service(line, index, subcommands if index == 0 else ())


def _version(line: Line, found: _Found) -> str | None:
    likely = [index for index in found.others if is_version_like(bare(line.words[index]))]
    if len(likely) > 1:
        raise Misread(
            "You named two versions.",
            f"{_word(line, likely[0])} and {_word(line, likely[1])}.",
            "Name the one to deploy.",
            line.suggest(likely[1], [""]) + line.suggest(likely[0], [""]),
        )
    strange = [index for index in found.others if index not in likely]
    if not found.others:
        return None
    if likely and not strange:
        return bare(line.words[likely[0]])
    return _unusual_version(line, strange, is_taken=bool(likely))


def _unusual_version(line: Line, strange: list[int], *, is_taken: bool) -> str:
    """A branch or a tag such as `main`, when it can be nothing else."""
    for index in strange:
        if close(bare(line.words[index]), list(line.known.environments)):
            raise _no_such_environment(line, index)
    word = bare(line.words[strange[0]])
    if is_taken or len(strange) > 1:
        raise Misread(
            f"I do not know what {word[:40]} means here.",
            "A deployment takes a service, a version and an environment.",
            "Leave it out, and try again.",
        )
    if not is_version(word):
        raise Misread(
            f"{word[:40]} is no version.",
            "A version has up to 128 letters, digits, dots, hyphens, plus and underscores.",
            "Give the tag, build or commit as CI calls it.",
        )
    return word


def _word(line: Line, index: int) -> str:
    return bare(line.words[index])[:40]
