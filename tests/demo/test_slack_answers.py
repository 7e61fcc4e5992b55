"""Answers through a response address: who sees them, how often, and for how long."""

from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.demo.slack import SlackEmulator
from tests.demo.conftest import Clock, Connect, Ear, button


@pytest.fixture
async def address(slack: SlackEmulator, ear: Ear) -> str:
    """Where a command typed by Dana may be answered."""
    await slack.command("U0DANA", "/deploy", "checkout")
    return str(ear.commands[0]["response_url"])


async def test_an_answer_is_for_the_typist_unless_it_says_otherwise(
    slack: SlackEmulator, session: aiohttp.ClientSession, address: str
) -> None:
    await session.post(address, json={"text": "for you"})
    await session.post(address, json={"text": "for all", "response_type": "in_channel"})

    seen = [(m.text, m.visible_to) for m in slack.workspace.messages("C0DEPLOY")]
    assert seen == [("for you", "U0DANA"), ("for all", None)]
    assert slack.calls[-1].method == "response_url"


async def test_a_typed_command_is_no_message_that_could_be_replaced(
    slack: SlackEmulator, session: aiohttp.ClientSession, address: str
) -> None:
    await session.post(address, json={"text": "new", "replace_original": True})

    assert [message.text for message in slack.workspace.messages("C0DEPLOY")] == ["new"]


async def test_an_address_takes_five_answers(session: aiohttp.ClientSession, address: str) -> None:
    statuses = []
    for number in range(6):
        async with session.post(address, json={"text": str(number)}) as response:
            statuses.append(response.status)
            answer = await response.json()

    assert statuses == [200] * 5 + [404]
    assert answer["error"] == "used_url"


async def test_an_address_dies_after_half_an_hour(
    session: aiohttp.ClientSession, address: str, clock: Clock
) -> None:
    clock.pass_(30 * 60)
    async with session.post(address, json={"text": "just in time"}) as response:
        assert response.status == 200

    clock.pass_(1)
    async with session.post(address, json={"text": "late"}) as response:
        assert (await response.json())["error"] == "expired_url"


async def test_an_invented_address_is_unknown(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    async with session.post(f"{slack.url}/response/guess", json={"text": "x"}) as response:
        assert response.status == 404
    async with session.post(f"{slack.url}/response/guess", data="{") as response:
        assert response.status == 400


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ({"replace_original": True, "text": "Requested"}, ["Requested"]),
        ({"delete_original": True}, []),
        ({"text": "Not you"}, ["Request it?", "Not you"]),
    ],
)
async def test_a_pressed_ephemeral_can_be_replaced_or_deleted_or_kept(
    slack: SlackEmulator,
    bolt: AsyncApp,
    connect: Connect,
    answer: dict[str, Any],
    texts: list[str],
) -> None:
    @bolt.action("approve")
    async def approve(ack: Any, respond: Any) -> None:
        await respond(**answer)
        await ack()

    await connect(bolt)
    shown = await bolt.client.chat_postEphemeral(
        channel="C0DEPLOY", user="U0DANA", text="Request it?", blocks=[button()]
    )

    seen = await slack.click("U0DANA", "C0DEPLOY", shown["message_ts"], "approve")

    messages = slack.workspace.messages("C0DEPLOY")
    assert seen.is_fine
    assert [message.text for message in messages] == texts
    assert all(message.visible_to == "U0DANA" for message in messages)


async def test_replacing_a_message_for_all_is_an_edit_that_notifies_nobody(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.action("approve")
    async def approve(ack: Any, respond: Any) -> None:
        await respond(text="Approved", replace_original=True)
        await ack()

    await connect(bolt)
    posted = await bolt.client.chat_postMessage(
        channel="C0DEPLOY", text="Waiting", blocks=[button()]
    )

    await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "approve")

    [message] = slack.workspace.messages("C0DEPLOY")
    assert (message.text, message.edits, message.blocks) == ("Approved", 1, [])
    assert [note.text for note in slack.workspace.notifications] == ["Waiting"]


async def test_an_answer_can_stand_in_the_thread(
    slack: SlackEmulator, session: aiohttp.ClientSession, address: str
) -> None:
    root = await slack.say("U0DANA", "C0DEPLOY", "Shall we?")

    await session.post(address, json={"text": "here", "thread_ts": root})

    [reply] = slack.workspace.replies("C0DEPLOY", root)
    assert (reply.text, reply.visible_to) == ("here", "U0DANA")


async def test_an_answer_with_bad_blocks_is_refused(
    session: aiohttp.ClientSession, address: str
) -> None:
    body = {"text": "x", "blocks": [{"type": "sparkle"}]}
    async with session.post(address, json=body) as response:
        answer = await response.json()

    assert answer["error"] == "invalid_blocks"
