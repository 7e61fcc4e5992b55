"""A real Bolt app talks to the emulator over Socket Mode."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot.demo.slack import SlackEmulator
from tests.demo.conftest import Connect

BUTTON = {
    "type": "actions",
    "block_id": "d142.1",
    "elements": [
        {
            "type": "button",
            "action_id": "approve",
            "text": {"type": "plain_text", "text": "Approve"},
            "value": '{"d":"D-142","o":1}',
        }
    ],
}


async def test_a_command_is_answered_for_the_typist_alone(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"{command['user_id']} wants {command['text']}")

    await connect(bolt)

    seen = await slack.command("U0DANA", "/deploy", "checkout v1.8.3")

    assert seen.is_fine
    assert seen.body["text"] == "U0DANA wants checkout v1.8.3"
    assert seen.message is not None
    assert seen.message.visible_to == "U0DANA"


async def test_a_click_reaches_the_bot_with_the_message_and_edits_it(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.action("approve")
    async def approve(ack: Any, body: dict[str, Any], client: Any) -> None:
        await client.chat_update(
            channel=body["channel"]["id"],
            ts=body["container"]["message_ts"],
            text=f"Approved by {body['user']['id']} for {body['actions'][0]['value']}",
            blocks=[],
        )
        await ack()

    await connect(bolt)
    posted = await bolt.client.chat_postMessage(channel="C0DEPLOY", text="Waiting", blocks=[BUTTON])

    seen = await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "approve")

    message = slack.workspace.find("C0DEPLOY", posted["ts"])
    assert seen.is_fine
    assert message is not None
    assert message.text == 'Approved by U0ANA for {"d":"D-142","o":1}'
    assert (message.blocks, message.edits) == ([], 1)


async def test_a_mention_in_a_thread_carries_the_thread(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    heard: list[dict[str, Any]] = []

    @bolt.event("app_mention")
    async def mentioned(event: dict[str, Any], say: Any) -> None:
        heard.append(event)
        await say("Noted", thread_ts=event["thread_ts"])

    await connect(bolt)
    root = await slack.say("U0DANA", "C0DEPLOY", "Shall we?")

    await slack.say("U0ANA", "C0DEPLOY", "@pilot approve", thread_ts=root)

    replies = await slack.wait_for(
        lambda: [m for m in slack.workspace.replies("C0DEPLOY", root) if m.text == "Noted"]
    )
    assert len(replies) == 1
    assert heard[0]["text"] == "<@U0PILOT> approve"
    assert heard[0]["thread_ts"] == root
