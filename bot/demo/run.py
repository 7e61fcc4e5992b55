"""`pilothouse demo`: the workspace, its page, the small world, and the bot as a child process."""

import asyncio
import errno
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.demo.page.routes import mount
from bot.demo.policies import DemoWorld as Names
from bot.demo.policies import write_policies
from bot.demo.slack import Manifest, SlackEmulator, demo_workspace
from bot.demo.supervisor import BotProcess, NotReady
from bot.demo.world.catalogue import FIRST
from bot.demo.world.world import DemoWorld
from bot.domain.line import Bold
from bot.domain.refusal import Refused
from bot.ports import Unavailable

_MANIFEST = Path(__file__).parents[2] / "manifest.yml"


@dataclass(frozen=True, slots=True)
class Keys:
    """The demo's tokens: made anew for every demo, good for nothing else."""

    bot: str
    app: str
    signing: str

    @classmethod
    def fresh(cls) -> "Keys":
        return cls(
            f"xoxb-{secrets.token_hex(12)}", f"xapp-{secrets.token_hex(12)}", secrets.token_hex(16)
        )


class Demo:
    """Everything there is to try, in one directory; stops without leaving a process behind."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._port = port
        self._directory = directory
        keys = Keys.fresh()
        self.world = DemoWorld(directory / "world")
        self.slack = SlackEmulator(
            demo_workspace(),
            Manifest.read(_MANIFEST),
            bot_token=keys.bot,
            app_token=keys.app,
            signing_secret=keys.signing,
            world=self._act,
            world_state=self._state,
        )
        mount(self.slack.app)
        self._keys = keys
        self.bot: BotProcess | None = None

    async def start(self) -> None:
        """The page answers and the bot is ready when it returns. Raises `Refused` when the port
        is taken."""
        await self.world.start()
        await self._open_page()
        self._write_policies()
        environ = self.environ()
        await _adopt(environ)
        self.bot = BotProcess(environ, self._directory / "bot.log")
        await self.bot.start()

    async def _open_page(self) -> None:
        try:
            await self.slack.start(port=self._port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise Refused(
                "port_taken",
                (Bold(f"Port {self._port} is taken."),),
                ("Stop the other demo, or use `pilothouse demo --port 0`.",),
            ) from error

    async def stop(self) -> None:
        if self.bot is not None:
            await self.bot.stop()
        await self.slack.stop()
        await self.world.stop()

    def environ(self) -> dict[str, str]:
        """The bot's whole environment: nothing of the caller's goes in but what a process needs."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "SLACK_BOT_TOKEN": self._keys.bot,
            "SLACK_APP_TOKEN": self._keys.app,
            "SLACK_API_URL": self.slack.api_url,
            "DATABASE_URL": os.environ.get(
                "DATABASE_URL", f"sqlite:///{self._directory}/pilothouse.db"
            ),
            "PILOTHOUSE_POLICIES": str(self._directory / "policies"),
            "PILOTHOUSE_STATE": str(self._directory / "state"),
            "PILOTHOUSE_TICK": os.environ.get("PILOTHOUSE_TICK", "1"),
            "PILOTHOUSE_LOG": "json",
        }

    def _write_policies(self) -> None:
        where = self.world.addresses
        names = Names(
            releases=where.releases,
            router=where.router,
            metrics=where.metrics,
            production_health=where.production_health,
            staging_health=where.staging_health,
            staging=where.stage_command,
        )
        write_policies(self._directory / "policies", names)

    def _state(self) -> dict[str, Any]:
        running = self.bot is not None and self.bot.is_running
        pid = self.bot.pid if self.bot is not None else None
        return {**self.world.state(), "bot": {"running": running, "pid": pid}}

    async def _act(self, action: dict[str, Any]) -> dict[str, Any]:
        match action.get("action"):
            case "kill_bot":
                if self.bot is not None:
                    await self.bot.kill()
                return {"ok": True, "error": None}
            case "start_bot":
                return await self._start_again()
        return await self.world.act(action)

    async def _start_again(self) -> dict[str, Any]:
        try:
            if self.bot is not None and not self.bot.is_running:
                await self.bot.start()
        except NotReady as error:
            return {"ok": False, "error": str(error)}
        return {"ok": True, "error": None}


async def demo(port: int, directory: Path | None, say: Callable[[str], None]) -> None:
    """Run until Ctrl-C. Raises `Refused` when the port is taken, `NotReady` when the bot is not."""
    async with AsyncExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pilothouse-")))
        directory.mkdir(parents=True, exist_ok=True)
        stop = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, stop.set)
        say("Starting a small service in two versions, the workspace and the bot …")
        shown = Demo(directory.resolve(), port)
        stack.push_async_callback(shown.stop)
        await shown.start()
        say(f"\n  Open {shown.slack.url}\n")
        say("  You are Dana, a developer. Type:  /deploy checkout v1.8.3")
        say("  Then become Ana and Quinn (top right) and approve in the thread.")
        say(f"  The bot's log: {directory / 'bot.log'}    Stop with Ctrl-C.\n")
        await stop.wait()
        say("Stopping.")


async def _adopt(environ: dict[str, str]) -> None:
    """What an operator does on the first day, by the same command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "adopt", "checkout", FIRST),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise Unavailable(f"the first version could not be adopted: {output.decode()[-500:]}")
