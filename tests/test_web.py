"""What operators and probes look at: alive, ready, numbers, and nothing more than they may see."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.numbers import Numbers
from bot.web import application, runner_of

TOKEN = "a-token-of-the-operators"


def client_of(
    *,
    missing: tuple[str, ...] = (),
    token: str | None = TOKEN,
    is_loopback: bool = False,
    numbers: Numbers | None = None,
) -> TestClient[web.Request, web.Application]:
    async def ready() -> tuple[str, ...]:
        return missing

    known = numbers or Numbers()
    return TestClient(TestServer(application(None, ready, known, token, is_loopback)))


async def test_alive_says_nothing_else() -> None:
    async with client_of(missing=("everything",)) as client:
        answer = await client.get("/healthz")

        assert (answer.status, await answer.text()) == (200, "alive\n")


async def test_ready_when_nothing_is_missing() -> None:
    async with client_of() as client:
        assert (await client.get("/readyz")).status == 200


async def test_not_ready_says_what_is_missing() -> None:
    async with client_of(missing=("no socket to Slack", "no lap")) as client:
        answer = await client.get("/readyz")

        assert (answer.status, await answer.text()) == (503, "no socket to Slack\nno lap\n")


@pytest.mark.parametrize(("missing", "status"), [((), 200), (("no lap",), 503)])
async def test_an_open_alarm_is_named_and_takes_the_way_to_roll_back_from_nobody(
    missing: tuple[str, ...], status: int
) -> None:
    numbers = Numbers()
    numbers.alarms = {"slot": 2}

    async with client_of(missing=missing, numbers=numbers) as client:
        answer = await client.get("/readyz")

        first = missing[0] if missing else "ready"
        assert (answer.status, await answer.text()) == (status, f"{first}\nalarm: slot, 2 open\n")


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", f"Bearer {TOKEN}x", TOKEN, f"bearer {TOKEN}", "Bearer \udce9"]
)
async def test_the_numbers_are_for_whoever_has_the_token(given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    async with client_of() as client:
        answer = await client.get("/metrics", headers=headers)

        assert answer.status == 401
        assert "pilothouse" not in await answer.text()


async def test_the_numbers_are_in_prometheus_form() -> None:
    async with client_of() as client:
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

        assert answer.status == 200
        assert "pilothouse_laps_total 0.0" in await answer.text()


@pytest.mark.parametrize(("is_loopback", "status"), [(True, 200), (False, 404)])
async def test_without_a_token_the_numbers_are_on_loopback_or_nowhere(
    is_loopback: bool, status: int
) -> None:
    async with client_of(token=None, is_loopback=is_loopback) as client:
        assert (await client.get("/metrics")).status == status


async def test_slack_has_no_door_without_a_signing_secret() -> None:
    async with client_of() as client:
        assert (await client.post("/slack/events", data=b"{}")).status == 404


@asynccontextmanager
async def served(idle: float) -> AsyncIterator[int]:
    """The port of a server that bears silence for *idle* seconds."""

    async def ready() -> tuple[str, ...]:
        return ()

    runner = runner_of(application(None, ready, Numbers(), TOKEN, is_loopback=True), idle)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nX-Slow: 1"])
async def test_a_connection_that_never_says_what_it_wants_is_closed(said: bytes) -> None:
    async with served(idle=0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)

        assert await asyncio.wait_for(reader.read(), 30) == b""

        writer.close()


async def test_a_head_that_trickles_in_gains_no_time() -> None:
    async with served(idle=0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        closed = asyncio.create_task(reader.read())
        async with asyncio.timeout(30):
            while not closed.done():
                writer.write(b"x")
                await asyncio.wait([closed], timeout=0.02)

        assert closed.exception() is not None or closed.result() == b""
        writer.close()


async def test_silence_is_borne_for_longer_than_a_balancers_minute() -> None:
    runner = runner_of(web.Application())
    await runner.setup()
    assert runner.server is not None

    handler = runner.server()

    assert handler.keepalive_timeout == 75
    await runner.cleanup()
