"""How long this Slack waits, and what time it thinks it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

#: Returns the current time, always with a zone.
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Timing:
    """Slack's own numbers, in seconds; tests shorten them."""

    #: how long an interaction may stay unacknowledged
    ack: float = 3.0
    #: how long a trigger opens a form
    trigger: float = 3.0
    #: how long a response address may be used
    response_url: float = 30 * 60
    response_url_uses: int = 5
    #: pauses before each repetition of an event nobody acknowledged
    event_retries: tuple[float, ...] = (0.0, 60.0, 300.0)
