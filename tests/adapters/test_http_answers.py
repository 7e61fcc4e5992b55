"""Every HTTP adapter against a server that answers badly: never a guess, never a crash."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.http_checks import HttpChecks
from bot.adapters.http_json import HttpJson
from bot.adapters.http_metrics import HttpMetrics
from bot.adapters.http_releases import HttpReleases
from bot.adapters.weighted_http import WeightedHttpRouter
from bot.domain.gates import Check, CheckResult, Driver
from bot.domain.health import Verdict
from bot.domain.release import Target, Version
from bot.ports import Rejected, Unavailable
from tests.adapters.hostile import NO_ANSWERS, Hostile, Reply, patience_with, reply, saying

TARGET = Target("T0DEMO", "checkout", "production")
VERSION = Version("v1.8.3", "4f1c2a9", "image")
READING = {
    "version": "v1.8.3",
    "at": "2026-03-02T14:05:00Z",
    "requests": 120,
    "values": {"error_rate": 1.2, "p95_ms": 210},
}
Call = Callable[[HttpJson, Driver], Awaitable[Any]]


def driver_of(hostile: Hostile, **settings: str) -> Driver:
    return Driver("http", (("url", hostile.url), *settings.items()))


async def check(http: HttpJson, hostile: Hostile, path: str = "", **settings: str) -> CheckResult:
    driver = Driver("http", (("url", hostile.url + path), *settings.items()))
    return await HttpChecks(http).verdict(Check("health", driver), TARGET, VERSION)


CALLS: dict[str, Call] = {
    "metrics": lambda http, d: HttpMetrics(http).reading(d, TARGET, "v1.8.3"),
    "releases": lambda http, d: HttpReleases(http).resolve(d, "checkout", "v1.8.3"),
    "newest": lambda http, d: HttpReleases(http).newest(d, "checkout"),
    "router": lambda http, d: WeightedHttpRouter(http).weights(d, TARGET),
}


@pytest.mark.parametrize(("how", "patience"), [(how, patience_with(how)) for how in NO_ANSWERS])
@pytest.mark.parametrize("call", CALLS)
async def test_no_answer_is_unavailable(
    hostile: Hostile, http: HttpJson, call: str, how: str
) -> None:
    hostile.reply = NO_ANSWERS[how]

    with pytest.raises(Unavailable):
        await CALLS[call](http, driver_of(hostile))


@pytest.mark.parametrize("call", CALLS)
async def test_a_port_where_nobody_listens_is_unavailable(http: HttpJson, call: str) -> None:
    with pytest.raises(Unavailable):
        await CALLS[call](http, Driver("http", (("url", "http://127.0.0.1:1/x"),)))


async def test_a_reading_is_taken_as_it_is(hostile: Hostile, http: HttpJson) -> None:
    hostile.reply = saying(READING)

    reading = await HttpMetrics(http).reading(driver_of(hostile), TARGET, "v1.8.3")

    assert reading is not None
    assert reading.at == datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
    assert (reading.requests, dict(reading.values)) == (120, {"error_rate": 1.2, "p95_ms": 210.0})
    assert hostile.asked == [
        "GET /?service=checkout&environment=production&version=v1.8.3 HTTP/1.1"
    ]


@pytest.mark.parametrize("answer", [saying(READING | {"version": "v1.8.2"}), saying({}, "404 x")])
async def test_another_versions_numbers_are_no_reading(
    hostile: Hostile, http: HttpJson, answer: Reply
) -> None:
    hostile.reply = answer

    assert await HttpMetrics(http).reading(driver_of(hostile), TARGET, "v1.8.3") is None


@pytest.mark.parametrize(
    "change",
    [
        {"at": None},
        {"at": "yesterday"},
        {"at": "2026-03-02T14:05:00"},
        {"at": 1772460300},
        {"requests": None},
        {"requests": -1},
        {"requests": True},
        {"requests": 1.5},
        {"requests": 2**53 + 1},
        {"requests": 10**4000},
        {"values": None},
        {"values": [1]},
    ],
)
async def test_a_reading_of_another_shape_is_unavailable(
    hostile: Hostile, http: HttpJson, change: dict[str, Any]
) -> None:
    hostile.reply = saying(READING | change)

    with pytest.raises(Unavailable):
        await HttpMetrics(http).reading(driver_of(hostile), TARGET, "v1.8.3")


@pytest.mark.parametrize("value", [None, "1.2", True, [1], 10**400])
async def test_a_value_that_is_no_number_is_not_known(
    hostile: Hostile, http: HttpJson, value: Any
) -> None:
    hostile.reply = saying(READING | {"values": {"error_rate": value, "p95_ms": 210}})

    reading = await HttpMetrics(http).reading(driver_of(hostile), TARGET, "v1.8.3")

    assert reading is not None
    assert dict(reading.values) == {"p95_ms": 210.0}


async def test_a_value_beyond_every_number_is_not_known(hostile: Hostile, http: HttpJson) -> None:
    written = json.dumps(READING).replace("1.2", "1e999").encode()
    hostile.reply = reply(written)

    reading = await HttpMetrics(http).reading(driver_of(hostile), TARGET, "v1.8.3")

    assert reading is not None
    assert "error_rate" not in dict(reading.values)


@pytest.mark.parametrize(
    ("answer", "verdict", "fact"),
    [
        (saying({"version": "v1.8.3"}), Verdict.PASS, "v1.8.3 answers"),
        (saying({"version": "v1.8.2"}), Verdict.FAIL, "v1.8.2 answers, v1.8.3 expected"),
        (
            saying({"version": "xoxb-1-canary"}),
            Verdict.FAIL,
            "[redacted] answers, v1.8.3 expected",
        ),
        (saying({"version": 3}), Verdict.FAIL, "does not say which version it is, v1.8.3 expected"),
        (saying({}), Verdict.FAIL, "does not say which version it is, v1.8.3 expected"),
        (saying({}, "503 Service Unavailable"), Verdict.FAIL, "answers 503"),
        (saying({}, "404 Not Found"), Verdict.FAIL, "answers 404"),
    ],
)
async def test_a_check_is_a_fact_in_words(
    hostile: Hostile, http: HttpJson, answer: Reply, verdict: Verdict, fact: str
) -> None:
    hostile.reply = answer

    result = await check(http, hostile, "/{service}/{version}", version_field="version")

    assert (result.name, result.verdict, result.fact) == ("health", verdict, fact)
    assert hostile.asked == ["GET /checkout/v1.8.3 HTTP/1.1"]


async def test_without_a_version_field_a_200_is_enough(hostile: Hostile, http: HttpJson) -> None:
    hostile.reply = saying("fine")

    assert (await check(http, hostile)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("how", "patience"),
    [
        (how, patience_with(how))
        for how in (
            *("hangs", "cuts the connection", "cuts the body", "is huge"),
            "points to the metadata",
        )
    ],
)
async def test_a_check_that_could_not_look_is_unavailable(
    hostile: Hostile, http: HttpJson, how: str
) -> None:
    hostile.reply = NO_ANSWERS[how]

    with pytest.raises(Unavailable):
        await check(http, hostile, version_field="version")


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        (saying({"error": "old"}, "409 Conflict"), Unavailable, "a newer command was seen"),
        (saying({"error": "no v7"}, "422 x"), Rejected, "the router refuses: no v7"),
        (saying({}, "422 x"), Rejected, "no reason"),
        (saying({"error": 5}, "422 x"), Rejected, "no reason"),
        (
            saying({"error": "no\x1b right: Bearer canary.of.the.token"}, "422 x"),
            Rejected,
            r"refuses: no right: Bearer \[redacted\]$",
        ),
        (saying({}, "404 x"), Unavailable, "answers 404"),
        (NO_ANSWERS["fails"], Unavailable, "answers 500"),
        (NO_ANSWERS["cuts the connection"], Unavailable, "could not be asked"),
        (NO_ANSWERS["points to the metadata"], Unavailable, "points elsewhere"),
    ],
)
async def test_a_split_that_was_not_taken_is_told_apart(
    hostile: Hostile, http: HttpJson, answer: Reply, kind: type[Exception], why: str
) -> None:
    hostile.reply = answer

    with pytest.raises(kind, match=why):
        await WeightedHttpRouter(http).set_weights(
            driver_of(hostile), TARGET, (("v1.8.2", 90), ("v1.8.3", 10)), 7
        )


@pytest.mark.parametrize("patience", [patience_with("hangs")])
async def test_a_split_that_nobody_answers_for_was_not_seen_to_be_taken(
    hostile: Hostile, http: HttpJson
) -> None:
    hostile.reply = NO_ANSWERS["hangs"]

    with pytest.raises(Unavailable, match="in time"):
        await WeightedHttpRouter(http).set_weights(driver_of(hostile), TARGET, (("v1", 100),), 7)


@pytest.mark.parametrize(
    "answer", [saying({}, "404 x"), saying({"weights": {}}), saying({"weights": {"v1": 0}})]
)
async def test_a_router_that_sends_nobody_anything_says_so_and_is_no_failure(
    hostile: Hostile, http: HttpJson, answer: Reply
) -> None:
    hostile.reply = answer

    assert await WeightedHttpRouter(http).weights(driver_of(hostile), TARGET) == ()


@pytest.mark.parametrize(
    "weights",
    [
        None,
        [],
        {"v1": "100"},
        {"v1": 99},
        {"v1": 150, "v2": -50},
        {"v1": True},
        {"v1": 100.0},
        {"v1\n<!channel>": 100},
        {"\u202ev1": 100},
        {"v1": 100, "x" * 129: 0},
    ],
)
async def test_weights_that_make_no_sense_are_no_answer(
    hostile: Hostile, http: HttpJson, weights: Any
) -> None:
    hostile.reply = saying({"weights": weights})

    with pytest.raises(Unavailable):
        await WeightedHttpRouter(http).weights(driver_of(hostile), TARGET)
