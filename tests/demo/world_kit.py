"""A running world for tests, and ways to wait for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bot.adapters.http_json import HttpJson
from bot.demo.world.world import DemoWorld
from bot.domain.gates import Driver
from bot.domain.release import Target

TARGET = Target("T0DEMO", "checkout", "production")


@asynccontextmanager
async def a_world(state_dir: Path, rps: float = 0, window: float = 30) -> AsyncIterator[DemoWorld]:
    world = DemoWorld(state_dir, rps=rps, window=window)
    await world.start()
    try:
        yield world
    finally:
        await world.stop()


@asynccontextmanager
async def asking() -> AsyncIterator[HttpJson]:
    http = HttpJson(["127.0.0.1"])
    yield http
    await http.close()


def driver(url: str, **settings: str) -> Driver:
    return Driver("http", (("url", url), *settings.items()))


async def until(condition: Callable[[], bool | Awaitable[bool]], limit: float = 30) -> None:
    async with asyncio.timeout(limit):
        while True:
            seen = condition()
            if seen is True or (not isinstance(seen, bool) and await seen):
                return
            await asyncio.sleep(0.05)


async def fetch(url: str, method: str = "GET", **more: Any) -> tuple[int, dict[str, Any], str]:
    """Status, JSON object, and which version served it."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **more) as response,
    ):
        body: dict[str, Any] = await response.json()
        return response.status, body, response.headers.get("X-Served-By", "")


def serving(owner: int) -> list[int]:
    """The versions' processes that *owner* started and that live."""
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in found if is_alive(pid) and _facts(pid) == (owner, True)]


def is_alive(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def _facts(pid: int) -> tuple[int, bool]:
    """Whose child it is, and whether it is a version."""
    fields = _stat(pid)
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        command = b""
    return int(fields[1]) if fields else 0, b"bot.demo.world.service" in command


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
