"""Ways through the page: the drawer of a narrow window, links to messages, the keyboard."""

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.demo.page_server import PageServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NARROW = ViewportSize(width=340, height=700)


def archived(ts: str) -> str:
    return f"/archives/C0DEPLOY/p{ts.replace('.', '')}"


async def opened_drawer(page: Page) -> None:
    await page.set_viewport_size(NARROW)
    await page.get_by_label("Channels and panels").first.click()
    await expect(page.get_by_test_id("guide-use")).to_be_visible()


async def test_what_is_typed_for_a_newcomer_is_seen_in_a_narrow_window(page: Page) -> None:
    await opened_drawer(page)
    await page.get_by_test_id("guide-use").click()

    await expect(page.get_by_test_id("guide-use")).to_be_hidden()
    await expect(page.get_by_test_id("composer")).to_be_focused()
    assert await page.get_by_test_id("composer").input_value() == "/deploy checkout v1.8.3"


async def test_the_drawer_is_left_by_escape_and_by_a_press_beside_it(page: Page) -> None:
    toggle = page.locator("#menu-toggle")
    await opened_drawer(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("guide-use")).to_be_hidden()
    await expect(toggle).to_be_focused()

    await opened_drawer(page)
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    await page.mouse.click(330, 300)
    await expect(page.get_by_test_id("guide-use")).to_be_hidden()
    assert await toggle.get_attribute("aria-expanded") == "false"


async def test_a_lost_connection_is_told_in_a_narrow_window_too_until_it_is_back(
    page: Page, workspace: PageServer
) -> None:
    await page.set_viewport_size(NARROW)
    lost = page.get_by_text("Connection lost, trying again…")
    await expect(lost).to_be_hidden()

    await page.route("**/_demo/state*", lambda route: route.fulfill(body="nobody is here"))
    await workspace.touch()
    await expect(lost).to_be_visible()

    await page.unroute("**/_demo/state*")
    await workspace.touch()
    await expect(lost).to_be_hidden()


async def test_a_link_to_a_message_leads_there_without_another_tab(
    page: Page, workspace: PageServer
) -> None:
    card = workspace.add("the card")
    for number in range(40):
        workspace.add(f"line {number}")
    workspace.add(f"see <{page.url.rstrip('/')}{archived(card['ts'])}|D-142>")
    await workspace.touch()
    shown = page.get_by_test_id(f"message-{card['ts']}")
    await page.get_by_role("link", name="D-142").scroll_into_view_if_needed()
    await expect(shown).not_to_be_in_viewport()

    await page.get_by_role("link", name="D-142").click()

    await expect(shown).to_be_in_viewport()
    await expect(shown).to_contain_class("sought")
    assert len(page.context.pages) == 1


async def test_the_address_of_a_reply_opens_the_page_at_its_thread(
    page: Page, workspace: PageServer
) -> None:
    card = workspace.add("the card")
    reply = workspace.add("Canary 10 % started", thread_ts=card["ts"])

    await page.goto(f"{archived(reply['ts'])}?thread_ts={card['ts']}&cid=C0DEPLOY")

    shown = page.get_by_test_id("thread-panel").get_by_test_id(f"message-{reply['ts']}")
    await expect(shown).to_contain_class("sought")
    assert await page.locator(".sought").count() == 1


async def test_an_address_of_a_message_that_is_gone_shows_its_channel(page: Page) -> None:
    await page.goto(archived("1795183000.000900"))

    await expect(page.get_by_test_id("channel-C0DEPLOY")).to_have_attribute("aria-current", "true")
    await expect(page.get_by_test_id("composer")).to_be_focused()
    assert await page.locator(".sought").count() == 0


async def test_the_keyboard_is_one_press_away_from_the_message_box(page: Page) -> None:
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the message box")).to_be_visible()
    await page.keyboard.press("Enter")

    await expect(page.get_by_test_id("composer")).to_be_focused()
    await page.keyboard.type("hello")
    assert await page.get_by_test_id("composer").input_value() == "hello"
