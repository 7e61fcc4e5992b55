"""A bot that starts on an older copy of its database: the world knows more, so it asks."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.demo.world.catalogue import FIRST
from bot.domain.deployment import Phase
from bot.operate import adopt_version
from bot.settings import Settings
from storage import backup
from storage.addresses import sqlite_path
from tests.builders import ANA, CHRIS, DANA, QUINN, SAM, a_target
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import canary, promoted
from tests.e2e.harness import Team
from tests.e2e.promises import traffic_climbed_only_step_by_step
from tests.e2e.world import Order

pytestmark = [pytest.mark.kill, pytest.mark.timeout(240)]


async def kept_aside(team: Team, tmp_path: Path) -> Path:
    """What `pilothouse db backup` makes, while the bot runs."""
    copy = tmp_path / "copy.db"
    await backup.copy(team.site.database, copy)
    return copy


async def restored(team: Team, copy: Path) -> int:
    """The bot is killed and started again on *copy*; how many orders the router had by then."""
    await team.bots[-1].kill()
    known = len(team.recorded.orders)
    live = sqlite_path(team.site.database)
    with closing(sqlite3.connect(copy)) as old, closing(sqlite3.connect(live)) as new:
        old.backup(new)
    await team.add_bot().start()
    return known


def taken(team: Team, since: int) -> list[Order]:
    return [order for order in team.recorded.orders[since:] if order.is_taken]


async def is_locked(team: Team) -> bool:
    around = await team.store.run(
        lambda tx: tx.deployments.surroundings(a_target("checkout"), None)
    )
    return around.lock is not None


async def test_a_canary_that_is_further_than_its_copy_is_held_and_can_be_rolled_back(
    make_team: MakeTeam, sqlite: str, tmp_path: Path
) -> None:
    team = await make_team(sqlite, bake="120s", watch="60s")
    await canary(team)
    copy = await kept_aside(team, tmp_path)
    await promoted(team, 25, 50)

    known = await restored(team, copy)
    held = await team.until(Phase.HELD)

    assert held.is_behind
    assert held.weight == 10
    await team.until_everybody_reads("is ahead of what the bot remembers")
    assert await is_locked(team)
    assert taken(team, known) == [], "nothing moves until somebody says so"
    assert team.recorded.weights == {"v1.8.3": 50, FIRST: 50}

    seen = await team.press(SAM, "dep.roll_back")
    assert seen.is_fine, seen
    assert (await team.submit(SAM, reason="as it was before")).is_fine
    await team.until(Phase.ROLLED_BACK)

    assert team.recorded.weights == {FIRST: 100}
    traffic_climbed_only_step_by_step(team.recorded.orders)


async def test_a_version_that_serves_and_nobody_remembers_stops_everything_there(
    make_team: MakeTeam, sqlite: str, tmp_path: Path
) -> None:
    team = await make_team(sqlite, watch="1s")
    await team.request()
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")
    copy = await kept_aside(team, tmp_path)
    await team.approve(ANA, QUINN)
    await team.until(Phase.SUCCEEDED)

    known = await restored(team, copy)
    await team.until_everybody_reads("the world is ahead of what the bot remembers")

    held = await team.until(Phase.HELD)
    assert held.fence == 0
    assert await is_locked(team)
    assert team.recorded.weights == {"v1.8.3": 100}
    assert len(team.recorded.orders) == known

    await adopt_version(Settings.load(team.environment()), "checkout", "v1.8.3", None)
    assert (await team.slack.command(DANA, "/deploy", "cancel D-1 it is live")).is_fine
    await team.until(Phase.CANCELLED)
    assert (await team.slack.command(CHRIS, "/deploy", "unlock checkout it is v1.8.3")).is_fine
    assert not await is_locked(team)
    await team.request(FIRST)
    await team.approve(ANA, QUINN, id="D-2")
    await team.until(Phase.SUCCEEDED, id="D-2")

    assert team.recorded.weights == {FIRST: 100}
    assert all(order.is_taken for order in team.recorded.orders), "its commands are the newest"
