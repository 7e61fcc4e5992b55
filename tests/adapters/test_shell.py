"""A job: how it is run, how it ends, and what is told about it. Real processes throughout."""

# ruff: noqa: ASYNC240 - files are what is tested here

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.shell import ShellRunner
from bot.domain.jobs import JobState
from bot.domain.release import Target, Version
from bot.ports import Rejected, Unavailable
from tests.adapters.jobs import KEY, TARGET, VERSION, a_job, python, until_over, until_written

DUMP = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


@pytest.fixture
def runner(tmp_path: Path) -> ShellRunner:
    return ShellRunner(tmp_path / "jobs", grace=timedelta(seconds=0.5))


async def test_a_key_that_was_never_started_is_absent(runner: ShellRunner) -> None:
    status = await runner.status(KEY, python("pass"))

    assert status.state is JobState.ABSENT


async def test_a_job_that_ends_well_has_succeeded(runner: ShellRunner) -> None:
    job = python("print('staged')")
    await runner.start(KEY, job, TARGET, VERSION)

    status = await until_over(runner, job)

    assert (status.state, status.exit_code) == (JobState.SUCCEEDED, 0)
    assert (status.tail, status.fact) == ("staged", "exit 0")


async def test_a_job_that_ends_badly_says_its_exit_code(runner: ShellRunner) -> None:
    job = python("import sys; print('no such image', file=sys.stderr); sys.exit(3)")
    await runner.start(KEY, job, TARGET, VERSION)

    status = await until_over(runner, job)

    assert (status.state, status.exit_code) == (JobState.FAILED, 3)
    assert (status.tail, status.fact) == ("no such image", "exit 3")


async def test_a_job_ended_by_a_signal_names_it(runner: ShellRunner) -> None:
    job = python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    await runner.start(KEY, job, TARGET, VERSION)

    status = await until_over(runner, job)

    assert (status.state, status.fact) == (JobState.FAILED, "ended by SIGKILL")


async def test_a_key_is_run_once_however_often_it_is_started(
    runner: ShellRunner, tmp_path: Path
) -> None:
    job = python("import sys; open(sys.argv[1], 'a').write('x')", str(tmp_path / "runs"))
    await asyncio.gather(*(runner.start(KEY, job, TARGET, VERSION) for _ in range(8)))
    await until_over(runner, job)

    await runner.start(KEY, job, TARGET, VERSION)

    assert (await until_over(runner, job)).state is JobState.SUCCEEDED
    assert (tmp_path / "runs").read_text() == "x"


async def test_what_is_known_of_jobs_is_for_its_owner_only(tmp_path: Path) -> None:
    job = python("print('said')")
    runner = ShellRunner(tmp_path / "bot" / "jobs")
    before = os.umask(0)
    try:
        await runner.start(KEY, job, TARGET, VERSION)
    finally:
        os.umask(before)
    await until_over(runner, job)

    jobs = tmp_path / "bot" / "jobs"
    modes = {oct(path.stat().st_mode & 0o777) for path in (jobs, *jobs.iterdir())}
    assert modes == {"0o700"}, "else another could say in advance how a job ended"


async def test_another_runner_sees_the_same_job(runner: ShellRunner, tmp_path: Path) -> None:
    job = python("pass")
    await runner.start(KEY, job, TARGET, VERSION)

    assert (await until_over(ShellRunner(tmp_path / "jobs"), job)).state is JobState.SUCCEEDED


async def test_placeholders_are_replaced_only_where_they_are_a_whole_argument(
    runner: ShellRunner,
) -> None:
    job = python(
        DUMP, "{service}", "{version}", "{commit}", "{artefact}", "{environment}", "x{version}"
    )
    await runner.start(KEY, job, TARGET, VERSION)

    arguments, _ = json.loads((await until_over(runner, job)).tail)

    assert arguments == ["checkout", "v1.8.3", "4f1c2a9", VERSION.artefact, "staging", "x{version}"]


async def test_a_job_gets_a_small_environment_and_what_the_policy_lists(tmp_path: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": "/home/pilot",
        "LANG": "C.UTF-8",
        "SLACK_BOT_TOKEN": "not-for-jobs",
        "REGION": "eu-1",
    }
    runner = ShellRunner(tmp_path, environ)
    job = a_job(sys.executable, "-c", DUMP, settings=(("env", "REGION, ABSENT"),))
    await runner.start(KEY, job, TARGET, VERSION)

    _, seen = json.loads((await until_over(runner, job)).tail)

    seen.pop("LC_CTYPE", None)  # Python's own
    assert seen == {
        "PATH": os.environ["PATH"],
        "HOME": "/home/pilot",
        "LANG": "C.UTF-8",
        "REGION": "eu-1",
        "PILOTHOUSE_SERVICE": "checkout",
        "PILOTHOUSE_VERSION": "v1.8.3",
        "PILOTHOUSE_COMMIT": "4f1c2a9",
        "PILOTHOUSE_ARTEFACT": VERSION.artefact,
        "PILOTHOUSE_ENVIRONMENT": "staging",
    }


@pytest.mark.parametrize(
    "name", ["", "-rf", "v1;id", "$(id)", "v1\n", "../v1", "v 1", "v" * 129, "é"]
)
async def test_a_version_that_is_none_is_refused_and_nothing_starts(
    runner: ShellRunner, name: str
) -> None:
    with pytest.raises(Rejected, match="version"):
        await runner.start(KEY, python("pass"), TARGET, Version(name, "4f1c2a9", "image"))

    assert (await runner.status(KEY, python("pass"))).state is JobState.ABSENT


@pytest.mark.parametrize(
    ("target", "version"),
    [
        (Target("T0DEMO", "--all", "staging"), VERSION),
        (Target("T0DEMO", "checkout", "a b"), VERSION),
        (TARGET, Version("v1", "--force", "image")),
        (TARGET, Version("v1", "4f1c", "image\x00")),
    ],
)
async def test_a_value_that_could_be_taken_for_an_option_is_refused(
    runner: ShellRunner, target: Target, version: Version
) -> None:
    with pytest.raises(Rejected):
        await runner.start(KEY, python("pass"), target, version)


@pytest.mark.parametrize(
    "program",
    ["", "./deploy", "bin/deploy", "no-such-program-at-all", "/no/such", "/tmp", "a\0b"],  # noqa: S108
)
async def test_a_program_that_cannot_be_found_is_refused(runner: ShellRunner, program: str) -> None:
    with pytest.raises(Rejected):
        await runner.start(KEY, a_job(program), TARGET, VERSION)


async def test_a_program_is_looked_up_on_the_path(runner: ShellRunner) -> None:
    await runner.start(KEY, a_job("true"), TARGET, VERSION)

    assert (await until_over(runner, a_job("true"))).state is JobState.SUCCEEDED


async def test_a_job_without_a_program_is_refused(runner: ShellRunner) -> None:
    with pytest.raises(Rejected, match="no program"):
        await runner.start(KEY, a_job(), TARGET, VERSION)


async def test_a_file_that_is_no_program_fails_and_says_why(
    runner: ShellRunner, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    job = a_job(str(broken))
    await runner.start(KEY, job, TARGET, VERSION)

    status = await until_over(runner, job)

    assert (status.state, status.exit_code) == (JobState.FAILED, None)
    assert status.fact == "could not be started: Exec format error"


async def test_a_job_is_ended_at_its_limit_even_when_it_does_not_want_to(
    runner: ShellRunner, tmp_path: Path
) -> None:
    grandchild = tmp_path / "grandchild"
    code = (
        "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen(['sleep', '600'], process_group=0);"
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(600)"
    )
    # A busy machine may take longer than the shortest limit until the job stands as it should.
    for seconds in (1, 2, 4, 8, 16):
        job = python(code, str(grandchild), limit=timedelta(seconds=seconds))
        await runner.start(f"{KEY}/{seconds}", job, TARGET, VERSION)
        status = await until_over(runner, job, f"{KEY}/{seconds}")
        assert status.fact == f"stopped after its limit of {seconds} s"
        if grandchild.exists() and grandchild.read_text():
            break

    assert status.state is JobState.FAILED
    assert not is_running(int(grandchild.read_text()))


async def test_a_stopped_job_has_failed_and_its_processes_are_gone(
    runner: ShellRunner, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    job = python(
        "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)",
        str(pid),
    )
    await runner.start(KEY, job, TARGET, VERSION)
    await until_written(pid)

    await asyncio.gather(*(runner.stop(KEY, job) for _ in range(3)))

    status = await until_over(runner, job)
    assert (status.state, status.fact) == (JobState.FAILED, "stopped")
    assert not is_running(int(pid.read_text()))
    await runner.stop(KEY, job)
    assert await until_over(runner, job) == status


async def test_a_stop_right_after_the_start_is_not_missed(runner: ShellRunner) -> None:
    job = python("import time; time.sleep(600)")
    await runner.start(KEY, job, TARGET, VERSION)

    await runner.stop(KEY, job)

    assert (await until_over(runner, job)).fact in ("stopped", "stopped before it began")


async def test_stopping_what_was_never_started_does_nothing(runner: ShellRunner) -> None:
    job = python("pass")
    await runner.stop(KEY, job)

    await runner.start(KEY, job, TARGET, VERSION)

    assert (await until_over(runner, job)).state is JobState.SUCCEEDED


async def test_a_process_left_behind_does_not_hold_up_the_end(runner: ShellRunner) -> None:
    job = python("import subprocess; subprocess.Popen(['sleep', '90']); print('up')")
    await runner.start(KEY, job, TARGET, VERSION)

    status = await until_over(runner, job)  # waits for less long than that one sleeps

    assert (status.state, status.tail) == (JobState.SUCCEEDED, "up")


async def test_output_without_end_is_capped_and_its_end_is_kept(
    runner: ShellRunner, tmp_path: Path
) -> None:
    job = python("for n in range(100_000): print('line', n)")
    await runner.start(KEY, job, TARGET, VERSION)

    status = await until_over(runner, job)

    assert status.tail.splitlines()[-1] == "line 99999"
    kept = sum(path.stat().st_size for path in tmp_path.rglob("output*"))
    assert kept < 700 * 1024


async def test_a_state_directory_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("a file")
    runner = ShellRunner(tmp_path / "jobs")

    with pytest.raises(Unavailable):
        await runner.start(KEY, python("pass"), TARGET, VERSION)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
