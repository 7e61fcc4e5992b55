"""The composition root: builds everything once, starts it in order, and stops it in order."""

import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters import http_json
from bot.adapters.http_checks import HttpChecks
from bot.adapters.http_json import HttpJson
from bot.adapters.http_metrics import HttpMetrics
from bot.adapters.http_releases import HttpReleases
from bot.adapters.pace import Pace
from bot.adapters.shell import ShellRunner
from bot.adapters.slack import SlackChat
from bot.adapters.weighted_http import WeightedHttpRouter
from bot.engine import Engine
from bot.heartbeat import Heartbeat
from bot.links import SocketLinks
from bot.loops import Core, Loops
from bot.memory import Store
from bot.numbers import Numbers
from bot.policies.addresses import urls
from bot.policies.loader import load
from bot.ports import Policies, Unavailable, World
from bot.previews import Previews
from bot.questions import Questions
from bot.settings import Settings
from bot.web import Readiness, application, runner_of
from bot.writer import Writer
from handlers.bolt import Door, bolt_app, http_handler
from handlers.desk import Desk
from handlers.errors import Answers
from handlers.gate import Limits, gated
from handlers.limit import Limit
from storage.addresses import is_postgres, sqlite_path
from storage.invariants import Invariants
from storage.lock import hold
from storage.prune import prune
from storage.store import prepare
from storage.takeover import end_leases

_log = structlog.get_logger()


def world_of(http: HttpJson, state: Path) -> World:
    """Every adapter there is, by the name a policy calls it."""
    return World(
        releases={"http": HttpReleases(http)},
        checks={"http": HttpChecks(http)},
        runners={"shell": ShellRunner(state)},
        routers={"weighted_http": WeightedHttpRouter(http)},
        metrics={"http": HttpMetrics(http)},
    )


def hosts_of(policies: Policies) -> frozenset[str]:
    """Every host that a policy names; no adapter speaks to any other."""
    return http_json.hosts_of(urls(policies))


def core_of(
    store: Store, policies: Policies, world: World, tick: timedelta, numbers: Numbers
) -> Core:
    woken = asyncio.Event()
    writer = Writer(policies.people, tick)
    engine = Engine(store, policies, writer, tick, wake=woken.set)
    previews = Previews(store, policies, world, writer, lambda: uuid.uuid4().hex[:12])
    questions = Questions(store, policies)
    owner = f"{os.uname().nodename}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
    return Core(store, policies, world, engine, previews, questions, numbers, owner, woken)


class CannotListen(Exception):
    """The configured host and port are taken, not ours or not there."""


class Supervisor:
    """The one place under the loops where everything is caught."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    async def guard(self, name: str, work: Awaitable[None]) -> bool:
        """A bug in one piece of work is coded, logged and counted; it neither stops the others
        nor loses anything, for its row is claimed again when the lease has run out."""
        failure = await self._failure(work)
        if isinstance(failure, Unavailable):
            _log.warning("away", thing=name, why=str(failure))
        elif failure is not None:
            code = f"E-{uuid.uuid4().hex[:4].upper()}"
            self._numbers.bugs.labels("loop").inc()
            _log.error("bug", code=code, thing=name, exc_info=failure)
        return failure is None

    async def answers(self, work: Awaitable[object], within: float) -> bool:
        """Whether *work* ends well in time; for probes, which only want a yes or a no."""

        async def in_time() -> None:
            async with asyncio.timeout(within):
                await work

        return await self._failure(in_time()) is None

    async def _failure(self, work: Awaitable[None]) -> Exception | None:
        try:
            await work
        except Exception as error:
            return error
        return None


async def run(settings: Settings, stop: asyncio.Event, started: Callable[[str], None]) -> None:
    """Be the bot until *stop* is set; *started* is told the address it listens on.

    Raises `PolicyError`, `AlreadyRunning`, `WrongSchema`, `NoFolder`, `CannotListen` or
    `Unavailable` before anything was started.
    """
    policies = load(settings.policies)
    async with AsyncExitStack() as stack:
        core = await open_core(settings, policies, stack)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        token = settings.bot_token.get_secret_value()
        client = AsyncWebClient(
            token=token, base_url=settings.slack_api_url, session=session, retry_handlers=[]
        )
        chat = SlackChat(client, session, Pace(time.monotonic), _origins(settings.slack_api_url))
        supervisor = Supervisor(core.numbers)
        loops = Loops(
            *(core, chat, supervisor.guard, settings.tick),
            lambda: prune(core.store),
            Invariants(),
            heartbeat_of(settings, session),
        )
        desk = Desk(core.engine, core.previews, core.questions, policies, chat)
        limit = limit_of(policies, core.numbers)
        door = Door(desk, Answers(policies, core.numbers), chat, None, limit)
        app = bolt_app(client, token, door)
        links = SocketLinks(app, settings.app_token, client)
        ready = readiness(core, loops, links, chat, supervisor, settings)
        # Ends in the opposite order: nobody is listened to any more when the loops stop.
        stack.push_async_callback(loops.stop)
        stack.push_async_callback(links.stop)
        address = await _listen(
            settings, slack_route(settings, app, core.numbers), ready, core.numbers, stack
        )
        loops.start()
        links.start()
        started(address)
        await stop.wait()
        _log.info("stopping")


async def open_core(settings: Settings, policies: Policies, stack: AsyncExitStack) -> Core:
    """The core over the configured database, whose schema is brought up to date first."""
    url = settings.database_url.get_secret_value()
    is_alone = not is_postgres(url)
    if is_alone:
        stack.enter_context(hold(sqlite_path(url)))
    store = await prepare(url)
    stack.push_async_callback(store.close)
    if is_alone:
        await end_leases(store)
    http = HttpJson(hosts_of(policies))
    stack.push_async_callback(http.close)
    return core_of(store, policies, world_of(http, settings.state), settings.tick, Numbers())


def heartbeat_of(
    settings: Settings, session: aiohttp.ClientSession
) -> Callable[[], Awaitable[None]] | None:
    if settings.heartbeat_url is None:
        return None
    return Heartbeat(session, settings.heartbeat_url.get_secret_value()).beat


def limit_of(policies: Policies, numbers: Numbers) -> Limit:
    return Limit(policies.limits, time.monotonic, lambda kind: numbers.limited.labels(kind).inc())


def slack_route(settings: Settings, app: AsyncApp, numbers: Numbers) -> Handler | None:
    """Slack's door over HTTP; none without a signing secret."""
    secrets = [secret.get_secret_value().encode() for secret in settings.signing_secrets]
    if not secrets:
        return None

    def turned(status: int) -> None:
        numbers.turned.labels(str(status)).inc()

    return gated(http_handler(app), secrets, time.time, Limits(), turned)


def readiness(
    core: Core,
    loops: Loops,
    links: SocketLinks,
    chat: SlackChat,
    supervisor: Supervisor,
    settings: Settings,
) -> Readiness:
    patience = 3 * settings.tick.total_seconds() + 10

    async def ready() -> tuple[str, ...]:
        missing = {
            "the database does not answer": not await supervisor.answers(core.store.now(), 1),
            "nothing was looked at for a while": time.monotonic() - loops.lapped_at > patience,
            "no socket to Slack": settings.app_token is not None and not links.is_up,
            "Slack refuses the token or the app": chat.is_revoked,
        }
        return tuple(what for what, is_missing in missing.items() if is_missing)

    return ready


async def _listen(
    settings: Settings,
    slack: Handler | None,
    ready: Readiness,
    numbers: Numbers,
    stack: AsyncExitStack,
) -> str:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    served = application(slack, ready, numbers, token, settings.listen.is_loopback)
    runner = runner_of(served)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, *settings.listen).start()
    except OSError as error:
        where, why = "{}:{}".format(*settings.listen), str(error).rpartition(": ")[2]
        raise CannotListen(f"The bot cannot listen on {where}: {why}.") from error
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


def _origins(api_url: str) -> tuple[str, ...]:
    parts = urlsplit(api_url)
    own = f"{parts.scheme}://{parts.netloc}"
    return ("https://hooks.slack.com",) if own == "https://slack.com" else (own,)
