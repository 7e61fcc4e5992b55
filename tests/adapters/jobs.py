"""Jobs for the tests of the shell runner, and a program that starts one and may die doing so."""

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bot.adapters.shell import ShellRunner
from bot.domain.gates import Driver
from bot.domain.jobs import JobState, JobStatus
from bot.domain.plan import JobStage
from bot.domain.release import Target, Version

TARGET = Target("T0DEMO", "checkout", "staging")
VERSION = Version("v1.8.3", "4f1c2a9", "registry.example/checkout@sha256:4f1c")
KEY = "D-142/staging/1"


def a_job(
    *argv: str, limit: timedelta = timedelta(seconds=60), settings: tuple[tuple[str, str], ...] = ()
) -> JobStage:
    return JobStage("staging", Driver("shell", settings), argv, limit)


def python(code: str, *arguments: str, limit: timedelta = timedelta(seconds=60)) -> JobStage:
    return a_job(sys.executable, "-c", code, *arguments, limit=limit)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.02)


async def until_over(runner: ShellRunner, job: JobStage, key: str = KEY) -> JobStatus:
    async with asyncio.timeout(30):
        while True:
            status = await runner.status(key, job)
            if status.state is not JobState.RUNNING:
                return status
            await asyncio.sleep(0.02)


async def until_written(path: Path) -> None:
    await until(lambda: path.exists() and path.stat().st_size > 0)


if __name__ == "__main__":
    state_dir, code, *rest = sys.argv[1:]
    asyncio.run(ShellRunner(Path(state_dir)).start(KEY, python(code, *rest), TARGET, VERSION))
