"""Whoever else is on the host does not read what people wrote."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import backup, migrate
from storage.private import make_private
from storage.store import open_store, prepare


@pytest.fixture(autouse=True)
def a_trusting_host() -> Iterator[None]:
    """Where new files are for everybody unless somebody says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}


async def test_a_new_database_its_log_and_its_copy_are_for_their_owner_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pilothouse.db'}"
    store = await prepare(url)
    await backup.copy(url, tmp_path / "copy.db")

    found = modes(tmp_path)
    await store.close()

    assert {"pilothouse.db", "pilothouse.db-wal", "copy.db"} <= set(found)
    assert set(found.values()) == {"0o600"}


async def test_a_database_made_by_the_upgrade_is_too(tmp_path: Path) -> None:
    await migrate.upgrade(f"sqlite:///{tmp_path / 'pilothouse.db'}")

    assert set(modes(tmp_path).values()) == {"0o600"}


async def test_a_file_that_is_there_keeps_its_mode_and_what_is_in_it(tmp_path: Path) -> None:
    there = tmp_path / "pilothouse.db"
    there.write_bytes(b"what is in it")
    there.chmod(0o640)

    make_private(there)

    assert (there.read_bytes(), modes(tmp_path)) == (b"what is in it", {there.name: "0o640"})


async def test_a_database_in_memory_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = await open_store("sqlite:///:memory:")
    await store.close()

    assert modes(tmp_path) == {}
