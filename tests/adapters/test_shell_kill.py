"""A job started by a process that dies: never a second start, and its result is not lost."""

# ruff: noqa: ASYNC220, ASYNC221, ASYNC240 - files and processes are what is tested here

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters.shell import ShellRunner
from bot.adapters.shell_journal import Journal, Leader
from bot.adapters.shell_wrapper import Spec
from bot.domain.jobs import JobState
from tests.adapters.jobs import KEY, TARGET, VERSION, python, until, until_over, until_written

pytestmark = pytest.mark.kill

COUNT = (
    "import sys, time, pathlib; open(sys.argv[1], 'a').write('x');\n"
    "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.02)\n"
    "print('done')"
)


@pytest.fixture
def runner(tmp_path: Path) -> ShellRunner:
    return ShellRunner(tmp_path / "jobs")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return tmp_path / "release"


def start_and_die(crash: str, state_dir: Path, *arguments: str) -> None:
    starter = subprocess.run(
        [sys.executable, "-m", "tests.adapters.jobs", str(state_dir), *arguments],
        env=dict(os.environ) | {"PILOTHOUSE_CRASH": crash},
        timeout=30,
        check=False,
    )
    assert starter.returncode == -signal.SIGKILL


async def test_dying_before_the_journal_leaves_the_key_free(
    runner: ShellRunner, tmp_path: Path, runs: Path, release: Path
) -> None:
    release.touch()
    arguments = (COUNT, str(runs), str(release))
    start_and_die("shell.before_journal:1", tmp_path / "jobs", *arguments)
    job = python(*arguments)
    assert (await runner.status(KEY, job)).state is JobState.ABSENT

    await runner.start(KEY, job, TARGET, VERSION)

    assert (await until_over(runner, job)).state is JobState.SUCCEEDED
    assert runs.read_text() == "x"


@pytest.mark.parametrize("point", ["shell.journaled", "shell.launched"])
async def test_dying_between_the_journal_and_the_start_is_lost_and_never_started_again(
    runner: ShellRunner, tmp_path: Path, runs: Path, release: Path, point: str
) -> None:
    arguments = (COUNT, str(runs), str(release))
    start_and_die(f"{point}:1", tmp_path / "jobs", *arguments)
    job = python(*arguments)
    assert (await until_over(runner, job)).state is JobState.LOST

    await runner.start(KEY, job, TARGET, VERSION)

    status = await until_over(runner, job)
    assert status.state is JobState.LOST
    assert status.fact == "it was started, and nobody saw how it ended"
    assert not runs.exists()


async def test_a_job_outlives_whoever_started_it_and_its_result_is_seen(
    runner: ShellRunner, tmp_path: Path, runs: Path, release: Path
) -> None:
    arguments = (COUNT, str(runs), str(release))
    start_and_die("shell.started:1", tmp_path / "jobs", *arguments)
    job = python(*arguments)
    await until_written(runs)
    assert (await runner.status(KEY, job)).state is JobState.RUNNING
    await runner.start(KEY, job, TARGET, VERSION)

    release.touch()

    status = await until_over(runner, job)
    assert (status.state, status.tail) == (JobState.SUCCEEDED, "done")
    assert runs.read_text() == "x"


async def test_a_job_whose_wrapper_was_killed_is_lost_and_can_still_be_stopped(
    runner: ShellRunner, tmp_path: Path, runs: Path, release: Path
) -> None:
    job = python(COUNT, str(runs), str(release))
    await runner.start(KEY, job, TARGET, VERSION)
    await until_written(runs)
    leader = Journal.of(tmp_path / "jobs", KEY).leader()
    assert leader is not None
    followers = leader.followers()

    os.kill(leader.pid, signal.SIGKILL)

    assert (await until_over(runner, job)).state is JobState.LOST
    assert followers
    await runner.stop(KEY, job)
    await until(lambda: not leader.followers())


async def test_a_number_that_came_round_again_is_not_taken_for_the_wrapper(
    runner: ShellRunner, tmp_path: Path, runs: Path, release: Path
) -> None:
    job = python(COUNT, str(runs), str(release))
    await runner.start(KEY, job, TARGET, VERSION)
    await until_written(runs)
    journal = Journal.of(tmp_path / "jobs", KEY)
    leader = journal.leader()
    assert leader is not None
    os.kill(leader.pid, signal.SIGKILL)
    await until_over(runner, job)
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)

    journal.lead(Leader(bystander.pid, leader.born, leader.boot))
    await runner.stop(KEY, job)

    assert (await runner.status(KEY, job)).state is JobState.LOST
    with pytest.raises(subprocess.TimeoutExpired):
        bystander.wait(timeout=0.5)
    bystander.kill()
    bystander.wait()
    journal.lead(leader)
    await runner.stop(KEY, job)


async def test_a_stop_that_comes_before_the_wrapper_is_seen_by_it(
    runner: ShellRunner, tmp_path: Path, runs: Path, release: Path
) -> None:
    release.touch()
    job = python(COUNT, str(runs), str(release))
    journal = Journal.of(tmp_path / "jobs", KEY)
    spec = Spec([sys.executable, *job.argv[1:]], {}, limit=60, grace=1)

    with journal.claim({"key": KEY}) as lock:
        assert lock is not None
        assert (await runner.status(KEY, job)).state is JobState.RUNNING
        await runner.stop(KEY, job)
        subprocess.run(
            [sys.executable, "-m", "bot.adapters.shell_wrapper", str(journal.directory)],
            input=spec.encode(),
            pass_fds=(lock,),
            timeout=30,
            check=True,
        )

    assert (await until_over(runner, job)).fact == "stopped before it began"
    assert not runs.exists()
