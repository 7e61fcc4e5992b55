"""What is not possible is said in words, to the one who asked, and changes nothing."""

from bot.domain.deployment import Phase
from tests.builders import ANA, DANA, DEVO, QUINN, SAM
from tests.e2e.conftest import MakeTeam
from tests.e2e.harness import CHANNEL

LINES = (
    ("/deploy", "chekout v1.8.3", "no service chekout", "/deploy checkout v1.8.3"),
    ("/deploy", "checkout v1.8.4", "v1.8.4", "v1.8.3"),
    ("/deploy", "checkout v1.8.3 --force", "no flag --force", None),
    ("/deploy", "checkout v1.8.2", "already serves", None),
    ("/rollback", "D-9 because it is slow", "no deployment D-9", None),
    ("/approve", "D-9", "no deployment D-9", None),
)


async def test_a_line_that_cannot_be_followed_says_why_and_offers_the_likeliest(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite)

    for command, typed, answer, suggestion in LINES:
        seen = await team.slack.command(DANA, command, typed)
        assert seen.message is not None, seen
        assert answer in seen.message.text
        assert seen.message.visible_to == DANA
        assert suggestion is None or suggestion in str(seen.message.blocks), typed

    assert team.top_level() == []
    assert await team.deployment("D-1") is None


async def test_a_suggestion_is_run_by_its_button(make_team: MakeTeam, sqlite: str) -> None:
    team = await make_team(sqlite)
    seen = await team.slack.command(DANA, "/deploy", "chekout v1.8.3")
    assert seen.message is not None

    await team.slack.click(DANA, CHANNEL, seen.message.ts, "deploy.retry")

    await team.until_said("Ready to request: checkout v1.8.3", DANA)


async def test_whoever_may_not_do_it_is_told_who_may(make_team: MakeTeam, postgres: str) -> None:
    team = await make_team(postgres)
    await team.request(by=DANA)
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")

    for user, words in (
        (DANA, "You asked for this one"),
        (DEVO, "You wrote part"),
        (SAM, "Deployment Lead"),
    ):
        await team.press(user, "dep.approve", role="ask")
        assert words in (await team.until_said(words, user)).text
    again = await team.slack.command(SAM, "/deploy", "checkout v1.9.0")
    assert again.message is not None
    assert "already has a deployment on its way" in again.message.text
    await team.slack.click(SAM, CHANNEL, again.message.ts, "deploy.status")
    await team.until_said("D-1", SAM)
    card = await team.card()
    seen = await team.slack.command(ANA, "/approve", "D-1", thread_ts=card.ts)
    assert seen.error is not None
    assert "threads" in seen.error

    d = await team.until(Phase.RUNNING)
    assert d.approvals == ()
    assert await team.deployment("D-2") is None


async def test_an_old_button_says_what_happened_since_and_does_nothing(
    make_team: MakeTeam, sqlite: str
) -> None:
    team = await make_team(sqlite)
    await team.request()
    await team.until_so(lambda d: d.ask_round > 0, "asks for signatures")
    ask = await team.shown("ask", "dep.approve")
    old = next(
        element
        for block in ask.blocks
        for element in block.get("elements", ())
        if element.get("action_id") == "dep.approve"
    )
    blocks = [block for block in ask.blocks if block["type"] == "actions"]
    await team.approve(ANA)
    await team.approve(QUINN)
    await team.until_so(lambda d: len(d.approvals) == 2, "has both signatures")

    # A client that was offline still shows the buttons of before.
    stale = team.slack.workspace.draft(CHANNEL, ask.user, "as it was")
    stale.blocks, stale.metadata = blocks, ask.metadata
    team.slack.workspace.post(stale)
    await team.slack.click(ANA, CHANNEL, stale.ts, "dep.approve", value=old["value"])

    await team.until_said("out of date", ANA)
    assert len((await team.until_so(lambda d: True, "is there")).approvals) == 2
