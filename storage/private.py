"""Database files are for their owner: people's words are in them, and where to answer them."""

import os
from contextlib import suppress
from pathlib import Path

_IN_MEMORY = ":memory:"


def make_private(path: Path) -> None:
    """Make the file *path*, empty, for its owner only; what SQLite puts beside it is alike.

    One that is there keeps its mode. Raises nothing: who opens it says better what is wrong.
    """
    if path.name == _IN_MEMORY:
        return
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
