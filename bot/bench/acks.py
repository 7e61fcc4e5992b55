"""The bot's door alone: the same program without its loops, so that only acks cost anything."""

import asyncio
import os
import time
from contextlib import AsyncExitStack

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.pace import Pace
from bot.adapters.slack import SlackChat
from bot.app import open_core, slack_route
from bot.policies.loader import load
from bot.settings import Settings
from bot.web import application
from handlers.bolt import Door, bolt_app
from handlers.desk import Desk
from handlers.errors import Answers


async def serve(settings: Settings) -> None:
    """Until the process is ended."""
    policies = load(settings.policies)
    async with AsyncExitStack() as stack:
        core = await open_core(settings, policies, stack)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        desk = Desk(core.engine, core.previews, core.questions, policies, None)
        token = settings.bot_token.get_secret_value()
        client = AsyncWebClient(token=token, session=session)
        chat = SlackChat(client, session, Pace(time.monotonic), ())
        door = Door(desk, Answers(policies, core.numbers), chat, None)
        app = bolt_app(client, token, door)
        served = application(
            slack_route(settings, app, core.numbers), _ready, core.numbers, None, True
        )
        runner = web.AppRunner(served, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.listen.host, settings.listen.port).start()
        await asyncio.Event().wait()


async def _ready() -> tuple[str, ...]:
    return ()


if __name__ == "__main__":
    asyncio.run(serve(Settings.load(os.environ)))
