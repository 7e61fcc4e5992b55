"""What goes wrong, decided by a seed: troubles, crashes, and replicas that stand still."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TypeVar

from bot.memory import Store, Transaction
from bot.ports import InDoubt, Unavailable
from tests.fakes import Trouble

T = TypeVar("T")

SYSTEMS = ("chat", "router", "runner", "metrics", "checks", "releases")

#: Seconds; whoever slept longer finds its deadline passed, see `Outbox.fill`.
_DEADLINE = 9.0


class Crash(BaseException):
    """The process is gone at this very place; nothing in it may catch that."""


@dataclass
class Step:
    """One piece of work of one replica: whether it stood still in the middle of it, and for how
    many seconds."""

    was_still: bool = False
    slept: float = 0.0


#: Inherited by every task that a step begins; None outside of a story.
STEP: ContextVar[Step | None] = ContextVar("step", default=None)


@dataclass
class Fate:
    """Asked at every call to the outside and around every transaction.

    `odds` holds, per system, how likely each trouble is. `crash_in` and `pause_in` count the
    passages until the replica that steps now dies, or stands still until `going_on` is set;
    `pause_at` names a call instead, `crash_after` one whose answer nobody lives to write down.
    `lost_commits`: how likely a commit's answer is lost.
    `seconds` only ever pass.
    """

    random: Random
    odds: dict[str, dict[Trouble, float]] = field(default_factory=dict)
    crash_in: int | None = None
    pause_in: int | None = None
    pause_at: str | None = None
    crash_after: str | None = None
    is_database_down: bool = False
    lost_commits: float = 0.0
    seconds: Callable[[], float] = float
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    going_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, call: str) -> Trouble:
        if self.pause_at == call:
            self.pause_at, self.pause_in = None, 1
        await self.passage()
        step = STEP.get()
        if call == "chat.post" and step is not None and step.slept >= _DEADLINE:
            # Wherever it slept: its deadline has passed, as the real one would find out.
            raise TimeoutError
        if self.crash_after == call:
            self.crash_after, self.crash_in = None, 1
        odds = self.odds.get(call.partition(".")[0])
        if not odds:
            return Trouble.NONE
        troubles = [*odds, Trouble.NONE]
        chances = [*odds.values(), max(0.0, 1 - sum(odds.values()))]
        return self.random.choices(troubles, chances)[0]

    async def passage(self) -> None:
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
                step = STEP.get()
                since = self.seconds()
                self.paused.set()
                if step is not None:
                    step.was_still = True
                await going_on.wait()
                if step is not None:
                    step.slept += self.seconds() - since

    async def before_transaction(self) -> None:
        await self.passage()
        if self.is_database_down:
            raise Unavailable("the database is away")

    async def after_commit(self) -> None:
        await self.passage()
        if self.lost_commits and self.random.random() < self.lost_commits:
            raise InDoubt("the answer to the commit was lost")

    def be_kind(self) -> None:
        self.odds.clear()
        self.crash_in = self.pause_in = self.pause_at = self.crash_after = None
        self.is_database_down = False
        self.lost_commits = 0.0


class FatefulStore:
    """A store whose process may die, or lose the connection, before and after each commit."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        await self._fate.before_transaction()
        result = await self._store.run(unit)
        await self._fate.after_commit()
        return result

    async def now(self) -> datetime:
        return await self._store.now()
