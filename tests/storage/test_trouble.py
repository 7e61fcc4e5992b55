"""Trouble: damaged files, second bots, databases that go away; always a sentence, never a guess."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.memory import Transaction
from bot.ports import Unavailable
from storage import lock
from storage.addresses import NoFolder
from storage.opening import CannotOpen, Corrupt
from storage.store import open_store
from storage.transaction import connection_of
from tests.builders import NOW, TEAM, a_deployment


@pytest.fixture
async def file(sqlite_file: Path) -> Path:
    store = await open_store(f"sqlite:///{sqlite_file}")
    await store.run(lambda tx: tx.deployments.add(a_deployment(), NOW))
    await store.close()
    return sqlite_file


def damaged(path: Path) -> None:
    """Overwrite pages in the middle, as a dying disk does."""
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 8192):
        content[start : start + 2048] = b"\xff" * 2048
    path.write_bytes(content)


def overwritten(path: Path, page: int) -> None:
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(content)


async def test_a_damaged_file_is_refused(file: Path) -> None:
    damaged(file)

    with pytest.raises(Corrupt, match="restore"):
        await open_store(f"sqlite:///{file}")


async def test_damage_that_no_start_would_trip_over_is_refused_too(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'deployments'"
        ).fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwritten(file, page)

    with pytest.raises(Corrupt, match="restore"):
        await open_store(f"sqlite:///{file}")


async def test_a_unit_that_only_read_so_far_keeps_other_writers_out(file: Path) -> None:
    store = await open_store(f"sqlite:///{file}")

    async def unit(tx: Transaction) -> None:
        await tx.deployments.get(TEAM, "D-142")
        with contextlib.closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="busy"):
        await store.run(unit)
    await store.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, " * 100)

    with pytest.raises(Corrupt, match="damaged"):
        await open_store(f"sqlite:///{path}")


async def test_a_folder_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "pilothouse.db"

    with pytest.raises(NoFolder, match=f"no folder {file.parent} for the database file {file}"):
        await open_store(f"sqlite:///{file}")


async def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match=f"{tmp_path} cannot be opened"):
        await open_store(f"sqlite:///{tmp_path}")


async def test_sqlite_keeps_what_it_committed_through_a_power_cut(file: Path) -> None:
    store = await open_store(f"sqlite:///{file}")

    async def settings(tx: Transaction) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [(await connection_of(tx).rows(f"PRAGMA {name}"))[0][0] for name in names]

    assert await store.run(settings) == ["wal", 2, 1, 5000]
    await store.close()


async def test_a_full_disk_changes_nothing_and_passes(file: Path) -> None:
    store = await open_store(f"sqlite:///{file}")

    async def limit(pages: int) -> None:
        await store.run(lambda tx: connection_of(tx).rows(f"PRAGMA max_page_count = {pages}"))

    async def fill(tx: Transaction) -> None:
        await tx.deployments.next_number(TEAM)
        await tx.snapshot_policy("digest", "x" * 2_000_000)

    await limit(1)
    with pytest.raises(Unavailable, match="full"):
        await store.run(fill)
    await limit(1_000_000)

    assert await store.run(lambda tx: tx.deployments.next_number(TEAM)) == 1
    await store.close()


async def test_another_writer_is_waited_for(file: Path) -> None:
    store = await open_store(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    ending = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    ending.start()

    assert await store.run(lambda tx: tx.deployments.next_number(TEAM)) == 1
    ending.join()
    await store.close()
    other.close()


async def test_a_database_file_has_one_bot(file: Path) -> None:
    with lock.hold(file):
        code = (
            "import pathlib, sys; from storage import lock\n"
            "try:\n    lock.hold(pathlib.Path(sys.argv[1])).__enter__()\n"
            "except lock.AlreadyRunning as error: print(error)"
        )
        second = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", code, str(file)],
            capture_output=True,
            text=True,
            check=True,
        )

    assert f"process {os.getpid()}" in second.stdout
    assert "Postgres" in second.stdout


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    beside = tmp_path / "pilothouse.db.lock"
    beside.mkdir()

    with (
        pytest.raises(CannotOpen, match=f"The lock {beside} of the database cannot be opened"),
        lock.hold(tmp_path / "pilothouse.db"),
    ):
        pass


async def test_a_bot_that_was_killed_leaves_no_lock(file: Path) -> None:
    code = (
        "import pathlib, sys; from storage import lock\n"
        "with lock.hold(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n    sys.stdin.read()"
    )
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(file)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(lock.AlreadyRunning), lock.hold(file):
        pass

    holder.send_signal(signal.SIGKILL)
    await holder.wait()

    with lock.hold(file):
        pass


async def test_a_postgres_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await open_store("postgresql://nobody@127.0.0.1:1/nothing")
