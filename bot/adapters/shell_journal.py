"""What is known of one keyed job: a directory of files that outlives whoever wrote them."""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: What is kept of a job's output: two files of at most this many bytes, the older one full.
OUTPUT_CAP = 256 * 1024


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended; `how` is exit, limit, stopped or unstartable.

    `code` is its exit code; a negative one is the signal that ended it.
    """

    how: str
    code: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Leader:
    """The process that looks after a job, and leads its session.

    A number alone is no identity: they come round again. `born` is in clock ticks since `boot`.
    """

    pid: int
    born: int
    boot: str

    @classmethod
    def myself(cls) -> "Leader":
        pid = os.getpid()
        return cls(pid, born(pid) or 0, boot())

    def is_alive(self) -> bool:
        return self.boot == boot() and born(self.pid) == self.born

    def followers(self) -> list[int]:
        """Every other living process of its session, also after the leader died."""
        if self.boot != boot() or (born(self.pid) or self.born) != self.born:
            return []
        return [pid for pid in _processes() if pid != self.pid and session(pid) == self.pid]


class Journal:
    """One job. `start` is created once for ever; whoever may still run it holds its lock.

    The lock belongs to the open file, which the process that looks after the job inherits: the
    kernel lets go of it when the last holder dies, however it dies.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._start = directory / "start"

    @classmethod
    def of(cls, state_dir: Path, key: str) -> "Journal":
        return cls(state_dir / hashlib.sha256(key.encode()).hexdigest())

    @contextmanager
    def claim(self, facts: dict[str, Any]) -> Iterator[int | None]:
        """Create `start`, locked and on disk, and give its descriptor; None when it exists.

        It is written aside and linked, so nobody ever sees it half written or not yet locked.
        """
        # One by one: what is made on the way to another gets no mode of ours.
        self.directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory.mkdir(exist_ok=True, mode=0o700)
        aside = self.directory / f"start.{secrets.token_hex(8)}"
        descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            os.write(descriptor, json.dumps(facts).encode())
            os.fsync(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_mine = self._link(aside)
            yield descriptor if is_mine else None
        finally:
            aside.unlink(missing_ok=True)
            os.close(descriptor)

    def _link(self, aside: Path) -> bool:
        try:
            os.link(aside, self._start)
        except FileExistsError:
            return False
        _sync(self.directory)
        _sync(self.directory.parent)
        return True

    def is_claimed(self) -> bool:
        return self._start.exists()

    def is_held(self) -> bool:
        """Whether somebody who runs this job, or is about to, is alive."""
        descriptor = os.open(self._start, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def end(self, ending: Ending) -> None:
        self._write("exit", asdict(ending))

    def ending(self) -> Ending | None:
        found = self._read("exit")
        return None if found is None else Ending(**found)

    def lead(self, leader: Leader) -> None:
        self._write("leader", asdict(leader))

    def leader(self) -> Leader | None:
        found = self._read("leader")
        return None if found is None else Leader(**found)

    def ask_to_stop(self) -> None:
        (self.directory / "stop").touch()

    def is_to_stop(self) -> bool:
        return (self.directory / "stop").exists()

    def output(self) -> bytes:
        """The last of what the job wrote, at least the last `OUTPUT_CAP` bytes of it."""
        return b"".join(
            path.read_bytes() for path in (self.old_output, self.new_output) if path.exists()
        )

    @property
    def new_output(self) -> Path:
        return self.directory / "output"

    @property
    def old_output(self) -> Path:
        return self.directory / "output.old"

    def _write(self, name: str, facts: dict[str, Any]) -> None:
        aside = self.directory / f"{name}.{secrets.token_hex(8)}"
        with aside.open("xb") as file:
            file.write(json.dumps(facts).encode())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.directory / name)
        _sync(self.directory)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self.directory / name).read_bytes())
        except FileNotFoundError:
            return None
        return found


def born(pid: int) -> int | None:
    """When process *pid* began, in clock ticks since boot; None when there is none."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def session(pid: int) -> int | None:
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[3])


def boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _stat(pid: int) -> list[str] | None:
    try:
        line = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return line.rpartition(")")[2].split()  # the name before it may hold anything


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
