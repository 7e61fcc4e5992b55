"""The short-lived permissions Slack hands out: triggers and response addresses."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.demo.slack.timing import Clock, Timing
from bot.demo.slack.wire import SlackError, token


@dataclass
class _Trigger:
    user: str
    dies_at: datetime
    is_used: bool = False


#: How many dead triggers are remembered, to say that they expired.
DEAD_KEPT = 100


class Triggers:
    """Each opens one form, for the person who caused it, and only for a moment."""

    def __init__(self, clock: Clock, timing: Timing) -> None:
        self._clock = clock
        self._lifetime = timedelta(seconds=timing.trigger)
        self._known: dict[str, _Trigger] = {}

    def mint(self, user: str) -> str:
        now = self._clock()
        expired = [key for key, known in self._known.items() if known.dies_at < now]
        for key in expired[:-DEAD_KEPT]:
            del self._known[key]
        trigger = token(f"{int(now.timestamp())}.", 12).lower()
        self._known[trigger] = _Trigger(user, now + self._lifetime)
        return trigger

    def redeem(self, trigger: object) -> str:
        """Return whose trigger it was; the second time it is refused."""
        known = self._known.get(str(trigger))
        if known is None:
            raise SlackError("invalid_trigger_id")
        if known.is_used:
            raise SlackError("exchanged_trigger_id")
        if self._clock() > known.dies_at:
            raise SlackError("expired_trigger_id")
        known.is_used = True
        return known.user


@dataclass
class ResponseUrl:
    """An address the bot may answer an interaction at, without a token."""

    channel: str
    user: str
    #: the message whose button was pressed; none for a typed command
    source_ts: str | None
    dies_at: datetime
    uses_left: int


class ResponseUrls:
    def __init__(self, clock: Clock, timing: Timing) -> None:
        self._clock = clock
        self._timing = timing
        self._known: dict[str, ResponseUrl] = {}

    def mint(self, channel: str, user: str, source_ts: str | None) -> str:
        """Return the secret part of the address."""
        secret = token(size=16).lower()
        dies_at = self._clock() + timedelta(seconds=self._timing.response_url)
        uses = self._timing.response_url_uses
        self._known[secret] = ResponseUrl(channel, user, source_ts, dies_at, uses)
        return secret

    def place(self, secret: str) -> ResponseUrl:
        """Where an answer goes that does not use the address up."""
        return self._known[secret]

    def use(self, secret: str) -> ResponseUrl:
        known = self._known.get(secret)
        if known is None:
            raise SlackError("no_such_url")
        if self._clock() > known.dies_at:
            raise SlackError("expired_url")
        if known.uses_left == 0:
            raise SlackError("used_url")
        known.uses_left -= 1
        return known
