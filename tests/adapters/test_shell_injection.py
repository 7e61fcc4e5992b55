"""Hostile text in arguments: it arrives byte for byte, and no shell ever sees it."""

# ruff: noqa: ASYNC240 - files are what is tested here

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.adapters.shell import ShellRunner, placeholders
from bot.domain.jobs import JobState
from bot.domain.release import Target, Version
from bot.ports import Rejected
from tests.adapters.jobs import KEY, TARGET, VERSION, python, until_over

DUMP = "import os, sys; open(sys.argv[1], 'wb').write(b'\\0'.join(map(os.fsencode, sys.argv[2:])))"

#: Each would make a file `canary` if anything interpreted it.
CORPUS = (
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "&& touch canary",
    "| touch canary",
    "\ntouch canary\n",
    "> canary",
    "-o canary",
    "--output=canary",
    "--config=../canary",
    "${IFS}touch${IFS}canary",
    "'; touch canary; '",
    '"; touch canary; "',
    "{version}; touch canary",
    "%n",
    "\\",
    "",
    " ",
    "\u202e\u200b",
    "\udcff",
)

hostile = st.one_of(st.sampled_from(CORPUS), st.text(min_size=0, max_size=200))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(hostile, min_size=1, max_size=30))
async def test_arguments_arrive_byte_for_byte_and_nothing_is_interpreted(
    arguments: list[str],
) -> None:
    with TemporaryDirectory() as directory:
        home = Path(directory)
        job = python(DUMP, str(home / "argv"), *arguments)
        runner = ShellRunner(home / "jobs")
        try:
            expected = b"\0".join(os.fsencode(argument) for argument in arguments)
        except UnicodeEncodeError:
            expected = None
        if expected is None or any("\0" in argument for argument in arguments):
            with pytest.raises(Rejected):
                await runner.start(KEY, job, TARGET, VERSION)
            return
        await runner.start(KEY, job, TARGET, VERSION)

        status = await until_over(runner, job)

        assert status.state is JobState.SUCCEEDED, status
        assert (home / "argv").read_bytes() == expected
        assert not list(home.rglob("canary"))
        assert not Path("canary").exists()


@given(hostile)
def test_what_takes_the_place_of_a_version_is_a_plain_name_or_refused(name: str) -> None:
    try:
        values = placeholders(TARGET, Version(name, "4f1c2a9", "image"))
    except Rejected:
        return
    assert values["{version}"] == name
    assert name.isascii()
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")
    assert name[0].isalnum()


@given(st.text(), st.text())
def test_what_takes_the_place_of_a_build_is_never_an_option(commit: str, artefact: str) -> None:
    try:
        values = placeholders(
            Target("T0DEMO", "checkout", "staging"), Version("v1", commit, artefact)
        )
    except Rejected:
        return
    assert not any(text.startswith("-") or "\0" in text for text in values.values())


def test_the_wrapper_starts_nothing_when_its_orders_are_cut(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    orders = f'{{"argv": ["/usr/bin/touch", "{canary}"], "env": {{}}, "limit": 5'

    launcher = subprocess.run(
        [sys.executable, "-m", "bot.adapters.shell_wrapper", str(tmp_path)],
        input=orders.encode(),
        timeout=30,
        check=False,
    )

    assert launcher.returncode == 0
    assert list(tmp_path.iterdir()) == []
