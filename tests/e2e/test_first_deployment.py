"""A service that nobody ever adopted, from `/deploy` to a version that one can go back to."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.domain.deployment import Deployment, Phase
from storage import audit
from tests.builders import ANA, DANA, DEVO, QUINN, SAM
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import Crew, is_lost
from tests.e2e.harness import CHANNEL, Team
from tests.e2e.newthing import FIRST, SECOND, SERVICE, EmptyWorld, request, write_newthing
from tests.e2e.test_kill import crash, revived
from tests.e2e.waiting import actions_of

NO_WAY_BACK = "there is nothing to roll back to"


@pytest.fixture
async def world() -> AsyncIterator[EmptyWorld]:
    world = EmptyWorld()
    await world.start()
    yield world
    await world.stop()


async def a_team(make_team: MakeTeam, database: str, world: EmptyWorld, **how: str) -> Team:
    team = await make_team(database, bots=0)
    write_newthing(team, world, **how)
    await team.add_bot().start()
    return team


async def test_the_first_goes_to_its_end_and_is_what_the_second_goes_back_to(
    make_team: MakeTeam, database: str, world: EmptyWorld
) -> None:
    team = await a_team(make_team, database, world)

    assert NO_WAY_BACK in await request(team, FIRST)
    asked = await team.shown("ask", "dep.approve")
    assert NO_WAY_BACK in str(asked.blocks)
    assert "no rollback" in asked.text
    await team.until_card_reads(NO_WAY_BACK)
    await team.approve(ANA, QUINN)
    first = await team.until(Phase.SUCCEEDED)

    assert first.is_proven
    assert {order.weights[FIRST] for order in world.orders} == {100}

    await request(team, SECOND)
    await team.approve(ANA, QUINN, id="D-2")
    await team.until_so(lambda d: d.passing_since is not None, "is healthy", "D-2")
    await world.act({"action": "fail", "version": SECOND, "on": True})
    second = await team.until(Phase.ROLLED_BACK, id="D-2")

    assert second.rollback is not None
    assert second.rollback.target.name == FIRST
    assert world.weights == {FIRST: 100}


async def test_one_that_fails_is_held_ended_by_a_person_and_followed_by_one_with_a_way_back(
    make_team: MakeTeam, database: str, world: EmptyWorld
) -> None:
    team = await a_team(make_team, database, world, bake="60s")
    await request(team, FIRST)
    await team.approve(ANA, QUINN)
    await team.until_so(lambda d: d.passing_since is not None, "is healthy")

    await world.act({"action": "fail", "version": FIRST, "on": True})
    await team.until(Phase.HELD)
    await team.until_everybody_reads("nothing was rolled back")
    refused = await team.slack.command(SAM, "/rollback", f"{SERVICE} it is broken")
    assert refused.message is not None
    assert "is the first deployment of newthing to production" in refused.message.text
    ended = await team.slack.command(DANA, "/deploy", "cancel D-1 we start again")
    assert ended.is_fine
    await team.until(Phase.CANCELLED)
    await team.until_card_reads("nothing was rolled back")

    await request(team, SECOND)
    await team.until_so(lambda d: d.stable is not None, "has a way back", "D-2")
    assert world.weights == {FIRST: 100}


async def test_of_two_at_once_one_is_the_first(
    make_team: MakeTeam, database: str, world: EmptyWorld
) -> None:
    team = await a_team(make_team, database, world)
    previews = [
        await team.slack.command(by, "/deploy", f"{SERVICE} {FIRST}") for by in (DANA, DEVO)
    ]
    shown = [seen.message for seen in previews]

    await asyncio.gather(
        *(
            team.slack.click(by, CHANNEL, message.ts, "deploy.request.confirm")
            for by, message in zip((DANA, DEVO), shown, strict=True)
            if message is not None
        )
    )

    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")
    assert await team.deployment("D-2") is None


class Founders(Crew):
    """Ask for the first deployment once, and do what is due."""

    async def _begin(self, before: Deployment | None) -> None:
        if before is not None:
            return
        seen = await self._team.slack.command(DANA, "/deploy", f"{SERVICE} {FIRST}")
        if seen.message is not None and "deploy.request.confirm" in actions_of(seen.message):
            await self._click(DANA, seen.message.ts, "deploy.request.confirm")


@pytest.mark.kill
@pytest.mark.timeout(240)
async def test_wherever_the_bot_is_killed_it_goes_on_and_all_traffic_is_all_that_is_asked_for(
    make_team: MakeTeam, database: str, world: EmptyWorld
) -> None:
    team = await make_team(database, bots=0)
    write_newthing(team, world)
    crew = Founders(team)

    for place in ("before-commit", "committed", "claimed", "observed", "traffic", "traffic-done"):
        await crash(team, crew, place, 1)

    await revived(team)
    await crew.finish()
    done = await team.deployment()
    assert done is not None
    assert done.is_first
    assert done.phase is Phase.SUCCEEDED or is_lost(done)
    assert await team.deployment("D-2") is None
    assert {order.weights[FIRST] for order in world.orders} == {100}
    assert world.stagings == [FIRST]
    assert await audit.verify(team.store) == []


async def test_what_the_policy_refuses_says_how_it_would_be_possible(
    make_team: MakeTeam, sqlite: str, world: EmptyWorld
) -> None:
    team = await a_team(make_team, sqlite, world, first="refused")

    seen = await team.slack.command(DANA, "/deploy", f"{SERVICE} {FIRST}")

    assert seen.message is not None
    assert f"pilothouse adopt {SERVICE} VERSION" in str(seen.message.blocks)
    assert "first_deployment: allowed" in str(seen.message.blocks)
    assert await team.deployment() is None


async def test_what_the_router_serves_already_is_never_run_over(
    make_team: MakeTeam, sqlite: str, world: EmptyWorld
) -> None:
    world.weights = {"v0.9.0": 100}
    team = await a_team(make_team, sqlite, world)
    await request(team, FIRST)
    await team.approve(ANA, QUINN)

    await team.until(Phase.FAILED)
    await team.until_card_reads("pilothouse adopt newthing v0.9.0")
    assert world.orders == []
