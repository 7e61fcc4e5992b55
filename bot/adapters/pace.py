"""Slack's limits, kept before Slack has to: token buckets that a Retry-After can freeze."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.ports import Limited, Unavailable


@dataclass(frozen=True, slots=True)
class Rate:
    """*burst* calls at once, then *per_minute*."""

    per_minute: float
    burst: int


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    frozen_until: float = 0.0
    #: the latest moment that somebody who was turned away was told to come back at
    promised: float = 0.0


#: Slack's published limits, a little below them: post about 1/s per channel, edits tier 3.
RATES = {
    "chat.postMessage": Rate(58, 4),
    "chat.update": Rate(48, 12),
    "conversations.history": Rate(45, 5),
    "conversations.replies": Rate(45, 5),
    "chat.getPermalink": Rate(100, 20),
}

#: For limits that nobody published or that we come nowhere near; a Retry-After counts all the same.
_UNLIMITED = Rate(60_000, 1000)

#: Seconds. Whoever is further back in the queue asks again then: it may have become shorter.
_HORIZON = 30.0


class Pace:
    """One bucket per method and place; *clock* counts seconds and never jumps.

    Whoever is turned away is told a turn of their own: a crowd that came back at every token
    would cost its database more than the calls do.
    """

    def __init__(self, clock: Callable[[], float], rates: dict[str, Rate] | None = None) -> None:
        self._clock = clock
        self._rates = RATES if rates is None else rates
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._frozen_until = 0.0

    def take(self, method: str, place: str) -> None:
        """Spend a token; raises `Limited` when there is none, `Unavailable` when all is frozen."""
        now = self._clock()
        if now < self._frozen_until:
            pause = timedelta(seconds=self._frozen_until - now)
            raise Unavailable("Slack refuses every call for the moment", pause)
        rate = self._rates.get(method, _UNLIMITED)
        bucket = self._buckets.setdefault((method, place), _Bucket(rate.burst, now))
        gained = (now - bucket.at) * rate.per_minute / 60
        bucket.tokens, bucket.at = min(rate.burst, bucket.tokens + gained), now
        missing = (1 - bucket.tokens) * 60 / rate.per_minute
        wait = max(bucket.frozen_until - now, missing if bucket.tokens < 1 else 0.0)
        if wait > 0:
            each = 60 / rate.per_minute
            following = max(bucket.promised + each, now + wait)
            bucket.promised = min(following, max(now + _HORIZON, now + wait))
            turn = timedelta(seconds=bucket.promised - now)
            raise Limited(f"{method} is at its limit", timedelta(seconds=wait), turn)
        bucket.tokens -= 1

    def freeze_all(self, seconds: float) -> None:
        """Nothing at all goes out for a while, answers to people included."""
        self._frozen_until = self._clock() + seconds

    def freeze(self, method: str, place: str, seconds: float) -> None:
        """Slack said wait: this bucket only."""
        now = self._clock()
        bucket = self._buckets.setdefault((method, place), _Bucket(0, now))
        bucket.frozen_until = now + seconds
