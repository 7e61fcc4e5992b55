"""An office with one service, opened for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.handlers.office import Office


@pytest.fixture
async def office(database: Path) -> AsyncIterator[Office]:
    async with Office(database) as office:
        yield office
        assert not office.faults, "no test may stumble over a bug unseen"
