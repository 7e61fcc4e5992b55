"""A typed line on its way to becoming a command: its words, and what may be meant by them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from handlers.commands import Known, Misread, Unnamed
from handlers.wording import (
    bare,
    close,
    deployment_id,
    is_broken_id,
    service_names,
    services_called,
    words,
)

_POLITE = frozenset(
    [
        "please",
        "pls",
        "plz",
        "kindly",
        "hey",
        "hi",
        "hello",
        "can",
        "could",
        "would",
        "you",
        "will",
        "now",
        "the",
        "a",
        "an",
        "of",
        "thanks",
        "thank",
        "and",
        "just",
        "lets",
        "let's",
    ]
)
_INSTEAD = {
    "hotfix": "Deploy it without; the same leads can approve it at once.",
    "dry-run": "Leave it out: nothing starts before you confirm on the card.",
    "queue": "Wait until the running deployment is over, then ask again.",
    "yes": "Leave it out and press the button on the card.",
}
_LONGEST_SUGGESTION = 200


@dataclass(frozen=True)
class Line:
    #: How the person addressed us, such as `/deploy`; begins every suggestion.
    command: str
    words: tuple[str, ...]
    known: Known
    #: The deployment whose thread this was said in.
    implied: str | None = None

    @property
    def first(self) -> str:
        return bare(self.words[0]) if self.words else ""

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def reason(self) -> str:
        is_announced = self.first.casefold() in {"because", "reason"}
        return " ".join(self.words[is_announced:])

    def rest(self, count: int = 1) -> "Line":
        """The words that follow; the ones already understood stay in every suggestion."""
        command = " ".join([self.command, *self.words[:count]])
        return replace(self, command=command, words=self.words[count:])

    def without(self) -> "Line":
        return replace(self, words=self.words[1:])

    def polite(self, *more: str) -> "Line":
        """The line without the civilities at its beginning."""
        line = self
        skipped = _POLITE | set(more) | {""}
        while line.words and line.first.casefold() in skipped:
            if services_called(line.first, self.known):
                break
            line = line.without()
        return line

    def suggest(self, index: int, replacements: Sequence[str]) -> tuple[str, ...]:
        """This line with the word at *index* replaced, once for each replacement."""
        before, after = self.words[:index], self.words[index + 1 :]
        lines = [
            " ".join(word for word in (self.command, *before, each, *after) if word)
            for each in replacements[:2]
        ]
        return tuple(line for line in lines if len(line) <= _LONGEST_SUGGESTION)


def read(command: str, text: str, known: Known, implied: str | None = None) -> Line:
    """Raises `Misread` for a flag anywhere: one that is overlooked could deploy for real."""
    line = Line(command, words(text), known, implied)
    for word in line.words:
        refuse_flag(word)
    return line


def is_polite(word: str) -> bool:
    return bare(word).casefold() in _POLITE


def refuse_flag(word: str) -> None:
    word = word.lstrip("\"'([{")
    name = bare(word).strip("-–—").casefold()
    is_flag = word.startswith("--") or (word.startswith("-") and name[:1].isalpha())
    if not name or not is_flag:
        return
    if name in _INSTEAD and word.startswith("--"):
        raise Misread(f"--{name} is not built yet.", "So I did nothing at all.", _INSTEAD[name])
    raise unknown_flag(word)


def unknown_flag(word: str) -> Misread:
    meant = close(bare(word).strip("-–—"), list(_INSTEAD), likeness=0.75)
    instead = f"--{meant[0]} is not built yet either. {_INSTEAD[meant[0]]}" if meant else ""
    return Misread(
        f"I know no flag {word[:40]}.",
        "A flag I do not know is never ignored, so I did nothing at all.",
        instead or "Send the line again without it.",
    )


def hotfix_is_not_built() -> Misread:
    return Misread("A hotfix is not built yet.", "So I did nothing.", _INSTEAD["hotfix"])


def the_service(line: Line, index: int = 0) -> str | None:
    """The service that the word names; raises `Misread` when two answer to it."""
    word = bare(line.words[index])
    found = services_called(word, line.known)
    if len(found) > 1:
        raise Misread(
            f"{word} could be {' or '.join(found[:4])}.",
            "Both answer to that name.",
            "Say which one you mean.",
            line.suggest(index, found),
        )
    return found[0] if found else None


def no_such_service(line: Line, index: int = 0, more: Sequence[str] = ()) -> Misread:
    """*more*: other words that could have stood there."""
    word = bare(line.words[index])
    guesses = close(word, [*service_names(line.known), *more])
    return Misread(
        f"I know no service {word[:40]}.",
        "It is not in the policy, under this or any other name.",
        "Did you mean one of these?" if guesses else f"These I know: {_some(line.known)}.",
        line.suggest(index, guesses),
    )


def _some(known: Known) -> str:
    names = list(known.services)
    return ", ".join(names[:8]) + (" and more" if len(names) > 8 else "")


def take_id(line: Line) -> tuple[str, Line]:
    """The deployment meant, from the words or else from the thread, and the words after it."""
    found = named_id(line)
    if found is not None:
        return found, line.rest()
    if line.implied is not None:
        return line.implied, line
    raise Unnamed(line.command)


def named_id(line: Line) -> str | None:
    """The id at the beginning. In a thread `500` may be the begin of a sentence: ask."""
    found = deployment_id(line.first)
    if found is None:
        refuse_broken_id(line)
        return None
    is_plain = deployment_id(line.first, is_number_enough=False) is None
    if is_plain and line.implied not in (None, found):
        raise Misread(
            f"I cannot tell whether {line.first} is {found}.",
            f"This is the thread of {line.implied}.",
            f"Say {found} or {line.implied}.",
            line.suggest(0, [found, f"{line.implied} {line.first}"]),
        )
    return found


def refuse_broken_id(line: Line) -> None:
    if is_broken_id(line.first) and deployment_id(line.first) is None:
        raise Misread(
            f"{line.first[:40]} is no deployment.",
            "Deployments are called D and a number.",
            f"Say it with its id, such as `{line.command} D-142`.",
        )


def needs_reason(line: Line) -> Misread:
    return Misread(
        "A reason is missing.",
        "It goes on the card and into the journal.",
        f"Say why: `{line.command}` and the reason.",
    )
