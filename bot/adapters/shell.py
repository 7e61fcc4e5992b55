"""Runs a job as a process of its own, at most once per key, whatever becomes of the bot."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import bot
from bot.adapters.shell_journal import Ending, Journal
from bot.adapters.shell_wrapper import Spec
from bot.crashpoint import crashpoint
from bot.domain.gates import Driver
from bot.domain.health import spoken
from bot.domain.jobs import JobState, JobStatus
from bot.domain.plan import JobStage
from bot.domain.release import Target, Version
from bot.ports import Rejected, Unavailable
from bot.redact import redact

TAIL_LINES = 20
TAIL_BYTES = 2000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_PASSED_ON = ("PATH", "HOME", "LANG")
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
#: Seconds the wrapper may take to read what it shall do.
_LAUNCH = 15
#: Of the output, so much is looked at: enough that no secret is cut before it is recognised.
_LOOKED_AT = 64 * 1024


class ShellRunner:
    """Keeps a journal directory per key under *state_dir*, which must be on a local disk."""

    def __init__(
        self,
        state_dir: Path,
        environ: Mapping[str, str] | None = None,
        grace: timedelta = timedelta(seconds=5),
    ) -> None:
        self._state_dir = state_dir
        self._environ = os.environ if environ is None else environ
        self._grace = grace

    async def start(self, key: str, job: JobStage, target: Target, version: Version) -> None:
        journal = Journal.of(self._state_dir, key)
        spec = self._spec(job, target, version)
        try:
            await asyncio.to_thread(_start, journal, key, spec)
        except OSError as error:
            raise Unavailable(f"the job journal failed: {error.strerror}") from error

    async def status(self, key: str, job: JobStage) -> JobStatus:
        journal = Journal.of(self._state_dir, key)
        try:
            return await asyncio.to_thread(_status, journal, key, job)
        except OSError as error:
            raise Unavailable(f"the job journal failed: {error.strerror}") from error

    async def stop(self, key: str, job: JobStage) -> None:
        try:
            await asyncio.to_thread(_stop, Journal.of(self._state_dir, key))
        except OSError as error:
            raise Unavailable(f"the job could not be stopped: {error.strerror}") from error

    def _spec(self, job: JobStage, target: Target, version: Version) -> Spec:
        values = placeholders(target, version)
        argv = list(job.argv)
        if not argv:
            raise Rejected(f"{job.name} names no program")
        program = find_program(argv[0], self._environ.get("PATH", _DEFAULT_PATH))
        argv = [program, *(values.get(argument, argument) for argument in argv[1:])]
        if not all(_is_passable(argument) for argument in argv):
            raise Rejected(f"{job.name} has an argument that no program can be given")
        env = self._environment(job.runner, values)
        return Spec(argv, env, job.time_limit.total_seconds(), self._grace.total_seconds())

    def _environment(self, runner: Driver, values: Mapping[str, str]) -> dict[str, str]:
        listed = [name.strip() for name in runner.get("env").split(",") if name.strip()]
        env = {n: self._environ[n] for n in (*_PASSED_ON, *listed) if n in self._environ}
        named = {f"PILOTHOUSE_{name[1:-1].upper()}": text for name, text in values.items()}
        return {"PATH": _DEFAULT_PATH} | env | named


def find_program(name: str, path: str) -> str:
    """The absolute path of *name*; a bare name is looked up once on *path*.

    Raises `Rejected` for a relative path or when there is no such program.
    """
    if not _is_passable(name):
        raise Rejected("the program's name is not one")
    if "/" in name and not name.startswith("/"):
        raise Rejected(f"{name} is a relative path; write the whole path")
    found = shutil.which(name, path=path) if name else None
    if found is None or not found.startswith("/"):
        raise Rejected(f"there is no program {name}")
    return found


def placeholders(target: Target, version: Version) -> dict[str, str]:
    """What `{service}` and the others stand for. Raises `Rejected` for what could be mistaken."""
    values = {
        "{service}": target.service,
        "{environment}": target.environment,
        "{version}": version.name,
        "{commit}": version.commit,
        "{artefact}": version.artefact,
    }
    for name in ("{service}", "{environment}", "{version}"):
        if not _NAME.fullmatch(values[name]):
            raise Rejected(f"{redact(values[name])[:80]!r} is no {name[1:-1]} a job can take")
    for name in ("{commit}", "{artefact}"):
        if values[name].startswith("-") or not values[name].isprintable():
            raise Rejected(f"the {name[1:-1]} of {version.name} could be taken for an option")
    return values


def _is_passable(argument: str) -> bool:
    try:
        return b"\0" not in os.fsencode(argument)
    except UnicodeEncodeError:
        return False


def _start(journal: Journal, key: str, spec: Spec) -> None:
    if journal.is_claimed():
        return
    crashpoint("shell.before_journal")
    with journal.claim({"key": key, "argv": [redact(argument) for argument in spec.argv]}) as mine:
        if mine is None:
            return
        crashpoint("shell.journaled")
        _launch(journal, spec, mine)
        crashpoint("shell.started")


def _launch(journal: Journal, spec: Spec, lock: int) -> None:
    """Hand *lock* over to a wrapper. From here on the journal says how it stands, not we."""
    command = [sys.executable, "-P", "-m", "bot.adapters.shell_wrapper", str(journal.directory)]
    try:
        launcher = subprocess.Popen(  # noqa: S603 - our own module, by its full path
            command,
            env={"PYTHONPATH": str(Path(bot.__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock,),
            start_new_session=True,
        )
    except OSError as error:
        journal.end(Ending("unstartable", why=error.strerror or "no process"))
        return
    crashpoint("shell.launched")
    with launcher:
        try:
            launcher.communicate(spec.encode(), timeout=_LAUNCH)
        except subprocess.TimeoutExpired:
            launcher.kill()


def _status(journal: Journal, key: str, job: JobStage) -> JobStatus:
    if not journal.is_claimed():
        return JobStatus(key, JobState.ABSENT)
    ending = journal.ending()
    if ending is None and journal.is_held():
        return JobStatus(key, JobState.RUNNING, tail=tail(journal.output()))
    ending = ending or journal.ending()  # it may have ended between the two looks
    said = tail(journal.output())
    if ending is None:
        fact = "it was started, and nobody saw how it ended"
        return JobStatus(key, JobState.LOST, tail=said, fact=fact)
    is_good = ending.how == "exit" and ending.code == 0
    state = JobState.SUCCEEDED if is_good else JobState.FAILED
    code = ending.code if ending.how == "exit" else None
    return JobStatus(key, state, code, said, _fact(ending, job.time_limit))


def _fact(ending: Ending, limit: timedelta) -> str:
    match ending.how:
        case "limit":
            return f"stopped after its limit of {spoken(limit)}"
        case "stopped":
            return f"stopped {ending.why}".strip()
        case "unstartable":
            return f"could not be started: {ending.why}"
    code = ending.code or 0
    return f"ended by {_signal_name(-code)}" if code < 0 else f"exit {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _stop(journal: Journal) -> None:
    if not journal.is_claimed() or journal.ending() is not None:
        return
    journal.ask_to_stop()  # first, so that a wrapper that is not there yet will see it
    leader = journal.leader()
    if leader is None:
        return
    if leader.is_alive():
        with suppress(ProcessLookupError):
            os.kill(leader.pid, signal.SIGTERM)
        return
    for pid in leader.followers():  # their wrapper was killed, so nobody else will
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def tail(output: bytes) -> str:
    """The last lines of *output* that people may see: no secrets, no control characters."""
    cut = output[-_LOOKED_AT:]
    if len(output) > _LOOKED_AT:
        cut = cut.partition(b"\n")[2] or cut
    text = _ANSI.sub("", cut.decode(errors="replace")).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or not _is_hidden(c))
    lines = [line.rstrip() for line in redact(text).split("\n")]
    shown = "\n".join([line for line in lines if line][-TAIL_LINES:])
    return shown.encode(errors="replace")[-TAIL_BYTES:].decode(errors="ignore")


def _is_hidden(character: str) -> bool:
    """Control, bidirectional and other invisible characters, and halves of surrogates."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
