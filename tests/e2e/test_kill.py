"""kill -9 anywhere: nothing is lost, nothing is done twice, the same card goes on."""

import asyncio
import os
import random
from itertools import count
from time import monotonic

import pytest

from bot.crashpoint import ENVIRONMENT
from bot.demo.supervisor import BotProcess, NotReady
from bot.domain.deployment import Phase
from tests.builders import ANA, DANA, QUINN
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import Crew, is_lost
from tests.e2e.harness import Team
from tests.e2e.promises import kept, posted_keys
from tests.e2e.waiting import LONG

#: Per run of two for each database.
KILLS = int(os.environ.get("PILOTHOUSE_KILLS", "50")) // 2

pytestmark = [pytest.mark.kill, pytest.mark.timeout(240 + 6 * KILLS)]

#: A later passage is in a later deployment, whose messages Slack takes one a second.
PASSAGES = (1, 2, 3) if KILLS >= 50 else (1,)

COMMANDS = ("before-commit", "committed")
POSTS = ("post", "posted", "sent", "sending")
TRAFFIC = ("traffic", "traffic-done")
LAPS = ("claimed", "observed")
#: Where nobody can say whether the job ran, the bot asks a person instead of running it again.
JOB = {
    "job": Phase.RUNNING,
    "shell.before_journal": Phase.RUNNING,
    "shell.journaled": Phase.HELD,
    "shell.launched": Phase.HELD,
    "shell.started": Phase.RUNNING,
    "job-done": Phase.RUNNING,
}


@pytest.mark.parametrize("passage", [1, 2, 3])
async def test_a_deployment_survives_a_kill_at_every_place(
    make_team: MakeTeam, database: str, passage: int
) -> None:
    team = await make_team(database, bots=0, watch="60s")
    crew = Crew(team)

    for place in (*COMMANDS, *POSTS):
        await crash(team, crew, place, passage, fidgets=True)
    for place in (*LAPS, *TRAFFIC):
        await crash(team, crew, place, passage)

    await revived(team)
    await crew.finish()
    for d in await kept(team, spare_duplicates=10):
        assert d.phase is Phase.ROLLED_BACK or is_lost(d)
        assert is_lost(d) or {approval.by for approval in d.approvals} == {ANA, QUINN}


async def test_no_post_is_there_twice_where_history_may_be_read(
    make_team: MakeTeam, database: str
) -> None:
    team = await make_team(database, scopes=("channels:history",), bots=0, watch="60s")
    crew = Crew(team)

    for place in POSTS:
        await crash(team, crew, place, 1, fidgets=True)

    await revived(team)
    await crew.finish()
    await kept(team, spare_duplicates=0)
    assert posted_keys(team)


@pytest.mark.parametrize("passage", PASSAGES)
async def test_a_job_starts_at_most_once_wherever_the_bot_dies(
    make_team: MakeTeam, database: str, passage: int
) -> None:
    team = await make_team(database, bots=0)
    numbers = count(1)

    for place, after in JOB.items():
        bot = team.add_bot(**{ENVIRONMENT: f"{place}:{passage}"})
        await bot.start()
        for _ in range(passage - 1):
            await staged_and_cancelled(team, f"D-{next(numbers)}")
        id, before = f"D-{next(numbers)}", len(team.recorded.stagings)
        await team.request()
        await until_dead(bot, place)
        await revived(team)

        if after is Phase.HELD:
            await team.until(Phase.HELD, id=id)
            assert len(team.recorded.stagings) == before, place
        else:
            await team.until_so(lambda d: d.ask_round > 0, "asks for signatures", id)
            assert len(team.recorded.stagings) == before + 1, place
        await cancelled(team, id)
        await team.bots[-1].kill()

    await revived(team)
    await kept(team, spare_duplicates=len(JOB), within=2 * LONG * passage)


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
    await crew.finish()
    everything = await kept(team, spare_duplicates=2 * KILLS)
    signed = {(a.by, "dep.approve", d.id) for d in everything for a in d.approvals}
    assert {made for made in crew.accepted if made[1] == "dep.approve"} <= signed


async def staged_and_cancelled(team: Team, id: str) -> None:
    """One passage: its job runs, and nobody signs."""
    await team.request()
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures", id)
    await cancelled(team, id)


async def cancelled(team: Team, id: str) -> None:
    assert (await team.slack.command(DANA, "/deploy", f"cancel {id} seen enough")).is_fine
    await team.until(Phase.CANCELLED, id=id)


async def crash(team: Team, crew: Crew, place: str, passage: int, *, fidgets: bool = False) -> None:
    """Start a bot that dies at *place*, and work with it until it does."""
    await team.leases_run_out()
    bot = team.add_bot(**{ENVIRONMENT: f"{place}:{passage}"})
    try:
        await bot.start()
    except NotReady:
        assert not bot.is_running
    deadline = monotonic() + LONG
    while bot.is_running:
        if monotonic() > deadline:
            raise TimeoutError(f"never came to {place}, {passage}\n{await team.standing()}")
        await crew.work(fidgets=fidgets)
        await asyncio.sleep(0.05)


async def until_dead(bot: BotProcess, place: str) -> None:
    deadline = monotonic() + LONG
    while bot.is_running:
        assert monotonic() < deadline, f"never came to {place}"
        await asyncio.sleep(0.05)


async def revived(team: Team) -> None:
    await team.leases_run_out()
    await team.add_bot().start()


async def live_and_die(team: Team, crew: Crew, chance: random.Random) -> None:
    """Mostly while it works, sometimes while it starts."""
    bot = team.bots[0]
    await team.leases_run_out()
    if chance.random() < 0.2:
        starting = asyncio.create_task(bot.start())
        await asyncio.sleep(chance.uniform(0.01, 0.4))
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
