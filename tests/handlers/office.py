"""The way in and out without sockets: real Bolt, handlers, engine and SQLite, fakes around."""

import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.deployment import Deployment
from bot.domain.release import Target
from bot.memory import InboxKey, Store
from bot.numbers import Numbers
from bot.ports import Policies, Posted, ServicePolicy
from bot.questions import Questions
from bot.writer import Source
from handlers import values
from handlers.bolt import Door, bolt_app
from handlers.desk import Desk
from handlers.errors import Answers
from handlers.limit import Limit
from storage.sqlite import SqliteStore
from tests.builders import ANA, DANA, PATIENCE, QUINN, TEAM, a_version, people
from tests.fake_chat import FakeChat
from tests.fakes import Clock, FakeWorld
from tests.handlers.reading import Answer, buttons, text_of
from tests.simulation.fate import Fate, FatefulStore
from tests.simulation.replica import Replica
from tests.simulation.team import plan_of

OLD, NEW = a_version("v1.8.2"), a_version("v1.8.3")
PILOT = "U0PILOT"


def policies(*services: str) -> Policies:
    every = {service: _policy(service) for service in services}
    return Policies(people(), every, timedelta(minutes=15), PATIENCE)


def _policy(service: str) -> ServicePolicy:
    plan = replace(plan_of(service), kind="standard")
    return ServicePolicy(
        service, (), service, service, "production", {("production", "standard"): plan}
    )


class Office:
    """Use `async with`. Everything a person does is one method, named for what they do."""

    def __init__(
        self,
        database: Path,
        *services: str,
        fate: Fate | None = None,
        through: Callable[[Store], Store] = lambda store: store,
    ) -> None:
        self._database = database
        self._through = through
        self._ids = count(1)
        self._stack = AsyncExitStack()
        self.clock = Clock()
        self.fate = fate or Fate(Random(1))
        self.world = FakeWorld(self.clock, self.fate)
        self.chat = FakeChat(self.clock, self.fate)
        self.policies = policies(*(services or ("checkout",)))
        self.numbers = Numbers()
        self.limited: list[str] = []
        for service in self.policies.services:
            self.world.releases.offer(service, "v1.8.1", OLD.name, NEW.name, "v1.8.4")

    async def __aenter__(self) -> "Office":
        store = await SqliteStore.open(self._database, self.clock)
        self._stack.push_async_callback(store.close)
        self.store = FatefulStore(self._through(store), self.fate)
        self.plain_store = store
        self.replica = Replica(
            "one", self.store, self.policies, self.world, self.chat, self.clock, Random(1)
        )
        self.engine = self.replica.engine
        desk = Desk(
            self.engine,
            self.replica.previews,
            Questions(self.store, self.policies),
            self.policies,
            self.chat,
        )
        answers = Answers(self.policies, self.numbers, timedelta(seconds=1))
        client = AsyncWebClient("xoxb-test", base_url="http://127.0.0.1:9/")
        limit = Limit(self.policies.limits, self.clock.seconds, self.limited.append)
        door = Door(desk, answers, self.chat, PILOT, limit)
        self.app: AsyncApp = bolt_app(client, "xoxb-test", door)
        for service in self.policies.services:
            await self.adopt(service)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def adopt(self, service: str, team: str = TEAM) -> None:
        source = Source(InboxKey(team, "host", f"adopt/{team}/{service}", ""))
        await self.engine.adopt(Target(team, service, "production"), OLD, "host:root", source)

    # --- what people do ------------------------------------------------------------------------

    async def types(self, user: str, line: str, team: str = TEAM) -> Answer:
        command, _, text = line.partition(" ")
        return await self.sends(
            {
                "command": command,
                "text": text,
                "team_id": team,
                "user_id": user,
                "channel_id": "C0DEPLOY",
                "trigger_id": f"t{next(self._ids)}",
                "response_url": "https://hooks.slack.com/commands/1",
            }
        )

    async def presses(
        self, user: str, action: str, value: str, team: str = TEAM, **more: Any
    ) -> str:
        """A press, and what the person reads of it once everything is delivered.

        What is about a deployment is pressed on its card, everything else where only they see it.
        """
        name, is_menu, _ = action.partition("/")
        element = {"selected_option": {"value": value}} if is_menu else {"value": value}
        number = next(self._ids)
        body: dict[str, Any] = {
            "type": "block_actions",
            "team": {"id": team},
            "user": {"id": user},
            "trigger_id": f"t{number}",
            "response_url": f"https://hooks.slack.com/actions/{number}",
            "actions": [{"type": "button", "action_id": name, "block_id": "b"} | element],
        }
        body |= more if "container" in more else await self._where(name, value, team) | more
        before = len(self.chat.answers)
        answer = await self.sends(body)
        assert answer.status == 200
        await self.replica.drain()
        return " ".join(text_of(message) for _, message in self.chat.answers[before:])

    async def _where(self, action: str, value: str, team: str) -> dict[str, Any]:
        if not action.startswith("dep."):
            return {"container": {"is_ephemeral": True}}
        thing = values.read(value)
        places = await self.places(thing.thing if thing is not None else "", team)
        return self.on(places["card"]) if "card" in places else {}

    async def places(self, id: str, team: str = TEAM) -> Mapping[str, Posted]:
        """Where the messages about *id* stand, by role."""
        return await self.plain_store.run(lambda tx: tx.threads.places(team, id))

    def on(self, where: Posted) -> dict[str, Any]:
        """What Slack says of the message that was pressed."""
        shown = self.chat.shown.get(where)
        message: dict[str, Any] = {"ts": where.ts, "type": "message"}
        container = {"type": "message", "message_ts": where.ts, "channel_id": where.channel}
        if shown is not None:
            event = {"event_type": "pilothouse_parcel", "event_payload": {"key": shown.key}}
            message["metadata"] = event
        if shown is not None and shown.thread is not None:
            message["thread_ts"] = container["thread_ts"] = shown.thread
        return {
            "container": container | {"is_ephemeral": False},
            "channel": {"id": where.channel},
            "message": message,
        }

    async def submits(
        self, user: str, callback: str, metadata: str, team: str = TEAM, **typed: str
    ) -> Answer:
        state = {block: {"v": {"value": text}} for block, text in typed.items()}
        number = next(self._ids)
        view = {
            "id": f"V{number}",
            "type": "modal",
            "callback_id": callback,
            "private_metadata": metadata,
            "hash": "1",
            "state": {"values": state},
        }
        return await self.sends(
            {
                "type": "view_submission",
                "team": {"id": team},
                "user": {"id": user},
                "trigger_id": f"t{number}",
                "view": view,
            }
        )

    async def mentions(self, user: str, text: str, thread: Posted | None = None) -> str:
        """`@pilot …`, and what that person alone reads of it once everything is delivered."""
        number = next(self._ids)
        event = {
            "type": "app_mention",
            "user": user,
            "text": f"<@{PILOT}> {text}",
            "ts": f"{1700000000 + number}.000100",
            "channel": "C0DEPLOY",
        }
        if thread is not None:
            event["thread_ts"] = thread.ts
        before = len(self.chat.answers)
        answer = await self.sends(
            {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}", "event": event}
        )
        assert answer.status == 200
        await self.replica.drain()
        return " ".join(text_of(message) for _, message in self.chat.answers[before:])

    async def sends(self, body: dict[str, Any]) -> Answer:
        """Through Bolt, as the socket and the gate both hand it over."""
        request = AsyncBoltRequest(mode="socket_mode", body=body)
        response = await self.app.async_dispatch(request)
        try:
            found = json.loads(response.body) if response.body else {}
        except ValueError:
            found = response.body
        return Answer(response.status, found)

    # --- what happens --------------------------------------------------------------------------

    async def requested(self, user: str = DANA, version: str = "v1.8.3") -> str:
        """Asked for by *user*, previewed and confirmed; the new deployment's id."""
        preview = await self.types(user, f"/deploy checkout {version}")
        value = buttons(preview.body)["deploy.request.confirm"]
        await self.presses(user, "deploy.request.confirm", value)
        return max((d.id for d in await self.every()), key=lambda id: int(id[2:]))

    async def at_approval(self, version: str = "v1.8.3") -> str:
        id = await self.requested(version=version)
        await self.until(id, "Approval")
        return id

    async def at_canary(self, version: str = "v1.8.3") -> str:
        id = await self.at_approval(version)
        for user in (ANA, QUINN):
            await self.presses(user, "dep.approve", await self.value(id))
        await self.until(id, "Rollout")
        while not (await self.get(id)).passing_since:
            await self.beat()
        return id

    async def watching(self) -> str:
        id = await self.at_canary()
        await self.until(id, "Watch")
        return id

    async def over(self, id: str) -> Deployment:
        """*id* once it has come to its end."""
        for _ in range(200):
            d = await self.get(id)
            if d.is_over:
                return d
            await self.beat()
        raise AssertionError(f"{id} never ended, it is {d.phase}: {d.waits_for}")

    async def until(self, id: str, stage: str) -> None:
        for _ in range(100):
            d = await self.get(id)
            if d.stage.name == stage and (d.is_touched or stage in ("Approval", "Gates")):
                await self.beat()
                return
            await self.beat()
        raise AssertionError(f"{id} never came to {stage}, it is {d.phase} at {d.stage.name}")

    async def beat(self) -> None:
        self.clock.pass_(timedelta(seconds=11))
        await self.replica.lap()
        await self.replica.drain()

    async def get(self, id: str, team: str = TEAM) -> Deployment:
        d = await self.plain_store.run(lambda tx: tx.deployments.get(team, id))
        assert d is not None
        return d

    async def value(self, id: str) -> str:
        """What a button of the card as it is now carries."""
        return json.dumps({"d": id, "o": (await self.get(id)).offer})

    async def every(self, team: str = TEAM) -> tuple[Deployment, ...]:
        return await self.plain_store.run(lambda tx: tx.deployments.recent(team, None, 1000))

    async def card(self, id: str) -> Posted:
        return (await self.places(id))["card"]

    @property
    def faults(self) -> float:
        registry = self.numbers.registry
        return registry.get_sample_value("pilothouse_bugs_total", {"where": "handler"}) or 0.0
