"""A crash point kills at the passage it was told to, and otherwise does nothing."""

import os
import signal
import subprocess
import sys

import pytest

from bot.crashpoint import ENVIRONMENT, crashpoint

PASSES = """
from bot.crashpoint import crashpoint
for n in range(3):
    print(n, flush=True)
    crashpoint('here')
"""


@pytest.mark.kill
@pytest.mark.parametrize(
    ("wish", "passed", "code"),
    [
        ("here:1", 1, -signal.SIGKILL),
        ("here:3", 3, -signal.SIGKILL),
        ("here:4", 3, 0),
        ("there:1", 3, 0),
    ],
)
def test_the_process_dies_at_the_named_passage(wish: str, passed: int, code: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PASSES],
        env=dict(os.environ) | {"PILOTHOUSE_CRASH": wish},
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert (len(ran.stdout.split()), ran.returncode) == (passed, code)


@pytest.mark.parametrize("wish", [None, ""])
def test_without_a_wish_nothing_happens(monkeypatch: pytest.MonkeyPatch, wish: str | None) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    if wish is not None:
        monkeypatch.setenv(ENVIRONMENT, wish)
    passed = []

    for name in ("here", ""):
        crashpoint(name)
        passed.append(name)

    assert passed == ["here", ""]
