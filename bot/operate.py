"""What whoever has the host does without Slack: the same engine, rules and journal."""

import asyncio
import getpass
import uuid
from contextlib import AsyncExitStack

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.http_json import HttpJson
from bot.app import core_of, hosts_of, world_of
from bot.domain.line import Line
from bot.domain.release import Target
from bot.memory import InboxKey
from bot.numbers import Numbers
from bot.policies.loader import load
from bot.ports import Unavailable
from bot.settings import Settings
from bot.writer import Source
from storage.store import prepare


class AdoptionRefused(Exception):
    """What was to be adopted does not exist."""


async def adopt_version(
    settings: Settings, service: str, name: str, environment: str | None
) -> Line:
    """Record that *name* serves, under the operating-system user; works beside a running bot."""
    policies = load(settings.policies)
    policy = policies.services.get(service)
    if policy is None:
        known = ", ".join(policies.services) or "none"
        raise AdoptionRefused(f"There is no service {service}; the policies know {known}.")
    place = environment or policy.default_environment
    plans = [plan for (env, _), plan in policy.plans.items() if env == place]
    if not plans:
        known = ", ".join(policy.environments)
        raise AdoptionRefused(f"{service} has no environment {place}; it knows {known}.")
    team = await team_of(settings)
    async with AsyncExitStack() as stack:
        store = await prepare(settings.database_url.get_secret_value())
        stack.push_async_callback(store.close)
        http = HttpJson(hosts_of(policies))
        stack.push_async_callback(http.close)
        world = world_of(http, settings.state)
        releases = world.releases[plans[0].releases.kind]
        version = await releases.resolve(plans[0].releases, service, name)
        if version is None:
            raise AdoptionRefused(f"{service} has no version {name}.")
        core = core_of(store, policies, world, settings.tick, Numbers())
        once = uuid.uuid4().hex
        source = Source(InboxKey(team, "host", once, once))
        target = Target(team, service, place)
        return (
            await core.engine.adopt(target, version, f"host:{getpass.getuser()}", source)
        ).answer


async def team_of(settings: Settings) -> str:
    """The id of the team the bot token belongs to. Raises `Unavailable`."""
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token=settings.bot_token.get_secret_value(),
            base_url=settings.slack_api_url,
            session=session,
            retry_handlers=[],
        )
        try:
            async with asyncio.timeout(10):
                return str((await client.auth_test())["team_id"])
        except (aiohttp.ClientError, TimeoutError, SlackApiError) as error:
            raise Unavailable("Slack did not say which team the token is for") from error
