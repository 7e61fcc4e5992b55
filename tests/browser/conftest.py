"""A real chromium, and the demo page in it with a stand-in for its server."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.demo.page_server import PageServer, served

CHROMIUM = "/usr/bin/chromium"
#: Milliseconds in which anything that one waits for must be there, on a machine that is busy.
PATIENCE = 40_000
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


@pytest_asyncio.fixture(loop_scope="session")
async def workspace() -> PageServer:
    return PageServer()


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser, workspace: PageServer) -> AsyncIterator[Page]:
    """The page as Dana sees it; the test fails when the page itself reported an error."""
    faults: list[str] = []
    async with served(workspace) as url:
        context = await chromium.new_context(
            base_url=url, locale="en-GB", timezone_id="Europe/Berlin"
        )
        context.set_default_timeout(PATIENCE)
        opened = await context.new_page()
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on(
            "console", lambda said: faults.append(said.text) if said.type == "error" else None
        )
        await opened.goto("/")
        await opened.get_by_test_id("channel-C0DEPLOY").wait_for()
        yield opened
        await context.close()
    assert faults == []
