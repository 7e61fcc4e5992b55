"""Goals 7 and 8: memory, idle and after many commands, and how soon a start answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import cycle, islice
from pathlib import Path

from bot.bench import ack, copies, load
from bot.bench.databases import sqlite
from bot.bench.measure import cpu_seconds, median, resident_mb
from bot.bench.processes import end, environment, free_port, running, spawn
from bot.bench.table import Figure, Goal
from storage.store import prepare

_TEAMS = 64
_AT_ONCE = 2000


async def memory(directory: Path, commands: int) -> list[Figure]:
    """The bot as it is run, at rest and after *commands* of every cheap kind."""
    async with _outside(directory) as outside:
        database, port = sqlite(directory, "memory"), free_port()
        id = await _fill(directory, database, outside)
        environ = environment(port, database, directory, outside)
        async with running(ack.WHOLE, environ, port, directory / "bot.log") as bot:
            await asyncio.sleep(1)  # the first lap and the first seal belong to a start
            idle = resident_mb(bot.pid)
            typed = islice(_mix(id), commands)
            answered, warm = 0, idle
            while requests := load.sign_all(islice(typed, _AT_ONCE)):
                done = await load.closed_loop(port, requests, b"", ack.CONNECTIONS)
                answered += len(done.latencies) - done.failed
                warm = resident_mb(bot.pid) if warm == idle else warm
            grown = resident_mb(bot.pid)
    if answered < commands:
        raise ack.Failed(f"{commands - answered} commands failed, e.g. {done.example}")
    return [
        Figure(7, "memory at rest", idle, "MB", goal=Goal(85, unit=" MB")),
        Figure(7, f"growth after {commands:,} commands", grown - idle, "MB", goal=Goal(5)),
        Figure(7, f"… of it after the first {_AT_ONCE:,}", grown - warm, "MB"),
    ]


async def start(directory: Path, times: int) -> list[Figure]:
    """From the process's birth until the first signed command is answered."""
    taken: list[tuple[float, float]] = []
    async with _outside(directory) as outside:
        database = sqlite(directory, "start")
        await _fill(directory, database, outside)
        before = await _calls(outside)
        for number in range(times):
            taken.append(await _first_ack(directory, database, outside, number))
        calls = await _calls(outside) - before
    return [
        Figure(
            8, "start → first ack", median([t for t, _ in taken]), "s", goal=Goal(0.9, unit=" s")
        ),
        Figure(8, "CPU until then", median([cpu for _, cpu in taken]), "s"),
        Figure(8, "Slack calls before that", calls, "", goal=Goal(0)),
    ]


async def _first_ack(
    directory: Path, database: str, outside: int, number: int
) -> tuple[float, float]:
    """Seconds, and seconds of CPU."""
    port, log = free_port(), directory / "bot.log"
    request = load.sign_all([load.Typed("help", f"start-{number}", "/deploy")])[0]
    began = time.perf_counter()
    process = spawn(ack.WHOLE, environment(port, database, directory, outside), log)
    try:
        async with asyncio.timeout(30):
            while not await _is_answered(port, request):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.002)
        return time.perf_counter() - began, cpu_seconds(process.pid)
    finally:
        await asyncio.to_thread(end, process)


async def _is_answered(port: int, request: bytes) -> bool:
    with suppress(OSError, asyncio.IncompleteReadError):
        line = await load.Connection.open(port)
        status, _ = await line.ask(request)
        await line.close()
        return status == 200
    return False


@asynccontextmanager
async def _outside(directory: Path) -> AsyncIterator[int]:
    port = free_port()
    async with running(["-m", "bot.bench.outside", str(port)], None, port, directory / "world.log"):
        yield port


async def _calls(outside: int) -> int:
    line = await load.Connection.open(outside)
    _, body = await line.ask(b"GET /calls HTTP/1.1\r\nHost: outside\r\n\r\n")
    await line.close()
    return int(body.rpartition(b":")[2].strip(b" }"))


async def _fill(directory: Path, database: str, outside: int) -> str:
    policies = copies.policies_at(directory, outside)
    async with AsyncExitStack() as stack:
        store = await prepare(database)
        stack.push_async_callback(store.close)
        d = await copies.at_approval(store, policies)
        await copies.copy(store, d, [f"T{number:07}" for number in range(_TEAMS)])
        return d.id


def _mix(id: str) -> Iterator[load.Typed]:
    """Round and round the teams: look, hold, look, resume, ask for help."""
    texts = ("list", f"hold {id}", f"status {id}", f"resume {id}", "help")
    number = 0
    for text in cycle(texts):
        for team in range(_TEAMS):
            number += 1
            yield load.Typed(text, f"mix-{number}", "/deploy", f"T{team:07}")
