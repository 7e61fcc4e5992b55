"""The world's processes: none is left behind, and what was asked for is remembered."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters.weighted_http import WeightedHttpRouter
from bot.demo.world.instance import Instance
from bot.demo.world.world import DemoWorld, speed_of
from bot.ports import Unavailable
from tests.demo.world_kit import TARGET, a_world, asking, driver, fetch, is_alive, serving, until

HALF = (("v1.8.2", 50), ("v1.8.3", 50))

#: Starts a world, tells where, and waits to be killed.
OWNER = """
import asyncio, sys
from pathlib import Path
from bot.demo.world.world import DemoWorld

async def main():
    world = DemoWorld(Path(sys.argv[1]), rps=5)
    await world.start()
    print(world.url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_restarted_router_knows_its_split_and_its_fence(tmp_path: Path) -> None:
    async with asking() as http:
        router = WeightedHttpRouter(http)
        async with a_world(tmp_path) as world:
            await router.set_weights(driver(world.addresses.router), TARGET, HALF, 7)

        async with a_world(tmp_path) as world:
            place = driver(world.addresses.router)
            assert await router.weights(place, TARGET) == HALF
            with pytest.raises(Unavailable, match="newer command"):
                await router.set_weights(place, TARGET, (("v1.8.2", 100),), 6)


@pytest.mark.kill
async def test_no_process_is_left_when_the_demo_is_killed(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(tmp_path)), stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    async with asyncio.timeout(30):
        assert await owner.stdout.readline()
    pids = serving(owner.pid)
    assert pids

    owner.kill()
    await owner.wait()

    await until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.kill
async def test_a_version_that_died_under_traffic_comes_back(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        status, _, _ = await fetch(f"{world.url}/production/checkout/pay")
        assert status == 200
        (pid,) = serving(os.getpid())
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not is_alive(pid))

        async def is_back() -> bool:
            status, _, _ = await fetch(f"{world.url}/production/checkout/pay")
            return status == 200

        await until(is_back)
        assert world.state()["services"][0]["versions"]["v1.8.2"]["errors"] > 0


async def test_a_stopped_world_is_gone_and_can_be_stopped_again(tmp_path: Path) -> None:
    world = DemoWorld(tmp_path, rps=20)
    await world.start()
    (pid,) = serving(os.getpid())

    await world.stop()
    await world.stop()

    assert not is_alive(pid)
    assert world.state()["services"] == []
    assert (await world.act({"action": "fail", "version": "v1.8.3", "on": True}))["ok"] is False


async def test_a_port_that_is_taken_leaves_nothing_behind(tmp_path: Path) -> None:
    async with a_world(tmp_path / "one") as world:
        port = int(world.url.rpartition(":")[2])
        other = DemoWorld(tmp_path / "two", rps=5, port=port)

        with pytest.raises(OSError, match="address already in use"):
            await other.start()

        assert other.state()["services"] == []


async def test_only_whoever_started_a_version_can_make_it_fail() -> None:
    instance = Instance("checkout", "v1.8.3", "right")
    await instance.start()
    try:
        for headers, body, expected in (
            ({}, {"on": True}, 403),
            ({"X-Token": "wrong"}, {"on": True}, 403),
            ({"X-Token": "right"}, {"on": "yes"}, 400),
            ({"X-Token": "right"}, {"on": True}, 200),
        ):
            status, _, _ = await fetch(f"{instance.url}/_fail", "POST", json=body, headers=headers)
            assert status == expected
        assert (await fetch(f"{instance.url}/healthz"))[0] == 200
    finally:
        await instance.stop()
    assert not instance.is_running


async def test_a_page_in_a_browser_cannot_give_orders(tmp_path: Path) -> None:
    foreign = ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"})
    async with a_world(tmp_path) as world:
        url = f"{world.url}/releases?service=checkout"
        answers = [await fetch(url, headers=headers) for headers in foreign]

        assert [status for status, _, _ in answers] == [403, 403, 403]
        assert (await fetch(url))[0] == 200


async def test_an_action_that_makes_no_sense_is_answered_in_words(tmp_path: Path) -> None:
    actions: tuple[dict[str, object], ...] = (
        {},
        {"action": "explode"},
        {"action": "fail", "version": "v7", "on": True},
        {"action": "fail", "version": "v1.8.3", "on": "yes"},
        {"action": "fail", "version": ["v1.8.3"], "on": True},
    )
    async with a_world(tmp_path) as world:
        answers = [await world.act(action) for action in actions]

        assert not any(answer["ok"] for answer in answers)
        assert all(answer["error"] for answer in answers)
        assert world.state()["services"][0]["failing"] == []


@pytest.mark.parametrize(
    ("written", "speed"), [("", 1), ("10", 10), ("x", 1), ("nan", 1), ("0.1", 1), ("1e9", 1)]
)
def test_a_speed_that_is_none_is_the_usual_one(written: str, speed: float) -> None:
    assert speed_of(written) == speed
