"""One bot per SQLite file: a lock that the kernel releases when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.opening import CannotOpen


class AlreadyRunning(Exception):
    """Another process runs the bot on this file."""


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Be the only bot on the database *path*; short writes of other processes go on.

    Raises `AlreadyRunning` with a sentence for whoever started the second one, or `CannotOpen`.
    """
    beside = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = f"The lock {beside.absolute()} of the database cannot be opened ({error.strerror})."
        raise CannotOpen(why) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"Another process runs the bot on {path} already (process {_holder(descriptor)}). "
                "Stop that one first; several at once need Postgres."
            ) from error
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
