"""The demo page in a browser: messages, buttons, threads, people and the world."""

import pytest
from playwright.async_api import Page, expect

from tests.demo.page_server import PageServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_what_people_type_never_becomes_markup(page: Page, workspace: PageServer) -> None:
    hostile = '<img src=x onerror="document.title=1"> &lt;b&gt;x&lt;/b&gt; <script>1</script>'
    message = workspace.add(hostile, user="U0DANA", name='<i id="name">')
    await workspace.touch()

    shown = page.get_by_test_id(f"message-{message['ts']}")
    await expect(shown).to_contain_text("<b>x</b>")
    assert await shown.locator("img, script, b, i").count() == 0


async def test_a_button_with_a_confirm_dialog_does_nothing_until_confirmed(
    page: Page, workspace: PageServer
) -> None:
    card = workspace.add_payload("awaiting")
    await workspace.touch()
    approve = page.locator('[data-action-id="dep.approve"]')

    await approve.click()
    dialog = page.get_by_test_id("confirm-dialog")
    await expect(dialog).to_contain_text("You sign as QA Lead")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert workspace.posts("click") == []

    await approve.click()
    async with page.expect_response("**/_demo/click"):
        await page.get_by_test_id("confirm-yes").click()
    await expect(dialog).to_have_count(0)
    await expect(approve.locator(".spinner")).to_have_count(0)
    (click,) = workspace.posts("click")
    assert click["as"] == "U0DANA"
    assert (click["channel"], click["ts"]) == ("C0DEPLOY", card["ts"])
    assert click["action_id"] == "dep.approve"
    assert click["value"] == '{"d":"D-142","o":3}'


async def test_a_button_turns_until_it_is_answered_and_cannot_be_pressed_twice(
    page: Page, workspace: PageServer
) -> None:
    workspace.add_payload("awaiting")
    await workspace.touch()
    hold = page.locator('[data-action-id="dep.hold"]')
    workspace.may_answer.clear()

    await hold.click()
    await expect(hold.locator(".spinner")).to_have_count(1)
    await hold.click()
    workspace.may_answer.set()

    await expect(hold.locator(".spinner")).to_have_count(0)
    assert len(workspace.posts("click")) == 1


async def test_a_card_redrawn_under_the_finger_still_hears_the_press(
    page: Page, workspace: PageServer
) -> None:
    card = workspace.add_payload("awaiting")
    await workspace.touch()
    hold = page.locator('[data-action-id="dep.hold"]')
    await hold.hover()

    await page.mouse.down()
    card["blocks"][0]["text"]["text"] += " edited meanwhile"
    async with page.expect_response(lambda answer: "/_demo/state" in answer.url) as fetched:
        await workspace.touch()
    await (await fetched.value).finished()
    async with page.expect_response("**/_demo/click"):
        await page.mouse.up()

    shown = page.get_by_test_id(f"message-{card['ts']}")
    await expect(shown).to_contain_text("edited meanwhile")
    assert [click["action_id"] for click in workspace.posts("click")] == ["dep.hold"]


async def test_the_overflow_menu_sends_the_chosen_option(page: Page, workspace: PageServer) -> None:
    workspace.add_payload("canary")
    await workspace.touch()

    await page.locator('[data-action-id="dep.more"]').click()
    await page.keyboard.press("ArrowDown")
    async with page.expect_response("**/_demo/click"):
        await page.keyboard.press("Enter")

    (click,) = workspace.posts("click")
    assert (click["selected"], click["block_id"]) == ("timeline", "d142.sum.3")


async def test_an_ephemeral_message_says_who_sees_it(page: Page, workspace: PageServer) -> None:
    workspace.add_payload("confirm")
    await workspace.touch()

    ephemeral = page.get_by_test_id("ephemeral")
    await expect(ephemeral).to_contain_text("Only visible to you")
    await expect(ephemeral.locator('[data-action-id="deploy.request.confirm"]')).to_be_visible()
    assert await ephemeral.count() == 1


async def test_an_edited_message_says_so(page: Page, workspace: PageServer) -> None:
    message, other = workspace.add("done", edited=True), workspace.add("as it was")
    await workspace.touch()

    shown = page.get_by_test_id(f"message-{message['ts']}")
    await expect(shown).to_contain_text("(edited)")
    assert "edited" not in await page.get_by_test_id(f"message-{other['ts']}").inner_text()


async def test_whoever_one_acts_as_is_who_speaks(page: Page, workspace: PageServer) -> None:
    await page.get_by_test_id("act-as").select_option("U0ANA")
    await page.get_by_test_id("composer").fill("@pilot approve D-142")
    await page.keyboard.press("Enter")

    await expect(page.get_by_label("Ana: @pilot approve D-142")).to_be_visible()
    (said,) = workspace.posts("say")
    assert (said["as"], said["text"]) == ("U0ANA", "@pilot approve D-142")
    assert page.url.endswith("?as=U0ANA")


async def test_a_slash_lists_the_commands_with_how_to_use_them(
    page: Page, workspace: PageServer
) -> None:
    composer = page.get_by_test_id("composer")
    await composer.press_sequentially("/")
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")
    await expect(options).to_have_count(3)
    await expect(options.first).to_contain_text("<service> <version> [environment]")

    await composer.press_sequentially("ro")
    await page.keyboard.press("Tab")

    await expect(composer).to_have_value("/rollback ")
    await expect(page.locator(".usage").first).to_have_text("/rollback [service] why")
    assert workspace.posts("say") == [], "completed is not sent"


async def test_an_at_sign_offers_the_bot(page: Page, workspace: PageServer) -> None:
    composer = page.get_by_test_id("composer")
    await composer.press_sequentially("hello @pi")
    await page.keyboard.press("Enter")

    await expect(composer).to_have_value("hello @pilot ")
    assert workspace.posts("say") == [], "completed is not sent"


async def test_a_command_in_a_thread_is_refused_aloud_and_can_be_taken_elsewhere(
    page: Page, workspace: PageServer
) -> None:
    message = workspace.add("a card")
    await workspace.touch()
    await page.get_by_test_id(f"thread-open-{message['ts']}").click()
    composer = page.get_by_test_id("thread-composer")
    await composer.fill("/deploy checkout v1.8.3")
    await page.keyboard.press("Enter")

    toast = page.get_by_test_id("toast")
    await expect(toast).to_contain_text("/deploy is not supported in threads. Sorry!")
    await expect(composer).to_have_value("/deploy checkout v1.8.3")


async def test_a_thread_shows_its_card_its_replies_and_takes_more(
    page: Page, workspace: PageServer
) -> None:
    card = workspace.add_payload("canary")
    reply = workspace.add("Canary 10 % started", thread_ts=card["ts"])
    await workspace.touch()
    opener = page.get_by_test_id(f"thread-open-{card['ts']}")
    await expect(opener).to_have_text("1 reply")
    await opener.click()

    panel = page.get_by_test_id("thread-panel")
    await expect(panel.get_by_test_id("thread-parent")).to_contain_text("Canary 25 %")
    await expect(panel.get_by_test_id(f"message-{reply['ts']}")).to_be_visible()
    await page.get_by_test_id("thread-composer").fill("looks good")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_label("Dana: looks good")).to_be_visible()
    assert workspace.posts("say")[0]["thread_ts"] == card["ts"]

    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await expect(opener).to_be_focused()


async def test_missed_messages_are_counted_until_the_channel_is_read(
    page: Page, workspace: PageServer
) -> None:
    incidents = page.get_by_test_id("channel-C0INCIDENT")
    await expect(incidents).to_contain_text("2")

    async with page.expect_response("**/_demo/read"):
        await incidents.click()

    assert workspace.posts("read")[0] == {"as": "U0DANA", "channel": "C0INCIDENT"}


async def test_the_new_version_can_be_made_to_fail(page: Page, workspace: PageServer) -> None:
    switch = page.get_by_test_id("world-fail")
    await expect(page.get_by_test_id("traffic")).to_have_attribute(
        "aria-label", "Traffic: v1.8.2 90 %, v1.8.3 10 %"
    )
    await switch.click()

    await expect(switch).to_have_attribute("aria-checked", "true")
    (wish,) = workspace.posts("world")
    assert (wish["action"], wish["version"], wish["on"]) == ("fail", "v1.8.3", True)


async def test_the_bot_can_be_killed_and_started(page: Page, workspace: PageServer) -> None:
    await page.get_by_test_id("kill-bot").click()
    await expect(page.locator("#channel-note")).to_have_text("@pilot is not connected")

    await page.get_by_test_id("start-bot").click()
    await expect(page.get_by_test_id("kill-bot")).to_be_visible()
    await expect(page.locator("#channel-note")).to_have_text("")
    assert [wish["action"] for wish in workspace.posts("world")] == ["kill_bot", "start_bot"]


async def test_the_first_minute_is_ticked_by_what_happened(
    page: Page, workspace: PageServer
) -> None:
    async def ticked() -> list[bool]:
        names = await page.locator(".step").evaluate_all("all => all.map(one => one.className)")
        return ["done" in name for name in names]

    await expect(page.get_by_test_id("guide-command")).to_have_text("/deploy checkout v1.8.3")
    assert not any(await ticked())

    card = workspace.add_payload("awaiting")
    await workspace.touch()
    await expect(page.get_by_test_id("step-2")).to_contain_class("done")
    assert await ticked() == [True, True, False, False, False]
    await page.get_by_test_id("guide-act-as").click()
    await expect(page.get_by_test_id("act-as")).to_have_value("U0QUINN")
    await expect(page.get_by_test_id("guide-command")).to_have_text("/approve D-142")

    workspace.add("Approved by <@U0QUINN> as QA Lead (2 of 2)", thread_ts=card["ts"])
    workspace.add("Canary 10 % started", thread_ts=card["ts"])
    workspace.add_payload("rolled_back")
    await workspace.touch()
    await expect(page.locator(".all-done")).to_be_visible()
    assert all(await ticked())


@pytest.mark.parametrize(
    ("said", "is_signed"),
    [
        ("14:04 UTC · Approved by Quinn as QA Lead", True),
        ("*Approved by*\n<@U0ANA> (Deployment Lead)\n<@U0QUINN> (QA Lead)", True),
        (":white_check_mark: QA Lead <@U0QUINN>, 14:10 UTC", True),
        (":hourglass_flowing_sand: QA Lead <@U0QUINN>", False),
        ("<@U0QUINN> please approve or reject checkout v1.8.3", False),
        ("Approved by <@U0ANA>, waiting for <@U0QUINN>", False),
        ("Requested by <@U0QUINN>", False),
    ],
)
async def test_only_a_signature_ticks_an_approval(
    page: Page, workspace: PageServer, said: str, is_signed: bool
) -> None:
    workspace.add(f"D-142 {said}" if "\n" not in said else said)
    workspace.add("D-142 asked for")
    await workspace.touch()

    await expect(page.get_by_test_id("step-1")).to_contain_class("done")
    names = await page.get_by_test_id("step-3").get_attribute("class") or ""
    assert ("done" in names) is is_signed
