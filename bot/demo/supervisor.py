"""The bot as a child process of the demo, which may be killed and started again at any time."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Protocol

import aiohttp

from bot.ports import Unavailable
from bot.redact import redact

LISTEN = "PILOTHOUSE_LISTEN"
RUN = (sys.executable, "-m", "bot", "run")
_POLL = 0.1
_ASK = aiohttp.ClientTimeout(total=2)
_LAST_LINES = 12


class NotReady(Unavailable):
    """The bot ended, or did not say that it is ready in time; says its last words."""


class Child(Protocol):
    """A process that somebody started; as `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


#: Starts a process with an environment and nothing else, its output appended to a file.
Spawn = Callable[[Mapping[str, str], Path], Child]


def tethered(*command: str) -> Spawn:
    """Of any program, which dies with the process that started it."""

    def spawn(environment: Mapping[str, str], log: Path) -> Child:
        tether = (sys.executable, "-m", "bot.demo.tether", str(os.getpid()), "--")
        with log.open("ab") as out:
            return subprocess.Popen(  # noqa: S603 - our own program
                (*tether, *command),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    return spawn


class BotProcess:
    """*environment* is all that the bot gets; its output is appended to *log*.

    Without a *ready_url* it is given a free port of loopback to listen on, the same one for ever.

    It dies with the process that started it, even when that one is killed (Linux).
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path,
        ready_url: str | None = None,
        *,
        spawn: Spawn = tethered(*RUN),  # noqa: B008 - a function, made once
        patience: timedelta = timedelta(seconds=90),
    ) -> None:
        self._environment = dict(environment)
        self._log = log
        self._ready_url = ready_url or self._listen_anywhere()
        self._spawn = spawn
        self._patience = patience
        self._process: Child | None = None
        self._starting = asyncio.Lock()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.is_running else None

    async def start(self) -> None:
        """Start it unless it runs, and wait until `/readyz` answers 200. Raises `NotReady`.

        Call it from the main thread: the kernel ties the bot's life to the thread.
        """
        async with self._starting:
            if not self.is_running:
                self._log.parent.mkdir(parents=True, exist_ok=True)
                self._process = self._spawn(self._environment, self._log)
            await self._until_ready()

    async def kill(self) -> None:
        """SIGKILL, as if the machine had taken it, and gone when it returns; idempotent."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    async def stop(self, patience: timedelta = timedelta(seconds=12)) -> None:
        """SIGTERM, and SIGKILL when it takes longer than *patience*; idempotent."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, patience.total_seconds())
        await self.kill()

    def last_words(self) -> str:
        """The end of its log, without secrets."""
        if not self._log.exists():
            return ""
        lines = self._log.read_bytes()[-8192:].decode(errors="replace").splitlines()
        return redact("\n".join(lines[-_LAST_LINES:]))

    def _listen_anywhere(self) -> str:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{listener.getsockname()[1]}"
        self._environment[LISTEN] = listen
        return f"http://{listen}/readyz"

    async def _until_ready(self) -> None:
        deadline = monotonic() + self._patience.total_seconds()
        async with aiohttp.ClientSession(timeout=_ASK) as session:
            while not await self._is_ready(session):
                if not self.is_running:
                    raise NotReady(f"the bot ended:\n{self.last_words()}")
                if monotonic() >= deadline:
                    raise NotReady(f"the bot is not ready:\n{self.last_words()}")
                await asyncio.sleep(_POLL)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(self._ready_url) as response:
                return response.status == 200 and self.is_running
        except (aiohttp.ClientError, TimeoutError):
            return False
