"""A stand-in for the demo server: keeps a small workspace and answers the page."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.demo.page.routes import mount

Json = dict[str, Any]

PAYLOADS = Path(__file__).parent / "page_payloads"

PEOPLE = [
    {"id": "U0DANA", "name": "Dana", "title": "developer"},
    {"id": "U0ANA", "name": "Ana", "title": "Deployment Lead"},
    {"id": "U0QUINN", "name": "Quinn", "title": "QA Lead"},
    {"id": "U0SAM", "name": "Sam", "title": "on call"},
]
COMMANDS = [
    {
        "command": "/deploy",
        "usage_hint": "<service> <version> [environment]",
        "description": "Ask for a deployment, or see what runs",
    },
    {"command": "/approve", "usage_hint": "[D-142]", "description": "Sign a deployment"},
    {"command": "/rollback", "usage_hint": "[service] why", "description": "Take it back"},
]
SERVICES = ["checkout", "search", "payments"]


def payload(name: str) -> Json:
    content: Json = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return content


class PageServer:
    """Its lists are what the page sees; tests fill them and call `touch`."""

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self.replies: dict[str, list[Json]] = {}
        self.views: list[Json] = []
        self.notifications: list[Json] = []
        self.bot_connected = True
        self.home: Json | None = None
        self.world: Json | None = a_world()
        #: every POST in order: (path, body)
        self.heard: list[tuple[str, Json]] = []
        self.errors: dict[str, str] = {}
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._last = 1795183000
        self._changes = 0
        self._changed = asyncio.Condition()

    def add(self, text: str, blocks: list[Json] | None = None, **more: Any) -> Json:
        """Append a message; `thread_ts` puts it into that thread."""
        self._last += 10
        message: Json = {
            "ts": f"{self._last}.000100",
            "channel": "C0DEPLOY",
            "thread_ts": None,
            "user": "U0PILOT",
            "name": "pilot",
            "text": text,
            "blocks": blocks or [],
            "edited": False,
            "ephemeral": False,
            "reply_count": 0,
            "at": datetime.fromtimestamp(self._last, UTC).isoformat(),
        }
        message |= more
        thread = message["thread_ts"]
        if thread is None:
            self.messages.append(message)
        else:
            self.replies.setdefault(f"C0DEPLOY:{thread}", []).append(message)
            for parent in self.messages:
                parent["reply_count"] += parent["ts"] == thread
        return message

    def add_payload(self, name: str, **more: Any) -> Json:
        content = payload(name)
        if content.get("response_type") == "ephemeral":
            more = {"ephemeral": True, **more}
        return self.add(content["text"], content["blocks"], **more)

    def open(self, name: str, view_id: str = "V1") -> Json:
        view = {"id": view_id, "hash": "1", "view": payload(name)}
        self.views.append(view)
        return view

    async def touch(self) -> None:
        async with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def posts(self, path: str) -> list[Json]:
        return [body for heard, body in self.heard if heard == path]

    async def state(self, request: web.Request) -> web.Response:
        me = next(one for one in PEOPLE if one["id"] == request.query["as"])
        channels = [("C0DEPLOY", "deployment", 0), ("C0INCIDENT", "incidents", 2)]
        state = {
            "me": me,
            "people": PEOPLE,
            "bot": {"id": "U0PILOT", "name": "pilot"},
            "channels": [{"id": id_, "name": n, "unread": u} for id_, n, u in channels],
            "messages": {"C0DEPLOY": self.messages, "C0INCIDENT": []},
            "threads": self.replies,
            "views": self.views,
            "home": self.home,
            "commands": COMMANDS,
            "notifications": self.notifications,
            "bot_connected": self.bot_connected,
            "world": self.world,
        }
        return web.json_response(state)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        seen = -1
        with suppress(ConnectionResetError):
            while True:
                async with self._changed:
                    while self._changes == seen:
                        await self._changed.wait()
                    seen = self._changes
                await response.write(b"event: changed\ndata: 1\n\n")
        return response

    async def post(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Pilothouse-Demo") != "1":
            raise web.HTTPForbidden
        path, body = request.match_info["path"], await request.json()
        self.heard.append((path, body))
        await self.may_answer.wait()
        answer = self._answer(path, body)
        await self.touch()
        return web.json_response({"ok": True, "error": None} | answer)

    def _answer(self, path: str, body: Json) -> Json:
        match path:
            case "say":
                return self._say(body)
            case "submit":
                return self._submit()
            case "close":
                self.views.pop()
            case "suggest":
                found = [one for one in SERVICES if body["typed"] in one]
                return {"options": [option(one) for one in found]}
            case "world":
                self._change_world(body)
        return {}

    def _say(self, body: Json) -> Json:
        text, thread = body["text"], body["thread_ts"]
        if text.startswith("/"):
            if thread is not None:
                command = text.split()[0]
                return refused(f"{command} is not supported in threads. Sorry!")
            if text == "/deploy":
                self.open("deploy_modal")
            elif text.startswith("/deploy "):
                self.add_payload("confirm")
            return {}
        name = next(one["name"] for one in PEOPLE if one["id"] == body["as"])
        self.add(text, user=body["as"], name=name, thread_ts=thread)
        return {}

    def _submit(self) -> Json:
        if self.errors:
            return {"ok": False, "errors": self.errors}
        self.views.pop()
        return {}

    def _change_world(self, body: Json) -> None:
        if self.world is None:
            return
        match body["action"]:
            case "fail":
                self.world["services"][0]["failing"] = [body["version"]] if body["on"] else []
            case "kill_bot":
                self.world["bot"] = {"running": False, "pid": None}
                self.bot_connected = False
            case "start_bot":
                self.world["bot"] = {"running": True, "pid": 124}
                self.bot_connected = True


def refused(error: str) -> Json:
    return {"ok": False, "error": error}


def option(name: str) -> Json:
    return {"text": {"type": "plain_text", "text": name}, "value": name}


def a_world() -> Json:
    numbers = {"requests": 12345, "errors": 12, "error_rate": 0.1, "p95_ms": 31}
    service = {
        "service": "checkout",
        "environment": "production",
        "weights": {"v1.8.2": 90, "v1.8.3": 10},
        "versions": {"v1.8.2": numbers, "v1.8.3": numbers | {"requests": 678}},
        "failing": [],
        "rps": 20,
    }
    bot = {"running": True, "pid": 123}
    return {"services": [service], "bot": bot, "versions": ["v1.8.2", "v1.8.3", "v1.9.0"]}


class Stage:
    """One address for the page, and behind it the workspace of whoever plays."""

    def __init__(self) -> None:
        self.workspace = PageServer()

    async def state(self, request: web.Request) -> web.Response:
        return await self.workspace.state(request)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        return await self.workspace.stream(request)

    async def post(self, request: web.Request) -> web.Response:
        return await self.workspace.post(request)


@asynccontextmanager
async def served(stage: Stage) -> AsyncIterator[str]:
    """Serve the page with *stage* behind it; yields the address of the page."""
    app = web.Application()
    mount(app)
    app.router.add_get("/_demo/state", stage.state)
    app.router.add_get("/_demo/stream", stage.stream)
    app.router.add_post("/_demo/{path}", stage.post)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))
