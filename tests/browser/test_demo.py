"""`pilothouse demo` as a newcomer meets it: the page in a real browser, the bot a real process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from bot.demo.run import Demo
from tests.browser.conftest import PATIENCE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.kill,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(180),
]


class Newcomer:
    """What a person does on the page; every step waits for what that person would see."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def types(self, text: str) -> None:
        await self.page.get_by_test_id("composer").fill(text)
        await self.page.keyboard.press("Enter")

    async def becomes(self, user: str) -> None:
        await self.page.get_by_test_id("act-as").select_option(user)

    def button(self, action: str) -> Locator:
        return self.page.locator(f'[data-testid^="message-"] [data-action-id="{action}"]')

    async def presses(self, action: str) -> None:
        await self.button(action).first.click()

    async def approves_in_the_thread(self, user: str) -> None:
        await self.becomes(user)
        thread = self.page.get_by_test_id("thread-panel")
        if not await thread.is_visible():
            await self.page.locator('[data-testid^="thread-open-"]').first.click()
        await thread.locator('[data-action-id="dep.approve"]').last.click()
        await self.page.get_by_test_id("confirm-yes").click()
        await expect(self.page.get_by_test_id("ephemeral").last).to_contain_text("You signed")

    async def opens_the_rollback_form(self, card: Locator) -> Locator:
        """Every press is answered: by the form, or by why there is none and to press again."""
        modal = self.page.get_by_test_id("modal")
        told = self.page.get_by_test_id("ephemeral").filter(has_text="The form could not be opened")
        for times in range(1, 4):
            await card.locator('[data-action-id="dep.roll_back"]').click()
            await expect(modal.or_(told.nth(times - 1)).first).to_be_visible()
            if await modal.is_visible():
                break
        return modal

    async def requests(self) -> None:
        await self.types("/deploy checkout v1.8.3")
        await self.presses("deploy.request.confirm")
        await expect(self.button("dep.approve").first).to_be_visible()


@pytest_asyncio.fixture(loop_scope="session")
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    demo = Demo(tmp_path)
    await demo.start()
    yield demo
    await demo.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(chromium: Browser, demo: Demo) -> AsyncIterator[Newcomer]:
    context = await chromium.new_context(base_url=demo.slack.url)
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_test_id("channel-C0DEPLOY").click()
    yield Newcomer(page)
    await context.close()


async def test_a_newcomer_asks_signs_twice_survives_a_kill_and_rolls_back_in_two_taps(
    newcomer: Newcomer, demo: Demo
) -> None:
    page = newcomer.page
    await newcomer.requests()
    card = page.locator('[data-testid^="message-"]:has([data-action-id="dep.approve"])').first
    mark = await card.get_attribute("data-testid")
    assert mark is not None
    await newcomer.approves_in_the_thread("U0ANA")
    await newcomer.approves_in_the_thread("U0QUINN")
    await page.get_by_test_id("thread-close").click()
    card = page.get_by_test_id(mark)
    await expect(card).to_contain_text("Canary 10 %")

    await page.get_by_test_id("kill-bot").click()
    await expect(page.get_by_test_id("start-bot")).to_be_visible()
    await page.get_by_test_id("start-bot").click()
    await expect(page.get_by_test_id("kill-bot")).to_be_visible()
    await demo.slack.wait_for(lambda: demo.slack.is_bot_connected or None, 40)
    await newcomer.becomes("U0SAM")
    modal = await newcomer.opens_the_rollback_form(card)
    await expect(modal).to_contain_text("v1.8.2 (last good)")
    await modal.locator("input[type=text], textarea").last.fill("500s on /pay since 14:21")
    await page.get_by_test_id("modal-submit").click()

    await expect(card).to_contain_text("Rolled back to v1.8.2")
    await expect(card).to_contain_text("500s on /pay since 14:21")
    [service] = demo.world.state()["services"]
    assert service["weights"].get("v1.8.3", 0) == 0


async def test_a_refusal_on_the_page_says_why_and_what_next(newcomer: Newcomer, demo: Demo) -> None:
    await newcomer.types("/deploy chekout v1.8.3")

    answer = newcomer.page.get_by_test_id("ephemeral").last
    await expect(answer).to_contain_text("chekout")
    await expect(answer.locator('[data-action-id="deploy.retry"]')).to_be_visible()
    (said,) = demo.slack.workspace.messages("C0DEPLOY")
    assert said.visible_to == "U0DANA", "nobody else reads of it"


async def test_the_form_opens_where_nothing_was_typed(newcomer: Newcomer) -> None:
    await newcomer.types("/deploy")
    modal = newcomer.page.get_by_test_id("modal")
    version = modal.get_by_label("Version")
    await version.fill("v1.8.3")
    await modal.locator("[role=option]:visible").get_by_text("v1.8.3").first.click()
    await newcomer.page.get_by_test_id("modal-submit").click()

    await expect(modal).to_contain_text("Request checkout v1.8.3 → production?")
