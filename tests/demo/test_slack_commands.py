"""What a person sees after typing a command, mentioning the bot or pressing a button."""

from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.demo.slack import NotOnScreen, SlackEmulator
from bot.demo.slack.wire import SlackError
from tests.demo.conftest import Clock, Connect, Ear, button, option


async def test_a_command_in_a_thread_is_refused_in_slacks_words(slack: SlackEmulator) -> None:
    root = await slack.say("U0DANA", "C0DEPLOY", "Shall we?")

    seen = await slack.command("U0ANA", "/approve", "D-142", thread_ts=root)

    assert seen.error == "/approve is not supported in threads. Sorry!"
    assert not seen.acknowledged


async def test_a_command_the_manifest_does_not_have_is_no_command(
    slack: SlackEmulator,
) -> None:
    seen = await slack.command("U0SAM", "/triage", "checkout is down")

    assert seen.error == "/triage is not a valid command."


async def test_a_command_without_a_bot_fails(slack: SlackEmulator) -> None:
    seen = await slack.command("U0DANA", "/deploy", "checkout")

    assert seen.error == '/deploy failed with the error "dispatch_failed"'


@pytest.mark.parametrize("patience", [0.1])
async def test_a_command_the_bot_does_not_know_times_out_over_socket_mode(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    await connect(bolt)

    seen = await slack.command("U0DANA", "/deploy", "checkout")

    assert seen.error == '/deploy failed with the error "operation_timeout"'
    assert not seen.acknowledged


async def test_names_in_a_command_arrive_as_ids_with_the_name(
    slack: SlackEmulator, ear: Ear
) -> None:
    await slack.command("U0DANA", "/deploy", "ask @Ana in #deployment: p95 < 1 & ok@here")

    told = "ask <@U0ANA|ana> in <#C0DEPLOY|deployment>: p95 &lt; 1 &amp; ok@here"
    assert [command["text"] for command in ear.commands] == [told]


async def test_an_answer_for_the_channel_is_seen_by_everybody(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any) -> None:
        await ack("Everybody sees this", response_type="in_channel")

    await connect(bolt)

    seen = await slack.command("U0DANA", "/deploy", "list")

    assert seen.message is not None
    assert seen.message.visible_to is None


async def test_an_answer_slack_cannot_show_is_an_error_for_the_person(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any) -> None:
        await ack(text="x", blocks=[{"type": "header", "text": "no object"}])

    await connect(bolt)

    seen = await slack.command("U0DANA", "/deploy", "list")

    assert seen.error == '/deploy failed with the error "invalid_blocks"'


async def test_a_person_presses_only_what_is_on_the_message(
    slack: SlackEmulator, bolt: AsyncApp
) -> None:
    posted = await bolt.client.chat_postMessage(
        channel="C0DEPLOY", text="Waiting", blocks=[button()]
    )

    with pytest.raises(NotOnScreen, match="reject"):
        await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "reject")
    with pytest.raises(NotOnScreen):
        await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "approve", value="D-999")
    with pytest.raises(NotOnScreen):
        await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "approve", block_id="old")


async def test_what_a_client_still_showed_a_moment_ago_reaches_the_bot(
    slack: SlackEmulator, bolt: AsyncApp, ear: Ear, clock: Clock
) -> None:
    before = button() | {"block_id": "d1.actions.1"}
    posted = await bolt.client.chat_postMessage(channel="C0DEPLOY", text="x", blocks=[before])
    after = before | {"block_id": "d1.actions.2"}
    await bolt.client.chat_update(channel="C0DEPLOY", ts=posted["ts"], text="x", blocks=[after])

    where = ("U0ANA", "C0DEPLOY", posted["ts"], "approve")
    assert (await slack.click(*where, block_id="d1.actions.1")).is_fine
    assert (await slack.click(*where, block_id="d1.actions.2")).is_fine
    (first,), (second,) = (body["actions"] for body in ear.presses)
    assert (first["block_id"], second["block_id"]) == ("d1.actions.1", "d1.actions.2")

    clock.pass_(60)
    with pytest.raises(NotOnScreen):
        await slack.click(*where, block_id="d1.actions.1")


async def test_a_press_says_which_message_it_was_and_what_that_was_posted_with(
    slack: SlackEmulator, bolt: AsyncApp, ear: Ear
) -> None:
    root = await bolt.client.chat_postMessage(channel="C0DEPLOY", text="card")
    posted = {"event_type": "parcel", "event_payload": {"key": "T0DEMO/D-1/7"}}
    reply = await bolt.client.chat_postMessage(
        channel="C0DEPLOY", text="sign", blocks=[button()], thread_ts=root["ts"], metadata=posted
    )

    await slack.click("U0ANA", "C0DEPLOY", reply["ts"], "approve")

    assert ear.presses[0]["container"] == {
        "type": "message",
        "message_ts": reply["ts"],
        "channel_id": "C0DEPLOY",
        "is_ephemeral": False,
        "thread_ts": root["ts"],
    }
    assert ear.presses[0]["message"]["metadata"] == posted


async def test_nobody_presses_buttons_on_somebody_elses_ephemeral(
    slack: SlackEmulator, bolt: AsyncApp, ear: Ear
) -> None:
    shown = await bolt.client.chat_postEphemeral(
        channel="C0DEPLOY", user="U0DANA", text="Request it?", blocks=[button()]
    )
    ts = shown["message_ts"]

    with pytest.raises(NotOnScreen):
        await slack.click("U0ANA", "C0DEPLOY", ts, "approve")
    seen = await slack.click("U0DANA", "C0DEPLOY", ts, "approve")

    assert seen.is_fine
    assert ear.presses[0]["container"]["is_ephemeral"] is True
    assert "message" not in ear.presses[0]


async def test_an_overflow_choice_carries_the_whole_option(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    picked: list[dict[str, Any]] = []

    @bolt.action("more")
    async def more(ack: Any, action: dict[str, Any]) -> None:
        picked.append(action)
        await ack()

    await connect(bolt)
    menu = {"type": "overflow", "action_id": "more", "options": [option("a"), option("b")]}
    block = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "More"},
        "accessory": menu,
    }
    posted = await bolt.client.chat_postMessage(channel="C0DEPLOY", text="x", blocks=[block])

    await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "more", selected="b")

    assert picked[0]["selected_option"] == option("b")
    assert picked[0]["block_id"]
    with pytest.raises(NotOnScreen, match="'c'"):
        await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "more", selected="c")


async def test_a_message_without_a_mention_is_nothing_to_the_bot(
    slack: SlackEmulator, ear: Ear
) -> None:
    await slack.say("U0ANA", "C0DEPLOY", "the pilot sleeps, mail pilot@example.org")
    await slack.say("U0ANA", "C0DEPLOY", "<@U0PILOT> one")
    await slack.say("U0ANA", "C0DEPLOY", "@Pilot two")

    await slack.wait_for(lambda: len(ear.mentions) == 2)
    heard = sorted(event["text"] for event in ear.mentions)
    assert heard == ["<@U0PILOT> one", "<@U0PILOT> two"]


async def test_a_mention_where_the_bot_is_no_member_goes_unheard(
    slack: SlackEmulator, ear: Ear
) -> None:
    slack.workspace.channel("C0GENERAL").members.remove("U0PILOT")

    await slack.say("U0ANA", "C0GENERAL", "@pilot help")
    await slack.say("U0ANA", "C0DEPLOY", "@pilot help")

    await slack.wait_for(lambda: ear.mentions)
    assert [event["channel"] for event in ear.mentions] == ["C0DEPLOY"]


async def test_people_write_only_where_they_are(slack: SlackEmulator) -> None:
    slack.workspace.channel("C0GENERAL").members.remove("U0DANA")
    slack.workspace.channel("C0INCIDENT").is_archived = True

    with pytest.raises(SlackError, match="not_in_channel"):
        await slack.say("U0DANA", "C0GENERAL", "hello")
    with pytest.raises(SlackError, match="is_archived"):
        await slack.say("U0DANA", "C0INCIDENT", "hello")
    with pytest.raises(SlackError, match="user_not_found"):
        await slack.say("U0NOBODY", "C0DEPLOY", "hello")


async def test_a_direct_conversation_is_for_one_person_and_raises_no_mention(
    slack: SlackEmulator, bolt: AsyncApp
) -> None:
    posted = await bolt.client.chat_postMessage(channel="U0ANA", text="Waiting for you")

    ts = await slack.say("U0ANA", "D0ANA", "@pilot approve", thread_ts=posted["ts"])

    assert ts > posted["ts"]
    assert not slack.dispatcher.is_busy
    with pytest.raises(SlackError, match="not_in_channel"):
        await slack.say("U0DANA", "D0ANA", "hello")
