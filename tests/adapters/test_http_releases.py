"""The catalogue of versions: taken strictly, remembered only for suggestions."""

from typing import Any

import pytest

from bot.adapters.http_json import HttpJson
from bot.adapters.http_releases import CACHED, HttpReleases
from bot.domain.gates import Driver
from bot.domain.release import Migration, Version
from bot.ports import Unavailable
from tests.adapters.hostile import Hostile, saying

RELEASE = {
    "name": "v1.8.3",
    "commit": "4f1c2a9",
    "artefact": "image",
    "authors": ["U0DEVO"],
    "summary": "Faster receipts",
    "changes": 4,
    "compare_url": "https://example.com/compare",
    "migrations": [{"name": "0042", "is_reversible": True}, {"name": "0043"}],
}


def driver_of(hostile: Hostile) -> Driver:
    return Driver("http", (("url", hostile.url),))


async def test_a_version_is_taken_as_its_catalogue_knows_it(
    hostile: Hostile, http: HttpJson
) -> None:
    hostile.reply = saying({"versions": [RELEASE]})
    releases = HttpReleases(http)

    found = await releases.resolve(driver_of(hostile), "checkout", "v1.8.3")

    assert found == Version(
        "v1.8.3",
        "4f1c2a9",
        "image",
        ("U0DEVO",),
        "Faster receipts",
        4,
        "https://example.com/compare",
        (Migration("0042", True), Migration("0043", False)),
    )
    assert await releases.resolve(driver_of(hostile), "checkout", "v9") is None


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": None},
        {"commit": 7},
        {"artefact": "a\nb"},
        {"authors": "U0DEVO"},
        {"authors": [1]},
        {"summary": 1},
        {"changes": True},
        {"changes": "4"},
        {"changes": -1},
        {"changes": 10**400},
        {"name": "v" * 501},
        {"commit": "4f1c\u202e"},
        {"artefact": "i" * 200_000},
        {"compare_url": []},
        {"migrations": ["0042"]},
        {"migrations": [{"name": "x", "is_reversible": "yes"}]},
    ],
)
async def test_a_catalogue_of_another_shape_is_unavailable(
    hostile: Hostile, http: HttpJson, change: dict[str, Any]
) -> None:
    hostile.reply = saying({"versions": [RELEASE | change]})

    with pytest.raises(Unavailable):
        await HttpReleases(http).newest(driver_of(hostile), "checkout")


async def test_a_long_summary_is_cut_and_stops_nothing(hostile: Hostile, http: HttpJson) -> None:
    hostile.reply = saying({"versions": [RELEASE | {"summary": "half an emoji \ud83d" * 1000}]})

    (found,) = await HttpReleases(http).newest(driver_of(hostile), "checkout")

    assert len(found.summary) == 2000
    assert found.summary.startswith("half an emoji \ufffd")


async def test_a_version_that_is_there_twice_is_not_understood(
    hostile: Hostile, http: HttpJson
) -> None:
    hostile.reply = saying({"versions": [RELEASE, RELEASE]})

    with pytest.raises(Unavailable, match="twice"):
        await HttpReleases(http).newest(driver_of(hostile), "checkout")


async def test_suggestions_are_remembered_for_a_while_and_builds_never(
    hostile: Hostile, http: HttpJson
) -> None:
    now = 1000.0
    releases = HttpReleases(http, lambda: now)
    hostile.reply = saying({"versions": [RELEASE, RELEASE | {"name": "v1.8.2"}]})
    driver = driver_of(hostile)

    assert [v.name for v in await releases.newest(driver, "checkout", 1)] == ["v1.8.3"]
    assert len(await releases.newest(driver, "checkout")) == 2
    assert len(hostile.asked) == 1
    await releases.resolve(driver, "checkout", "v1.8.3")
    await releases.resolve(driver, "checkout", "v1.8.3")
    assert len(hostile.asked) == 3
    now += CACHED
    await releases.newest(driver, "checkout")
    assert len(hostile.asked) == 4
