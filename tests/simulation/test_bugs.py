"""The tests must notice when the program is broken: each bug of the list is tried on a copy."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.bugs import BUGS, Bug

#: How many are tried, of those that were not tried by the shortest run; `len(BUGS)` takes minutes.
TRIED = int(os.environ.get("PILOTHOUSE_BUGS", "1"))
ROOT = Path(__file__).parents[2]
PARTS = ("bot", "handlers", "storage", "tests")
#: The first that goes red is enough; the cheapest first.
STORIES = ("tests/simulation/test_simulation.py",)
WATCHERS = (
    ("tests/simulation/test_late_commands.py", "tests/domain/test_invariants.py"),
    STORIES,
    ("tests/simulation/test_nth_failure.py",),
)


@pytest.fixture
def copied(fast_place: Path, tmp_path: Path) -> Path:
    """The program and its tests, to be broken."""
    place = fast_place / tmp_path.name
    for part in PARTS:
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "manifest.yml"):
        shutil.copy(ROOT / name, place)
    return place


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_words_that_each_bug_replaces_stand_there_once(bug: Bug) -> None:
    for file, good, bad in bug.edits:
        words = (ROOT / file).read_text()
        assert words.count(good) == 1, f"{file}: {good}"
        assert good != bad
        ast.parse(words.replace(good, bad))  # a program that does not start shows nothing


def test_a_copy_without_a_bug_is_green(copied: Path) -> None:
    ended = _watch(copied, STORIES, PILOTHOUSE_SEEDS="2")

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("bug", BUGS[:TRIED], ids=lambda bug: bug.name)
def test_a_bug_is_noticed(bug: Bug, copied: Path) -> None:
    bug.apply(copied)
    for watcher in WATCHERS:
        ended = _watch(copied, watcher)
        assert ended.returncode in (0, 1), ended.stdout + ended.stderr
        if ended.returncode == 1:
            assert re.search(r"\d+ failed", ended.stdout), ended.stdout
            return
    raise AssertionError(f"nobody noticed that {bug.name}")


def _watch(
    place: Path, watcher: tuple[str, ...], **settings: str
) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "pytest", *watcher, "-x", "-p", "no:cacheprovider")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "PYTHONPATH": str(place),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PILOTHOUSE_NTH": "8",
        "PILOTHOUSE_HYPOTHESIS": "quick",
    } | settings
    return subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )
