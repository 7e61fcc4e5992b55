"""Databases and teams for the end-to-end tests; each test has its own of both."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.e2e.harness import Site, Team, Transport, World
from tests.e2e.world import RecordingWorld

MakeTeam = Callable[..., Awaitable[Team]]


@pytest.fixture
def database(url: str) -> str:
    return url


@pytest.fixture
async def make_team(tmp_path: Path, sqlite_file: Path) -> AsyncIterator[MakeTeam]:
    """After *sqlite_file*, so that every bot has ended before that is taken away."""
    teams: list[Team] = []

    async def make(
        database: str,
        world: World | None = None,
        transport: Transport = "socket",
        *,
        scopes: tuple[str, ...] = (),
        bots: int = 1,
        **times: str,
    ) -> Team:
        site = Site(tmp_path, database, world or RecordingWorld(), transport, scopes, times)
        teams.append(Team(site))
        await teams[-1].start(bots)
        return teams[-1]

    yield make
    for team in teams:
        await team.stop()
