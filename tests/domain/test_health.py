"""Health: only a fresh, complete reading on enough requests is good news."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain.deployment import Phase
from bot.domain.effects import SetTraffic
from bot.domain.events import Observed
from bot.domain.health import (
    Health,
    HealthRules,
    Reading,
    Rule,
    Verdict,
    about,
    assess,
    exceeds,
    spoken,
)
from tests.builders import NOW, health_rules
from tests.domain.builders import MINUTE, TICK, Story, a_reading, at_step

RULES = health_rules()
SINCE = NOW - timedelta(hours=1)

#: Everything a metrics source may say that is no good news; a function of the moment.
NO_NEWS: dict[str, Callable[[datetime], Reading | None]] = {
    "down": lambda now: None,
    "NaN": lambda now: a_reading(now, math.nan),
    "infinite": lambda now: a_reading(now, math.inf),
    "minus infinite": lambda now: a_reading(now, -math.inf),
    "empty": lambda now: a_reading(now, values=()),
    "another metric": lambda now: a_reading(now, values=(("latency", 0.1),)),
    "stale": lambda now: a_reading(now - timedelta(seconds=31)),
    "from the future": lambda now: a_reading(now + timedelta(seconds=31)),
    "too few requests": lambda now: a_reading(now, requests=49),
    "no requests": lambda now: a_reading(now, requests=0),
    "a negative count": lambda now: a_reading(now, requests=-1000),
    "negative": lambda now: a_reading(now, -0.1),
    "another version": lambda now: a_reading(now, version="v1.8.2"),
    "above the limit": lambda now: a_reading(now, 5.1),
}


def judged(reading: Reading | None, before: Health | None = None) -> Health:
    return assess(RULES, reading, before, SINCE, NOW)


def test_within_every_limit_is_a_pass() -> None:
    assert judged(a_reading(NOW, 0.0)).verdict is Verdict.PASS
    assert judged(a_reading(NOW, 5.0)).verdict is Verdict.PASS
    assert judged(a_reading(NOW, requests=50)).verdict is Verdict.PASS
    assert judged(a_reading(NOW - timedelta(seconds=30))).verdict is Verdict.PASS


@pytest.mark.parametrize("kind", [kind for kind in NO_NEWS if kind != "another version"])
def test_what_is_no_news_is_unknown_and_says_why(kind: str) -> None:
    health = judged(NO_NEWS[kind](NOW))

    assert health.verdict is Verdict.UNKNOWN
    assert health.why


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("kind", NO_NEWS)
def test_no_step_is_left_on_anything_but_good_news(kind: str, step: int) -> None:
    story = at_step(step).healthy()
    share = story.d.weight

    for _ in range(29):
        story.healthy(TICK * 4, reading=NO_NEWS[kind](story.now + TICK * 4))
        assert (story.d.step, story.d.stage.name) == (step, "Rollout")
        asked = [e.weights for e in story.wanted(SetTraffic)]
        assert all(dict(weights).get("v1.8.3", 0) <= share for weights in asked)


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("kind", NO_NEWS)
def test_no_step_is_left_while_health_flaps(kind: str, step: int) -> None:
    story = at_step(step).healthy()

    for lap in range(200):
        now = story.now + TICK
        story.healthy(reading=NO_NEWS[kind](now) if lap % 2 else a_reading(now))

    assert (story.d.step, story.d.phase) == (step, Phase.RUNNING)


def test_a_reading_must_be_newer_than_what_it_judges() -> None:
    health = assess(RULES, a_reading(SINCE), None, SINCE, SINCE + TICK)

    assert health.verdict is Verdict.UNKNOWN
    assert health.why == "no reading since the traffic moved"


def test_a_trigger_fires_only_after_its_whole_duration() -> None:
    first = assess(RULES, a_reading(NOW, 50), None, SINCE, NOW)
    almost = assess(RULES, a_reading(NOW + MINUTE, 50), first, SINCE, NOW + MINUTE)
    at_last = assess(RULES, a_reading(NOW + 2 * MINUTE, 50), almost, SINCE, NOW + 2 * MINUTE)

    assert [h.verdict for h in (first, almost, at_last)] == [
        Verdict.UNKNOWN,
        Verdict.UNKNOWN,
        Verdict.FAIL,
    ]
    assert almost.why == "error rate 50 %, limit 5 %, over it for 1 min of 2 min"
    assert at_last.why == "error rate 50 %, limit 5 % for 2 min"


def test_a_trigger_without_a_duration_fires_at_once() -> None:
    at_once = HealthRules((replace(RULES.rules[0], lasting=timedelta()),), MINUTE, MINUTE)

    assert assess(at_once, a_reading(NOW, 50), None, SINCE, NOW).verdict is Verdict.FAIL


def test_one_good_reading_starts_a_triggers_duration_again() -> None:
    first = judged(a_reading(NOW, 50))
    good = assess(RULES, a_reading(NOW + MINUTE), first, SINCE, NOW + MINUTE)
    later = NOW + 2 * MINUTE
    again = assess(RULES, a_reading(later, 50), good, SINCE, later)

    assert again.verdict is Verdict.UNKNOWN
    assert again.breaches[0].since == later


def test_silence_does_not_reset_a_triggers_duration() -> None:
    first = judged(a_reading(NOW, 50))
    silent = assess(RULES, None, first, SINCE, NOW + MINUTE)
    later = NOW + 2 * MINUTE

    assert assess(RULES, a_reading(later, 50), silent, SINCE, later).verdict is Verdict.FAIL


def test_every_rule_needs_its_own_minimum_of_requests() -> None:
    strict = Rule("latency", Decimal(1), timedelta(), "s", minimum=300)
    rules = replace(RULES, rules=(*RULES.rules, strict))
    values = (("error_rate", 0.1), ("latency", 0.2))

    few = assess(rules, a_reading(NOW, requests=299, values=values), None, SINCE, NOW)
    enough = assess(rules, a_reading(NOW, requests=300, values=values), None, SINCE, NOW)

    assert (few.verdict, enough.verdict) == (Verdict.UNKNOWN, Verdict.PASS)
    assert few.why == "299 requests, 300 needed to judge latency"


def test_a_rule_without_a_minimum_still_needs_one_request() -> None:
    rules = replace(RULES, rules=(replace(RULES.rules[0], minimum=0),))

    assert assess(rules, a_reading(NOW, requests=0), None, SINCE, NOW).verdict is Verdict.UNKNOWN
    assert assess(rules, a_reading(NOW, requests=1), None, SINCE, NOW).verdict is Verdict.PASS


def test_a_finding_shows_the_number_beside_its_limit() -> None:
    (finding,) = judged(a_reading(NOW, 6.25)).findings

    assert (finding.label, finding.value, finding.limit) == ("error rate", 6.25, Decimal(5))
    assert finding.is_breached
    assert exceeds(RULES.rules[0], 6.25) == "error rate 6.25 %, limit 5 % for 2 min"


def test_a_reading_is_about_exactly_one_version() -> None:
    reading = a_reading(NOW)

    assert about("v1.8.3", reading) is reading
    assert about("v1.8.2", reading) is None
    assert about("v1.8.2", None) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (90, "90 s"),
        (120, "2 min"),
        (150, "2 min 30 s"),
        (630, "10 min"),
        (3600, "60 min"),
        (5400, "1 h 30 min"),
        (7200, "2 h"),
        (86400, "24 h"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: int, words: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == words


def test_time_alone_or_an_old_look_promotes_nothing() -> None:
    story = at_step().healthy()
    looked_at = story.d.step_since - TICK

    story.elapses(9 * MINUTE)
    story.after(Observed(looked_at, weights=story.d.wanted_weights, reading=a_reading(story.now)))

    assert story.d.step == 0


def test_a_pass_at_a_split_that_is_not_seen_promotes_nothing() -> None:
    story = at_step()
    not_yet: Story = story
    for _ in range(60):
        not_yet.healthy(weights=(("v1.8.2", 100),))

    assert not_yet.d.step == 0
    assert not_yet.d.passing_since is None


SLOW = Rule("error_rate", Decimal(5), timedelta(minutes=2), "%", "error rate", 1)
FAST = Rule("error_rate", Decimal(20), timedelta(seconds=10), "%", "fast-burn error rate", 1)
BOTH = HealthRules((SLOW, FAST), timedelta(seconds=30), timedelta(minutes=10))


def _course(*rates: float, every: float = 11.0) -> Health:
    """What is made of one rate after the other, *every* seconds apart."""
    health = None
    for position, rate in enumerate(rates):
        now = NOW + timedelta(seconds=every * (position + 1))
        reading = Reading("v2", now, 1000, (("error_rate", rate),))
        health = assess(BOTH, reading, health, NOW, now)
    assert health is not None
    return health


@pytest.mark.parametrize(
    ("rates", "verdict"),
    [
        ((6, 6), Verdict.UNKNOWN),
        ((6, 25), Verdict.UNKNOWN),
        ((6, 25, 25), Verdict.FAIL),
        ((25, 25), Verdict.FAIL),
        ((25, 6, 25), Verdict.UNKNOWN),
        ((6,) * 12, Verdict.FAIL),
    ],
)
def test_two_triggers_on_one_metric_keep_clocks_of_their_own(
    rates: tuple[float, ...], verdict: Verdict
) -> None:
    assert _course(*rates).verdict is verdict


def test_the_trigger_that_fired_is_the_one_that_is_named() -> None:
    assert "fast-burn error rate 25 %, limit 20 %" in _course(25, 25).why
