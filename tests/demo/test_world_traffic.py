"""Real requests through the real proxy to real processes, seen through the real adapters."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.adapters.http_checks import HttpChecks
from bot.adapters.http_json import HttpJson
from bot.adapters.http_metrics import HttpMetrics
from bot.adapters.http_releases import HttpReleases
from bot.adapters.weighted_http import WeightedHttpRouter
from bot.demo.world.world import DemoWorld
from bot.domain.gates import Check
from bot.domain.health import Verdict
from bot.domain.release import Migration, Target, Version, Weights, is_same_split
from bot.ports import Rejected, Unavailable
from tests.demo.world_kit import TARGET, a_world, asking, driver, fetch, until

CANARY: Weights = (("v1.8.2", 90), ("v1.8.3", 10))
VERSION = Version("v1.8.3", "4f1c2a97e0d5", "image")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DemoWorld]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def http() -> AsyncIterator[HttpJson]:
    async with asking() as http:
        yield http


async def move(world: DemoWorld, http: HttpJson, weights: Weights, fence: int = 1) -> None:
    router, place = WeightedHttpRouter(http), driver(world.addresses.router)
    await router.set_weights(place, TARGET, weights, fence)

    async def is_live() -> bool:
        return is_same_split(await router.weights(place, TARGET), weights)

    await until(is_live)


async def test_at_first_the_version_before_serves_everything(
    world: DemoWorld, http: HttpJson
) -> None:
    seen = await WeightedHttpRouter(http).weights(driver(world.addresses.router), TARGET)

    assert seen == (("v1.8.2", 100),)
    assert await fetch(f"{world.url}/production/checkout/healthz") == (
        200,
        {"service": "checkout", "version": "v1.8.2"},
        "v1.8.2",
    )


async def test_a_request_that_nobody_is_to_get_is_answered_so(
    world: DemoWorld, http: HttpJson
) -> None:
    await move(world, http, ())

    answer = await fetch(f"{world.url}/production/checkout/pay")

    assert answer == (503, {"error": "nothing gets traffic"}, "")


async def test_requests_go_where_the_weights_say(world: DemoWorld, http: HttpJson) -> None:
    await move(world, http, CANARY)

    answers = [await fetch(f"{world.url}/production/checkout/pay") for _ in range(50)]

    assert Counter(served for _, _, served in answers) == {"v1.8.2": 45, "v1.8.3": 5}
    assert all(body["version"] == served for _, body, served in answers)
    metrics = HttpMetrics(http)
    place = driver(world.addresses.metrics)
    new = await metrics.reading(place, TARGET, "v1.8.3")
    old = await metrics.reading(place, TARGET, "v1.8.2")
    assert new is not None
    assert old is not None
    assert (new.requests, old.requests) == (5, 45)
    assert dict(new.values)["error_rate"] == 0.0
    assert 0 < dict(new.values)["p95_ms"] < 3000


async def test_a_failing_version_is_seen_as_such_and_the_other_is_not(
    world: DemoWorld, http: HttpJson
) -> None:
    assert await world.act({"action": "fail", "version": "v1.8.3", "on": True})
    await move(world, http, (("v1.8.2", 50), ("v1.8.3", 50)))

    async with asyncio.TaskGroup() as group:
        for _ in range(80):
            group.create_task(fetch(f"{world.url}/production/checkout/pay"))

    service = world.state()["services"][0]
    assert service["failing"] == ["v1.8.3"]
    assert service["versions"]["v1.8.3"]["error_rate"] == 30.0
    assert service["versions"]["v1.8.2"]["error_rate"] == 0.0
    assert service["versions"]["v1.8.3"]["requests"] == 40
    await world.act({"action": "fail", "version": "v1.8.3", "on": False})
    answers = [await fetch(f"{world.url}/production/checkout/pay") for _ in range(20)]
    assert {status for status, _, _ in answers} == {200}


async def test_a_version_without_traffic_has_no_numbers(world: DemoWorld, http: HttpJson) -> None:
    metrics = HttpMetrics(http)

    reading = await metrics.reading(driver(world.addresses.metrics), TARGET, "v1.9.0")

    assert reading is not None
    assert (reading.requests, reading.values) == (0, ())
    assert await metrics.reading(driver(world.addresses.metrics), TARGET, "v7") is None


async def test_looking_at_the_health_is_not_traffic(world: DemoWorld) -> None:
    await fetch(f"{world.url}/production/checkout/healthz")

    assert world.state()["services"][0]["versions"]["v1.8.2"]["requests"] == 0


async def test_an_order_older_than_the_newest_is_refused(world: DemoWorld, http: HttpJson) -> None:
    await move(world, http, CANARY, fence=7)
    router, place = WeightedHttpRouter(http), driver(world.addresses.router)

    with pytest.raises(Unavailable, match="newer command"):
        await router.set_weights(place, TARGET, (("v1.8.3", 100),), 6)

    assert is_same_split(await router.weights(place, TARGET), CANARY)
    await router.set_weights(place, TARGET, CANARY, 7)


async def test_an_order_that_makes_no_sense_is_refused_for_good(
    world: DemoWorld, http: HttpJson
) -> None:
    router, place = WeightedHttpRouter(http), driver(world.addresses.router)
    senseless: tuple[tuple[Target, Weights, int], ...] = (
        (TARGET, (("v7", 100),), 1),
        (TARGET, (("v1.8.2", 90),), 1),
        (TARGET, (("v1.8.2", 150), ("v1.8.3", -50)), 1),
        (TARGET, (("v1.8.2", 0),), 1),
        (TARGET, CANARY, -1),
        (Target("T0DEMO", "basket", "production"), CANARY, 1),
        (Target("T0DEMO", "checkout", "moon"), CANARY, 1),
    )

    for target, weights, fence in senseless:
        with pytest.raises(Rejected):
            await router.set_weights(place, target, weights, fence)

    assert await router.weights(place, TARGET) == (("v1.8.2", 100),)


async def test_nonsense_is_never_an_order(world: DemoWorld) -> None:
    for body in (b"", b"[]", b"nonsense", b'{"service": "checkout"}'):
        status, _, _ = await fetch(f"{world.url}/router/weights", "PUT", data=body)

        assert status == 422


async def test_the_catalogue_lists_versions_newest_first(world: DemoWorld, http: HttpJson) -> None:
    releases, place = HttpReleases(http), driver(world.addresses.releases)

    newest = await releases.newest(place, "checkout")

    assert [version.name for version in newest] == ["v1.9.0", "v1.8.3", "v1.8.2", "v1.8.1"]
    assert newest[0].migrations == (Migration("0042_drop_legacy_address_columns", False),)
    assert newest[1].authors == ("U0DEVO",)
    assert newest[-1].compare_url is None
    assert await releases.resolve(place, "basket", "v1.8.3") is None


async def test_every_link_to_changes_leads_to_a_page_of_this_machine(
    world: DemoWorld, http: HttpJson
) -> None:
    newest = await HttpReleases(http).newest(driver(world.addresses.releases), "checkout")
    links = [version.compare_url for version in newest if version.compare_url is not None]

    async with aiohttp.ClientSession() as session:
        pages = {link: await (await session.get(link)).text() for link in links}

    assert len(pages) == 3
    assert all(link.startswith(f"{world.url}/") for link in pages)
    assert "checkout v1.8.2...v1.8.3: 5 commits" in pages[f"{world.url}/changes/v1.8.3"]


async def test_a_check_of_production_tells_which_version_answers(
    world: DemoWorld, http: HttpJson
) -> None:
    place = driver(world.addresses.production_health, version_field="version")
    check = Check("production", place)

    before = await HttpChecks(http).verdict(check, TARGET, VERSION)
    await move(world, http, (("v1.8.3", 100),))
    after = await HttpChecks(http).verdict(check, TARGET, VERSION)

    assert (before.verdict, before.fact) == (Verdict.FAIL, "v1.8.2 answers, v1.8.3 expected")
    assert after.verdict is Verdict.PASS


async def test_the_load_goes_on_and_on(tmp_path: Path) -> None:
    async with a_world(tmp_path, rps=60, window=60) as world:
        await until(lambda: world.state()["services"][0]["versions"]["v1.8.2"]["requests"] > 40)

        service = world.state()["services"][0]

    assert service["rps"] == 60
    assert service["versions"]["v1.8.2"]["errors"] == 0
