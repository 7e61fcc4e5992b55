"""Every running version: in production those that were ever asked for, in staging the last one."""

import asyncio
import secrets
from collections import defaultdict
from contextlib import suppress

import aiohttp

from bot.demo.world.instance import Instance


class Fleet:
    """Starts versions when they are needed, and again when they died."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.failing: set[tuple[str, str]] = set()
        self._session = session
        self._token = secrets.token_urlsafe(16)
        self._production: dict[tuple[str, str], Instance] = {}
        self._staging: dict[str, Instance] = {}
        self._locks: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    def production(self, service: str, version: str) -> Instance | None:
        """None while it does not run."""
        return _running(self._production.get((service, version)))

    def staging(self, service: str) -> Instance | None:
        return _running(self._staging.get(service))

    async def ensure(self, service: str, version: str) -> Instance:
        """The version in production, started if it does not run. Raises `NotStarted`."""
        place = (service, version)
        async with self._locks[place]:
            found = self.production(service, version)
            if found is not None:
                return found
            instance = await self._started(service, version)
            self._production[place] = instance
            if place in self.failing:
                await self._tell(instance, on=True)
            return instance

    async def stage(self, service: str, version: str) -> None:
        """Replace what runs in staging by a fresh process of *version*. Raises `NotStarted`."""
        async with self._locks["staging", service]:
            before = self._staging.pop(service, None)
            if before is not None:
                await before.stop()
            self._staging[service] = await self._started(service, version)

    async def fail(self, service: str, version: str, on: bool) -> None:
        """Make production's *version* fail or be well again, also when it is started later."""
        place = (service, version)
        async with self._locks[place]:
            self.failing.add(place) if on else self.failing.discard(place)
            instance = self.production(service, version)
            if instance is not None:
                await self._tell(instance, on)

    async def stop(self) -> None:
        everything = [*self._production.values(), *self._staging.values()]
        await asyncio.gather(*(instance.stop() for instance in everything))

    async def _started(self, service: str, version: str) -> Instance:
        instance = Instance(service, version, self._token)
        try:
            await instance.start()
        except asyncio.CancelledError:
            await instance.stop()
            raise
        return instance

    async def _tell(self, instance: Instance, on: bool) -> None:
        with suppress(aiohttp.ClientError):  # it just died; the next one is told at its start
            await instance.fail(self._session, on)


def _running(instance: Instance | None) -> Instance | None:
    return instance if instance is not None and instance.is_running else None
