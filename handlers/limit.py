"""How much may be asked within a minute: a flood is turned away before it costs anything."""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Self

from bot.blocks import replies
from bot.domain.line import Bold, Code, Line
from bot.domain.refusal import Refusal
from bot.memory import InboxKey
from bot.ports import Limits, Message
from bot.writer import Source
from handlers.clicks import name_of, pressed
from handlers.parse import asks_to_roll_back
from handlers.shapes import (
    AppMentioned,
    BlockActions,
    BlockSuggestion,
    SlashCommand,
    ViewSubmission,
)

_MINUTE = 60.0
#: Slack sends a delivery again for some five minutes; what was accepted then stays accepted.
_REMEMBERED = 600.0
_MOST_REMEMBERED = 20_000
_MOST_FOLLOWED = 10_000
_ROLLING_BACK = frozenset({"dep.roll_back", "rollback.confirm", "rollback.edit", "rollback.cancel"})


@dataclass(frozen=True, slots=True)
class Over:
    """More than the limit. `told` is what the person reads; None when they have read it."""

    told: Message | None


class Windows:
    """What was taken within the last minute, by whoever it counts for.

    Whoever took nothing for a minute is forgotten, and of very many the one who took least
    lately. *clock* gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float], most: int = _MOST_FOLLOWED) -> None:
        self._clock = clock
        self._most = most
        self._taken: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._taken)

    def wait(self, who: Hashable, allowed: int) -> float:
        """Seconds until *who* may take one more; 0 when that is now."""
        now = self._clock()
        self._forget(now)
        taken = self._taken.get(who)
        if taken is None:
            return 0.0
        while taken[0] <= now - _MINUTE:
            taken.popleft()
        return taken[-allowed] + _MINUTE - now if len(taken) >= allowed else 0.0

    def take(self, who: Hashable) -> None:
        self._taken.setdefault(who, deque()).append(self._clock())
        self._taken.move_to_end(who)
        if len(self._taken) > self._most:
            self._taken.popitem(last=False)

    def _forget(self, now: float) -> None:
        while self._taken and next(iter(self._taken.values()))[-1] <= now - _MINUTE:
            self._taken.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Purse:
    who: Hashable
    allowed: int
    what: str


class Limit:
    """Counts for one replica: with two of them, twice as much may pass. It guards a replica's
    loop and its database connections, of which two replicas have twice as many.

    Rolling back is neither limited nor counted. *limits* None lets everything pass; *on_over*
    is told the kind of everything that did not.
    """

    def __init__(
        self, limits: Limits | None, clock: Callable[[], float], on_over: Callable[[str], object]
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._on_over = on_over
        self._windows = Windows(clock)
        self._told = Windows(clock)
        self._accepted: OrderedDict[InboxKey, float] = OrderedDict()

    @classmethod
    def none(cls) -> Self:
        """For programs that speak to themselves."""
        return cls(None, float, lambda kind: None)

    def command(self, said: SlashCommand, source: Source) -> Over | None:
        """None when it may be carried out, here and below."""
        if said.command == "/rollback":
            return None
        return self._judge("command", said.team_id, said.user_id, said.channel_id, source.key)

    def click(self, click: BlockActions, source: Source) -> Over | None:
        if name_of(pressed(click)) in _ROLLING_BACK:
            return None
        channel = click.channel.id if click.channel is not None else None
        return self._judge("click", click.team.id, click.user.id, channel, source.key)

    def form(self, form: ViewSubmission, source: Source) -> Message | None:
        """The refusal itself: it costs no call of ours, so it is always told."""
        if form.view.callback_id == "rollback.submit":
            return None
        over = self._judge("form", form.team.id, form.user.id, None, source.key)
        return None if over is None else over.told

    def mention(self, mention: AppMentioned, source: Source) -> Over | None:
        event = mention.event
        if event.person is None or asks_to_roll_back(event.text):
            return None
        return self._judge("mention", mention.team_id, event.person, event.channel, source.key)

    def lookup(self, question: BlockSuggestion) -> bool:
        """Whether the catalogue may be asked. Nobody is told: there is no room under a field."""
        if self._limits is None:
            return True
        who = ("looked up", question.team.id, question.user.id)
        if self._windows.wait(who, self._limits.lookups) > 0:
            self._on_over("lookup")
            return False
        self._windows.take(who)
        return True

    def _judge(
        self, kind: str, team: str, user: str, channel: str | None, key: InboxKey
    ) -> Over | None:
        if self._limits is None or self._is_accepted(key):
            return None
        purses = _purses(self._limits, kind, team, user, channel)
        for purse in purses:
            wait = self._windows.wait(purse.who, purse.allowed)
            if wait > 0:
                self._on_over(kind)
                may_tell = self._may_tell((kind, team, user), _refusals(self._limits, kind))
                return Over(replies.refusal(_refusal(purse, math.ceil(wait))) if may_tell else None)
        for purse in purses:
            self._windows.take(purse.who)
        self._accepted[key] = self._clock()
        return None

    def _is_accepted(self, key: InboxKey) -> bool:
        """A delivery that comes again is the same wish: its answer must not be lost."""
        oldest = self._clock() - _REMEMBERED
        while self._accepted and (
            len(self._accepted) > _MOST_REMEMBERED or next(iter(self._accepted.values())) <= oldest
        ):
            self._accepted.popitem(last=False)
        return key in self._accepted

    def _may_tell(self, who: Hashable, often: int | None) -> bool:
        if often is None:
            return True
        if self._told.wait(who, often) > 0:
            return False
        self._told.take(who)
        return True


def _refusals(limits: Limits, kind: str) -> int | None:
    """A minute's, where each is a call to Slack; the others stand in the acknowledgement."""
    return {"mention": limits.mention_refusals, "click": limits.click_refusals}.get(kind)


def _purses(
    limits: Limits, kind: str, team: str, user: str, channel: str | None
) -> tuple[_Purse, ...]:
    """Typing and pressing are counted apart: who has typed too much can still press."""
    if kind in ("command", "mention"):
        what = "commands that you may type"
        own = _Purse(("typed", team, user), limits.commands, what)
    else:
        own = _Purse(("pressed", team, user), limits.clicks, "buttons that you may press")
    if channel is None:
        return (own,)
    everybody = "requests that everybody in this channel may make"
    return own, _Purse(("channel", team, channel), limits.channel, everybody)


def _refusal(purse: _Purse, seconds: int) -> Refusal:
    why: Line = (
        Bold("That is too much at once:"),
        f" {purse.allowed} of the {purse.allowed} {purse.what} within a minute are used up.",
    )
    following: Line = (
        f"Nothing was done. Try again in {seconds} s. Rolling back always works: ",
        Code("/rollback SERVICE what is wrong"),
        ".",
    )
    return Refusal("limit", why, following)
