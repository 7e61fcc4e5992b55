"""A signal that something changed, for tests that wait and pages that listen."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds after which a wait asks again unasked: the bot's own state changes unseen by us.
SECOND_LOOK = 0.05


class Changes:
    def __init__(self) -> None:
        self.count = 0
        self.is_closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    def touch(self) -> None:
        self.count += 1
        self._wake()

    def close(self) -> None:
        """Wake everybody for good; nobody waits after this."""
        self.is_closed = True
        self._wake()

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def after(self, count: int, seconds: float) -> int:
        """Return the new count; after *seconds* without a change, the old one."""
        if self.count > count or self.is_closed:
            return self.count
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait((future,), timeout=seconds)
        finally:
            self._waiting.discard(future)
        return self.count

    async def settled(self, quiet: float) -> int:
        """Let changes gather for *quiet* seconds and return the count after them."""
        if not self.is_closed:
            await asyncio.sleep(quiet)
        return self.count

    async def until(self, predicate: Callable[[], T | None], seconds: float) -> T:
        """Return what *predicate* answers as soon as that is true; raises TimeoutError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            count = self.count
            if answer := predicate():
                return answer
            left = deadline - loop.time()
            if left <= 0 or self.is_closed:
                raise TimeoutError(f"not seen within {seconds} s")
            await self.after(count, min(left, SECOND_LOOK))
