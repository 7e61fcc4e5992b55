"""One version as a process of its own, which dies with the demo."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp

import bot
from bot.demo.world.service import TOKEN

#: Seconds until a version that was started must have said its port.
_READY = 60.0
_GRACE = 2.0


class NotStarted(Exception):
    """A version's process did not come up."""


class Instance:
    """It holds the other end of the process's standard input: when the demo dies, however it
    dies, the process sees the end of it and goes too."""

    def __init__(self, service: str, version: str, token: str) -> None:
        self.service = service
        self.version = version
        self.url = ""
        self._token = token
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        return bool(self.url) and self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Raises `NotStarted`."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.demo.world.service", "--tethered"),
            *("--service", self.service, "--version", self.version),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": str(Path(bot.__file__).parents[1]),
                TOKEN: self._token,
            },
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(_READY):
                self.url = f"http://127.0.0.1:{await self._port()}"
        except (TimeoutError, ValueError) as error:
            await self.stop()
            raise NotStarted(f"{self.service} {self.version} did not start") from error

    async def _port(self) -> int:
        if self._process is None or self._process.stdout is None:
            raise NotStarted("there is no process")
        return int(json.loads(await self._process.stdout.readline())["port"])

    async def fail(self, session: aiohttp.ClientSession, on: bool) -> None:
        """Raises `aiohttp.ClientError` when it cannot be told."""
        async with session.post(
            f"{self.url}/_fail", json={"on": on}, headers={"X-Token": self._token}
        ) as response:
            response.raise_for_status()

    async def stop(self) -> None:
        """End it, gently first; idempotent."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_GRACE):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
