"""Forms: opening them in time, filling them in, what the bot may answer."""

from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import NotOnScreen, SlackEmulator, Timing
from tests.demo.conftest import Clock, Connect, form, refused, top


async def test_a_submission_carries_what_was_typed_and_closes_the_form(
    slack: SlackEmulator, bolt: AsyncApp, opened: list[str]
) -> None:
    views: list[dict[str, Any]] = []

    @bolt.view("rollback")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        views.append(view)
        await ack()

    seen = await slack.submit("U0DANA", top(slack), {"reason": {"v": "500s on /pay"}})

    assert seen.is_fine
    assert views[0]["state"]["values"]["reason"]["v"]["value"] == "500s on /pay"
    assert views[0]["private_metadata"] == "D-142"
    assert slack.views.stack("U0DANA") == []


async def test_the_bots_complaints_stand_under_their_fields_and_the_form_stays(
    slack: SlackEmulator, bolt: AsyncApp, opened: list[str]
) -> None:
    @bolt.view("rollback")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"reason": "Say what broke."})

    seen = await slack.submit("U0DANA", top(slack), {"reason": {"v": "because"}})

    assert seen.errors == {"reason": "Say what broke."}
    assert len(slack.views.stack("U0DANA")) == 1


async def test_a_complaint_about_a_field_that_is_not_there_is_trouble(
    slack: SlackEmulator, bolt: AsyncApp, opened: list[str]
) -> None:
    @bolt.view("rollback")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"elsewhere": "?"})

    seen = await slack.submit("U0DANA", top(slack), {"reason": {"v": "because"}})

    assert seen.error is not None
    assert "invalid_errors" in seen.error


@pytest.mark.parametrize(
    ("action", "titles"),
    [
        ("update", ["Sure?"]),
        ("push", ["Roll back checkout", "Sure?"]),
        ("clear", []),
    ],
)
async def test_the_bot_may_answer_with_another_form_or_close_all(
    slack: SlackEmulator, bolt: AsyncApp, opened: list[str], action: str, titles: list[str]
) -> None:
    @bolt.view("rollback")
    async def submitted(ack: Any) -> None:
        sure = form(title={"type": "plain_text", "text": "Sure?"})
        await ack(response_action=action, view=None if action == "clear" else sure)

    seen = await slack.submit("U0DANA", top(slack), {"reason": {"v": "because"}})

    shown = [view.content["title"]["text"] for view in slack.views.stack("U0DANA")]
    assert seen.is_fine
    assert shown == titles


async def test_a_submission_nobody_acknowledges_leaves_the_form_and_a_word(
    slack: SlackEmulator, opened: list[str]
) -> None:
    slack.dispatcher.timing = Timing(ack=0.1)

    seen = await slack.submit("U0DANA", top(slack), {"reason": {"v": "because"}})

    assert seen.error is not None
    assert "operation_timeout" in seen.error
    assert len(slack.views.stack("U0DANA")) == 1


async def test_a_trigger_opens_one_form(client: AsyncWebClient, opened: list[str]) -> None:
    used = await refused(client.views_open(trigger_id=opened[0], view=form()))
    unknown = await refused(client.views_open(trigger_id="1.2.3", view=form()))

    assert used["error"] == "exchanged_trigger_id"
    assert unknown["error"] == "invalid_trigger_id"


async def test_a_trigger_dies_after_three_seconds(
    slack: SlackEmulator,
    bolt: AsyncApp,
    client: AsyncWebClient,
    connect: Connect,
    clock: Clock,
) -> None:
    triggers: list[str] = []

    @bolt.command("/deploy")
    async def deploy(ack: Any, command: dict[str, Any]) -> None:
        triggers.append(command["trigger_id"])
        await ack()

    await connect(bolt)
    await slack.command("U0DANA", "/deploy")
    await slack.command("U0DANA", "/deploy")

    clock.pass_(3.0)
    await client.views_open(trigger_id=triggers[0], view=form())
    clock.pass_(0.001)
    late = await refused(client.views_open(trigger_id=triggers[1], view=form()))

    assert late["error"] == "expired_trigger_id"


async def test_opening_a_form_replaces_what_was_open(
    slack: SlackEmulator, opened: list[str]
) -> None:
    first = top(slack)

    await slack.command("U0DANA", "/rollback", "cart")

    assert [view.id for view in slack.views.stack("U0DANA")] != [first]
    assert len(slack.views.stack("U0DANA")) == 1


async def test_an_update_with_an_old_hash_is_a_conflict(
    slack: SlackEmulator, client: AsyncWebClient, opened: list[str]
) -> None:
    [view] = slack.views.stack("U0DANA")
    first = view.hash

    await client.views_update(view_id=view.id, hash=first, view=form())
    late = await refused(client.views_update(view_id=view.id, hash=first, view=form()))
    nowhere = await refused(client.views_update(view_id="V0", view=form()))

    assert late["error"] == "hash_conflict"
    assert nowhere["error"] == "not_found"


async def test_a_home_tab_is_published_for_one_person_with_its_own_hash(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    first = (await client.views_publish(user_id="U0ANA", view=home))["view"]["hash"]

    await client.views_publish(user_id="U0ANA", view=home, hash=first)
    late = await refused(client.views_publish(user_id="U0ANA", view=home, hash=first))

    assert late["error"] == "hash_conflict"
    assert slack.views.home("U0DANA") is None


async def test_a_form_slack_would_refuse_uses_no_trigger_up(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    errors: list[str] = []

    @bolt.command("/deploy")
    async def deploy(ack: Any, command: dict[str, Any], client: Any) -> None:
        long = form(title={"type": "plain_text", "text": "x" * 25})
        call = client.views_open(trigger_id=command["trigger_id"], view=long)
        errors.append((await refused(call))["error"])
        await client.views_open(trigger_id=command["trigger_id"], view=form())
        await ack()

    await connect(bolt)

    seen = await slack.command("U0DANA", "/deploy")

    assert seen.is_fine
    assert errors == ["invalid_arguments"]


async def test_forms_stack_three_high_and_close_from_the_top(
    slack: SlackEmulator, bolt: AsyncApp, opened: list[str]
) -> None:
    @bolt.view("rollback")
    async def submitted(ack: Any) -> None:
        await ack(response_action="push", view=form())

    for _ in range(2):
        await slack.submit("U0DANA", top(slack), {"reason": {"v": "because"}})
    full = await slack.submit("U0DANA", top(slack), {"reason": {"v": "because"}})
    bottom = slack.views.stack("U0DANA")[0].id

    assert full.error is not None
    assert "push_limit_reached" in full.error
    with pytest.raises(NotOnScreen):
        await slack.close_view("U0DANA", bottom)
    assert (await slack.close_view("U0DANA", top(slack))).is_fine
    assert len(slack.views.stack("U0DANA")) == 2


async def test_closing_is_told_only_when_the_form_asks_for_it(
    slack: SlackEmulator, bolt: AsyncApp, client: AsyncWebClient, opened: list[str]
) -> None:
    closed: list[str] = []

    @bolt.view_closed("rollback")
    async def gone(ack: Any, view: dict[str, Any]) -> None:
        closed.append(view["private_metadata"])
        await ack()

    view_id = top(slack)
    await client.views_update(view_id=view_id, view=form(notify_on_close=True))

    seen = await slack.close_view("U0DANA", view_id)

    assert seen.is_fine
    assert closed == ["D-142"]
