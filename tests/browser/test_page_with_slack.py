"""The demo page before the emulator itself, with a Bolt app behind that."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.page.routes import mount
from bot.demo.slack import Manifest, SlackEmulator, Timing, demo_workspace
from tests.browser.conftest import PATIENCE
from tests.demo.page_server import option, payload

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MANIFEST = Path(__file__).parents[2] / "manifest.yml"
Json = dict[str, Any]


class SmallBot:
    """Answers one command, one form and two buttons, and notes what reached it."""

    def __init__(self, app: AsyncApp) -> None:
        self.heard: list[Json] = []
        app.command("/deploy")(self.deploy)
        app.options("deploy.service")(self.services)
        app.action("deploy.service")(self.chosen)
        app.options("deploy.version")(self.services)
        app.view("deploy.request")(self.submitted)
        app.action("dep.approve")(self.approve)
        app.action("dep.more")(self.more)
        app.event("app_mention")(self.mentioned)

    async def deploy(self, ack: Any, client: Any, body: Json) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=payload("deploy_modal"))
        await ack()

    async def services(self, ack: Any, body: Json) -> None:
        names = [name for name in ("checkout", "search") if body["value"] in name]
        await ack(options=[option(name) for name in names])

    async def chosen(self, ack: Any, body: Json) -> None:
        self.heard.append(body)
        await ack()

    async def submitted(self, ack: Any, client: Any, body: Json) -> None:
        values = body["view"]["state"]["values"]
        self.heard.append(values)
        if values["note"]["v"]["value"] == "no":
            await ack(response_action="errors", errors={"note": "Say a little more."})
            return
        await ack()
        card = payload("awaiting")
        await client.chat_postMessage(channel="C0DEPLOY", text=card["text"], blocks=card["blocks"])

    async def approve(self, ack: Any, client: Any, body: Json) -> None:
        await ack()
        card, who = payload("canary"), body["user"]["id"]
        ts = body["container"]["message_ts"]
        await client.chat_update(
            channel="C0DEPLOY", ts=ts, text=card["text"], blocks=card["blocks"]
        )
        await client.chat_postMessage(
            channel="C0DEPLOY", thread_ts=ts, text=f"Approved by <@{who}> as Deployment Lead"
        )

    async def more(self, ack: Any, body: Json, respond: Any) -> None:
        await ack()
        chosen = body["actions"][0]["selected_option"]["value"]
        await respond(f"You chose {chosen}", response_type="ephemeral")

    async def mentioned(self, event: Json, say: Any) -> None:
        await say(f"You said: {event['text']}", thread_ts=event["ts"])


@pytest_asyncio.fixture(loop_scope="session")
async def slack() -> AsyncIterator[SlackEmulator]:
    emulator = SlackEmulator(
        demo_workspace(),
        Manifest.read(MANIFEST),
        bot_token="xoxb-demo",
        app_token="xapp-demo",
        signing_secret="signing-secret-of-the-demo",
        # How fast a bot must be is not asked here.
        timing=Timing(ack=PATIENCE / 1000, trigger=PATIENCE / 1000),
    )
    mount(emulator.app)
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def bot(slack: SlackEmulator) -> AsyncIterator[SmallBot]:
    quiet = logging.getLogger("quiet bolt")
    quiet.setLevel(logging.CRITICAL)
    client = AsyncWebClient("xoxb-demo", base_url=slack.api_url)
    app = AsyncApp(client=client, signing_secret="signing-secret-of-the-demo", logger=quiet)
    small = SmallBot(app)
    line = AsyncWebClient("xapp-demo", base_url=slack.api_url)
    handler = AsyncSocketModeHandler(app, "xapp-demo", web_client=line, logger=quiet)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await slack.wait_for(lambda: slack.is_bot_connected, PATIENCE / 1000)
    yield small
    await handler.close_async()  # type: ignore[no-untyped-call]


@pytest_asyncio.fixture(loop_scope="session")
async def desk(chromium: Browser, slack: SlackEmulator, bot: SmallBot) -> AsyncIterator[Page]:
    context = await chromium.new_context()
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await page.goto(slack.url)
    await page.get_by_test_id("channel-C0DEPLOY").wait_for()
    yield page
    await context.close()


async def asked(desk: Page, note: str) -> None:
    """Type the command, fill in the form, send it."""
    await desk.get_by_test_id("composer").fill("/deploy")
    await desk.keyboard.press("Enter")
    for label in ("Service", "Version"):
        box = desk.get_by_label(label, exact=True)
        await box.press_sequentially("check")
        await desk.locator("[role=listbox]:visible").get_by_text("checkout").wait_for()
        await box.press("Enter")
    await desk.get_by_label("What changes").fill(note)
    await desk.get_by_test_id("modal-submit").click()


async def test_a_form_goes_from_the_command_to_the_card(desk: Page, bot: SmallBot) -> None:
    await asked(desk, "no")
    error = desk.locator(".field-error:visible")
    await expect(error).to_have_text("Say a little more.")
    await desk.get_by_label("What changes").fill("fixes the tax line")
    await desk.get_by_test_id("modal-submit").click()

    await expect(desk.get_by_text("Waiting for approval")).to_be_visible()
    await expect(desk.get_by_test_id("modal")).to_have_count(0)
    await expect(desk.locator("#toasts")).to_have_text("")
    chosen, _, sent = bot.heard
    assert chosen["actions"][0]["selected_option"]["value"] == "checkout"
    assert sent["service"]["deploy.service"]["selected_option"]["value"] == "checkout"
    assert sent["env"]["v"]["selected_option"]["value"] == "production"
    assert sent["incident"]["deploy.incident"]["selected_option"] is None


async def test_a_press_edits_the_card_and_fills_its_thread(
    desk: Page, slack: SlackEmulator
) -> None:
    await asked(desk, "fixes the tax line")
    await desk.get_by_test_id("act-as").select_option("U0ANA")
    await desk.locator('[data-action-id="dep.approve"]').click()
    await desk.get_by_test_id("confirm-yes").click()

    await expect(desk.get_by_text("(edited)")).to_be_visible()
    await desk.get_by_role("button", name="1 reply").click()
    thread = desk.get_by_test_id("thread-panel")
    await expect(thread.get_by_text("Approved by @Ana")).to_be_visible()
    await expect(desk.get_by_test_id("step-2")).to_contain_class("done")
    (card,) = [each for each in slack.workspace.messages("C0DEPLOY") if each.blocks]
    assert card.edits == 1


async def test_an_ephemeral_answer_is_seen_by_nobody_else_and_gone_after_a_reload(
    desk: Page, slack: SlackEmulator
) -> None:
    await asked(desk, "fixes the tax line")
    await desk.locator('[data-action-id="dep.more"]').click()
    await desk.get_by_role("menuitem", name="Show gates").click()
    ephemeral = desk.get_by_test_id("ephemeral")
    await expect(ephemeral).to_contain_text("You chose gates")
    assert slack.workspace.messages("C0DEPLOY")[-1].visible_to == "U0DANA"

    await desk.get_by_test_id("act-as").select_option("U0ANA")
    await expect(ephemeral).to_have_count(0)
    await desk.get_by_test_id("act-as").select_option("U0DANA")
    await expect(ephemeral).to_have_count(1)
    await desk.reload()
    await expect(desk.get_by_text("Waiting for approval")).to_be_visible()
    await expect(ephemeral).to_have_count(0)


async def test_a_mention_reaches_the_bot_and_its_answer_the_thread(
    desk: Page, slack: SlackEmulator
) -> None:
    await desk.get_by_test_id("composer").fill("@pilot status & more")
    await desk.keyboard.press("Enter")
    await desk.get_by_role("button", name="1 reply").click()

    thread = desk.get_by_test_id("thread-panel")
    await expect(thread.get_by_text("You said: @pilot status & more")).to_be_visible()
    said, answer = slack.workspace.messages("C0DEPLOY")
    assert answer.thread_ts == said.ts


async def test_a_bot_that_does_not_answer_is_reported(
    desk: Page, slack: SlackEmulator, bot: SmallBot
) -> None:
    slack.faults.is_down = True
    await desk.get_by_test_id("composer").fill("/deploy")
    await desk.keyboard.press("Enter")

    await expect(desk.get_by_test_id("toast")).to_contain_text("/deploy failed with the error")
    assert (bot.heard, slack.workspace.messages("C0DEPLOY")) == ([], [])
