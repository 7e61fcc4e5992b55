"""How the demo page draws: text, dates, phone width, and many messages at once."""

import pytest
from playwright.async_api import CDPSession, Locator, Page, expect

from tests.demo.page_server import PageServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

#: 2026-11-20 14:02 UTC
MOMENT = 1795183320


async def said(page: Page, workspace: PageServer, text: str) -> Locator:
    message = workspace.add(text)
    await workspace.touch()
    body = page.get_by_test_id(f"message-{message['ts']}").locator(".body")
    await body.wait_for()
    return body


@pytest.mark.parametrize(
    ("text", "selector", "shown"),
    [
        ("a *bold* word", "strong", "bold"),
        ("an _italic_ word", "em", "italic"),
        ("a ~struck~ word", "s", "struck"),
        ("some `a *b* c` code", "code", "a *b* c"),
        ("```\nline 1\n  line *2*\n```", "pre", "line 1\n  line *2*"),
        ("&gt; quoted", "blockquote", "quoted"),
        ("ask <@U0ANA>", ".mention", "@Ana"),
        ("ask <@U0PILOT>", ".mention", "@pilot"),
        ("in <#C0INCIDENT>", ".mention", "#incidents"),
        ("ask <!subteam^S0QA|@qa-leads>", ".mention", "@qa-leads"),
        ("*ask <@U0ANA>* now", "strong", "ask @Ana"),
        ("<https://example.com/a_b_c?x=1&amp;y=2|the diff>", "a", "the diff"),
    ],
)
async def test_marks_become_what_they_mean(
    page: Page, workspace: PageServer, text: str, selector: str, shown: str
) -> None:
    body = await said(page, workspace, text)

    assert (await body.locator(selector).inner_text()).strip() == shown


@pytest.mark.parametrize(
    "text",
    ["2 * 3 * 4", "snake_case_name", "a:b:c", "~ 5 ~", "12:30:45", "unknown :no_such_sign:"],
)
async def test_what_only_looks_like_a_mark_stays_as_typed(
    page: Page, workspace: PageServer, text: str
) -> None:
    body = await said(page, workspace, text)

    assert await body.inner_text() == text
    assert await body.locator("strong, em, s, svg").count() == 0


async def test_a_link_that_would_run_something_is_only_text(
    page: Page, workspace: PageServer
) -> None:
    body = await said(page, workspace, "<javascript:alert(1)|press me>")

    await expect(body).to_have_text("press me")
    assert await body.locator("a").count() == 0


async def test_a_link_leads_where_it_says_and_tells_nothing_about_this_page(
    page: Page, workspace: PageServer
) -> None:
    body = await said(page, workspace, "<https://example.com/?x=1&amp;y=2|diff>")

    link = body.locator("a")
    await expect(link).to_have_attribute("href", "https://example.com/?x=1&y=2")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    assert await link.inner_text() == "diff"


async def test_a_date_is_shown_in_the_readers_own_time(page: Page, workspace: PageServer) -> None:
    body = await said(page, workspace, f"at <!date^{MOMENT}^{{time}}|14:02 UTC>")

    await expect(body).to_have_text("at 15:02")
    await expect(body.locator("time")).to_have_attribute("title", "14:02 UTC")
    assert await body.locator("time").get_attribute("datetime") == "2026-11-20T14:02:00.000Z"


async def test_a_sign_is_a_picture_with_a_name(page: Page, workspace: PageServer) -> None:
    body = await said(page, workspace, ":large_green_circle: healthy, :lock: locked, ✅ signed")

    names = await body.get_by_role("img").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label'))"
    )
    assert names == ["large green circle", "lock", "white check mark"]


async def test_a_table_has_a_head_and_rows(page: Page, workspace: PageServer) -> None:
    workspace.add_payload("weekly")
    await workspace.touch()

    await expect(page.locator(".table th").first).to_be_visible()
    assert await page.locator(".table th").count() > 1
    assert await page.locator(".table tbody tr").count() > 1


async def test_a_block_nobody_knows_does_not_hide_the_others(
    page: Page, workspace: PageServer
) -> None:
    known = {"type": "section", "text": {"type": "mrkdwn", "text": "still here"}}
    workspace.add("x", [{"type": "hologram"}, known])
    await workspace.touch()

    await expect(page.get_by_text("still here")).to_be_visible()
    await expect(page.get_by_text("(hologram is not drawn here)")).to_be_visible()
    assert await page.locator(".message").count() == 1


async def height_of(page: Page, ts: str) -> float:
    box = await page.get_by_test_id(f"message-{ts}").bounding_box()
    assert box is not None
    return box["height"]


async def test_the_live_card_fits_a_phone(page: Page, workspace: PageServer) -> None:
    card = workspace.add_payload("canary")
    await workspace.touch()
    await page.get_by_test_id("phone-toggle").click()

    frame = await page.locator("#chat").bounding_box()
    assert frame is not None
    assert frame["width"] == 340
    assert 300 < await height_of(page, card["ts"]) <= 750
    lefts = await page.locator(".field").evaluate_all("all => all.map(one => one.offsetLeft)")
    assert len(set(lefts)) == 1


async def test_on_a_phone_nothing_is_wider_than_the_screen(
    page: Page, workspace: PageServer
) -> None:
    for name in ("awaiting", "canary", "rolled_back", "weekly", "confirm", "ask"):
        workspace.add_payload(name)
    workspace.add("a" * 300 + " `" + "b" * 200 + "`")
    await workspace.touch()
    await page.set_viewport_size({"width": 340, "height": 720})
    await expect(page.get_by_test_id("ephemeral")).to_be_visible()

    wide = await page.locator(".message .body").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().right > innerWidth).length"
    )
    assert wide == 0
    assert await page.evaluate("document.documentElement.scrollWidth") == 340


async def test_on_a_phone_the_thread_covers_the_messages(page: Page, workspace: PageServer) -> None:
    card = workspace.add_payload("canary")
    await workspace.touch()
    await page.get_by_test_id("phone-toggle").click()
    await page.get_by_test_id(f"thread-open-{card['ts']}").click()

    await expect(page.get_by_test_id("thread-panel")).to_be_visible()
    thread = await page.get_by_test_id("thread-panel").bounding_box()
    columns = await page.locator(".columns").bounding_box()
    assert thread == columns


async def test_only_the_changed_message_of_two_hundred_is_drawn_again(
    page: Page, workspace: PageServer
) -> None:
    await filled(page, workspace)
    await page.locator(".message").evaluate_all("all => all.forEach(one => one.old = true)")

    workspace.messages[151]["text"] = "now something else"
    await workspace.touch()
    await expect(page.get_by_text("now something else")).to_have_count(1)

    fresh = "all => all.filter(one => !one.old).length"
    assert await page.locator(".message").evaluate_all(fresh) == 1


async def test_the_newest_message_stays_in_sight(page: Page, workspace: PageServer) -> None:
    await filled(page, workspace)
    newest = await said(page, workspace, "the newest one")

    await expect(newest).to_be_in_viewport()
    assert await page.evaluate("document.getElementById('messages-scroll').scrollTop") > 0


async def test_whoever_reads_further_up_is_not_pulled_down(
    page: Page, workspace: PageServer
) -> None:
    await filled(page, workspace)
    await page.evaluate("document.getElementById('messages-scroll').scrollTop = 500")

    await said(page, workspace, "the newest one")

    assert await page.evaluate("document.getElementById('messages-scroll').scrollTop") == 500


async def test_the_focus_stays_on_a_button_whose_card_was_edited(
    page: Page, workspace: PageServer
) -> None:
    card = workspace.add_payload("canary")
    await workspace.touch()
    hold = page.locator('[data-action-id="dep.hold"]')
    await hold.focus()

    card |= {"edited": True}
    await workspace.touch()
    await expect(page.get_by_text("(edited)")).to_be_visible()

    await expect(hold).to_be_focused()
    assert workspace.posts("click") == []


async def test_two_hundred_messages_are_patched_within_a_tenth_of_a_second(
    page: Page, workspace: PageServer
) -> None:
    await filled(page, workspace)

    shown = await page.evaluate(
        """async () => {
          const { MessageList } = await import('/static/js/messages.js');
          const state = await (await fetch('/_demo/state?as=U0DANA')).json();
          const scroll = document.createElement('div');
          const context = { names: { user: () => null, channel: () => null } };
          const list = new MessageList(scroll, scroll, {
            contextFor: () => context, openThread: () => 0, botId: () => 'U0PILOT' });
          const once = () =>
            list.show('x', structuredClone(state.messages.C0DEPLOY), context.names);
          once();
          window.patchedAgain = once;
          return scroll.childElementCount;
        }"""
    )
    session = await page.context.new_cdp_session(page)
    # Seconds that the processor gave to the page: those of other processes do not count.
    await session.send("Performance.enable")
    before = await computed(session)
    await page.evaluate("window.patchedAgain()")
    took = await computed(session) - before

    assert shown == 200
    assert 0 < took < 0.1


async def computed(session: CDPSession) -> float:
    found = (await session.send("Performance.getMetrics"))["metrics"]
    return float(next(each["value"] for each in found if each["name"] == "ThreadTime"))


async def filled(page: Page, workspace: PageServer) -> None:
    for number in range(200):
        name = "canary" if number % 4 == 0 else "rolled_back"
        workspace.add_payload(name)["text"] = f"message {number}"
    for message in workspace.messages[1::2]:
        message["blocks"] = []
    await workspace.touch()
    await expect(page.locator(".message")).to_have_count(200)


async def test_the_phone_strip_shows_the_newest_notification_and_more_on_request(
    page: Page, workspace: PageServer
) -> None:
    notes = [("2026-11-20T14:00:00Z", "older words"), ("2026-11-20T14:05:00Z", "newest words")]
    workspace.notifications = [
        {"at": at, "channel": "C0DEPLOY", "text": text} for at, text in notes
    ]
    await workspace.touch()

    shown = page.get_by_test_id("notification")
    await expect(shown).to_have_count(1)
    await expect(shown).to_contain_text("newest words")
    await page.get_by_label("1 earlier notifications").click()
    await expect(shown).to_have_count(2)
    newest, older = await shown.all_inner_texts()
    assert ("newest words" in newest, "older words" in older) == (True, True)


async def test_nothing_is_asked_of_any_other_host(page: Page, workspace: PageServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    image = {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "a chart"}
    workspace.add("x", [image])
    await page.reload()

    await expect(page.get_by_role("img", name="a chart")).to_be_visible()
    origin = page.url.split("?")[0]
    assert asked
    assert [url for url in asked if not url.startswith(origin)] == []
