"""What whoever has the host can do with Slack away, beside a bot and without one."""

from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from bot.operate import NotPossible, Unfinished, act
from bot.settings import Settings
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import canary
from tests.e2e.harness import Team


async def at_canary_without_bot(make_team: MakeTeam, database: str) -> Team:
    team = await make_team(database, bake="120s")
    await canary(team)
    for bot in team.bots:
        await bot.kill()
    await team.slack.stop()
    return team


async def does(team: Team, line: str, within: timedelta = timedelta(seconds=30)) -> str:
    said: list[str] = []
    await act(Settings.load(team.environment()), line, said.append, within)
    return " ".join(said)


async def test_a_rollback_needs_neither_slack_nor_a_bot(make_team: MakeTeam, database: str) -> None:
    team = await at_canary_without_bot(make_team, database)

    said = await does(team, "/rollback checkout 500s on /pay")

    d = await team.deployment()
    assert d is not None
    assert d.phase is Phase.ROLLED_BACK
    assert "rolled back" in said
    assert team.recorded.weights == {"v1.8.2": 100}
    assert await team.unsent(), "what is for Slack is left to the bot"


async def test_what_takes_longer_is_driven_on_by_the_same_command(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await at_canary_without_bot(make_team, sqlite)

    with pytest.raises(Unfinished, match="D-1 is still rolling back"):
        await does(team, "/rollback checkout 500s on /pay", timedelta())
    await does(team, "/rollback checkout 500s on /pay")

    d = await team.deployment()
    assert d is not None
    assert d.phase is Phase.ROLLED_BACK


async def test_without_a_bot_it_says_that_nobody_goes_on(make_team: MakeTeam, sqlite: str) -> None:
    team = await at_canary_without_bot(make_team, sqlite)

    held = await does(team, "/deploy hold D-1 looking")
    resumed = await does(team, "/deploy resume D-1")

    assert "on hold" in held or "held" in held
    assert "nobody drives it until one does" in resumed


async def test_beside_a_bot_the_bot_carries_it_out(make_team: MakeTeam, sqlite: str) -> None:
    team = await make_team(sqlite, bake="120s")
    await canary(team)

    said = await does(team, "/rollback checkout 500s on /pay")

    assert said.endswith("The running bot carries it out.")
    await team.until(Phase.ROLLED_BACK)


async def test_nobody_signs_from_the_host(make_team: MakeTeam, sqlite: str) -> None:
    team = await make_team(sqlite, bots=0)

    with pytest.raises(NotPossible, match="signatures belong to people"):
        await does(team, "/approve D-1")
