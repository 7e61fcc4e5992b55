"""Every storage test runs on both databases; each starts with tables and nothing in them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.store import OpenStore, open_store
from tests.conftest import Databases


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


@pytest.fixture
async def other(url: str) -> AsyncIterator[OpenStore]:
    """Another replica on the same database, which has to be Postgres."""
    opened = await open_store(url)
    yield opened
    await opened.close()
