"""From `/deploy` to a deployment that is done, over both transports and on both databases."""

import pytest

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
