"""Forms on the demo page: filling in, errors, suggestions, the stack and the keyboard."""

import pytest
from playwright.async_api import Page, expect

from tests.demo.page_server import PageServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def opened(page: Page, workspace: PageServer, name: str) -> None:
    workspace.open(name)
    await workspace.touch()
    await page.get_by_test_id("modal").wait_for()


async def choose(page: Page, label: str, typed: str) -> None:
    box = page.get_by_label(label, exact=True)
    await box.press_sequentially(typed)
    await page.get_by_role("listbox", name="").get_by_text(typed).wait_for()
    await box.press("Enter")


async def test_what_was_filled_in_is_sent_by_block_and_action(
    page: Page, workspace: PageServer
) -> None:
    await opened(page, workspace, "deploy_modal")
    await choose(page, "Service", "checkout")
    await choose(page, "Version", "search")
    await page.get_by_label("Hotfix").check()
    await page.get_by_label("Environment").select_option("staging")
    await page.get_by_label("What changes").fill("fixes tax")
    await page.get_by_test_id("modal-submit").click()

    await expect(page.get_by_test_id("modal")).to_have_count(0)
    (sent,) = workspace.posts("submit")
    values = sent["values"]
    assert sent["view_id"] == "V1"
    assert values["service"]["deploy.service"]["value"] == "checkout"
    assert values["env"]["v"] == "staging"
    assert values["kind"]["v"] == "hotfix"
    assert values["incident"]["deploy.incident"] is None
    assert values["note"]["v"] == "fixes tax"


async def test_an_input_that_dispatches_tells_the_bot_once_with_the_whole_form(
    page: Page, workspace: PageServer
) -> None:
    await opened(page, workspace, "deploy_modal")
    async with page.expect_response("**/_demo/click"):
        await choose(page, "Service", "checkout")
    await page.get_by_label("What changes").click()

    (click,) = workspace.posts("click")
    assert (click["view_id"], click["block_id"]) == ("V1", "service")
    assert click["selected"]["value"] == "checkout"
    assert click["values"]["env"] == {"v": "production"}


async def test_an_empty_required_field_is_named_before_anything_is_sent(
    page: Page, workspace: PageServer
) -> None:
    await opened(page, workspace, "rollback_modal")
    await page.get_by_test_id("modal-submit").click()

    error = page.locator(".field-error:visible")
    await expect(error).to_have_text("Please fill in this field.")
    await expect(page.locator("[aria-invalid=true]")).to_be_focused()
    assert workspace.posts("submit") == []


async def test_the_bots_errors_stand_under_their_fields(page: Page, workspace: PageServer) -> None:
    await opened(page, workspace, "rollback_modal")
    reason = page.get_by_label("Why?")
    workspace.errors = {
        str(block["block_id"]): "Say a little more."
        for block in workspace.views[0]["view"]["blocks"]
        if block.get("element", {}).get("type") == "plain_text_input"
    }
    await reason.fill("bad")
    await reason.press("Enter")

    await expect(page.locator(".invalid .field-error")).to_have_text("Say a little more.")
    await expect(reason).to_be_focused()
    await expect(reason).to_have_value("bad")
    assert len(workspace.posts("submit")) == len(workspace.views) == 1


async def test_an_updated_form_keeps_what_was_typed_and_the_cursor(
    page: Page, workspace: PageServer
) -> None:
    await opened(page, workspace, "deploy_modal")
    note = page.get_by_label("What changes")
    await note.fill("half a sen")

    workspace.views[0] |= {"hash": "2"}
    workspace.views[0]["view"]["title"]["text"] = "Deploy checkout"
    await workspace.touch()

    await expect(page.get_by_role("dialog", name="Deploy checkout")).to_be_visible()
    await expect(note).to_have_value("half a sen")
    await expect(note).to_be_focused()


async def test_only_the_topmost_form_of_a_stack_can_be_used(
    page: Page, workspace: PageServer
) -> None:
    await opened(page, workspace, "deploy_modal")
    await page.get_by_label("What changes").fill("kept")
    workspace.open("rollback_modal", "V2")
    await workspace.touch()

    shown = page.get_by_test_id("modal").locator("visible=true")
    await expect(page.get_by_label("Why?")).to_be_visible()
    await expect(shown).to_have_count(1)
    async with page.expect_response("**/_demo/close"):
        await page.keyboard.press("Escape")
    await expect(page.get_by_label("What changes")).to_have_value("kept")
    assert workspace.posts("close") == [{"as": "U0DANA", "view_id": "V2"}]


async def test_the_tab_key_stays_inside_the_form(page: Page, workspace: PageServer) -> None:
    await opened(page, workspace, "rollback_modal")

    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('.modal') !== null")


async def test_tick_boxes_send_every_ticked_value(page: Page, workspace: PageServer) -> None:
    await opened(page, workspace, "go_no_go")
    for box in await page.get_by_role("checkbox").all():
        await box.check()
    for text in await page.locator(".modal textarea, .modal input[type=text]").all():
        await text.fill("seen it")
    await page.get_by_test_id("modal-submit").click()

    await expect(page.get_by_test_id("modal")).to_have_count(0)
    (sent,) = workspace.posts("submit")
    lists = [one for block in sent["values"].values() for one in block.values()]
    assert ["tests", "risk", "plan"] in lists


async def test_the_home_tab_is_drawn_and_pressed_as_the_view_it_is(
    page: Page, workspace: PageServer
) -> None:
    text = {"type": "plain_text", "text": "New deployment"}
    button = {"type": "button", "text": text, "action_id": "home.deploy", "value": "-"}
    workspace.home = {
        "id": "VHOME",
        "blocks": [{"type": "actions", "block_id": "b", "elements": [button]}],
    }
    await workspace.touch()
    await page.get_by_test_id("channel-home").click()

    await expect(page.get_by_test_id("composer")).to_be_hidden()
    async with page.expect_response("**/_demo/click"):
        await page.get_by_role("button", name="New deployment").click()
    (click,) = workspace.posts("click")
    assert (click["view_id"], click["action_id"]) == ("VHOME", "home.deploy")
