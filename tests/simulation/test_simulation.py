"""Any story at all: faults, crashes and people in any order, and the promises hold."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.memory import Transaction
from storage import audit, migrate
from storage.sqlite import SqliteStore
from tests.simulation.ending import check_ending
from tests.simulation.play import Play

SEEDS = int(os.environ.get("PILOTHOUSE_SEEDS", "40"))
FIRST = int(os.environ.get("PILOTHOUSE_FIRST_SEED", "1"))
STEPS = 150


@pytest.fixture(scope="session")
def fast_place() -> Iterator[Path]:
    """Where no test waits for a disk, if the system has such a place."""
    memory = Path("/dev/shm")  # noqa: S108 - a file system, not a file
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        yield Path(place)


@pytest.fixture
async def database(fast_place: Path) -> AsyncIterator[Path]:
    template = fast_place / "template.db"
    if not template.exists():
        await migrate.upgrade(f"sqlite:///{template}")
    with tempfile.TemporaryDirectory(dir=fast_place) as place:
        path = Path(place) / "pilothouse.db"
        shutil.copy(template, path)
        yield path


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
async def test_whatever_happens_the_promises_hold(seed: int, database: Path) -> None:
    clock_of_play: list[Play] = []
    store = await SqliteStore.open(database, lambda: clock_of_play[0].clock.now)
    play = Play(seed, store)
    clock_of_play.append(play)
    try:
        await play.run(STEPS)
        await play.settle()
        await check_ending(play)
        await store.run(Transaction.seal)
        assert not await audit.verify(store)
    except BaseException as error:
        error.add_note(f"PILOTHOUSE_FIRST_SEED={seed} PILOTHOUSE_SEEDS=1 tells this story again")
        raise
    finally:
        for stuck in play.stuck:
            stuck.task.cancel()
        await store.close()
