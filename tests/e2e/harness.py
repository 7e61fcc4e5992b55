"""A whole team at work: the strict Slack, a world, a database, and real bot processes."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, Protocol

from bot.demo.slack import Manifest, SlackEmulator, Timing, demo_workspace
from bot.demo.slack.seen import Seen
from bot.demo.slack.workspace import Message
from bot.demo.supervisor import BotProcess
from bot.demo.world.catalogue import FIRST
from bot.demo.world.world import Addresses
from bot.domain.deployment import Deployment, Phase
from bot.memory import Transaction
from bot.operate import adopt_version
from bot.ports import Posted
from bot.settings import Settings
from storage.store import OpenStore, open_store
from storage.transaction import connection_of
from tests.builders import DANA, TEAM
from tests.e2e.policies import write_fast
from tests.e2e.waiting import LONG, actions_of, eventually
from tests.e2e.warm import warm
from tests.e2e.world import RecordingWorld
from tests.loopback import held_port, number_of

Transport = Literal["socket", "http"]

CHANNEL = "C0DEPLOY"
_MANIFEST = Path(__file__).parents[2] / "manifest.yml"
_BOT, _APP, _SIGNING = "xoxb-e2e", "xapp-e2e", "e2e-signing-secret"


class World(Protocol):
    @property
    def addresses(self) -> Addresses: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def act(self, action: dict[str, object]) -> dict[str, object]: ...


@dataclass
class Site:
    """Where it all is; `times` are those of the policies."""

    directory: Path
    database: str
    world: World
    transport: Transport = "socket"
    scopes: tuple[str, ...] = ()
    times: dict[str, str] = field(default_factory=dict)


class Team:
    """People in front of Slack. What they see comes from Slack, what is true from the database."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.bots: list[BotProcess] = []
        self._store: OpenStore | None = None
        self._ports = ExitStack()
        self.slack = SlackEmulator(
            demo_workspace(),
            Manifest.read(_MANIFEST).granting(*site.scopes),
            bot_token=_BOT,
            app_token=_APP,
            signing_secret=_SIGNING,
            transport=site.transport,
            # How fast a bot must be is the bench's question, on a machine of its own.
            timing=Timing(ack=LONG, trigger=LONG),
        )

    async def start(self, bots: int = 1) -> None:
        """The first version is adopted and every bot is ready when it returns."""
        await self.world.start()
        await self.slack.start()
        write_fast(self.site.directory / "policies", self.world.addresses, **self.site.times)
        self._store = await open_store(self.site.database)
        await adopt_version(Settings.load(self.environment()), "checkout", FIRST, None)
        for _ in range(bots):
            await self.add_bot().start()

    async def stop(self) -> None:
        for bot in self.bots:
            await bot.kill()
        await self.slack.stop()
        await self.world.stop()
        self._ports.close()
        if self._store is not None:
            await self._store.close()

    def add_bot(self, **extra: str) -> BotProcess:
        """One more bot, not started; *extra* goes into its environment."""
        port = number_of(self._ports.enter_context(held_port()))
        environment = self.environment() | {"PILOTHOUSE_LISTEN": f"127.0.0.1:{port}"} | extra
        log = self.site.directory / f"bot{len(self.bots)}.log"
        bot = BotProcess(environment, log, f"http://127.0.0.1:{port}/readyz", spawn=warm)
        if self.site.transport == "http":
            self.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        self.bots.append(bot)
        return bot

    def environment(self) -> dict[str, str]:
        place = self.site.directory
        door = (
            {"SLACK_APP_TOKEN": _APP}
            if self.site.transport == "socket"
            else {"SLACK_SIGNING_SECRET": _SIGNING}
        )
        return door | {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "SLACK_BOT_TOKEN": _BOT,
            "SLACK_API_URL": self.slack.api_url,
            "DATABASE_URL": self.site.database,
            "PILOTHOUSE_POLICIES": str(place / "policies"),
            "PILOTHOUSE_STATE": str(place / "state"),
            "PILOTHOUSE_TICK": "0.15",
            "PILOTHOUSE_LOG": "json",
        }

    # --- what is true ----------------------------------------------------------------------------

    @property
    def store(self) -> OpenStore:
        assert self._store is not None, "not started"
        return self._store

    async def deployment(self, id: str = "D-1") -> Deployment | None:
        return await self.store.run(lambda tx: tx.deployments.get(TEAM, id))

    async def until(self, *phases: Phase, id: str = "D-1", within: float = LONG) -> Deployment:
        return await self.until_so(lambda d: d.phase in phases, "/".join(phases), id, within)

    async def until_so(
        self, is_so: Callable[[Deployment], bool], what: str, id: str = "D-1", within: float = LONG
    ) -> Deployment:
        async def look() -> Deployment | None:
            d = await self.deployment(id)
            return d if d is not None and is_so(d) else None

        return await eventually(look, f"{id}: {what}", within, self.last_words)

    async def where(self, role: str, id: str = "D-1") -> Posted | None:
        return await self.store.run(lambda tx: tx.threads.find(TEAM, id, role))

    @property
    def recorded(self) -> RecordingWorld:
        """The world, when it is one that remembers."""
        assert isinstance(self.world, RecordingWorld)
        return self.world

    async def leases_run_out(self) -> None:
        """As if a minute had passed in which no bot ran: what a dead one held is free."""
        assert not any(bot.is_running for bot in self.bots)

        async def unit(tx: Transaction) -> None:
            free = "SET lease_until = :then WHERE lease_until IS NOT NULL"
            for table in ("outbox", "deployments"):
                sql = f"UPDATE {table} {free}"
                await connection_of(tx).change(sql, then=tx.now - timedelta(minutes=1))

        await self.store.run(unit)

    async def sending(self) -> list[str]:
        """The lanes of everything that is marked as being sent."""
        return await self._column("SELECT lane FROM outbox WHERE state = 'sending'")

    async def unsent(self) -> list[str]:
        """The lanes of everything that is still on its way."""
        return await self._column("SELECT lane FROM outbox WHERE done_at IS NULL")

    async def keys_of(self, lane: str, id: str = "D-1") -> set[str]:
        """Under which keys the posts of *lane* are sent."""
        ids = await self._column(f"SELECT id FROM outbox WHERE lane = '{id}/{lane}'")  # noqa: S608
        return {f"{TEAM}/{id}/{number}" for number in ids}

    @staticmethod
    def key_of(message: Message) -> str:
        return str((message.metadata or {}).get("event_payload", {}).get("key"))

    async def _column(self, sql: str) -> list[str]:
        async def unit(tx: Transaction) -> list[str]:
            return [str(row[0]) for row in await connection_of(tx).rows(sql)]

        return await self.store.run(unit)

    async def standing(self) -> str:
        """How it all is, for the words of a test that failed."""
        lanes = await self._column(
            "SELECT lane || ' ' || state || ' ' || attempts || ' ' || coalesce(why, '') FROM outbox"
            " WHERE done_at IS NULL ORDER BY id"
        )
        ids = await self._column("SELECT id FROM deployments")
        found = [await self.deployment(id) for id in ids]
        things = [f"{d.id} {d.phase} {d.stage.name} {d.waits_for}" for d in found if d is not None]
        return "\n".join((*things, *lanes, self.last_words()))

    def last_words(self) -> str:
        return "\n".join(bot.last_words() for bot in self.bots[-2:])

    # --- what people see -------------------------------------------------------------------------

    def top_level(self) -> list[Message]:
        """What everybody sees in the channel, outside threads."""
        messages = self.slack.workspace.messages(CHANNEL)
        return [m for m in messages if not m.is_reply and m.visible_to is None]

    def told(self, user: str) -> list[Message]:
        """What only *user* sees, oldest first."""
        return [m for m in self.slack.workspace.messages(CHANNEL) if m.visible_to == user]

    async def shown(self, role: str, action: str, id: str = "D-1") -> Message:
        """The message that stands for *role*, once it offers *action*."""

        async def look() -> Message | None:
            found = await self._standing_for(role, id)
            return found if found and action in actions_of(found) else None

        return await eventually(look, f"{action} on the {role} of {id}", LONG, self.last_words)

    async def _standing_for(self, role: str, id: str) -> Message | None:
        where = await self.where(role, id)
        return self.slack.workspace.find(where.channel, where.ts) if where else None

    async def card(self, id: str = "D-1") -> Message:
        return await self.shown("card", "dep.more", id)

    async def thread(self, id: str = "D-1") -> list[Message]:
        card = await self.card(id)
        return self.slack.workspace.replies(CHANNEL, card.ts)

    async def until_said(self, words: str, user: str, within: float = LONG) -> Message:
        """Something only *user* sees that contains *words*."""

        async def look() -> Message | None:
            return next((m for m in reversed(self.told(user)) if words in m.text), None)

        return await eventually(look, f"{user} reads {words!r}", within, self.last_words)

    async def until_everybody_reads(self, words: str, within: float = LONG) -> Message:
        """A top-level message that contains *words*."""

        async def look() -> Message | None:
            return next((m for m in self.top_level() if words in m.text), None)

        return await eventually(look, f"{words!r} in the channel", within, self.last_words)

    async def until_card_reads(self, words: str, id: str = "D-1", within: float = LONG) -> Message:
        async def look() -> Message | None:
            found = await self._standing_for("card", id)
            return found if found and words in f"{found.text} {found.blocks}" else None

        return await eventually(look, f"{words!r} on the card of {id}", within, self.last_words)

    # --- what people do --------------------------------------------------------------------------

    async def request(self, version: str = "v1.8.3", by: str = DANA) -> None:
        """`/deploy checkout VERSION`, and the one tap that starts it."""
        seen = await self.slack.command(by, "/deploy", f"checkout {version}")
        assert seen.is_fine, seen
        assert seen.message is not None
        seen = await self.slack.click(by, CHANNEL, seen.message.ts, "deploy.request.confirm")
        assert seen.is_fine, seen

    async def press(
        self, user: str, action: str, id: str = "D-1", role: str = "card", **more: str
    ) -> Seen:
        """Press *action* once it is offered."""
        message = await self.shown(role, action if not more else "dep.more", id)
        return await self.slack.click(user, CHANNEL, message.ts, action, **more)

    async def approve(self, *people: str, id: str = "D-1") -> None:
        """With the button in the thread."""
        await self.until_so(lambda d: d.ask_round > 0, "asks for signatures", id)
        for user in people:
            seen = await self.press(user, "dep.approve", id, "ask")
            assert seen.is_fine, seen

    async def submit(self, user: str, **typed: str) -> Seen:
        """Fill in and send the form that *user* has in front of them; blocks by name."""
        view = await self.slack.wait_for(lambda: self.slack.views.stack(user) or None)
        values = {
            block["block_id"]: {block["element"]["action_id"]: typed[block["block_id"]]}
            for block in view[-1].blocks
            if block["type"] == "input" and block["block_id"] in typed
        }
        return await self.slack.submit(user, view[-1].id, values)
