"""Going back: by button, by command, by mention, and by itself."""

import pytest

from bot.domain.deployment import Phase
from tests.builders import ANA, QUINN, SAM
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import canary
from tests.e2e.harness import CHANNEL, Team, Transport

REASON = "500s on /pay"


async def by_button(team: Team) -> None:
    await team.press(SAM, "dep.roll_back")
    assert (await team.submit(SAM, reason=REASON)).is_fine


async def by_command(team: Team) -> None:
    seen = await team.slack.command(SAM, "/rollback", f"checkout {REASON}")
    assert seen.message is not None, seen
    assert (await team.slack.click(SAM, CHANNEL, seen.message.ts, "rollback.confirm")).is_fine


async def by_mention(team: Team) -> None:
    card = await team.card()
    await team.slack.say(SAM, CHANNEL, f"@pilot rollback {REASON}", thread_ts=card.ts)
    offer = await team.until_said("roll checkout back", SAM)
    assert offer.thread_ts == card.ts
    assert (await team.slack.click(SAM, CHANNEL, offer.ts, "rollback.confirm")).is_fine


WAYS = {"button": by_button, "command": by_command, "mention": by_mention}


@pytest.mark.parametrize(
    ("database", "transport", "way"),
    [
        ("sqlite", "http", "button"),
        ("postgres", "socket", "command"),
        ("sqlite", "socket", "mention"),
        ("postgres", "http", "mention"),
    ],
    indirect=["database"],
)
async def test_people_roll_a_canary_back(
    make_team: MakeTeam, database: str, transport: Transport, way: str
) -> None:
    team = await make_team(database, transport=transport, bake="60s")
    await canary(team)

    await WAYS[way](team)

    done = await team.until(Phase.ROLLED_BACK)
    assert done.rollback is not None
    assert (done.rollback.by, done.rollback.reason) == (SAM, REASON)
    assert team.recorded.weights == {"v1.8.2": 100}
    await team.until_everybody_reads("ROLLED BACK")


async def test_a_version_that_fails_is_rolled_back_by_itself(
    make_team: MakeTeam, database: str
) -> None:
    team = await make_team(database, bake="60s")
    await canary(team)

    await team.world.act({"action": "fail", "version": "v1.8.3", "on": True})

    done = await team.until(Phase.ROLLED_BACK)
    assert done.rollback is not None
    assert done.rollback.by is None
    assert team.recorded.weights == {"v1.8.2": 100}
    await team.until_everybody_reads("ROLLED BACK")


async def test_a_version_that_succeeded_is_rolled_back_from_its_card(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite, watch="1s")
    await team.request()
    await team.approve(ANA, QUINN)
    await team.until(Phase.SUCCEEDED)

    await by_button(team)

    assert (await team.until(Phase.ROLLED_BACK, id="D-2")).kind == "rollback"
    assert (await team.until(Phase.SUCCEEDED)).id == "D-1"
    assert team.recorded.weights == {"v1.8.2": 100}


async def test_slack_being_away_does_not_hold_a_rollback_back(
    make_team: MakeTeam, database: str
) -> None:
    team = await make_team(database, bake="60s")
    await canary(team)
    posts = len(team.top_level())

    team.slack.faults.is_down = True
    await team.world.act({"action": "fail", "version": "v1.8.3", "on": True})
    await team.until(Phase.ROLLED_BACK)
    assert team.recorded.weights == {"v1.8.2": 100}
    assert len(team.top_level()) == posts

    team.slack.faults.is_down = False
    await team.until_everybody_reads("ROLLED BACK")
