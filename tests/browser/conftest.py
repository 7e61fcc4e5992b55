"""A real chromium, and the demo page in it with a stand-in for its server."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from tests.demo.page_server import PageServer, Stage, served

CHROMIUM = "/usr/bin/chromium"
#: Milliseconds in which anything that one waits for must be there, on a machine that is busy.
PATIENCE = 40_000
DESK = ViewportSize(width=1280, height=720)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Started once; tests that use it mark themselves with `loop_scope="session"`."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> Stage:
    return Stage()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tab(chromium: Browser, stage: Stage) -> AsyncIterator[Page]:
    """Opened once: that takes longer than most tests. Every test loads the page anew in it."""
    async with served(stage) as url:
        context = await chromium.new_context(
            base_url=url, locale="en-GB", timezone_id="Europe/Berlin"
        )
        context.set_default_timeout(PATIENCE)
        yield await context.new_page()
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(stage: Stage) -> PageServer:
    stage.workspace = PageServer()
    return stage.workspace


@pytest_asyncio.fixture(loop_scope="session")
async def page(tab: Page, workspace: PageServer) -> AsyncIterator[Page]:
    """The page as Dana sees it; the test fails when the page itself reported an error."""
    faults: list[str] = []

    def raised(error: Error) -> None:
        faults.append(str(error))

    def said(line: ConsoleMessage) -> None:
        if line.type == "error":
            faults.append(line.text)

    tab.on("pageerror", raised)
    tab.on("console", said)
    await tab.set_viewport_size(DESK)
    await tab.mouse.move(0, 0)
    await tab.goto("/")
    await tab.get_by_test_id("channel-C0DEPLOY").wait_for()
    yield tab
    tab.remove_listener("pageerror", raised)
    tab.remove_listener("console", said)
    await tab.unroute_all()
    await tab.goto("about:blank")
    assert faults == []
