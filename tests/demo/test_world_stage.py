"""The staging job: a real command that puts a version on staging and tries it out."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.http_checks import HttpChecks
from bot.adapters.shell import ShellRunner
from bot.demo.world.world import DemoWorld
from bot.domain.gates import Check, Driver
from bot.domain.health import Verdict
from bot.domain.jobs import JobState, JobStatus
from bot.domain.plan import JobStage
from bot.domain.release import Target, Version
from tests.demo.world_kit import TARGET, a_world, asking, driver, fetch

STAGING = Target("T0DEMO", "checkout", "staging")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DemoWorld]:
    async with a_world(tmp_path) as world:
        yield world


async def stage(world: DemoWorld, version: str) -> tuple[int, str]:
    command = [
        argument.format(service="checkout", version=version)
        for argument in world.addresses.stage_command
    ]
    job = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(30):
        said, _ = await job.communicate()
    return job.returncode or 0, said.decode()


async def test_a_staged_version_is_tried_and_answers(world: DemoWorld) -> None:
    code, said = await stage(world, "v1.8.3")

    assert code == 0, said
    assert "smoke 6/6: 200" in said
    assert said.endswith("checkout v1.8.3 is on staging\n")
    _, body, _ = await fetch(f"{world.url}/staging/checkout/healthz")
    assert body["version"] == "v1.8.3"


async def test_a_version_takes_the_place_of_the_one_before(world: DemoWorld) -> None:
    await stage(world, "v1.8.3")

    code, _ = await stage(world, "v1.9.0")

    assert code == 0
    place = driver(world.addresses.staging_health, version_field="version")
    async with asking() as http:
        result = await HttpChecks(http).verdict(
            Check("staging", place), TARGET, Version("v1.8.3", "c", "a")
        )
    assert (result.verdict, result.fact) == (Verdict.FAIL, "v1.9.0 answers, v1.8.3 expected")


async def test_an_unknown_version_is_refused_in_words(world: DemoWorld) -> None:
    code, said = await stage(world, "v7")

    assert code == 1
    assert said.endswith("staging refuses: no such service or version\n")


async def test_a_world_that_is_away_is_said_so(world: DemoWorld) -> None:
    await world.stop()

    code, said = await stage(world, "v1.8.3")

    assert code == 1
    assert said.endswith("the world did not answer: ConnectionRefusedError\n")


async def test_nothing_answers_on_staging_before_something_is_staged(world: DemoWorld) -> None:
    assert (await fetch(f"{world.url}/staging/checkout/healthz"))[0] == 503


async def test_the_shell_runner_runs_it_as_the_policy_would(
    world: DemoWorld, tmp_path: Path
) -> None:
    runner = ShellRunner(tmp_path / "jobs")
    from_policy = world.addresses.stage_command
    job = JobStage("staging", Driver("shell"), from_policy, timedelta(seconds=60))
    await runner.start("D-142/staging", job, STAGING, Version("v1.8.3", "4f1c", "image"))

    status = await over(runner, job)

    assert status.state is JobState.SUCCEEDED, status
    assert status.tail.splitlines()[-1] == "checkout v1.8.3 is on staging"


async def over(runner: ShellRunner, job: JobStage) -> JobStatus:
    async with asyncio.timeout(30):
        while True:
            status = await runner.status("D-142/staging", job)
            if status.state is not JobState.RUNNING:
                return status
            await asyncio.sleep(0.05)
