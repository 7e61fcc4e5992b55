"""What goes wrong, decided by a seed: troubles, crashes, and replicas that stand still."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TypeVar

from bot.memory import Store, Transaction
from bot.ports import Unavailable
from tests.fakes import Trouble

T = TypeVar("T")

SYSTEMS = ("chat", "router", "runner", "metrics", "checks", "releases")


class Crash(BaseException):
    """The process is gone at this very place; nothing in it may catch that."""


@dataclass
class Fate:
    """Asked at every call to the outside and around every transaction.

    `odds` holds, per system, how likely each trouble is. `crash_in` and `pause_in` count the
    passages until the replica that steps now dies, or stands still until `going_on` is set.
    """

    random: Random
    odds: dict[str, dict[Trouble, float]] = field(default_factory=dict)
    crash_in: int | None = None
    pause_in: int | None = None
    is_database_down: bool = False
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    going_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, call: str) -> Trouble:
        if await self.passage() and call == "chat.post":
            raise TimeoutError  # it slept through its deadline, as the real one would find out
        odds = self.odds.get(call.partition(".")[0])
        if not odds:
            return Trouble.NONE
        troubles = [*odds, Trouble.NONE]
        chances = [*odds.values(), max(0.0, 1 - sum(odds.values()))]
        return self.random.choices(troubles, chances)[0]

    async def passage(self) -> bool:
        """Whether a long time went by here."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in <= 0:
                self.crash_in = None
                raise Crash
        if self.pause_in is not None:
            self.pause_in -= 1
            if self.pause_in <= 0:
                self.pause_in = None
                going_on = self.going_on
                self.paused.set()
                await going_on.wait()
                return True
        return False

    def be_kind(self) -> None:
        self.odds.clear()
        self.crash_in = self.pause_in = None
        self.is_database_down = False


class FatefulStore:
    """A store whose process may die, or lose the connection, before and after each commit."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        await self._fate.passage()
        if self._fate.is_database_down:
            raise Unavailable("the database is away")
        result = await self._store.run(unit)
        await self._fate.passage()
        return result

    async def now(self) -> datetime:
        return await self._store.now()
