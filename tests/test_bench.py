"""The bench measures what it says; how fast anything is, no test asks."""

import hashlib
import hmac
import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from bot.bench import copies, floor, history, load, measure, outside, past, plans, table
from bot.bench.databases import sqlite
from storage.store import OpenStore, prepare


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    opened = await prepare(sqlite(tmp_path, "bench"))
    yield opened
    await opened.close()


async def served(app: web.Application) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


@pytest.mark.parametrize(("percent", "expected"), [(50, 2), (99, 4), (0, 1), (100, 4)])
def test_a_percentile_is_always_one_of_the_values(percent: float, expected: float) -> None:
    assert measure.percentile([4, 1, 3, 2], percent) == expected


def test_nothing_has_no_median() -> None:
    with pytest.raises(ValueError, match="nothing"):
        measure.median([])


def test_a_process_is_measured_while_it_lives() -> None:
    assert measure.resident_mb(os.getpid()) > 1
    assert 0 < measure.cpu_seconds(os.getpid()) <= time.process_time() + 1


def test_a_goal_is_judged_on_the_ratio_when_there_is_a_floor() -> None:
    twice = table.Goal(2, unit="×")

    assert table.Figure(1, "p99", 3.0, "ms", 2.0, twice).is_met is True
    assert table.Figure(1, "p99", 5.0, "ms", 2.0, twice).is_met is False
    assert table.Figure(8, "start", 1.5, "s", goal=twice).is_met is True
    assert table.Figure(1, "only told", 1.5, "ms").is_met is None


def test_at_least_is_the_other_way_round() -> None:
    least = table.Goal(0.4, is_least=True, unit="×")

    assert (least.holds(0.5), least.holds(0.3), str(least)) == (True, False, "≥ 0.4×")


def test_the_table_and_its_json_say_the_same() -> None:
    figures = [table.Figure(2, "CPU", 600.0, "µs", 200.0, table.Goal(2, unit="×"))]

    text, found = table.as_text(figures), json.loads(table.as_json(figures, ["noisy"]))

    assert text.splitlines()[-1].split() == [
        "2",
        "CPU",
        "600",
        "µs",
        "200",
        "µs",
        "3.00×",
        "≤",
        "2×",
        "NO",
    ]
    assert found["figures"][0]["ratio"] == 3.0
    assert (found["figures"][0]["met"], found["remarks"]) == (False, ["noisy"])


def test_a_typed_command_is_signed_as_slack_signs() -> None:
    request = load.signed(load.Typed("D-1 fine", "key-1"), 1_772_000_000.9)
    head, _, body = request.partition(b"\r\n\r\n")
    base = b"v0:1772000000:" + body
    expected = hmac.new(load.SECRET.encode(), base, hashlib.sha256).hexdigest()

    assert f"v0={expected}".encode() in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert parse_qs(body.decode())["text"] == ["D-1 fine"]


async def test_the_floor_answers_what_is_signed_and_nothing_else() -> None:
    runner, port = await served(floor.application())
    good = load.sign_all(load.Typed("D-1", f"key-{number}") for number in range(4))
    forged = load.signed(load.Typed("D-1", "key"), time.time(), "another-secret")

    answered = await load.closed_loop(port, good, b"signed", connections=2)
    paced = await load.paced(port, good, b"signed", 1000)
    refused = await load.closed_loop(port, [forged], b"signed")
    await runner.cleanup()

    assert (len(answered.latencies), answered.failed, len(paced.latencies)) == (4, 0, 4)
    assert (refused.failed, refused.example[:3]) == (1, "401")


async def test_calls_to_slack_are_counted() -> None:
    runner, port = await served(outside.Outside().application())
    line = await load.Connection.open(port)

    status, said = await line.ask(b"POST /api/chat.postMessage HTTP/1.1\r\nHost: x\r\n\r\n")
    _, counted = await line.ask(b"GET /calls HTTP/1.1\r\nHost: x\r\n\r\n")
    await line.close()
    await runner.cleanup()

    assert (status, json.loads(said)["ok"], json.loads(counted)) == (200, True, {"calls": 1})


async def test_copies_wait_for_the_same_signatures_in_teams_of_their_own(
    store: OpenStore, tmp_path: Path
) -> None:
    d = await copies.at_approval(store, copies.policies_at(tmp_path, 1))

    await copies.copy(store, d, ["T1", "T2"])
    copied = await store.run(lambda tx: tx.deployments.get("T2", d.id))
    left = await store.run(lambda tx: tx.outbox.next_at())

    assert copied is not None
    assert (copied.team, copied.stage, copied.version) == ("T2", d.stage, d.version)
    assert left is None


async def test_a_past_is_as_long_as_was_asked_and_leaves_what_is_open_alone(
    store: OpenStore, tmp_path: Path
) -> None:
    policies = copies.policies_at(tmp_path, 1)

    d = await history.load(store, policies, 1200, is_postgres=False)

    newest = await store.run(lambda tx: tx.deployments.recent(d.team, None, 300))
    assert len(await store.run(lambda tx: tx.deployments.unfinished(d.team))) == history.ACTIVE
    assert newest[history.ACTIVE].id == "D-1001199"
    with closing(sqlite3.connect(tmp_path / "bench.db")) as file:
        finished = "SELECT COUNT(*), COUNT(DISTINCT requested_at) FROM deployments WHERE phase = ?"
        assert file.execute(finished, ("succeeded",)).fetchone() == (1200, 1200)


async def test_reading_a_whole_table_is_noticed(store: OpenStore) -> None:
    explained = plans.ExplainedStore(store, is_postgres=False)

    await explained.run(lambda tx: tx.deployments.recent("T0DEMO", None, 10))
    assert [scan for found in explained.found.values() for scan in found] == []
    assert plans.is_scan("SCAN deployments", "SELECT 1 FROM deployments")
    assert plans.is_scan("SEARCH d USING INDEX deployments_newest (team=?)", "SELECT 1")
    assert not plans.is_scan("SCAN o USING INDEX outbox_urgent", "SELECT 1")


async def test_every_piece_of_work_is_measured_with_both_pasts(tmp_path: Path) -> None:
    urls = sqlite(tmp_path, "short"), sqlite(tmp_path, "long")

    figures, scans = await past.compare(tmp_path, "SQLite", urls, (5, 20), rounds=1)

    assert scans == []
    assert {figure.name.partition(",")[0] for figure in figures} >= {"tick", "status", "current"}
    assert all(figure.measured > 0 for figure in figures if figure.unit)
