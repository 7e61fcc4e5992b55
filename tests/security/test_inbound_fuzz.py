"""Nearly right requests by the ten thousand, against the whole door: never a 5xx, never a bug."""

import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.web import application
from handlers.bolt import http_handler
from handlers.gate import Limits, gated
from tests.handlers.office import Office
from tests.security.fuzzing import a_request
from tests.security.slack_requests import SECRET
from tests.security.wire import Wire

REQUESTS = int(os.environ.get("PILOTHOUSE_FUZZ", "5000"))
SEED = int(os.environ.get("PILOTHOUSE_FUZZ_SEED", "1"))
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MOST_GROWTH = 48 * 1024 * 1024


@asynccontextmanager
async def listening(office: Office) -> AsyncIterator[tuple[str, int]]:
    """The whole HTTP side of the bot on loopback, over the office's Bolt app."""
    slack = gated(http_handler(office.app), [SECRET], time.time, Limits())

    async def ready() -> tuple[str, ...]:
        return ()

    runner = web.AppRunner(
        application(slack, ready, office.numbers, None, is_loopback=True), access_log=None
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield host, port
    finally:
        await runner.cleanup()


def is_ours(record: logging.LogRecord) -> bool:
    """Whether it tells of an error that is not just somebody's broken HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    return record.levelno >= logging.ERROR and not isinstance(error, HttpProcessingError)


def memory() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


@pytest.mark.timeout(1800)
async def test_no_request_makes_the_door_stumble(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    random, statuses, after_warming = Random(SEED), Counter[int](), 0
    async with Office(database) as office:
        await office.at_canary()
        caplog.clear()
        with (
            caplog.at_level(logging.WARNING),
            structlog.testing.capture_logs([structlog.processors.format_exc_info]) as told,
        ):
            async with listening(office) as (host, port), Wire(host, port) as wire:
                for number in range(REQUESTS):
                    headers, body = a_request(random, int(time.time()))
                    status, _ = await wire.post("/slack/events", headers, body)
                    statuses[status] += 1
                    assert status < 500, (SEED, number, headers, body)
                    if number % 1000 == 0:
                        office.chat.answers.clear()
                        office.chat.forms.clear()
                        told[:] = [line for line in told if line["log_level"] == "error"]
                    if number == REQUESTS // 4:
                        after_warming = memory()
                grown = memory() - after_warming
        bugs = [line for line in told if line["log_level"] == "error"]
        assert not bugs, f"{len(bugs)}: {bugs[0]}"
        assert not office.faults
    errors = [record for record in caplog.records if is_ours(record)]
    assert not errors, errors[0].getMessage()
    assert grown < _MOST_GROWTH, f"{grown / 1024 / 1024:.0f} MB more"
    assert statuses[200] > REQUESTS / 4, statuses
    assert min(statuses[400], statuses[401]) > REQUESTS / 20, statuses
