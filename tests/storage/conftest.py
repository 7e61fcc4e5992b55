"""Every storage test runs on both databases; each starts with tables and nothing in them."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import migrate
from storage.store import OpenStore, open_store
from tests.conftest import Databases


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a migrated file is copied from; made by the first test that wants it."""
    return tmp_path_factory.mktemp("sqlite") / "template.db"


def is_made(template: Path) -> bool:
    return template.exists()


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        databases: Databases = request.getfixturevalue("postgres_databases")
        return await databases.migrated()
    template: Path = request.getfixturevalue("sqlite_template")
    if not is_made(template):
        await migrate.upgrade(f"sqlite:///{template}")
    path = tmp_path / "pilothouse.db"
    shutil.copy(template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgres"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        databases: Databases = request.getfixturevalue("postgres_databases")
        return await databases.empty()
    return f"sqlite:///{tmp_path / 'pilothouse.db'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[OpenStore]:
    opened = await open_store(url)
    yield opened
    await opened.close()
