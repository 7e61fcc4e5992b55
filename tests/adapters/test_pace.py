"""Slack's limits kept on this side: who is let through, and when the others come back."""

import pytest

from bot.adapters.pace import Pace, Rate
from bot.ports import Limited, Unavailable

POST = "chat.postMessage"
EACH = 2.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    """One post each two seconds, two at once."""
    return Pace(clock, {POST: Rate(60 / EACH, 2)})


def turned_away(pace: Pace, place: str = "C0DEPLOY") -> Limited:
    with pytest.raises(Limited) as caught:
        pace.take(POST, place)
    return caught.value


def test_a_burst_goes_through_and_another_channel_has_its_own(pace: Pace) -> None:
    for place in ("C0DEPLOY", "C0DEPLOY", "C0OTHER"):
        pace.take(POST, place)

    limited = turned_away(pace)

    assert limited.retry_after is not None
    assert limited.retry_after.total_seconds() == EACH


def test_each_of_a_crowd_gets_a_turn_of_its_own_and_is_let_through_then(
    pace: Pace, clock: Clock
) -> None:
    pace.take(POST, "C0DEPLOY")
    pace.take(POST, "C0DEPLOY")

    turns = [turned_away(pace).turn.total_seconds() for _ in range(10)]

    assert turns == [EACH * number for number in range(1, 11)]
    began = clock.seconds
    for turn in turns:
        clock.seconds = began + turn
        pace.take(POST, "C0DEPLOY")


def test_whoever_is_turned_away_hears_of_the_next_free_place_too(pace: Pace) -> None:
    pace.take(POST, "C0DEPLOY")
    pace.take(POST, "C0DEPLOY")

    told = [turned_away(pace).retry_after for _ in range(3)]

    assert [after.total_seconds() for after in told if after] == [EACH] * 3


def test_nobody_is_sent_away_for_longer_than_half_a_minute(pace: Pace) -> None:
    pace.take(POST, "C0DEPLOY")
    pace.take(POST, "C0DEPLOY")

    turns = [turned_away(pace).turn.total_seconds() for _ in range(100)]

    assert max(turns) == turns[-1] == 30


def test_a_pause_that_slack_asks_for_counts_even_beyond_that(pace: Pace, clock: Clock) -> None:
    pace.freeze(POST, "C0DEPLOY", 90)

    limited = turned_away(pace)
    clock.seconds += 89
    assert turned_away(pace).retry_after is not None
    clock.seconds += 1
    pace.take(POST, "C0DEPLOY")

    assert limited.turn.total_seconds() == 90


def test_turns_that_nobody_took_are_forgotten(pace: Pace, clock: Clock) -> None:
    pace.take(POST, "C0DEPLOY")
    pace.take(POST, "C0DEPLOY")
    for _ in range(10):
        turned_away(pace)

    clock.seconds += 600
    pace.take(POST, "C0DEPLOY")
    pace.take(POST, "C0DEPLOY")

    assert turned_away(pace).turn.total_seconds() == EACH


def test_a_token_that_is_refused_stops_every_call(pace: Pace, clock: Clock) -> None:
    pace.freeze_all(20)

    with pytest.raises(Unavailable, match="every call"):
        pace.take(POST, "C0OTHER")
    clock.seconds += 20
    pace.take(POST, "C0OTHER")
