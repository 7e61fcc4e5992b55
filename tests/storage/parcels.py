"""Parcels for tests, and the few things that are done with them."""

from datetime import timedelta

from bot.domain.effects import Announce, Effect, RefreshCard, SetTraffic
from bot.memory import Parcel, Sending, Transaction
from bot.ports import Posted, Unreadable
from storage.store import OpenStore
from tests.builders import NOW, TEAM

LEASE = timedelta(seconds=20)
CARD = Posted("C0DEPLOY", "1.0")


def said(
    text: str, lane: str = "D-1/thread", priority: int = 3, needs_card: bool = False
) -> Parcel:
    return Parcel(lane, priority, Announce((text,), NOW), needs_card=needs_card)


def traffic(weight: int) -> Parcel:
    return Parcel("D-1/traffic", 0, SetTraffic((("v1.8.3", weight),), 7), wish="traffic")


def card(priority: int = 4) -> Parcel:
    return Parcel("D-1/card", priority, RefreshCard(), wish="card")


async def put(store: OpenStore, *parcels: Parcel, thing: str = "D-1") -> None:
    await store.run(lambda tx: tx.outbox.put(TEAM, thing, parcels))


async def claim(
    store: OpenStore, owner: str = "one", lease: timedelta = LEASE, limit: int = 10
) -> tuple[Sending, ...]:
    return await store.run(lambda tx: tx.outbox.claim(owner, lease, limit))


async def done(store: OpenStore, row: Sending) -> None:
    await store.run(lambda tx: tx.outbox.done(row))


async def again(store: OpenStore, row: Sending, pause: timedelta) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.outbox.again(row, tx.now + pause, "not now")

    await store.run(unit)


def texts(rows: tuple[Sending, ...]) -> list[str]:
    return [_text(row.effect) for row in rows]


def _text(effect: Effect | Unreadable) -> str:
    assert isinstance(effect, Announce)
    return str(effect.line[0])
