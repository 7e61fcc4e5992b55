"""The alarm clock: late is late, and never lost."""

import asyncio
import time
from datetime import timedelta

import pytest

from bot.schedule import Schedule


async def test_a_loop_that_was_blocked_is_woken_all_the_same() -> None:
    woken = asyncio.Event()

    async def wake() -> None:
        woken.set()

    schedule = Schedule()
    schedule.every(timedelta(seconds=0.3), wake, "laps")
    schedule.start()
    time.sleep(1.8)  # noqa: ASYNC251 - blocks the loop, far beyond the scheduler's usual grace
    try:
        assert await asyncio.wait_for(woken.wait(), 60)
    finally:
        schedule.stop()


async def test_many_missed_wakeups_count_once() -> None:
    times = 0
    again = asyncio.Event()
    schedule = Schedule()

    async def wake() -> None:
        nonlocal times
        times += 1
        schedule.stop()  # the next regular one is not what is counted
        again.set()

    schedule.every(timedelta(seconds=0.05), wake, "laps")
    schedule.start()
    time.sleep(0.4)  # noqa: ASYNC251 - seven wake-ups go by
    await asyncio.wait_for(again.wait(), 60)
    for _ in range(20):  # whatever was begun together with it has its turn
        await asyncio.sleep(0)

    assert times == 1


async def test_one_that_still_runs_is_not_started_twice() -> None:
    running = most = 0
    enough = asyncio.Event()

    async def wake() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.15)
        running -= 1
        if most and time.monotonic() > end:
            enough.set()

    end = time.monotonic() + 0.5
    schedule = Schedule()
    schedule.every(timedelta(seconds=0.05), wake, "laps")
    schedule.start()
    try:
        await asyncio.wait_for(enough.wait(), 60)
    finally:
        schedule.stop()

    assert most == 1


async def test_after_stop_nobody_is_woken() -> None:
    times = 0

    async def wake() -> None:
        nonlocal times
        times += 1

    schedule = Schedule()
    schedule.every(timedelta(seconds=0.05), wake, "laps")
    schedule.start()
    schedule.stop()
    schedule.stop()
    before = times
    await asyncio.sleep(0.2)

    assert times == before


async def test_a_call_that_is_cut_off_by_the_end_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = asyncio.Event()

    async def wake() -> None:
        begun.set()
        await asyncio.Event().wait()

    schedule = Schedule()
    schedule.every(timedelta(seconds=0.02), wake, "laps")
    before = asyncio.all_tasks()
    schedule.start()
    await asyncio.wait_for(begun.wait(), 60)
    schedule.stop()
    calls = asyncio.all_tasks() - before
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)

    assert calls
    assert [line for line in caplog.records if line.exc_info] == []
