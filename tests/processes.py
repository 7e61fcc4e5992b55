"""Running the program as a person at a shell does, with nothing in its environment."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def python(*arguments: str, cwd: Path = ROOT, **environment: str) -> Ran:
    """`python …` in *cwd*, with *environment* and nothing else, for a minute at most."""
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def pilothouse(*arguments: str, cwd: Path = ROOT, **environment: str) -> Ran:
    return python("-m", "bot", *arguments, cwd=cwd, **environment)
