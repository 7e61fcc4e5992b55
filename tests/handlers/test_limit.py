"""The limits by themselves, under a clock that is a value."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.limit import Windows
from handlers.parse import asks_to_roll_back
from tests.builders import ANA, DANA
from tests.fakes import Clock
from tests.handlers.allowing import allowing
from tests.handlers.crowd import FEW, Crowd

GOING_BACK = (
    ("command", "/rollback"),
    ("click", "dep.roll_back"),
    ("click", "rollback.confirm.2"),
    ("click", "rollback.edit"),
    ("click", "rollback.cancel"),
    ("form", "rollback.submit"),
    ("mention", "rollback 500s on /pay"),
)
OTHERS = (
    ("command", "/deploy"),
    ("command", "/approve"),
    ("click", "dep.approve"),
    ("click", "deploy.retry"),
    ("form", "reject.submit"),
    ("mention", "approve"),
)


def test_what_is_above_the_limit_waits_until_the_oldest_is_a_minute_old() -> None:
    crowd = Crowd()
    accepted = []
    for _ in range(8):
        accepted.append(crowd.asks("command", "/deploy"))
        crowd.clock.passed += 10

    assert accepted == [True, True, True, False, False, False, True, True]


def test_a_minute_is_a_minute_and_no_moment_less() -> None:
    crowd = Crowd(allowing(1, 1, 1000))
    crowd.asks("command", "/deploy")

    crowd.clock.passed += 59.999
    early = crowd.asks("command", "/deploy")
    crowd.clock.passed += 0.001

    assert (early, crowd.asks("command", "/deploy")) == (False, True)


@pytest.mark.parametrize(("kind", "what"), GOING_BACK)
def test_going_back_passes_whatever_is_used_up_and_uses_nothing_up(kind: str, what: str) -> None:
    crowd = Crowd(allowing(1, 1, 2))
    before = [crowd.asks(kind, what) for _ in range(50)]
    rest = [crowd.asks("command", "/deploy"), crowd.asks("click", "dep.hold")]

    after = [crowd.asks(kind, what) for _ in range(50)]

    assert before + rest + after == [True] * 102
    assert not crowd.asks("command", "/deploy", ANA), "the channel is used up"


def test_typing_and_pressing_are_counted_apart() -> None:
    crowd = Crowd()

    typed = [crowd.asks(*OTHERS[i % 2 * 5]) for i in range(4)]
    pressed = [crowd.asks("click", "dep.approve", channel="C2") for _ in range(5)]

    assert typed == [True, True, True, False]
    assert pressed == [True, True, True, True, False]


def test_one_person_leaves_the_others_theirs_and_the_channel_is_everybodys() -> None:
    crowd = Crowd()
    for _ in range(50):
        crowd.asks("command", "/deploy")

    of_ana = [crowd.asks("command", "/deploy", ANA) for _ in range(4)]
    of_sam = [crowd.asks("command", "/deploy", "U0SAM", channel) for channel in ("C1", "C2")]

    assert of_ana == [True, True, True, False]
    assert of_sam == [False, True], "six are used up in C1, by those who were let through"


def test_a_delivery_that_comes_again_is_the_same_wish() -> None:
    crowd = Crowd()
    first = [crowd.asks("command", "/deploy", number=n) for n in (1, 2, 3)]
    crowd.clock.passed += 30

    again = [crowd.asks("command", "/deploy", number=n) for n in (1, 2, 3) * 5]
    crowd.clock.passed += 31
    fresh = [crowd.asks("command", "/deploy") for _ in range(3)]
    late = crowd.asks("command", "/deploy", number=1)

    assert (first, set(again), fresh, late) == ([True] * 3, {True}, [True] * 3, True)


def test_what_was_refused_may_come_again_and_be_accepted() -> None:
    crowd = Crowd()
    for _ in range(3):
        crowd.asks("command", "/deploy")

    refused = crowd.asks("command", "/deploy", number=7)
    crowd.clock.passed += 60

    assert (refused, crowd.asks("command", "/deploy", number=7)) == (False, True)


def test_without_limits_everything_passes() -> None:
    crowd = Crowd(None)

    assert all(crowd.asks("click", "dep.approve") for _ in range(1000))


def test_a_mention_over_the_limit_is_answered_once_a_minute_and_counted_each_time() -> None:
    crowd = Crowd(allowing(1, 1, 1000))
    crowd.asks("mention", "approve")

    told = []
    for _ in range(100):
        over = crowd.judged("mention", "approve")
        told.append(getattr(over, "told", None) is not None)
        crowd.clock.passed += 0.5

    assert told == [True] + [False] * 99
    assert crowd.over == ["mention"] * 100


@pytest.mark.parametrize(("kind", "what"), [("click", "dep.approve"), ("mention", "approve")])
@pytest.mark.parametrize("often", [1, 7])
def test_what_is_over_the_limit_is_answered_as_often_as_the_policy_says(
    kind: str, what: str, often: int
) -> None:
    crowd = Crowd(allowing(1, 1, 1000, click_refusals=often, mention_refusals=often))
    crowd.asks(kind, what)

    told = [getattr(crowd.judged(kind, what), "told", None) for _ in range(100)]

    assert sum(message is not None for message in told) == often


def test_what_is_answered_in_the_acknowledgement_is_answered_each_time() -> None:
    crowd = Crowd(allowing(1, 1, 1000, click_refusals=1, mention_refusals=1))
    for kind, what in (("command", "/deploy"), ("form", "reject.submit")):
        crowd.asks(kind, what)

        over = [crowd.judged(kind, what) for _ in range(20)]

        assert all(getattr(each, "told", each) is not None for each in over)


def test_versions_are_looked_up_so_often_a_minute_and_nothing_else_is_used_up_by_it() -> None:
    crowd = Crowd(allowing(1, 1, 1, lookups=5))

    looked = [crowd.looks_up() for _ in range(8)]
    of_ana = crowd.looks_up(ANA)
    crowd.clock.passed += 60

    assert looked == [True] * 5 + [False] * 3
    assert (of_ana, crowd.looks_up()) == (True, True)
    assert crowd.asks("click", "dep.approve")
    assert crowd.over == ["lookup"] * 3


def test_whoever_is_quiet_for_a_minute_is_forgotten() -> None:
    clock = Clock()
    windows = Windows(clock.seconds)
    for number in range(500):
        windows.take(f"U{number}")
        clock.passed += 1

    assert windows.wait("U499", 1) > 0
    assert len(windows) == 59


def test_of_very_many_the_one_who_asked_least_lately_is_forgotten() -> None:
    windows = Windows(Clock().seconds, most=100)
    for number in range(5000):
        windows.take(f"U{number}")

    assert len(windows) == 100
    assert windows.wait("U4999", 1) > 0


def test_a_rollback_is_known_by_its_first_words() -> None:
    asked = [
        "<@U0PILOT> rollback",
        "<@U0PILOT> please ROLLBACK checkout --now",
        "<@U0PILOT|pilot> roll back D-1 500s",
        "hey <@U0PILOT> can you rollback!",
        "<@U0PILOT> “rollback” now",
    ]
    not_asked = ["", "<@U0PILOT>", "<@U0PILOT> approve rollback", "<@U0PILOT> roll", "x" * 5000]

    assert [asks_to_roll_back(text) for text in asked] == [True] * 5
    assert [asks_to_roll_back(text) for text in not_asked] == [False] * 5


_wishes = st.tuples(
    st.sampled_from(OTHERS + GOING_BACK),
    st.sampled_from([DANA, ANA]),
    st.sampled_from(["C1", "C2"]),
    st.sampled_from([0.0, 0.0, 0.5, 7.25, 29.75, 59.5, 60.0]),
    st.integers(0, 5),
)


@settings(deadline=None)
@given(st.lists(_wishes, min_size=40, max_size=120))
def test_in_no_minute_is_more_accepted_than_the_limit_and_rolling_back_always_passes(
    wishes: list[tuple[tuple[str, str], str, str, float, int]],
) -> None:
    crowd = Crowd()
    accepted: dict[tuple[str, bool, int], list[float]] = defaultdict(list)
    seen: set[tuple[str, int]] = set()
    for (kind, what), user, channel, pause, number in wishes:
        crowd.clock.passed += pause
        may = crowd.asks(kind, what, user, channel, number)
        if (kind, what) in GOING_BACK:
            assert may, "rolling back is never limited"
            continue
        if not may or (kind, number) in seen:
            continue
        if number:
            seen.add((kind, number))
        typed = kind in ("command", "mention")
        own = FEW.commands if typed else FEW.clicks
        accepted[user, typed, own].append(crowd.clock.passed)
        if kind != "form":
            accepted[channel, False, FEW.channel].append(crowd.clock.passed)

    for (_, _, most), times in accepted.items():
        for begin in times:
            assert sum(begin <= at < begin + 60 for at in times) <= most
