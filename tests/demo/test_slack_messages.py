"""The bot's own messages: where it may post, what it may edit, who is told."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import SlackEmulator
from tests.demo.conftest import Clock, button, refused


async def post(client: AsyncWebClient, **more: Any) -> str:
    answer = await client.chat_postMessage(**{"channel": "C0DEPLOY", "text": "Card"} | more)
    return str(answer["ts"])


async def test_a_reply_belongs_to_its_thread(slack: SlackEmulator, client: AsyncWebClient) -> None:
    root = await post(client)

    reply = await post(client, text="Approved", thread_ts=root)

    assert [m.ts for m in slack.workspace.replies("C0DEPLOY", root)] == [reply]


async def test_a_thread_that_is_not_there_takes_no_reply(client: AsyncWebClient) -> None:
    root = await post(client)
    reply = await post(client, thread_ts=root)

    for wrong in ("1.000001", reply):
        call = client.chat_postMessage(channel="C0DEPLOY", text="x", thread_ts=wrong)
        assert (await refused(call))["error"] == "thread_not_found"


async def test_a_persons_id_as_channel_opens_the_direct_conversation(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    answer = await client.chat_postMessage(channel="U0ANA", text="Waiting for you")

    assert answer["channel"] == "D0ANA"
    assert slack.workspace.channel("D0ANA").members == {"U0ANA", "U0PILOT"}
    again = await client.chat_update(channel="D0ANA", ts=answer["ts"], text="Done")
    assert again["text"] == "Done"
    wrong = client.chat_update(channel="U0ANA", ts=answer["ts"], text="Done")
    assert (await refused(wrong))["error"] == "channel_not_found"


async def test_the_bot_posts_only_where_it_is_a_member(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    slack.workspace.channel("C0GENERAL").members.remove("U0PILOT")
    slack.workspace.channel("C0INCIDENT").is_archived = True

    codes = [
        (await refused(client.chat_postMessage(channel=channel, text="x")))["error"]
        for channel in ("C0GENERAL", "C0INCIDENT", "C0NOWHERE")
    ]

    assert codes == ["not_in_channel", "is_archived", "channel_not_found"]


async def test_an_edit_notifies_nobody_and_keeps_what_is_not_given(
    slack: SlackEmulator, client: AsyncWebClient, clock: Clock
) -> None:
    ts = await post(client, blocks=[button()])
    clock.pass_(30)

    await client.chat_update(channel="C0DEPLOY", ts=ts, text="25 %")

    message = slack.workspace.find("C0DEPLOY", ts)
    assert message is not None
    assert (message.text, message.edits, message.edited_at) == ("25 %", 1, clock())
    assert message.blocks[0]["block_id"] == "d142.1"
    assert [note.text for note in slack.workspace.notifications] == ["Card"]


async def test_an_empty_list_takes_the_blocks_away(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    ts = await post(client, blocks=[button()])

    await client.chat_update(channel="C0DEPLOY", ts=ts, text="Done", blocks=[])

    message = slack.workspace.find("C0DEPLOY", ts)
    assert message is not None
    assert message.blocks == []


async def test_nothing_is_edited_in_an_archived_channel(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    ts = await post(client)
    slack.workspace.channel("C0DEPLOY").is_archived = True

    answer = await refused(client.chat_update(channel="C0DEPLOY", ts=ts, text="x"))

    assert answer["error"] == "is_inactive"


async def test_the_bot_edits_and_deletes_its_own_messages_only(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    ts = await slack.say("U0DANA", "C0DEPLOY", "mine")

    edit = await refused(client.chat_update(channel="C0DEPLOY", ts=ts, text="x"))
    deletion = await refused(client.chat_delete(channel="C0DEPLOY", ts=ts))
    nowhere = await refused(client.chat_update(channel="C0DEPLOY", ts="1.1", text="x"))

    assert edit["error"] == "cant_update_message"
    assert deletion["error"] == "cant_delete_message"
    assert nowhere["error"] == "message_not_found"


async def test_an_ephemeral_cannot_be_edited_and_is_gone_after_a_reload(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    shown = await client.chat_postEphemeral(channel="C0DEPLOY", user="U0DANA", text="psst")
    ts = shown["message_ts"]

    edit = await refused(client.chat_update(channel="C0DEPLOY", ts=ts, text="x"))
    slack.workspace.reload("U0ANA")
    still_there = slack.workspace.find("C0DEPLOY", ts)
    slack.workspace.reload("U0DANA")

    assert edit["error"] == "message_not_found"
    assert still_there is not None
    assert slack.workspace.find("C0DEPLOY", ts) is None
    assert slack.workspace.notifications == []


async def test_an_ephemeral_is_for_members_of_the_channel(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    slack.workspace.channel("C0DEPLOY").members.remove("U0DANA")

    call = client.chat_postEphemeral(channel="C0DEPLOY", user="U0DANA", text="psst")

    assert (await refused(call))["error"] == "user_not_in_channel"


async def test_a_deleted_message_leaves_a_stone_only_above_replies(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    lone, root = await post(client), await post(client)
    await post(client, thread_ts=root)

    await client.chat_delete(channel="C0DEPLOY", ts=lone)
    await client.chat_delete(channel="C0DEPLOY", ts=root)

    stone = slack.workspace.find("C0DEPLOY", root)
    assert slack.workspace.find("C0DEPLOY", lone) is None
    assert stone is not None
    assert stone.user == "USLACKBOT"
    call = client.chat_update(channel="C0DEPLOY", ts=root, text="back")
    assert (await refused(call))["error"] == "cant_update_message"


async def test_blocks_the_lint_refuses_are_invalid_and_named(client: AsyncWebClient) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}

    answer = await refused(client.chat_postMessage(channel="C0DEPLOY", text="x", blocks=[header]))

    assert answer["error"] == "invalid_blocks"
    assert any("150" in line for line in answer["response_metadata"]["messages"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "card"}}, "invalid_metadata_format"),
    ],
)
async def test_what_is_no_message_is_refused(
    client: AsyncWebClient, arguments: dict[str, Any], code: str
) -> None:
    answer = await refused(
        client.api_call("chat.postMessage", json={"channel": "C0DEPLOY"} | arguments)
    )

    assert answer["error"] == code


async def test_a_form_says_the_same_as_json(slack: SlackEmulator, client: AsyncWebClient) -> None:
    await client.api_call(
        "chat.postMessage",
        data={
            "channel": "C0DEPLOY",
            "text": '{"d": 142}',
            "blocks": '[{"type":"divider"}]',
            "reply_broadcast": "false",
        },
    )

    [message] = slack.workspace.messages("C0DEPLOY")
    assert message.text == '{"d": 142}'
    assert message.is_broadcast is False
    assert message.blocks[0]["type"] == "divider"


async def test_a_permalink_leads_to_the_message_in_its_thread_and_not_out_of_the_demo(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    root = await post(client)
    reply = await post(client, thread_ts=root)

    answer = await client.chat_getPermalink(channel="C0DEPLOY", message_ts=reply)

    place = f"/archives/C0DEPLOY/p{reply.replace('.', '')}?thread_ts={root}"
    assert answer["permalink"].startswith(f"{slack.url}{place}")
    call = client.chat_getPermalink(channel="C0DEPLOY", message_ts="1.1")
    assert (await refused(call))["error"] == "message_not_found"


async def test_timestamps_rise_even_when_the_clock_stands_still(
    client: AsyncWebClient,
) -> None:
    stamps = [await post(client) for _ in range(5)]

    assert stamps == sorted(set(stamps))


async def test_the_call_log_holds_what_was_asked_and_never_the_token(
    slack: SlackEmulator, client: AsyncWebClient, clock: Clock
) -> None:
    ts = await post(client, text="Card", metadata={"event_type": "a", "event_payload": {}})

    call = slack.calls[-1]
    assert (call.method, call.at, call.answer["ts"]) == ("chat.postMessage", clock(), ts)
    assert call.arguments["text"] == "Card"
    assert "token" not in call.arguments
    assert slack.calls.maxlen is not None
