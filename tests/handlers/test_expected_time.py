"""How long it may take, as far as the past tells, before anybody asks for it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.deployment import Phase
from bot.memory import Transaction
from tests.builders import DANA, a_deployment, a_plan
from tests.handlers.office import Office
from tests.handlers.reading import text_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def office(database: Path) -> AsyncIterator[Office]:
    async with Office(database) as office:
        yield office


async def went_well(office: Office, *minutes: int, first: int = 0) -> None:
    start = office.clock.now - timedelta(days=9)

    async def unit(tx: Transaction) -> None:
        for number, took in enumerate(minutes, first):
            asked = start + number * timedelta(hours=1)
            d = a_deployment(
                Phase.SUCCEEDED,
                id=f"D-9{number}",
                plan=a_plan(kind="standard"),
                kind="standard",
                requested_at=asked,
                live_at=asked + took * MINUTE,
                finished_at=asked + timedelta(hours=1),
            )
            await tx.deployments.add(d, None)

    await office.plain_store.run(unit)


async def test_a_preview_tells_it_once_enough_went_well(office: Office) -> None:
    await went_well(office, 52, 300)
    before = text_of((await office.types(DANA, "/deploy checkout v1.8.3")).body)
    await went_well(office, 55, first=2)

    after = text_of((await office.types(DANA, "/deploy checkout v1.8.3")).body)

    assert "Expected time" not in before
    assert "about 55 min to full traffic, median of the last 3" in after


async def test_a_preview_says_since_when_the_version_serves(office: Office) -> None:
    office.clock.pass_(timedelta(days=3, hours=2))

    preview = await office.types(DANA, "/deploy checkout v1.8.3")

    assert "`v1.8.2`, live 3 days" in text_of(preview.body)
