"""People who use the service: a steady stream of requests through the proxy."""

import asyncio
from contextlib import suppress
from time import monotonic

import aiohttp

#: Requests that may be on their way at once. Beyond it the stream waits, it never piles up.
AT_ONCE = 64
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Load:
    """*rps* requests a second to *url*, for as long as it runs."""

    def __init__(self, session: aiohttp.ClientSession, url: str, rps: float) -> None:
        self.rps = rps
        self._session = session
        self._url = url
        self._room = asyncio.Semaphore(AT_ONCE)
        self._underway: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self.rps > 0:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        tasks = [*self._underway, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        due = monotonic()
        while True:
            await self._room.acquire()
            task = asyncio.create_task(self._ask())
            self._underway.add(task)
            task.add_done_callback(self._done)
            due = max(due + 1 / self.rps, monotonic())  # what was missed is not made up for
            await asyncio.sleep(due - monotonic())

    async def _ask(self) -> None:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self._session.get(self._url, timeout=_TIMEOUT) as response:
                await response.read()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._underway.discard(task)
        self._room.release()
