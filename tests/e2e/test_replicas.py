"""Several bots on one Postgres, and only ever one on a SQLite file."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.demo.supervisor import NotReady
from bot.domain.deployment import Phase
from bot.memory import StaleRevision, Transaction
from tests.builders import ANA, QUINN, TEAM
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import Crew, healthy_at
from tests.e2e.harness import Team
from tests.e2e.policies import STEPS
from tests.e2e.promises import kept
from tests.e2e.waiting import LONG, eventually

pytestmark = pytest.mark.kill

#: What is promised: within so many seconds the other replica carries on.
TAKEN_OVER = 30.0
MINUTE = timedelta(minutes=1)


async def canary_of_two(team: Team) -> None:
    await team.request()
    await team.approve(ANA, QUINN)
    await team.until_so(lambda d: d.weight >= 10, "is a canary")


async def a_minute_passes(team: Team, *, is_beat: bool) -> None:
    """As if the deployment had done for a minute longer what it does, and, with *is_beat*, as if
    its last status were as old."""

    def earlier(at: datetime | None) -> datetime | None:
        return at and at - MINUTE

    async def unit(tx: Transaction) -> None:
        d = await tx.deployments.get(TEAM, "D-1")
        assert d is not None
        aged = replace(
            d,
            passing_since=earlier(d.passing_since),
            started_at=earlier(d.started_at) if is_beat else d.started_at,
            update_due_at=earlier(d.update_due_at) if is_beat else d.update_due_at,
        )
        await tx.deployments.save(aged, tx.now, None)

    while True:
        with suppress(StaleRevision):
            return await team.store.run(unit)


async def is_told(team: Team) -> bool:
    return "D-1/update" not in await team.unsent()


async def test_each_status_is_told_once_however_many_bots_there_are(
    make_team: MakeTeam, postgres: str
) -> None:
    team = await make_team(postgres, bots=2, bake="60s")
    await team.request()
    await team.approve(ANA, QUINN)
    for weight in STEPS:
        await team.until_so(healthy_at(weight), f"is healthy at {weight} %")
        await eventually(lambda: is_told(team), "people read the status before", LONG)
        await a_minute_passes(team, is_beat=weight == STEPS[0])
        await team.until_so(lambda d: d.beat >= 1, "has told a beat")

    await team.until(Phase.SUCCEEDED)

    await kept(team)
    assert (await team.until(Phase.SUCCEEDED)).beat >= 1
    updates = await team.keys_of("update")
    posts = [m for m in team.top_level() if team.key_of(m) in updates]
    assert len(posts) >= 2
    assert len({team.key_of(m) for m in posts}) == len(posts)
    assert [m for m in posts if m.text.startswith("Status")] == []
    assert team.recorded.stagings == ["v1.8.3"]


@pytest.mark.parametrize("which", [0, 1])
async def test_when_one_is_killed_the_other_carries_on(
    make_team: MakeTeam, postgres: str, which: int
) -> None:
    team = await make_team(postgres, bots=2)
    await canary_of_two(team)

    await team.bots[which].kill()

    await team.until_so(lambda d: d.weight > 10, "went on", within=TAKEN_OVER)
    await team.until(Phase.SUCCEEDED)
    (done,) = await kept(team, spare_duplicates=2)
    assert {approval.by for approval in done.approvals} == {ANA, QUINN}
    assert team.recorded.weights == {"v1.8.3": 100}


async def test_one_that_was_frozen_and_wakes_up_changes_nothing(
    make_team: MakeTeam, postgres: str
) -> None:
    team = await make_team(postgres, bots=2)
    await canary_of_two(team)
    frozen = team.bots[0].pid
    assert frozen is not None

    os.kill(frozen, signal.SIGSTOP)
    await team.until_so(lambda d: d.weight > 10, "went on", within=TAKEN_OVER)
    await team.until(Phase.WATCHING, Phase.SUCCEEDED)
    os.kill(frozen, signal.SIGCONT)

    await team.until(Phase.SUCCEEDED)
    await team.bots[0].start()  # it is ready again
    await kept(team, spare_duplicates=4)


async def test_asked_to_stop_it_stops_in_time_with_nothing_half_sent(
    make_team: MakeTeam, database: str
) -> None:
    team = await make_team(database, bots=0)
    bot = await plain_process(team)
    await team.slack.wait_for(lambda: team.slack.is_bot_connected, LONG)
    await canary_of_two(team)

    bot.terminate()
    async with asyncio.timeout(10):
        output, _ = await bot.communicate()

    assert bot.returncode == 0, output
    assert b'"stopping"' in output
    assert b"Traceback" not in output
    assert await team.sending() == []
    await team.add_bot().start()
    await Crew(team).finish()
    await kept(team)


async def test_a_second_bot_on_the_same_file_says_why_it_does_not_start(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite)

    with pytest.raises(NotReady, match="already"):
        await team.add_bot().start()

    second = await plain_process(team)
    output, _ = await second.communicate()
    assert second.returncode == 1, output
    assert b"Another process runs the bot" in output
    assert b"Traceback" not in output
    assert team.bots[0].is_running


async def plain_process(team: Team) -> asyncio.subprocess.Process:
    """A bot as an operator starts it, with its exit status and everything it says."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        env=team.environment() | {"PILOTHOUSE_LISTEN": "127.0.0.1:0"},
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
