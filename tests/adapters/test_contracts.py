"""One suite for each port: what the fakes promise, the real adapters keep."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.shell import ShellRunner
from bot.adapters.weighted_http import WeightedHttpRouter
from bot.domain.gates import Driver
from bot.domain.jobs import JobState
from bot.domain.release import Target, Version, Weights, is_same_split
from bot.ports import (
    CannotLook,
    Gone,
    Message,
    Rejected,
    Runner,
    TrafficRouter,
    Unavailable,
    Unreachable,
)
from tests.adapters.conftest import Talk
from tests.adapters.jobs import TARGET, VERSION, a_job
from tests.demo.world_kit import a_world, asking, driver, until
from tests.fakes import Clock, FakeRouter, FakeRunner, Trouble

CARD, LONG_AGO = Message("Card"), datetime.now(UTC) - timedelta(minutes=5)


async def test_what_is_posted_stands_there_once(talk: Talk) -> None:
    where = await talk.chat.post("C0DEPLOY", CARD, "key")

    assert where.channel == "C0DEPLOY"
    assert talk.texts() == ["Card"]


async def test_an_edit_replaces_and_may_be_repeated(talk: Talk) -> None:
    where = await talk.chat.post("C0DEPLOY", CARD, "key")
    for _ in range(2):
        await talk.chat.edit(where, Message("Card, later"))

    assert talk.texts() == ["Card, later"]


async def test_what_was_deleted_is_gone(talk: Talk) -> None:
    where = await talk.chat.post("C0DEPLOY", CARD, "key")
    talk.delete(where)

    with pytest.raises(Gone):
        await talk.chat.edit(where, CARD)


async def test_a_channel_that_is_closed_to_us_is_unreachable(talk: Talk) -> None:
    with pytest.raises(Unreachable):
        await talk.chat.post("C0NOWHERE", CARD, "key")


async def test_a_post_is_found_by_its_key_or_looking_is_not_allowed(talk: Talk) -> None:
    where = await talk.chat.post("C0DEPLOY", CARD, "key")
    try:
        found = await talk.chat.find("C0DEPLOY", "key", LONG_AGO)
    except CannotLook:
        return

    assert found == where


@pytest.mark.parametrize(
    ("trouble", "is_posted", "is_in_doubt", "waits"),
    [
        (Trouble.LOST, True, True, False),
        (Trouble.LIMITED, False, False, True),
    ],
)
async def test_a_failed_post_says_what_is_known_of_it(
    talk: Talk, trouble: Trouble, is_posted: bool, is_in_doubt: bool, waits: bool
) -> None:
    talk.trouble(trouble)

    with pytest.raises(Unavailable) as caught:
        await talk.chat.post("C0DEPLOY", CARD, "key")

    assert talk.texts() == (["Card"] if is_posted else [])
    assert caught.value.is_in_doubt is is_in_doubt
    assert (caught.value.retry_after is not None) is waits


async def test_a_post_that_failed_at_the_other_side_may_be_tried_again(talk: Talk) -> None:
    talk.trouble(Trouble.DOWN)
    with pytest.raises(Unavailable):
        await talk.chat.post("C0DEPLOY", CARD, "key")

    await talk.chat.post("C0DEPLOY", CARD, "key")

    assert talk.texts() == ["Card"]


async def test_the_address_of_a_message_names_its_channel(talk: Talk) -> None:
    where = await talk.chat.post("C0DEPLOY", CARD, "key")

    assert "C0DEPLOY" in await talk.chat.link(where)


# --- routers -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Road:
    router: TrafficRouter
    driver: Driver
    target: Target


@pytest.fixture(params=["fake", "weighted_http"])
async def road(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Road]:
    target = Target("T0DEMO", "checkout", "production")
    if request.param == "fake":
        yield Road(FakeRouter(Clock()), Driver("weighted_http"), target)
        return
    async with a_world(tmp_path) as world, asking() as http:
        yield Road(WeightedHttpRouter(http), driver(world.addresses.router), target)


CANARY: Weights = (("v1.8.2", 90), ("v1.8.3", 10))


async def seen_live(road: Road, weights: Weights) -> bool:
    """Whether it is, and still is when one looks again."""

    async def is_live() -> bool:
        return is_same_split(await road.router.weights(road.driver, road.target), weights)

    await until(is_live)
    return await is_live()


async def test_a_split_that_was_asked_for_is_seen_sooner_or_later(road: Road) -> None:
    for _ in range(2):
        await road.router.set_weights(road.driver, road.target, CANARY, 5)

    assert await seen_live(road, CANARY)


async def test_an_older_fence_is_refused_and_changes_nothing(road: Road) -> None:
    await road.router.set_weights(road.driver, road.target, CANARY, 5)
    assert await seen_live(road, CANARY)

    with pytest.raises(Unavailable):
        await road.router.set_weights(road.driver, road.target, (("v1.8.2", 100),), 4)

    assert is_same_split(await road.router.weights(road.driver, road.target), CANARY)


async def test_a_newer_fence_wins(road: Road) -> None:
    await road.router.set_weights(road.driver, road.target, CANARY, 5)
    await road.router.set_weights(road.driver, road.target, (("v1.8.2", 100),), 6)

    assert await seen_live(road, (("v1.8.2", 100),))


async def test_a_split_of_nothing_leaves_nobody_with_traffic(road: Road) -> None:
    await road.router.set_weights(road.driver, road.target, CANARY, 5)
    assert await seen_live(road, CANARY)

    await road.router.set_weights(road.driver, road.target, (), 6)

    assert await seen_live(road, ())


# --- runners -------------------------------------------------------------------------------------


@pytest.fixture(params=["fake", "shell"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    if request.param == "fake":
        return FakeRunner(Clock(), takes=timedelta())
    return ShellRunner(tmp_path / "state")


async def test_a_key_nobody_started_is_absent(runner: Runner) -> None:
    assert (await runner.status("T0DEMO/D-9/1", a_job("true"))).state is JobState.ABSENT


async def test_a_key_starts_once_however_often_it_is_asked_for(
    runner: Runner, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    job = a_job("/bin/sh", "-c", f"echo ran >> {log}")
    for _ in range(3):
        await runner.start("T0DEMO/D-1/1", job, TARGET, VERSION)

    async def is_done() -> bool:
        return (await runner.status("T0DEMO/D-1/1", job)).state is JobState.SUCCEEDED

    await until(is_done)
    assert not log.exists() or log.read_text() == "ran\n"


async def test_what_was_stopped_never_succeeds(runner: Runner) -> None:
    job = a_job("/bin/sleep", "60")
    await runner.start("T0DEMO/D-1/1", job, TARGET, VERSION)
    for _ in range(2):
        await runner.stop("T0DEMO/D-1/1", job)

    async def is_over() -> bool:
        return (await runner.status("T0DEMO/D-1/1", job)).state is not JobState.RUNNING

    await until(is_over)
    assert (await runner.status("T0DEMO/D-1/1", job)).state in (JobState.FAILED, JobState.LOST)


async def test_a_version_that_is_no_version_is_never_run(tmp_path: Path) -> None:
    with pytest.raises(Rejected):
        await ShellRunner(tmp_path).start(
            "T0DEMO/D-1/1", a_job("true", "{version}"), TARGET, Version("-rf", "c", "a")
        )
