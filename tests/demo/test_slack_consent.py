"""What the app did not ask for at installation does not reach it."""

from dataclasses import replace

import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.demo.slack import Manifest, SlackEmulator
from tests.demo.conftest import MANIFEST, Connect, Ear, button


@pytest.fixture
def manifest() -> Manifest:
    """One that subscribes to nothing and switches interactivity off."""
    asked = Manifest.read(MANIFEST)
    return replace(asked, events=frozenset(), is_interactive=False)


async def test_without_the_subscription_a_mention_is_not_delivered(
    slack: SlackEmulator, ear: Ear
) -> None:
    await slack.say("U0ANA", "C0DEPLOY", "@pilot help")

    assert not slack.dispatcher.is_busy
    assert ear.mentions == []


async def test_without_interactivity_a_press_ends_at_slack(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    await connect(bolt)
    posted = await bolt.client.chat_postMessage(
        channel="C0DEPLOY", text="Waiting", blocks=[button()]
    )

    seen = await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "approve")

    assert seen.error == "This app does not handle interactive responses."
