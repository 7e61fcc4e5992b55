"""Splits real requests between versions, and counts how each of them does."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

import aiohttp
from aiohttp import web

from bot.demo.world.catalogue import SERVICE, VERSIONS
from bot.demo.world.fleet import Fleet
from bot.demo.world.instance import Instance, NotStarted
from bot.demo.world.router import ENVIRONMENT, Router
from bot.demo.world.split import Numbers, Window

_TIMEOUT = aiohttp.ClientTimeout(total=10)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Proxy:
    """What a load balancer with metrics would be. Looking at `/healthz` does not count."""

    def __init__(
        self,
        fleet: Fleet,
        router: Router,
        session: aiohttp.ClientSession,
        window: float,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._fleet = fleet
        self._router = router
        self._session = session
        self._clock = clock
        self._windows = {version: Window(window) for version in VERSIONS}
        self._revivals: dict[str, asyncio.Task[None]] = {}

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/production/{service}/{path:.*}", self._production)
        app.router.add_get("/staging/{service}/{path:.*}", self._staging)

    async def stop(self) -> None:
        revivals = list(self._revivals.values())
        for task in revivals:
            task.cancel()
        await asyncio.gather(*revivals, return_exceptions=True)

    def numbers(self) -> dict[str, Numbers]:
        return {version: window.numbers() for version, window in self._windows.items()}

    async def _production(self, request: web.Request) -> web.Response:
        if request.match_info["service"] != SERVICE:
            return web.json_response({"error": "no such service"}, status=404)
        version = self._router.split.pick()
        if version is None:
            return web.json_response({"error": "nothing gets traffic"}, status=503)
        began = monotonic()
        instance = self._fleet.production(SERVICE, version)
        if instance is None:
            self._revive(version)
        answer = await self._forward(instance, request.match_info["path"])
        if request.match_info["path"] != "healthz":
            self._windows[version].add(monotonic() - began, answer.status >= 500)
        answer.headers["X-Served-By"] = version
        return answer

    async def _staging(self, request: web.Request) -> web.Response:
        instance = self._fleet.staging(request.match_info["service"])
        return await self._forward(instance, request.match_info["path"])

    async def _forward(self, instance: Instance | None, path: str) -> web.Response:
        if instance is None:
            return web.json_response({"error": "nothing runs there"}, status=503)
        try:
            async with self._session.get(f"{instance.url}/{path}", timeout=_TIMEOUT) as response:
                body = await response.read()
                return web.Response(
                    body=body, status=response.status, content_type=response.content_type
                )
        except (aiohttp.ClientError, TimeoutError):
            return web.json_response({"error": "it did not answer"}, status=502)

    def _revive(self, version: str) -> None:
        """A version that died under traffic is started again, as an orchestrator would."""
        task = self._revivals.get(version)
        if task is None or task.done():
            self._revivals[version] = asyncio.create_task(self._restart(version))

    async def _restart(self, version: str) -> None:
        try:
            await self._fleet.ensure(SERVICE, version)
        except NotStarted:
            await asyncio.sleep(1)  # the next request asks again

    async def _metrics(self, request: web.Request) -> web.Response:
        asked = request.query
        window = self._windows.get(asked.get("version", ""))
        where = (asked.get("service"), asked.get("environment"))
        if window is None or where != (SERVICE, ENVIRONMENT):
            return web.json_response({"error": "no such version"}, status=404)
        numbers = window.numbers()
        values = {"error_rate": numbers.error_rate, "p95_ms": numbers.p95_ms}
        return web.json_response(
            {
                "version": asked["version"],
                "at": self._clock().isoformat(),
                "requests": numbers.requests,
                "values": {name: value for name, value in values.items() if value is not None},
            }
        )
