"""Any story at all: faults, crashes and people in any order, and the promises hold."""

import os
from pathlib import Path

import pytest

from bot.memory import Transaction
from storage import audit
from storage.sqlite import SqliteStore
from tests.simulation.ending import check_ending
from tests.simulation.play import Play

SEEDS = int(os.environ.get("PILOTHOUSE_SEEDS", "40"))
FIRST = int(os.environ.get("PILOTHOUSE_FIRST_SEED", "1"))
STEPS = 200


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
