"""From `/deploy` to a deployment that is done, over both transports and on both databases."""

from pathlib import Path

import pytest

from bot.demo.world.world import DemoWorld
from bot.domain.deployment import Phase
from tests.builders import ANA, QUINN
from tests.e2e.conftest import MakeTeam
from tests.e2e.harness import Transport
from tests.e2e.policies import STEPS


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_deployment_goes_from_the_command_to_success(
    make_team: MakeTeam, database: str, transport: Transport
) -> None:
    team = await make_team(database, transport=transport)

    await team.request("v1.8.3")
    await team.approve(ANA, QUINN)

    done = await team.until(Phase.SUCCEEDED)
    assert done.is_proven
    assert [a.by for a in done.approvals] == [ANA, QUINN]
    assert team.recorded.stagings == ["v1.8.3"]
    assert [o.weights["v1.8.3"] for o in team.recorded.orders] == list(STEPS)


async def test_real_requests_decide_whether_a_version_stays(
    make_team: MakeTeam, postgres: str, tmp_path: Path
) -> None:
    world = DemoWorld(tmp_path / "world", rps=40, window=3)
    team = await make_team(postgres, world, bake="3s")
    await team.request("v1.8.3")
    await team.approve(ANA, QUINN)
    seen = await team.until_so(lambda d: d.weight == 25, "passed its first step on real requests")
    assert seen.health is not None

    await world.act({"action": "fail", "version": "v1.8.3", "on": True})

    done = await team.until(Phase.ROLLED_BACK)
    assert done.rollback is not None
    assert "error rate" in done.rollback.reason
    assert world.state()["services"][0]["weights"] == {"v1.8.2": 100}
