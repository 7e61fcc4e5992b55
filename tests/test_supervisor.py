"""The boundary under the loops: what is said, counted and lost when a piece of work fails."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.app import Supervisor
from bot.numbers import Numbers
from bot.ports import Unavailable

NUMBERS = "pilothouse_bugs_total"


class Work:
    """Ends as it was told to, and knows whether it was begun and cut off."""

    def __init__(self, failure: BaseException | None = None, is_endless: bool = False) -> None:
        self._failure = failure
        self._is_endless = is_endless
        self.was_cut_off = False

    async def __call__(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            if self._is_endless:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.was_cut_off = True
            raise


def bugs(numbers: Numbers) -> float:
    return numbers.registry.get_sample_value(NUMBERS, {"where": "loop"}) or 0.0


async def test_a_bug_is_coded_logged_with_its_cause_and_counted_once() -> None:
    numbers = Numbers()
    with capture_logs() as logs:
        is_well = await Supervisor(numbers).guard("laps", Work(ZeroDivisionError("by hand"))())

    assert not is_well
    assert bugs(numbers) == 1
    [line] = logs
    assert (line["event"], line["thing"], line["log_level"]) == ("bug", "laps", "error")
    assert str(line["exc_info"]) == "by hand"
    assert line["code"].startswith("E-")


async def test_a_system_that_is_away_is_no_bug() -> None:
    numbers = Numbers()
    with capture_logs() as logs:
        is_well = await Supervisor(numbers).guard("outbox", Work(Unavailable("nobody answers"))())

    assert not is_well
    assert bugs(numbers) == 0
    assert [(line["event"], line["why"]) for line in logs] == [("away", "nobody answers")]


async def test_work_that_ends_well_says_so_and_nothing_else() -> None:
    with capture_logs() as logs:
        assert await Supervisor(Numbers()).guard("seals", Work()())

    assert logs == []


async def test_being_stopped_is_no_failure_that_is_kept_quiet() -> None:
    with pytest.raises(asyncio.CancelledError):
        await Supervisor(Numbers()).guard("laps", Work(asyncio.CancelledError())())


@pytest.mark.parametrize(
    ("failure", "is_answered"),
    [(None, True), (Unavailable("away"), False), (ZeroDivisionError("by hand"), False)],
)
async def test_a_probe_is_told_yes_or_no_and_nothing_is_logged(
    failure: Exception | None, is_answered: bool
) -> None:
    numbers = Numbers()
    with capture_logs() as logs:
        assert await Supervisor(numbers).answers(Work(failure)(), 60) is is_answered

    assert (logs, bugs(numbers)) == ([], 0)


async def test_a_probe_waits_no_longer_than_it_was_told_and_ends_what_it_began() -> None:
    work = Work(is_endless=True)

    assert not await Supervisor(Numbers()).answers(work(), 0.01)
    assert work.was_cut_off
