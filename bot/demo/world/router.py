"""Takes orders for the split of traffic, remembers them, and makes them live."""

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.demo.world.catalogue import SERVICE, VERSIONS
from bot.demo.world.fleet import Fleet
from bot.demo.world.instance import NotStarted
from bot.demo.world.split import Split

logger = logging.getLogger(__name__)
ENVIRONMENT = "production"


class Bad(Exception):
    """An order that makes no sense, in words."""


class Stale(Exception):
    """An order older than one that was already taken."""


@dataclass(frozen=True, slots=True)
class Order:
    """A split that was asked for, and the fence it was asked under."""

    weights: Mapping[str, int]
    fence: int

    @classmethod
    def read(cls, wish: Any) -> "Order":
        """Raises `Bad`."""
        if not isinstance(wish, dict) or wish.get("service") != SERVICE:
            raise Bad("no such service")
        if wish.get("environment") != ENVIRONMENT:
            raise Bad("no such environment")
        weights, fence = wish.get("weights"), wish.get("fence")
        if type(fence) is not int or fence < 0:
            raise Bad("`fence` is a number of 0 or more")
        if not isinstance(weights, dict) or not set(weights) <= set(VERSIONS):
            raise Bad(f"`weights` are by version: {', '.join(VERSIONS)}")
        if not all(type(weight) is int and 0 <= weight <= 100 for weight in weights.values()):
            raise Bad("a weight is a whole number from 0 to 100")
        if weights and sum(weights.values()) != 100:
            raise Bad("the weights must be 100 together, or there are none")
        return cls(weights, fence)


@dataclass
class Memory:
    """Where the last order is kept, so that a restarted router knows it and its fence."""

    path: Path
    order: Order

    def load(self) -> None:
        try:
            kept = json.loads(self.path.read_bytes())
            self.order = Order(dict(kept["weights"]), int(kept["fence"]))
        except FileNotFoundError:
            return

    def keep(self, order: Order) -> None:
        aside = self.path.with_suffix(".new")
        with aside.open("w") as file:
            json.dump(asdict(order), file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)
        self.order = order


class Router:
    """An order is kept first and answered then; it is live once every version of it runs."""

    def __init__(self, fleet: Fleet, path: Path, first: str) -> None:
        self._fleet = fleet
        self._memory = Memory(path, Order({first: 100}, 0))
        self._task: asyncio.Task[None] | None = None
        self.split = Split({first: 100})

    @property
    def wanted(self) -> Order:
        return self._memory.order

    async def start(self) -> None:
        """Bring up what was asked for last; traffic goes there once it runs."""
        self._memory.load()
        await self._go_live()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def take(self, order: Order) -> None:
        """Raises `Stale`. Taking the same order again is no change, but tries again."""
        if order.fence < self.wanted.fence:
            raise Stale
        if order != self.wanted:
            self._memory.keep(order)
        if self._is_ready(order):
            self._switch(order)
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go_live())

    async def _go_live(self) -> None:
        """Until the wanted one is live: it may have become another one meanwhile."""
        while True:
            order = self.wanted
            try:
                for version in _used(order):
                    await self._fleet.ensure(SERVICE, version)
            except NotStarted as why:
                logger.warning("%s; traffic stays where it is", why)
                return
            if order == self.wanted:
                self._switch(order)
                return

    def _is_ready(self, order: Order) -> bool:
        return all(self._fleet.production(SERVICE, version) for version in _used(order))

    def _switch(self, order: Order) -> None:
        if self.split.weights != order.weights:
            self.split = Split(order.weights)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/router/weights", self._show)
        app.router.add_put("/router/weights", self._order)

    async def _show(self, request: web.Request) -> web.Response:
        where = (request.query.get("service"), request.query.get("environment"))
        if where != (SERVICE, ENVIRONMENT):
            return web.json_response({"error": "no such environment"}, status=404)
        return web.json_response({"weights": self.split.weights, "fence": self.wanted.fence})

    async def _order(self, request: web.Request) -> web.Response:
        try:
            self.take(Order.read(await _json_of(request)))
        except Bad as why:
            return web.json_response({"error": str(why)}, status=422)
        except Stale:
            newest = {"error": "a newer order was taken", "fence": self.wanted.fence}
            return web.json_response(newest, status=409)
        return web.json_response({"wanted": self.wanted.weights}, status=202)


async def _json_of(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise Bad("this is no JSON") from error


def _used(order: Order) -> list[str]:
    return [version for version, weight in order.weights.items() if weight]
