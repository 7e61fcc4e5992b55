"""The one way to say no: which rule, why, and what to do next."""

from dataclasses import dataclass

from bot.domain.line import Line, plain


@dataclass(frozen=True, slots=True)
class Way:
    """A button that leads on from a refusal; `value` is an id or a command, never state."""

    label: str
    action: str
    value: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """`rule` is a stable code for logs and tests; `why` and `next_step` are shown."""

    rule: str
    why: Line
    next_step: Line
    ways: tuple[Way, ...] = ()


class Refused(Exception):
    """A person's wish cannot be granted; nothing was changed."""

    def __init__(self, rule: str, why: Line, next_step: Line, ways: tuple[Way, ...] = ()) -> None:
        super().__init__(f"{plain(why)} {plain(next_step)}")
        self.refusal = Refusal(rule, why, next_step, ways)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one wish: the thing it is about, and either an answer or a refusal."""

    thing: str | None
    answer: Line = ()
    refusal: Refusal | None = None
