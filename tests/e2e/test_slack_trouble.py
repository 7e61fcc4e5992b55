"""Slack itself misbehaves, or somebody in it does; and how much of it people have to read."""

from bot.domain.deployment import Phase
from tests.builders import ANA, QUINN
from tests.e2e.conftest import MakeTeam
from tests.e2e.crew import canary
from tests.e2e.harness import CHANNEL, Team
from tests.e2e.promises import kept
from tests.e2e.waiting import eventually


async def test_a_card_that_was_deleted_comes_again_and_the_thread_goes_on(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite)
    await team.request()
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")
    await team.shown("ask", "dep.approve")
    old = await team.card()

    for reply in team.slack.workspace.replies(CHANNEL, old.ts):
        team.slack.workspace.delete(reply)
    team.slack.workspace.delete(old)
    assert (await team.slack.command(ANA, "/approve", "D-1")).is_fine
    assert (await team.slack.command(QUINN, "/approve", "D-1")).is_fine
    await team.until(Phase.SUCCEEDED)

    new = await team.card()
    assert new.ts != old.ts
    assert "v1.8.3" in new.text
    await eventually(lambda: _said_below(team, "is live"), "the thread goes on", 40)


async def test_posts_that_slack_limits_come_later_and_once(
    make_team: MakeTeam, postgres: str
) -> None:
    team = await make_team(postgres)
    team.slack.faults.rate_limit("chat.postMessage", seconds=2, times=2)
    team.slack.faults.rate_limit("chat.update", seconds=1, times=2)
    team.slack.faults.server_error("chat.postMessage")

    await team.request()
    await team.approve(ANA, QUINN)

    await team.until(Phase.SUCCEEDED)
    await kept(team)
    refused = [call.method for call in team.slack.calls if call.status in (429, 500)]
    assert sorted(refused) == ["chat.postMessage"] * 3 + ["chat.update"] * 2


async def test_a_reply_that_slack_lost_is_found_again_where_history_may_be_read(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite, scopes=("channels:history",))
    team.slack.faults.lose_reply("chat.postMessage", times=3)

    await team.request()
    await team.approve(ANA, QUINN)

    await team.until(Phase.SUCCEEDED)
    await kept(team, spare_duplicates=0)
    assert "conversations.history" in {call.method for call in team.slack.calls}


async def test_a_deployment_is_told_in_few_posts_that_say_what_matters_first(
    make_team: MakeTeam, postgres: str
) -> None:
    team = await make_team(postgres)
    await team.request()
    await team.approve(ANA, QUINN)
    await team.until(Phase.SUCCEEDED)
    await kept(team)

    updates = await team.keys_of("update")
    others = [m for m in team.top_level() if team.key_of(m) not in updates]
    assert len(others) <= 4
    first, *_, last = others
    assert first.text.startswith("checkout v1.8.3 to production")
    assert last.text.startswith("DEPLOYMENT COMPLETE: checkout v1.8.3 to production")
    for message in team.slack.workspace.messages(CHANNEL):
        assert message.text
        assert len(message.text) <= 150, message.text
    notified = [note.text for note in team.slack.workspace.notifications]
    assert any("please approve" in text and "D-1" in text for text in notified)


async def test_health_that_fails_while_slack_is_slow_is_told_in_order(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite, bake="60s")
    await canary(team)
    team.slack.faults.rate_limit("chat.postMessage", seconds=3)

    await team.world.act({"action": "fail", "version": "v1.8.3", "on": True})
    await team.until(Phase.ROLLED_BACK)

    await kept(team)
    assert team.recorded.weights == {"v1.8.2": 100}
    assert await _said_below(team, "error rate")


async def _said_below(team: Team, words: str) -> bool:
    return any(words in reply.text for reply in await team.thread())
