"""Databases and teams for the end-to-end tests; each test has its own of both."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from storage import migrate
from tests.conftest import Databases
from tests.e2e.harness import Site, Team, Transport, World
from tests.e2e.world import RecordingWorld

MakeTeam = Callable[..., Awaitable[Team]]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a migrated SQLite file is copied from; made by the first test that wants it."""
    return tmp_path_factory.mktemp("e2e") / "template.db"


@pytest.fixture
async def sqlite(migrated_file: Path, tmp_path: Path) -> str:
    if not _is_made(migrated_file):
        await migrate.upgrade(f"sqlite:///{migrated_file}")
    shutil.copy(migrated_file, tmp_path / "pilothouse.db")
    return f"sqlite:///{tmp_path / 'pilothouse.db'}"


@pytest.fixture
async def postgres(postgres_databases: Databases) -> str:
    return await postgres_databases.migrated()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
async def make_team(tmp_path: Path) -> AsyncIterator[MakeTeam]:
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


def _is_made(file: Path) -> bool:
    return file.exists()
