"""One process of the bot: the real shell over the shared store, the fakes and one clock."""

from collections.abc import Awaitable
from datetime import timedelta
from random import Random

from bot.delivery import Delivery
from bot.engine import Engine
from bot.memory import Sending, Store
from bot.observe import Observer
from bot.outbox import Outbox
from bot.ports import Policies, Unavailable
from bot.previews import Previews
from bot.reconciler import Reconciler
from bot.writer import Writer
from tests.fake_chat import FakeChat
from tests.fakes import Clock, FakeWorld

TICK = timedelta(seconds=5)


class Replica:
    """Thrown away when it crashes; everything worth keeping is in the store."""

    def __init__(
        self,
        name: str,
        store: Store,
        policies: Policies,
        world: FakeWorld,
        chat: FakeChat,
        clock: Clock,
        random: Random,
    ) -> None:
        ports = world.ports()
        writer = Writer(policies.people, TICK)
        self.name = name
        self.dead: list[tuple[Sending, str]] = []
        self.engine = Engine(store, policies, writer, TICK)
        self.previews = Previews(
            store, policies, ports, writer, lambda: f"{random.getrandbits(48):012x}"
        )
        delivery = Delivery(store, self.engine, chat, ports, policies, clock.seconds)
        # One after the other, so that the same seed always tells the same story.
        self._outbox = Outbox(
            store,
            delivery.deliver,
            name,
            guard,
            random.random,
            self._bury,
            at_once=1,
            clock=clock.seconds,
        )
        self._reconciler = Reconciler(
            *(store, self.engine, Observer(ports), name, guard), at_once=1, clock=clock.seconds
        )

    async def lap(self) -> None:
        await guard("laps", self._reconciler.lap())

    async def drain(self) -> None:
        await guard("outbox", self._outbox.drain())

    def _bury(self, row: Sending, why: str) -> None:
        self.dead.append((row, why))


async def guard(_name: str, work: Awaitable[object]) -> bool:
    """As lenient as it must be: any other error than an absence is a bug, and ends the test."""
    try:
        await work
    except Unavailable:
        return False
    return True
