"""Rejecting, cancelling, holding, resuming, promoting: what people do on the way."""

import pytest

from bot.domain.deployment import Phase
from tests.builders import ANA, DANA, QUINN
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import canary, promoted
from tests.e2e.harness import CHANNEL, Team
from tests.e2e.waiting import LONG, eventually


async def test_a_lead_rejects_with_a_reason(make_team: MakeTeam, sqlite: str) -> None:
    team = await make_team(sqlite)
    await team.request()
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")

    await team.press(ANA, "dep.reject", role="ask")
    assert (await team.submit(ANA, reason="not on a Friday")).is_fine

    assert "not on a Friday" in str((await team.until(Phase.REJECTED)).last.line)
    assert team.recorded.orders == []
    await team.until_card_reads("not on a Friday")


async def test_the_requester_cancels_from_the_menu(make_team: MakeTeam, postgres: str) -> None:
    team = await make_team(postgres)
    await team.request()
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")
    card = await team.card()
    option = next(
        option["value"]
        for block in card.blocks
        for option in block.get("accessory", {}).get("options", ())
        if option["text"]["text"].startswith("Cancel")
    )

    await team.slack.click(DANA, CHANNEL, card.ts, "dep.more", selected=option)
    assert (await team.submit(DANA, reason="wrong version")).is_fine

    await team.until(Phase.CANCELLED)
    assert team.recorded.orders == []


async def test_a_held_canary_stays_where_it_is_and_goes_on_when_resumed(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite, bake="120s", watch="1s")
    await canary(team)

    assert (await team.press(DANA, "dep.hold")).is_fine
    held = await team.until(Phase.HELD)
    assert team.recorded.weights["v1.8.3"] == held.weight == 10
    assert (await team.press(DANA, "dep.resume")).is_fine
    await team.until_so(lambda d: d.passing_since is not None, "is healthy again")

    await promoted(team, 25, 50, 100)
    assert team.recorded.weights == {"v1.8.3": 100}


async def test_after_a_hold_the_asking_can_be_signed_in_its_thread(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite)
    await team.request()
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")
    before = await team.shown("ask", "dep.approve")

    assert (await team.press(DANA, "dep.hold")).is_fine
    await team.until(Phase.HELD)
    assert (await team.press(DANA, "dep.resume")).is_fine
    await team.until(Phase.RUNNING)
    await eventually(lambda: _is_new(team, before.ts), "it is asked again", LONG)
    await team.approve(ANA, QUINN)

    await team.until_so(lambda d: len(d.approvals) == 2, "has both signatures")


async def test_a_lead_promotes_a_healthy_step_early(make_team: MakeTeam, postgres: str) -> None:
    team = await make_team(postgres, bake="120s")
    await canary(team)

    await promoted(team, 25, 50, 100)

    assert team.recorded.weights == {"v1.8.3": 100}


@pytest.mark.parametrize("way", ["command", "mention"])
async def test_signatures_may_be_typed(make_team: MakeTeam, sqlite: str, way: str) -> None:
    team = await make_team(sqlite)
    await team.request()
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")
    card = await team.card()

    if way == "command":
        assert (await team.slack.command(ANA, "/approve", "D-1")).is_fine
        assert (await team.slack.command(QUINN, "/approve", "D-1 v1.8.3")).is_fine
    else:
        await team.slack.say(ANA, CHANNEL, "@pilot approve v1.8.3", thread_ts=card.ts)
        # Without the version, a second tap is asked for.
        await team.slack.say(QUINN, CHANNEL, "@pilot approve", thread_ts=card.ts)
        offer = await team.until_said("Sign checkout v1.8.3", QUINN)
        assert (await team.slack.click(QUINN, CHANNEL, offer.ts, "dep.approve")).is_fine

    d = await team.until_so(lambda d: len(d.approvals) == 2, "has both signatures")
    assert {a.by for a in d.approvals} == {ANA, QUINN}


async def _is_new(team: Team, ts: str) -> bool:
    where = await team.where("ask")
    return where is not None and where.ts != ts
