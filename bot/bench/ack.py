"""Goals 1 and 2: what a durable command costs, against bare Bolt in the same minutes."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

from bot.bench import copies, load
from bot.bench.measure import cpu_seconds, median, percentile
from bot.bench.processes import Running, environment, free_port, running
from bot.bench.table import Figure, Goal
from bot.ports import Policies
from storage.store import prepare

RATE = 50.0
CONNECTIONS = 16
#: Stands in both answers, so that a refusal is never taken for a signature.
MARK = b"signed"


@dataclass(frozen=True, slots=True)
class Size:
    """How many commands a round has in each of its parts, and how many rounds there are."""

    sequential: int
    paced: int
    flat_out: int
    rounds: int

    @property
    def commands(self) -> int:
        return self.rounds * (self.sequential + self.paced + self.flat_out)


@dataclass(slots=True)
class Series:
    """One server's figures, a value a round."""

    sequential: list[float] = field(default_factory=list)
    tail: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    paced_cpu: list[float] = field(default_factory=list)


class Failed(Exception):
    """A measured command was not answered as it should be, so no figure would mean anything."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process under load and where its next commands come from."""

    running: Running
    commands: Iterator[load.Typed]
    series: Series = field(default_factory=Series)

    def next(self, number: int) -> list[bytes]:
        return load.sign_all(islice(self.commands, number))


async def measure(servers: Sequence[Server], size: Size) -> None:
    """Interleaved, so that whatever else the machine does hits every server alike."""
    for _ in range(size.rounds):
        for server in servers:
            await _one_by_one(server, size.sequential)
        for server in servers if size.flat_out else ():
            await _flat_out(server, size.flat_out)
        for server in servers:
            await _paced(server, size.paced)


async def _one_by_one(server: Server, number: int) -> None:
    requests = server.next(number)
    answered = _good(await load.closed_loop(server.running.port, requests, MARK))
    server.series.sequential.append(median(answered.latencies))


async def _flat_out(server: Server, number: int) -> None:
    requests = server.next(number)
    before = cpu_seconds(server.running.pid)
    answered = _good(await load.closed_loop(server.running.port, requests, MARK, CONNECTIONS))
    server.series.cpu.append((cpu_seconds(server.running.pid) - before) / number)
    server.series.rate.append(answered.rate)


async def _paced(server: Server, number: int) -> None:
    requests = server.next(number)
    before = cpu_seconds(server.running.pid)
    answered = _good(await load.paced(server.running.port, requests, MARK, RATE))
    server.series.paced_cpu.append((cpu_seconds(server.running.pid) - before) / number)
    server.series.tail.append(percentile(answered.latencies, 99))


def _good(answered: load.Answered) -> load.Answered:
    if answered.failed:
        raise Failed(f"{answered.failed} commands failed, e.g. {answered.example}")
    return answered


@asynccontextmanager
async def floor(directory: Path) -> AsyncIterator[Server]:
    port = free_port()
    typed = (load.Typed("D-1", f"floor-{number}") for number in count())
    arguments = ["-m", "bot.bench.floor", str(port)]
    async with running(arguments, None, port, directory / "floor.log") as process:
        yield Server(process, typed)


@asynccontextmanager
async def product(
    directory: Path, database: str, size: Size, arguments: Sequence[str]
) -> AsyncIterator[Server]:
    """The bot on *database*, with a deployment for each command of *size* that Ana may sign."""
    async with AsyncExitStack() as stack:
        outside, port = free_port(), free_port()
        policies = copies.policies_at(directory, outside)
        teams = [f"T{number:07}" for number in range(size.commands)]
        id = await _fill(database, policies, teams)
        world = ["-m", "bot.bench.outside", str(outside)]
        await stack.enter_async_context(running(world, None, outside, directory / "world.log"))
        environ = environment(port, database, directory, outside)
        process = await stack.enter_async_context(
            running(arguments, environ, port, directory / "bot.log")
        )
        yield Server(process, (load.Typed(id, f"{team}-1", team=team) for team in teams))


async def _fill(database: str, policies: Policies, teams: Sequence[str]) -> str:
    """The id under which one waits in each of *teams*."""
    store = await prepare(database)
    try:
        d = await copies.at_approval(store, policies)
        await copies.copy(store, d, teams)
        return d.id
    finally:
        await store.close()


DOOR = ("-m", "bot.bench.acks")
WHOLE = ("-m", "bot", "run")


async def doors(directory: Path, databases: Mapping[str, str], size: Size) -> list[Figure]:
    """Goal 2: the decision and its commit, without any delivery; *databases* by their names."""
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(floor(directory))
        own = {
            name: await stack.enter_async_context(product(directory / name, url, size, DOOR))
            for name, url in databases.items()
        }
        await measure([bare, *own.values()], size)
    found = (_costs(name, server.series, bare.series) for name, server in own.items())
    return [figure for figures in found for figure in figures]


async def whole(directory: Path, database: str, size: Size) -> list[Figure]:
    """Goal 1: the bot as it is run, its loops and deliveries too."""
    async with (
        floor(directory) as bare,
        product(directory / "whole", database, size, WHOLE) as bot,
    ):
        await measure([bare, bot], size)
    return _latencies(bot.series, bare.series)


def _costs(name: str, own: Series, bare: Series) -> list[Figure]:
    limit = Goal(3 if name == "SQLite" else 4, unit="×")
    cpu, floor_cpu = median(own.cpu) * 1e6, median(bare.cpu) * 1e6
    paced, floor_paced = median(own.paced_cpu) * 1e6, median(bare.paced_cpu) * 1e6
    rate, floor_rate = median(own.rate), median(bare.rate)
    least = Goal(0.4, is_least=True, unit="×")
    return [
        Figure(2, f"CPU per command, {name}", cpu, "µs", floor_cpu, limit),
        Figure(2, f"CPU per command at {RATE:g}/s, {name}", paced, "µs", floor_paced),
        Figure(2, f"max rate, {name}", rate, "/s", floor_rate, least),
    ]


def _latencies(own: Series, bare: Series) -> list[Figure]:
    tail, floor_tail = median(own.tail) * 1e3, median(bare.tail) * 1e3
    p50, floor_p50 = median(own.sequential) * 1e3, median(bare.sequential) * 1e3
    return [
        Figure(1, f"ack p99 at {RATE:g}/s", tail, "ms", floor_tail, Goal(2, unit="×")),
        Figure(1, "sequential p50", p50, "ms", goal=Goal(2, unit=" ms")),
        Figure(1, "sequential p50 of the floor", floor_p50, "ms"),
    ]
