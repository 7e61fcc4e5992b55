"""A sign of life for somebody outside, who alarms people when it stays away."""

import time
from collections.abc import Callable

import aiohttp
import structlog

_log = structlog.get_logger()

_EVERY = 30.0  # seconds: an outside monitor that waits for 60 s misses one and not two
_LIMIT = aiohttp.ClientTimeout(total=5)


class Heartbeat:
    """Asks *url* (GET, no redirects) at most every 30 s; call it after whatever proves health.

    Never raises for what did not answer, and never logs the address: it is a secret, for
    whoever knows it can keep the alarm silent.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._url = url
        self._clock = clock
        self._next_at = 0.0

    async def beat(self) -> None:
        if self._clock() < self._next_at:
            return
        self._next_at = self._clock() + _EVERY
        try:
            async with self._session.get(
                self._url, timeout=_LIMIT, allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("the heartbeat was not taken", why=type(error).__name__)
            return
        if not 200 <= status < 300:
            _log.warning("the heartbeat was not taken", status=status)
