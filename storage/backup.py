"""Copying a database while the bot runs."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from storage.addresses import BadAddress, is_postgres, sqlite_path
from storage.private import make_private


async def copy(url: str, to: Path) -> None:
    """A consistent copy of a SQLite database at *to*, which must not exist yet.

    Raises `BadAddress` for Postgres, whose own tools do this better, and `OSError`.
    """
    if is_postgres(url):
        raise BadAddress("A Postgres database is copied with pg_dump.")
    await asyncio.to_thread(_copy, sqlite_path(url), to)


def _copy(source: Path, to: Path) -> None:
    if to.exists():
        raise FileExistsError(f"{to} is there already")
    if not source.exists():
        raise FileNotFoundError(f"{source} is not there")
    # Under another name until it is whole: half a copy must not be taken for one.
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    make_private(part)
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise OSError(f"no copy of {source} was made ({error})") from error
    part.rename(to)
