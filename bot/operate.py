"""What whoever has the host does without Slack: the same engine, rules and journal."""

import asyncio
import getpass
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from enum import Enum

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.http_json import HttpJson
from bot.app import Supervisor, core_of, hosts_of, world_of
from bot.domain import ending
from bot.domain.deployment import Deployment, Phase
from bot.domain.events import Cancelled, Held, Resumed, RollbackRequested
from bot.domain.line import Line, plain
from bot.domain.plan import Plan
from bot.domain.refusal import Outcome
from bot.domain.release import Target
from bot.domain.roles import People, Person
from bot.loops import Core, Loops
from bot.memory import InboxKey
from bot.numbers import Numbers
from bot.policies.loader import load
from bot.ports import Policies, Unavailable
from bot.settings import Ground, Settings
from bot.writer import Source
from handlers import parse
from handlers.commands import CancelIt, DeployStatus, HoldIt, Known, ResumeIt, Rollback
from handlers.wording import deployment_id
from storage.addresses import is_postgres, sqlite_path
from storage.lock import AlreadyRunning, hold
from storage.store import prepare

#: What may be changed from the host.
Changing = HoldIt | ResumeIt | CancelIt | Rollback

#: Shows one line to whoever typed the command.
Say = Callable[[str], None]

#: How long the command line itself drives what it started, when no bot does.
_DRIVES_FOR = timedelta(minutes=10)
_DRIVES_EVERY = timedelta(seconds=1)


class Alone(Enum):
    """Whether nobody else drives deployments on this database."""

    YES = "the lock was free"
    NO = "a bot holds the lock"
    UNKNOWN = "this database has no lock"


class NotPossible(Exception):
    """What was asked for on the command line cannot be done, and why."""


class Unfinished(Exception):
    """What was begun on the command line goes on, but did not come to its end in time."""


async def adopt_version(
    settings: Settings, service: str, name: str, environment: str | None
) -> Line:
    """Record that *name* serves, under the operating-system user; works beside a running bot."""
    policies = load(settings.policies)
    plan = _plan(policies, service, environment)
    team = await team_of(settings)
    async with AsyncExitStack() as stack:
        core = await _open(settings, policies, stack)
        releases = core.world.releases[plan.releases.kind]
        version = await releases.resolve(plan.releases, service, name)
        if version is None:
            raise NotPossible(f"{service} has no version {name}.")
        target = Target(team, service, plan.environment)
        return (await core.engine.adopt(target, version, host_user(), _source(team))).answer


async def act(settings: Ground, line: str, say: Say, drives_for: timedelta = _DRIVES_FOR) -> None:
    """Break-glass: hold, resume, cancel, roll back or look, for whoever has the host.

    Never approves. Needs neither Slack nor a running bot: without one it drives the deployment
    itself until it is settled. Raises `NotPossible`, `Unfinished`, `Refused`, `Unavailable`.
    """
    policies = _with_host(load(settings.policies))
    command = _read(line, policies)
    made(settings.database_url.get_secret_value())
    async with AsyncExitStack() as stack:
        core = await _open(settings, policies, stack)
        team = await _only_team(core)
        if isinstance(command, DeployStatus):
            await _tell(core, team, command.target, say)
            return
        thing = await _begun(core, team, command)
        if thing is None:
            outcome = await _carry_out(core, team, command)
            if outcome.refusal is not None:
                refusal = outcome.refusal
                raise NotPossible(f"{plain(refusal.why)} {plain(refusal.next_step)}")
            say(plain(outcome.answer))
            thing = outcome.thing
        if thing is not None:
            await _drive(core, team, thing, say, drives_for, _lock(settings, stack))


def made(url: str) -> str:
    """*url* again. Raises `NotPossible` for a SQLite file that is not there or empty: to look at
    one would make it, and say of a journal that it holds, or of a copy that it was made."""
    if not is_postgres(url):
        path = sqlite_path(url)
        if not path.is_file() or path.stat().st_size == 0:
            raise NotPossible(
                f"There is no database in {path.absolute()}. Is DATABASE_URL right, and is this "
                "the bot's folder? `pilothouse run` and `pilothouse db upgrade` make a new one."
            )
    return url


def host_user() -> str:
    """Who this is in the journal: the operating-system user."""
    return f"host:{getpass.getuser()}"


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


async def _open(settings: Ground, policies: Policies, stack: AsyncExitStack) -> Core:
    store = await prepare(settings.database_url.get_secret_value())
    stack.push_async_callback(store.close)
    http = HttpJson(hosts_of(policies))
    stack.push_async_callback(http.close)
    return core_of(store, policies, world_of(http, settings.state), settings.tick, Numbers())


def _plan(policies: Policies, service: str, environment: str | None) -> Plan:
    policy = policies.services.get(service)
    if policy is None:
        known = ", ".join(policies.services) or "none"
        raise NotPossible(f"There is no service {service}; the policies know {known}.")
    place = environment or policy.default_environment
    plan = next((p for (env, _), p in policy.plans.items() if env == place), None)
    if plan is None:
        known = ", ".join(policy.environments)
        raise NotPossible(f"{service} has no environment {place}; it knows {known}.")
    return plan


def _with_host(policies: Policies) -> Policies:
    """The host's user holds every role here: whoever has the host could do it by hand anyway."""
    user = host_user()
    roles = frozenset(role for person in policies.people.by_id.values() for role in person.roles)
    everybody = {**policies.people.by_id, user: Person(user, user, roles)}
    return replace(policies, people=People(everybody, policies.people.titles))


def _read(line: str, policies: Policies) -> Changing | DeployStatus:
    known = Known(
        {name: service.aliases for name, service in policies.services.items()},
        tuple(dict.fromkeys(e for s in policies.services.values() for e in s.environments)),
    )
    name, _, text = line.strip().partition(" ")
    read = {"/rollback": parse.rollback, "/deploy": parse.deploy}.get(name)
    command = read(text, known) if read is not None else None
    if isinstance(command, Changing | DeployStatus):
        return command
    raise NotPossible(
        "Only /rollback and /deploy hold, resume, cancel and status are done from the host; "
        "requests and signatures belong to people in Slack."
    )


async def _only_team(core: Core) -> str:
    teams = await core.store.run(lambda tx: tx.deployments.teams())
    if not teams:
        raise NotPossible("Nothing was ever deployed with this database. Is DATABASE_URL right?")
    if len(teams) > 1:
        raise NotPossible(f"This database knows {len(teams)} teams, so it is not clear which.")
    return teams[0]


async def _carry_out(core: Core, team: str, command: Changing) -> Outcome:
    by, source = host_user(), _source(team)
    match command:
        case HoldIt(id, reason):
            return await core.engine.apply(id, Held(by, reason), source)
        case ResumeIt(id):
            return await core.engine.apply(id, Resumed(by), source)
        case CancelIt(id, reason):
            return await core.engine.apply(id, Cancelled(by, reason), source)
        case Rollback(target, version, environment, reason):
            wish = RollbackRequested(by, reason, version)
            thing: str | Target = target or ""
            if target is None or not deployment_id(target):
                plan = _plan(
                    core.policies, target or next(iter(core.policies.services)), environment
                )
                thing = Target(team, plan.service, plan.environment)
            preview = await core.previews.rollback(team, wish, thing)
            return await core.engine.apply(preview.deployment.id, wish, source)


async def _begun(core: Core, team: str, command: Changing) -> str | None:
    """The deployment that *command* would roll back or end, and that is on its way already."""
    for d in await core.questions.unfinished(team):
        match command:
            case Rollback(target):
                is_meant = target in (None, d.id, d.plan.service) and d.phase is Phase.ROLLING_BACK
            case CancelIt(id):
                is_meant = id == d.id and ending.is_under_way(d)
            case _:
                is_meant = False
        if is_meant:
            return d.id
    return None


def _lock(settings: Ground, stack: AsyncExitStack) -> Alone:
    """Keep other processes from driving while *stack* is open, if the database has but one."""
    url = settings.database_url.get_secret_value()
    if is_postgres(url):
        return Alone.UNKNOWN
    try:
        stack.enter_context(hold(sqlite_path(url)))
    except AlreadyRunning:
        return Alone.NO
    return Alone.YES


async def _drive(
    core: Core, team: str, thing: str, say: Say, drives_for: timedelta, alone: Alone
) -> None:
    if alone is Alone.NO:
        say("The running bot carries it out.")
        return
    loops = Loops(core, None, Supervisor(core.numbers).guard, _DRIVES_EVERY)
    d = await core.questions.deployment(team, thing)

    async def is_settled() -> bool:
        nonlocal d
        d = await core.questions.deployment(team, thing)
        return d.phase is not Phase.ROLLING_BACK and not ending.is_under_way(d)

    try:
        async with asyncio.timeout(drives_for.total_seconds()):
            await loops.settle(is_settled)
    except TimeoutError as error:
        still = "being ended" if ending.is_under_way(d) else "rolling back"
        raise Unfinished(f"{d.id} is still {still}.") from error
    say(_standing(d))
    if alone is Alone.YES and not d.is_over:
        say("No bot runs here: nobody drives it until one does.")


async def _tell(core: Core, team: str, target: str | None, say: Say) -> None:
    running = await core.questions.unfinished(team)
    chosen = [d for d in running if target in (None, d.plan.service, d.id)]
    for d in chosen:
        say(_standing(d))
    if not chosen:
        say("Nothing is on its way.")


def _standing(d: Deployment) -> str:
    what = f"{d.plan.service} {d.version.name} → {d.plan.environment}"
    return f"{d.id} {what}: {d.phase.value.replace('_', ' ')}. {plain(d.last.line)}"


def _source(team: str) -> Source:
    once = uuid.uuid4().hex
    return Source(InboxKey(team, "host", once, once))
