"""Looking things up: people, channels, and history for those who asked for it."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import Manifest, SlackEmulator, demo_workspace
from tests.demo.conftest import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Clock, refused


@pytest.fixture
async def curious(manifest: Manifest, clock: Clock) -> AsyncIterator[SlackEmulator]:
    """A workspace whose admin let the bot read the channels it is in."""
    emulator = SlackEmulator(
        demo_workspace(clock),
        manifest.granting("channels:history"),
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        signing_secret=SIGNING_SECRET,
    )
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
def reader(curious: SlackEmulator) -> AsyncWebClient:
    return AsyncWebClient(BOT_TOKEN, base_url=curious.api_url)


async def test_a_thread_is_read_with_the_metadata_that_was_stored(
    curious: SlackEmulator, reader: AsyncWebClient
) -> None:
    card = {"event_type": "deployment", "event_payload": {"id": "D-142"}}
    root = (await reader.chat_postMessage(channel="C0DEPLOY", text="Card", metadata=card))["ts"]
    await reader.chat_postMessage(channel="C0DEPLOY", text="Approved", thread_ts=root)
    await reader.chat_postEphemeral(channel="C0DEPLOY", user="U0ANA", text="psst", thread_ts=root)

    answer = await reader.conversations_replies(
        channel="C0DEPLOY", ts=root, include_all_metadata=True
    )
    bare = await reader.conversations_replies(channel="C0DEPLOY", ts=root)

    assert [message["text"] for message in answer["messages"]] == ["Card", "Approved"]
    assert answer["messages"][0]["metadata"] == card
    assert answer["messages"][0]["reply_count"] == 1
    assert "metadata" not in bare["messages"][0]
    assert len(curious.workspace.replies("C0DEPLOY", root)) == 2


async def test_history_is_newest_first_without_replies_and_in_pages(
    curious: SlackEmulator, reader: AsyncWebClient
) -> None:
    stamps = [await curious.say("U0DANA", "C0DEPLOY", str(number)) for number in range(3)]
    await curious.say("U0DANA", "C0DEPLOY", "reply", thread_ts=stamps[0])

    first = await reader.conversations_history(channel="C0DEPLOY", limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    second = await reader.conversations_history(channel="C0DEPLOY", limit=2, cursor=cursor)

    assert [message["text"] for message in first["messages"]] == ["2", "1"]
    assert [message["text"] for message in second["messages"]] == ["0"]
    assert (first["has_more"], second["has_more"]) == (True, False)


async def test_history_holds_nothing_that_one_person_alone_saw(
    reader: AsyncWebClient,
) -> None:
    await reader.chat_postEphemeral(channel="C0DEPLOY", user="U0ANA", text="psst")

    assert (await reader.conversations_history(channel="C0DEPLOY"))["messages"] == []


async def test_an_edit_keeps_the_metadata_unless_it_brings_its_own(
    reader: AsyncWebClient,
) -> None:
    card = {"event_type": "deployment", "event_payload": {"id": "D-142"}}
    new = {"event_type": "deployment", "event_payload": {"id": "D-142", "revision": 2}}
    ts = (await reader.chat_postMessage(channel="C0DEPLOY", text="Card", metadata=card))["ts"]

    stored = []
    for metadata in (None, new):
        await reader.chat_update(channel="C0DEPLOY", ts=ts, text="Card", metadata=metadata)
        answer = await reader.conversations_history(channel="C0DEPLOY", include_all_metadata=True)
        stored.append(answer["messages"][0]["metadata"])

    assert stored == [card, new]


async def test_history_ends_before_the_oldest_unless_inclusive(
    curious: SlackEmulator, reader: AsyncWebClient
) -> None:
    stamps = [await curious.say("U0DANA", "C0DEPLOY", str(number)) for number in range(3)]

    after = await reader.conversations_history(channel="C0DEPLOY", oldest=stamps[1])
    exact = await reader.conversations_history(
        channel="C0DEPLOY", oldest=stamps[1], latest=stamps[1], inclusive=True
    )

    assert [message["text"] for message in after["messages"]] == ["2"]
    assert [message["text"] for message in exact["messages"]] == ["1"]


async def test_history_is_for_members(curious: SlackEmulator, reader: AsyncWebClient) -> None:
    curious.workspace.channel("C0GENERAL").members.remove("U0PILOT")

    answer = await refused(reader.conversations_history(channel="C0GENERAL"))
    thread = await refused(reader.conversations_replies(channel="C0DEPLOY", ts="1.1"))

    assert answer["error"] == "not_in_channel"
    assert thread["error"] == "thread_not_found"


async def test_people_and_channels_are_described(client: AsyncWebClient) -> None:
    user = (await client.users_info(user="U0ANA"))["user"]
    channel = (await client.conversations_info(channel="C0DEPLOY"))["channel"]

    assert user["profile"]["title"] == "Deployment Lead"
    assert (channel["name"], channel["is_member"]) == ("deployment", True)
    assert (await refused(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"


async def test_a_wrong_or_missing_token_and_a_wrong_method_are_told_apart(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    stranger = AsyncWebClient("xoxb-other", base_url=slack.api_url)
    nobody = AsyncWebClient(base_url=slack.api_url)

    assert (await refused(stranger.auth_test()))["error"] == "invalid_auth"
    assert (await refused(nobody.auth_test()))["error"] == "not_authed"
    assert (await refused(client.api_call("chat.shout")))["error"] == "unknown_method"
    assert (await nobody.api_test(foo="bar"))["args"]["foo"] == "bar"
    assert (await refused(nobody.api_test(error="my_error")))["error"] == "my_error"


async def test_a_token_sent_as_argument_counts_and_is_not_logged(
    slack: SlackEmulator,
) -> None:
    nobody = AsyncWebClient(base_url=slack.api_url)

    answer = await nobody.api_call("auth.test", data={"token": BOT_TOKEN})

    assert answer["ok"] is True
    assert BOT_TOKEN not in str(slack.calls[-1])


async def test_a_body_that_is_no_object_is_refused(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    answer = await refused(client.api_call("chat.postMessage", json=["C0DEPLOY"]))  # type: ignore[arg-type]

    assert answer["error"] == "json_not_object"
    assert not slack.calls
