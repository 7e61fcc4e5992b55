"""How requests are shared out, and what is counted."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.world.split import Split, Window


@given(st.integers(0, 100), st.integers(1, 5))
def test_any_hundred_requests_are_shared_exactly(share: int, rounds: int) -> None:
    split = Split({"v1": 100 - share, "v2": share})

    picked = [split.pick() for _ in range(100 * rounds)]

    assert picked.count("v2") == share * rounds


def test_a_small_share_does_not_come_in_one_block() -> None:
    split = Split({"v1": 90, "v2": 10})

    picked = [split.pick() for _ in range(100)]

    gaps = [n for n, version in enumerate(picked) if version == "v2"]
    assert [after - before for before, after in pairwise(gaps)] == [10] * 9


def test_a_share_of_nothing_gets_nothing() -> None:
    split = Split({"v1": 0, "v2": 100})

    assert {split.pick() for _ in range(50)} == {"v2"}


def test_numbers_are_of_the_last_seconds_only() -> None:
    now = 100.0
    window = Window(30, lambda: now)
    for _ in range(10):
        window.add(0.2, is_error=True)
    now = 120.0
    for n in range(90):
        window.add(0.001 * (n + 1), is_error=False)

    everything = window.numbers()
    now = 131.0
    later = window.numbers()

    assert (everything.requests, everything.errors, everything.error_rate) == (100, 10, 10.0)
    assert (later.requests, later.errors, later.error_rate) == (90, 0, 0.0)
    assert later.p95_ms == 86.0


def test_without_requests_nothing_is_known() -> None:
    numbers = Window(30).numbers()

    assert (numbers.requests, numbers.error_rate, numbers.p95_ms) == (0, None, None)


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_a_few_requests_have_a_p95_too(requests: int) -> None:
    window = Window(30)
    for n in range(requests):
        window.add((n + 1) / 1000, is_error=False)

    assert window.numbers().p95_ms == requests
