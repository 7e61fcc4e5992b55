"""Faults on demand, and Slack's rate limits for whoever wants them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.demo.slack.timing import Clock
from bot.demo.slack.wire import Json

#: Calls a minute and how many may come at once; per channel for posting.
RATES: dict[str, tuple[float, int]] = {
    "chat.postMessage": (60, 5),
    "chat.postEphemeral": (100, 20),
    "chat.update": (50, 50),
    "chat.delete": (50, 50),
    "views.open": (100, 100),
    "views.update": (100, 100),
    "views.push": (100, 100),
    "views.publish": (100, 100),
    "users.info": (100, 100),
    "conversations.info": (50, 50),
    "conversations.history": (50, 50),
    "conversations.replies": (50, 50),
}


@dataclass
class Limits:
    """Token buckets by method, and by channel for posting."""

    clock: Clock
    is_enforced: bool = False
    _buckets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def take(self, method: str, arguments: Json) -> int | None:
        """Seconds to wait before the call may be repeated; None when it may go on."""
        if not self.is_enforced or method not in RATES:
            return None
        per_minute, burst = RATES[method]
        channel = str(arguments.get("channel")) if method == "chat.postMessage" else ""
        now = self.clock().timestamp()
        left, since = self._buckets.get((method, channel), (float(burst), now))
        left = min(float(burst), left + (now - since) * per_minute / 60)
        if left < 1:
            self._buckets[method, channel] = (left, now)
            return max(1, round((1 - left) * 60 / per_minute))
        self._buckets[method, channel] = (left - 1, now)
        return None


@dataclass(frozen=True)
class Fault:
    """What happens to one call instead of, or after, its normal course."""

    retry_after: int | None = None
    error: str | None = None
    is_server_error: bool = False
    loses_reply: bool = False


class Faults:
    """Ask for trouble: each fault strikes the next *times* calls of *method*."""

    def __init__(self, when_down: Callable[[], None]) -> None:
        self._queued: dict[str, list[Fault]] = {}
        self._when_down = when_down
        self._is_down = False

    def rate_limit(self, method: str, *, seconds: int = 1, times: int = 1) -> None:
        """Answer 429 and Retry-After *seconds*."""
        self._queue(method, Fault(retry_after=seconds), times)

    def fail(self, method: str, error: str, *, times: int = 1) -> None:
        """Answer `ok: false` with *error*, without doing anything."""
        self._queue(method, Fault(error=error), times)

    def lose_reply(self, method: str, *, times: int = 1) -> None:
        """Do what was asked, then cut the connection instead of answering."""
        self._queue(method, Fault(loses_reply=True), times)

    def server_error(self, method: str, *, times: int = 1) -> None:
        """Answer 500, without doing anything."""
        self._queue(method, Fault(is_server_error=True), times)

    @property
    def is_down(self) -> bool:
        """While true every call answers 503 and no socket stays open."""
        return self._is_down

    @is_down.setter
    def is_down(self, value: bool) -> None:
        self._is_down = value
        if value:
            self._when_down()

    def next(self, method: str) -> Fault | None:
        queued = self._queued.get(method)
        return queued.pop(0) if queued else None

    def clear(self) -> None:
        self._queued.clear()
        self.is_down = False

    def _queue(self, method: str, fault: Fault, times: int) -> None:
        self._queued.setdefault(method, []).extend([fault] * times)
