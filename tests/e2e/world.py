"""A world in the test's own process: cheap, and with a memory of everything it was told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.demo.world import catalogue
from bot.demo.world.catalogue import FIRST, SERVICE
from bot.demo.world.world import Addresses, DemoWorld


@dataclass(frozen=True)
class Order:
    """One split as it was asked for; `is_taken` is false for a stale fence."""

    weights: dict[str, int]
    fence: int
    is_taken: bool


@dataclass
class RecordingWorld:
    """Speaks as the demo's world does, without running anything."""

    url: str = ""
    orders: list[Order] = field(default_factory=list)
    stagings: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=lambda: {FIRST: 100})
    failing: set[str] = field(default_factory=set)
    _fence: int = 0
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/releases", self._releases)
        app.router.add_get("/router/weights", self._show)
        app.router.add_put("/router/weights", self._take)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/production/{service}/healthz", self._serving)
        app.router.add_post("/staging", self._stage)
        app.router.add_get("/staging/{service}/{path:.*}", self._staged)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def addresses(self) -> Addresses:
        """The same paths as the demo's world."""
        shape = DemoWorld.addresses.fget  # type: ignore[attr-defined]
        addresses: Addresses = shape(self)
        return addresses

    async def act(self, action: dict[str, Any]) -> dict[str, Any]:
        """The one action of the demo's world: `fail`, on or off."""
        change = self.failing.add if action["on"] else self.failing.discard
        change(action["version"])
        return {"ok": True}

    async def _releases(self, request: web.Request) -> web.StreamResponse:
        return await catalogue.answer(request)

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response({"weights": self.weights, "fence": self._fence})

    async def _take(self, request: web.Request) -> web.Response:
        wish = await request.json()
        is_taken = wish["fence"] >= self._fence
        self.orders.append(Order(wish["weights"], wish["fence"], is_taken))
        if not is_taken:
            newest = {"error": "a newer order was taken", "fence": self._fence}
            return web.json_response(newest, status=409)
        self.weights, self._fence = wish["weights"], wish["fence"]
        return web.json_response({"wanted": self.weights}, status=202)

    async def _metrics(self, request: web.Request) -> web.Response:
        version = request.query["version"]
        error_rate = 30.0 if version in self.failing else 0.2
        return web.json_response(
            {
                "version": version,
                "at": datetime.now(UTC).isoformat(),
                "requests": 400,
                "values": {"error_rate": error_rate, "p95_ms": 42.0},
            }
        )

    async def _serving(self, request: web.Request) -> web.Response:
        version = max(self.weights, key=lambda name: self.weights[name])
        return web.json_response({"service": SERVICE, "version": version})

    async def _stage(self, request: web.Request) -> web.Response:
        self.stagings.append((await request.json())["version"])
        return web.json_response({"staging": self.stagings[-1]}, status=202)

    async def _staged(self, _: web.Request) -> web.Response:
        version = self.stagings[-1] if self.stagings else None
        return web.json_response({"service": SERVICE, "version": version})
