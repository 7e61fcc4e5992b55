"""The demo's whole world in one object: start it, look at it, make a version fail."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.demo.world import catalogue
from bot.demo.world.catalogue import FIRST, SERVICE, VERSIONS
from bot.demo.world.fleet import Fleet
from bot.demo.world.instance import NotStarted
from bot.demo.world.load import Load
from bot.demo.world.proxy import Proxy
from bot.demo.world.router import ENVIRONMENT, Router

logger = logging.getLogger(__name__)
Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SPEED = "PILOTHOUSE_DEMO_SPEED"
RPS = 25.0
#: Seconds a reading covers at normal speed, and the fewest at any.
WINDOW, SHORTEST = 30.0, 3.0
#: What a browser calls this machine; any other name was made to point here.
_NAMES = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the demo's policy names. `{service}` and `{version}` are whole arguments."""

    releases: str
    metrics: str
    router: str
    staging_health: str
    production_health: str
    stage_command: tuple[str, ...]


class DemoWorld:
    """Production and staging of one service, on loopback.

    *state_dir* remembers the split across restarts. *window* is in seconds.
    """

    def __init__(
        self, state_dir: Path, *, rps: float = RPS, window: float | None = None, port: int = 0
    ) -> None:
        self.url = ""
        self._state_dir = state_dir
        self._rps = rps
        self._window = window or max(SHORTEST, WINDOW / speed_of(os.environ.get(SPEED, "")))
        self._port = port
        self._stagings: set[asyncio.Task[None]] = set()
        self._parts: _Parts | None = None

    async def start(self) -> None:
        """Listening, with traffic on the version that serves, when it returns."""
        self._state_dir.mkdir(parents=True, exist_ok=True)
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        fleet = Fleet(session)
        router = Router(fleet, self._state_dir / "router.json", FIRST)
        proxy = Proxy(fleet, router, session, self._window)
        app = web.Application(client_max_size=16 * 1024, middlewares=[_only_from_here])
        router.add_routes(app)
        proxy.add_routes(app)
        app.router.add_get("/releases", catalogue.answer)
        app.router.add_get("/changes/{version}", catalogue.changes)
        app.router.add_post("/staging", self._stage)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        self._parts = _Parts(session, fleet, router, proxy, runner)
        try:
            await router.start()
            await self._listen(runner)
        except OSError:
            await self.stop()
            raise
        self._parts.load = Load(session, f"{self.url}/{ENVIRONMENT}/{SERVICE}/pay", self._rps)
        self._parts.load.start()

    async def _listen(self, runner: web.AppRunner) -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Everything that was started is gone when it returns; idempotent."""
        if self._parts is None:
            return
        parts, self._parts = self._parts, None
        if parts.load is not None:
            await parts.load.stop()
        for task in self._stagings:
            task.cancel()
        await asyncio.gather(*self._stagings, return_exceptions=True)
        await parts.proxy.stop()
        await parts.router.stop()
        await parts.runner.cleanup()
        await parts.fleet.stop()
        await parts.session.close()

    @property
    def addresses(self) -> Addresses:
        return Addresses(
            releases=f"{self.url}/releases",
            metrics=f"{self.url}/metrics",
            router=f"{self.url}/router",
            staging_health=f"{self.url}/staging/{{service}}/healthz",
            production_health=f"{self.url}/production/{{service}}/healthz",
            stage_command=(
                *(sys.executable, "-m", "bot.demo.world.stage", "--world", self.url),
                *("--", "{service}", "{version}"),
            ),
        )

    def state(self) -> Json:
        """What the page shows of it; nothing before it was started."""
        if self._parts is None:
            return {"services": [], "versions": list(VERSIONS)}
        router, fleet = self._parts.router, self._parts.fleet
        numbers = self._parts.proxy.numbers()
        shown = [v for v in VERSIONS if v in router.split.weights or numbers[v].requests]
        service = {
            "service": SERVICE,
            "environment": ENVIRONMENT,
            "weights": {v: w for v in VERSIONS if (w := router.split.weights.get(v)) is not None},
            "versions": {
                version: {
                    "requests": numbers[version].requests,
                    "errors": numbers[version].errors,
                    "error_rate": numbers[version].error_rate or 0.0,
                    "p95_ms": numbers[version].p95_ms or 0.0,
                }
                for version in shown
            },
            "failing": sorted(v for s, v in fleet.failing if s == SERVICE),
            "rps": self._rps,
        }
        return {"services": [service], "versions": list(VERSIONS)}

    async def act(self, action: Json) -> Json:
        """`{"action": "fail", "version": …, "on": …}`; says what is wrong with anything else."""
        if self._parts is None:
            return {"ok": False, "error": "the world is not running"}
        version, on = action.get("version"), action.get("on")
        if action.get("action") != "fail":
            return {"ok": False, "error": "the world knows no such action"}
        if version not in VERSIONS or not isinstance(on, bool):
            return {"ok": False, "error": "say which version, and on: true or false"}
        await self._parts.fleet.fail(SERVICE, version, on)
        return {"ok": True, "error": None}

    async def _stage(self, request: web.Request) -> web.Response:
        try:
            wish = json.loads(await request.read())
        except ValueError:
            wish = None
        known = isinstance(wish, dict) and wish.get("service") == SERVICE
        if not known or wish.get("version") not in VERSIONS:
            return web.json_response({"error": "no such service or version"}, status=422)
        task = asyncio.create_task(self._bring_to_staging(wish["version"]))
        self._stagings.add(task)
        task.add_done_callback(self._stagings.discard)
        return web.json_response({"staging": wish["version"]}, status=202)

    async def _bring_to_staging(self, version: str) -> None:
        if self._parts is None:
            return
        try:
            await self._parts.fleet.stage(SERVICE, version)
        except NotStarted as why:
            logger.warning("%s on staging", why)


@dataclass(slots=True)
class _Parts:
    session: aiohttp.ClientSession
    fleet: Fleet
    router: Router
    proxy: Proxy
    runner: web.AppRunner
    load: Load | None = None


@web.middleware
async def _only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Not from a page in somebody's browser, whatever name it made point to this machine."""
    if "Origin" in request.headers or request.url.host not in _NAMES:
        return web.json_response({"error": "not for you"}, status=403)
    return await handler(request)


def speed_of(written: str) -> float:
    """How many times faster than usual; 1 for what is no such number."""
    try:
        speed = float(written)
    except ValueError:
        return 1.0
    return speed if 1 <= speed <= 1000 else 1.0
