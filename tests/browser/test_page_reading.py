"""What one sees of a conversation without looking for it: its end, and who goes on speaking."""

import pytest
from playwright.async_api import Page, expect

from tests.demo.page_server import Json, PageServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def full_and_scrolled_up(page: Page, workspace: PageServer) -> Json:
    """A conversation longer than the window, read from its top."""
    first = workspace.add("the oldest")
    for number in range(40):
        workspace.add(f"line {number}")
    await workspace.touch()
    await expect(page.get_by_text("line 39")).to_be_in_viewport()
    await page.get_by_test_id(f"message-{first['ts']}").scroll_into_view_if_needed()
    await expect(page.get_by_text("line 39")).not_to_be_in_viewport()
    return first


async def test_an_answer_for_oneself_comes_into_view_wherever_one_reads(
    page: Page, workspace: PageServer
) -> None:
    await full_and_scrolled_up(page, workspace)

    workspace.add("You cannot approve D-1.", ephemeral=True)
    await workspace.touch()

    await expect(page.get_by_text("You cannot approve D-1.")).to_be_in_viewport()
    assert await page.get_by_test_id("ephemeral").count() == 1


async def test_what_is_new_for_all_waits_below_until_one_asks_for_it(
    page: Page, workspace: PageServer
) -> None:
    first = await full_and_scrolled_up(page, workspace)
    below = page.locator(".channel").get_by_test_id("more-below")
    await expect(below).to_be_hidden()

    workspace.add("news")
    await workspace.touch()

    await expect(below).to_be_visible()
    await expect(page.get_by_test_id(f"message-{first['ts']}")).to_be_in_viewport()
    await below.click()
    await expect(page.get_by_text("news", exact=True)).to_be_in_viewport()
    await expect(below).to_be_hidden()
    assert await page.locator(".channel .message").count() == len(workspace.messages)


async def test_what_one_says_is_seen(page: Page, workspace: PageServer) -> None:
    await full_and_scrolled_up(page, workspace)

    await page.get_by_test_id("composer").fill("hello there")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("line 39")).to_be_in_viewport()
    assert [said["text"] for said in workspace.posts("say")] == ["hello there"]


async def test_who_goes_on_speaking_is_not_named_again(page: Page, workspace: PageServer) -> None:
    said = [workspace.add("one"), workspace.add("two"), workspace.add("three", user="U0DANA")]
    await workspace.touch()

    heads = [page.get_by_test_id(f"message-{each['ts']}").locator("header") for each in said]
    await expect(heads[0]).to_be_visible()
    await expect(heads[1]).to_be_hidden()
    await expect(heads[2]).to_be_visible()
    assert [await head.is_visible() for head in heads] == [True, False, True]
