"""The way out: which lane an effect takes, how urgent it is, and the loop that sends it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from bot.crashpoint import crashpoint
from bot.domain.effects import (
    Alarm,
    Anchor,
    Announce,
    Ask,
    CloseAsk,
    CloseUpdate,
    Effect,
    Milestone,
    Page,
    PostUpdate,
    RefreshCard,
    Reply,
    SetTraffic,
    ShowOutput,
    StartJob,
    StopJob,
)
from bot.memory import Parcel, Sending, Store, Transaction
from bot.ports import Limited, Rejected, Unavailable

#: How the lanes end that lead to routers and runners, and not to Slack.
THE_WORLD = ("traffic", "job")

#: Runs one piece of work to its end; a bug in it is logged, and stops nobody else.
Guard = Callable[[str, Awaitable[None]], Awaitable[bool]]

#: Smaller leaves first: rollback and page, then answers to people, then states, then the beat.
URGENT, ANSWER, STATE, TIMELINE, CADENCE = range(5)


def route(thing: str, effect: Effect) -> Parcel:
    """The lane, priority and kind of *effect* about *thing*.

    What is wished (a card, a split of traffic) gives way to a newer wish; what happened
    (a line, a page) is told once, in order. Slack and the world never share a lane.
    """
    match effect:
        case SetTraffic():
            return Parcel(f"{thing}/traffic", URGENT, effect, wish="traffic")
        case StartJob() | StopJob():
            return Parcel(f"{thing}/job", URGENT, effect)
        case Page() | Alarm():
            return Parcel(f"{thing}/page", URGENT, effect)
        case Reply():
            return Parcel(f"{thing}/reply", ANSWER, effect)
        case Milestone():
            return Parcel(f"{thing}/milestone", STATE, effect)
        case RefreshCard(is_urgent):
            return Parcel(f"{thing}/card", STATE if is_urgent else CADENCE, effect, wish="card")
        case PostUpdate() | CloseUpdate():
            return Parcel(f"{thing}/update", CADENCE, effect, wish="update", needs_card=True)
        case Ask() | CloseAsk():
            return Parcel(f"{thing}/ask", STATE, effect, needs_card=True)
        case Announce() | Anchor() | ShowOutput():
            return Parcel(f"{thing}/thread", TIMELINE, effect, needs_card=True)


class Outbox:
    """Sends what is ready, lane by lane; several of these may run on one database.

    Retries are persisted with growing pauses; what is refused for good is buried: kept,
    reported through *on_dead*, and its lane goes on. *only*: see `THE_WORLD`; *wake* is called
    after each try, because its lane and its place are free for the next.
    """

    def __init__(
        self,
        store: Store,
        deliver: Callable[[Sending], Awaitable[None]],
        owner: str,
        guard: Guard,
        jitter: Callable[[], float],
        on_dead: Callable[[Sending, str], None],
        lease: timedelta = timedelta(seconds=20),
        at_once: int = 16,
        clock: Callable[[], float] = time.monotonic,
        only: Sequence[str] = (),
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._deliver = deliver
        self._owner = owner
        self._guard = guard
        self._jitter = jitter
        self._on_dead = on_dead
        self._lease = lease
        self._at_once = at_once
        self._clock = clock
        self._only = only
        self._wake = wake
        self._sending: set[asyncio.Task[None]] = set()
        self.is_closed = False

    def close(self) -> None:
        """What is being sent now is the last: nothing more is claimed."""
        self.is_closed = True

    async def drain(self) -> int:
        """Send everything that may be sent now; how many tries that were."""
        try:
            tries, is_empty = 0, False
            while not is_empty:
                # One that found no room, and whose tries all ended meanwhile, has seen nothing.
                had_room = not self._sending
                begun = await self.fill()
                tries += begun
                is_empty = had_room and not begun
                await self._one_ended()
            return tries
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _one_ended(self) -> None:
        if not self._sending:
            return
        ended, _ = await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()

    async def fill(self) -> int:
        """Begin to send as much as there is room for, without waiting; how much that was."""
        if self.is_closed:
            return 0
        # Below half the lease, counted from before it began: whoever takes over must not
        # find us still at it, however long this process stood still meanwhile.
        until = self._clock() + self._lease.total_seconds() * 0.45
        rows = await self._store.run(self._claim)
        crashpoint("sending")
        for row in rows:
            task = asyncio.create_task(self._try(row, until))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return len(rows)

    async def _claim(self, tx: Transaction) -> tuple[Sending, ...]:
        room, only = self._at_once - len(self._sending), self._only
        if room <= 0:
            # A Slack that hangs may fill every place but these.
            room, only = room + _KEPT_FOR_THE_WORLD, THE_WORLD
        if room <= 0:
            return ()
        return await tx.outbox.claim(self._owner, self._lease, room, only)

    async def _try(self, row: Sending, until: float) -> None:
        await self._guard(row.lane, self._send(row, until))
        self._wake()

    async def _send(self, row: Sending, until: float) -> None:
        left = until - self._clock()
        if left <= 0:
            return
        try:
            async with asyncio.timeout(left):
                await self._deliver(row)
        except Unavailable as error:
            await self._later(row, error)
        except TimeoutError:
            await self._later(row, Unavailable("it took too long", is_in_doubt=True))
        except Rejected as error:
            await self._bury(row, str(error))
        else:
            crashpoint("sent")
            await self._store.run(lambda tx: tx.outbox.done(row))

    async def _later(self, row: Sending, error: Unavailable) -> None:
        pause = self._pause(row, error)

        async def unit(tx: Transaction) -> None:
            await tx.outbox.again(row, tx.now + pause, str(error), error.is_in_doubt)

        await self._store.run(unit)

    def _pause(self, row: Sending, error: Unavailable) -> timedelta:
        """What is urgent comes back for the next free place, the rest when it is their turn."""
        is_urgent = row.priority <= ANSWER
        if isinstance(error, Limited) and not is_urgent:
            return error.turn
        longest = _LONGEST_FOR_TRAFFIC if row.lane.endswith("/traffic") else _LONGEST
        growing = _SHORTEST * 2 ** min(row.attempts, 10)
        pause = error.retry_after or min(longest, growing)
        if error.retry_after and not is_urgent:
            # A limit that turned many away would have them all back at the same moment.
            pause += min(_LONGEST_IN_A_CROWD, growing)
        return pause * (1 + self._jitter() / 4)

    async def _bury(self, row: Sending, why: str) -> None:
        await self._store.run(lambda tx: tx.outbox.bury(row, why))
        self._on_dead(row, why)


_KEPT_FOR_THE_WORLD = 8
_SHORTEST = timedelta(seconds=0.25)
_LONGEST_FOR_TRAFFIC = timedelta(seconds=4)  # and a quarter of jitter: production waits
_LONGEST_IN_A_CROWD = timedelta(seconds=8)
_LONGEST = timedelta(seconds=60)
