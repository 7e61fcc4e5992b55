"""Looks after one job in a session of its own: time limit, output, and how it ended."""

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from bot.adapters.shell_journal import OUTPUT_CAP, Ending, Journal, Leader

#: Seconds in which output that is still on its way is read after the job ended.
_LAST_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run. It comes through a pipe, so that no secret of *env* is ever on disk.

    `limit` and `grace` (from SIGTERM to SIGKILL) are in seconds.
    """

    argv: list[str]
    env: dict[str, str]
    limit: float
    grace: float

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, written: bytes) -> "Spec | None":
        """None when it is not whole: then whoever wrote it died, and nothing may start."""
        try:
            return cls(**json.loads(written))
        except ValueError:
            return None


class Output:
    """Keeps the last of what a job says, in two files that take turns."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._file = journal.new_output.open("ab", buffering=0)

    def add(self, chunk: bytes) -> None:
        self._file.write(chunk)
        if self._file.tell() >= OUTPUT_CAP:
            self._file.close()
            self._journal.new_output.replace(self._journal.old_output)
            self._file = self._journal.new_output.open("ab", buffering=0)


class Watch:
    """Waits for the job, its output, the limit and a request to stop, all at once."""

    def __init__(self, journal: Journal, spec: Spec) -> None:
        self._spec = spec
        self._journal = journal
        self._output = Output(journal)
        self._is_stopped = False
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, self._stop)
        signal.set_wakeup_fd(wake)

    def _stop(self, *_: object) -> None:
        self._is_stopped = True

    def run(self) -> Ending:
        if self._journal.is_to_stop() or self._is_stopped:
            return Ending("stopped", why="before it began")
        try:
            job = subprocess.Popen(  # noqa: S603 - argv from the policy, never a shell
                self._spec.argv,
                env=self._spec.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        except (OSError, ValueError) as error:
            return Ending("unstartable", why=getattr(error, "strerror", None) or str(error))
        assert job.stdout is not None  # noqa: S101 - a pipe was asked for
        self._pipe: int | None = job.stdout.fileno()
        how = self._until_over(job)
        self._read_until(monotonic() + _LAST_WORDS)
        return Ending(how, job.returncode)

    def _until_over(self, job: subprocess.Popen[bytes]) -> str:
        deadline = monotonic() + self._spec.limit
        while job.poll() is None:
            if self._is_stopped or monotonic() >= deadline:
                self._end(job)
                return "stopped" if self._is_stopped else "limit"
            self._look(deadline - monotonic())
        return "exit"

    def _end(self, job: subprocess.Popen[bytes]) -> None:
        leader = Leader.myself()
        self._signal(job, leader, signal.SIGTERM)
        deadline = monotonic() + self._spec.grace
        while monotonic() < deadline and (job.poll() is None or leader.followers()):
            self._look(min(0.1, max(0.0, deadline - monotonic())))
        for _ in range(5):  # a process may have been born while the list was read
            self._signal(job, leader, signal.SIGKILL)
            if not leader.followers():
                break
        job.wait()

    def _signal(self, job: subprocess.Popen[bytes], leader: Leader, sign: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(job.pid, sign)
        for pid in leader.followers():
            with suppress(ProcessLookupError):
                os.kill(pid, sign)

    def _look(self, timeout: float) -> None:
        readable = [self._wake] if self._pipe is None else [self._wake, self._pipe]
        ready, _, _ = select.select(readable, [], [], timeout)
        if self._wake in ready:
            os.read(self._wake, 4096)
        if self._pipe in ready:
            self._read()

    def _read(self) -> None:
        assert self._pipe is not None  # noqa: S101 - only asked while it is open
        chunk = os.read(self._pipe, 65536)
        if chunk:
            self._output.add(chunk)
        else:
            self._pipe = None

    def _read_until(self, deadline: float) -> None:
        """A process that outlives the job may keep the pipe open for ever; do not wait for it."""
        while self._pipe is not None and monotonic() < deadline:
            self._look(deadline - monotonic())


def main() -> None:
    spec = Spec.decode(sys.stdin.buffer.read())
    if spec is None or os.fork():
        return
    os.setsid()
    journal = Journal(Path(sys.argv[1]))
    watch = Watch(journal, spec)
    journal.lead(Leader.myself())
    journal.end(watch.run())


if __name__ == "__main__":
    main()
