"""Waiting for what must come, bounded; and small looks at what is shown."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from bot.demo.slack.workspace import Message

T = TypeVar("T")

#: Seconds in which anything that people wait for must be there, on a machine that is busy.
LONG = 40.0
_POLL = 0.04


async def eventually(
    look: Callable[[], Awaitable[T | None]],
    what: str,
    within: float,
    why: Callable[[], str] = str,
) -> T:
    """What *look* finds, asked again and again. Raises `TimeoutError` that says *what*."""
    deadline = monotonic() + within
    while True:
        found = await look()
        if found:
            return found
        if monotonic() > deadline:
            raise TimeoutError(f"not within {within:.0f} s: {what}\n{why()}")
        await asyncio.sleep(_POLL)


def actions_of(message: Message) -> set[str]:
    """The ids of everything that can be pressed on *message*."""
    elements = [
        element
        for block in message.blocks
        for element in (*block.get("elements", ()), block.get("accessory", {}))
    ]
    return {element["action_id"] for element in elements if "action_id" in element}
