"""Processes that are measured: started on a free port, and gone when their block ends."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.bench.load import SECRET

_PATIENCE = 30.0  # seconds
_POLL = 0.002


class NotUp(Exception):
    """The process ended, or nothing listened in time; says its last words."""


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    port: int


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def environment(port: int, database: str, directory: Path, outside: int) -> dict[str, str]:
    """All that the bot gets: HTTP, and a Slack and a world at port *outside*."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": f"http://127.0.0.1:{outside}/api/",
        "DATABASE_URL": database,
        "PILOTHOUSE_POLICIES": str(directory / "policies"),
        "PILOTHOUSE_STATE": str(directory / "state"),
        "PILOTHOUSE_LISTEN": f"127.0.0.1:{port}",
        "PILOTHOUSE_LOG": "json",
    }


def spawn(
    arguments: Sequence[str], environ: Mapping[str, str] | None, log: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own program
            (sys.executable, *arguments),
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks, waits a little, and ends it."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(8)
    process.kill()
    process.wait()


async def until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Raises `NotUp`."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(_POLL)
    raise NotUp(_last_words(log))


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


@asynccontextmanager
async def running(
    arguments: Sequence[str], environ: Mapping[str, str] | None, port: int, log: Path
) -> AsyncIterator[Running]:
    """Raises `NotUp`."""
    process = spawn(arguments, environ, log)
    try:
        await until_listening(process, port, log)
        yield Running(process.pid, port)
    finally:
        await asyncio.to_thread(end, process)
