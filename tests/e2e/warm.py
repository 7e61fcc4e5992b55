"""A bot that starts in a moment: a process of its own, forked from one that imported it before."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bot import command_line

_PR_SET_PDEATHSIG = 1


def warm(environment: Mapping[str, str], log: Path) -> "WarmProcess":
    """The bot with *environment* and nothing else, its output appended to *log*.

    Only the imports were made before, and those do no work. It dies with the process it was
    forked from, and that one with whoever calls this.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_be_the_bot, args=(dict(environment), log), daemon=True)
    process.start()
    return WarmProcess(process)


class WarmProcess:
    """Speaks as a `subprocess.Popen` does."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired("bot", timeout or 0)
        return status

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _be_the_bot(environment: dict[str, str], log: Path) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    os.close(out)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["pilothouse", "run"]
    command_line.cli()
