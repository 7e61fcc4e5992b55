"""kill -9 at random instants, a hundred of them, while deployments run."""

import asyncio
import random
from time import monotonic

import pytest

from bot.demo.supervisor import NotReady
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import Crew
from tests.e2e.harness import Team
from tests.e2e.promises import kept
from tests.e2e.test_crash_points import finish

pytestmark = [pytest.mark.kill, pytest.mark.timeout(240)]

KILLS = 25


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_or_done_twice_whenever_the_bot_is_killed(
    make_team: MakeTeam, database: str, seed: int
) -> None:
    print(f"seed {seed}")  # noqa: T201 - to run a failure again
    chance = random.Random(seed)
    team = await make_team(database, bots=0)
    team.add_bot()
    crew = Crew(team)

    for _ in range(KILLS):
        await live_and_die(team, crew, chance)

    await team.leases_run_out()
    await team.bots[0].start()
    await finish(team, crew)
    everything = await kept(team, spare_duplicates=2 * KILLS)
    signed = {(a.by, "dep.approve", d.id) for d in everything for a in d.approvals}
    assert {made for made in crew.accepted if made[1] == "dep.approve"} <= signed


async def live_and_die(team: Team, crew: Crew, chance: random.Random) -> None:
    """Mostly while it works, sometimes while it starts."""
    bot = team.bots[0]
    await team.leases_run_out()
    if chance.random() < 0.2:
        starting = asyncio.create_task(bot.start())
        await asyncio.sleep(chance.uniform(0.1, 1.0))
        await bot.kill()
        await asyncio.gather(starting, return_exceptions=True)
        return
    try:
        await bot.start()
    except NotReady as error:
        raise AssertionError("it does not start again") from error
    dies_at = monotonic() + chance.uniform(0.2, 1.5)
    while monotonic() < dies_at:
        await crew.work()
        await asyncio.sleep(0.05)
    await bot.kill()
