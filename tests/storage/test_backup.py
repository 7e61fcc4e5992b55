"""A copy is whole and private, or it is not there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import backup
from storage.store import open_store
from tests.builders import TEAM


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


async def test_a_copy_is_the_whole_database_and_its_owners_only(
    sqlite: str, tmp_path: Path
) -> None:
    store = await open_store(sqlite)
    await store.run(lambda tx: tx.deployments.next_number(TEAM))
    to = tmp_path / "copy.db"
    (tmp_path / "copy.db.part").write_text("what a copy that was interrupted left")

    await backup.copy(sqlite, to)
    await store.run(lambda tx: tx.deployments.next_number(TEAM))
    await store.close()

    with closing(sqlite3.connect(to)) as copied:
        assert copied.execute("SELECT value FROM counters").fetchall() == [(1,)]
    assert to.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["copy.db"]


async def test_what_is_no_database_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "pilothouse.db"
    source.write_bytes(b"no database at all" * 1000)

    with pytest.raises(OSError, match="no copy of"):
        await backup.copy(f"sqlite:///{source}", tmp_path / "copy.db")

    assert names(tmp_path) == ["pilothouse.db"]


async def test_where_nothing_can_be_written_the_system_says_so(sqlite: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="unable to open"):
        await backup.copy(sqlite, tmp_path / "nowhere" / "copy.db")


async def test_a_copy_replaces_nothing(sqlite: str, tmp_path: Path) -> None:
    to = tmp_path / "copy.db"
    to.write_text("older")

    with pytest.raises(FileExistsError):
        await backup.copy(sqlite, to)

    assert to.read_text() == "older"
