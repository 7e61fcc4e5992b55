"""The alarm clock: wakes the loops, and knows nothing of what they do."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Schedule:
    """Calls coroutines at an interval. Due times live in the database, so a missed call, a
    long pause or a restart forgets nothing: the next call finds everything that is overdue."""

    def __init__(self) -> None:
        # A late wake-up still counts, and many missed ones count once.
        self._scheduler = AsyncIOScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone="UTC",
        )

    def every(self, interval: timedelta, wake: Callable[[], Awaitable[None]], name: str) -> None:
        async def woken() -> None:
            # Cut off when the process ends, which the scheduler would log as a failure.
            with suppress(asyncio.CancelledError):
                await wake()

        self._scheduler.add_job(
            woken, "interval", seconds=interval.total_seconds(), id=name, name=name
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """No further wake-ups; what is running is the caller's to wait for."""
        # Not shut down: that would cancel a call that has not begun, and log it as a failure.
        if self._scheduler.running:
            self._scheduler.pause()
