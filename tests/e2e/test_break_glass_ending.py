"""Ending a first deployment from the host while no bot runs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from aiohttp import web

from bot.adapters.http_json import HttpJson
from bot.app import Supervisor, core_of, hosts_of, world_of
from bot.domain.deployment import Phase
from bot.domain.events import Approved
from bot.loops import Loops
from bot.memory import InboxKey
from bot.numbers import Numbers
from bot.operate import Unfinished
from bot.policies.loader import load
from bot.previews import wish_for
from bot.settings import Settings
from bot.writer import Source
from storage.store import prepare
from tests.builders import ANA, DANA, QUINN, TEAM
from tests.e2e.conftest import MakeTeam
from tests.e2e.harness import Team
from tests.e2e.newthing import FIRST, SERVICE, EmptyWorld, write_newthing
from tests.e2e.test_break_glass import does


class SlowWorld(EmptyWorld):
    """Its router takes every command, and shows nothing of it."""

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response({"weights": {}, "fence": self._fence})


@pytest.fixture
async def world() -> AsyncIterator[SlowWorld]:
    world = SlowWorld()
    await world.start()
    yield world
    await world.stop()


async def asked_for(team: Team) -> None:
    """A first deployment whose traffic was asked for and not seen, driven so far without Slack."""
    settings = Settings.load(team.environment())
    policies = load(settings.policies)
    every = timedelta(seconds=1)
    async with AsyncExitStack() as stack:
        store = await prepare(settings.database_url.get_secret_value())
        stack.push_async_callback(store.close)
        http = HttpJson(hosts_of(policies))
        stack.push_async_callback(http.close)
        outside = world_of(http, settings.state)
        core = core_of(store, policies, outside, every, Numbers())
        loops = Loops(core, None, Supervisor(core.numbers).guard, every)

        async def is_asking() -> bool:
            d = await core.questions.deployment(TEAM, "D-1")
            return d.approval_stage is not None

        async def is_asked_for() -> bool:
            d = await core.questions.deployment(TEAM, "D-1")
            return d.fence > 0 and d.weights is not None

        policy = policies.services[SERVICE]
        plan = policy.plans[policy.default_environment, "standard"]
        version = await outside.releases[plan.releases.kind].resolve(plan.releases, SERVICE, FIRST)
        assert version is not None
        await core.engine.request(wish_for(DANA, version, plan, policy), once("request"))
        await loops.settle(is_asking)
        for user in (ANA, QUINN):
            await core.engine.apply("D-1", Approved(user), once(user))
        await loops.settle(is_asked_for)


def once(key: str) -> Source:
    return Source(InboxKey(TEAM, "test", key, key))


async def test_what_was_asked_for_is_taken_back_and_the_same_command_drives_it_on(
    make_team: MakeTeam, sqlite: str, world: SlowWorld
) -> None:
    team = await make_team(sqlite, bots=0)
    write_newthing(team, world)
    await asked_for(team)

    with pytest.raises(Unfinished, match="D-1 is still being ended"):
        await does(team, "/deploy cancel D-1 it never answers", timedelta())
    said = await does(team, "/deploy cancel D-1 it never answers")

    d = await team.deployment()
    assert d is not None
    assert d.phase is Phase.CANCELLED
    assert "nobody gets traffic in production" in said
    assert world.weights == {}
    assert any(order.weights == {FIRST: 100} for order in world.orders)
