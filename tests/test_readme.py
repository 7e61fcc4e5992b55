"""What the README says is so: its files load, its names are there, its JSON is understood."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.http_json import HttpJson
from bot.adapters.http_metrics import HttpMetrics
from bot.adapters.http_releases import HttpReleases
from bot.adapters.weighted_http import WeightedHttpRouter
from bot.demo.slack import Manifest
from bot.domain.diagram import lifecycle
from bot.domain.gates import Driver
from bot.domain.release import Target
from bot.policies.loader import findings
from bot.ports import Outrun
from bot.settings import Settings
from tests.processes import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGET = Target("T0TEAM", "checkout", "production")

Json = dict[str, Any]


def code(language: str) -> list[str]:
    return [dedent(text) for text in re.findall(rf" *```{language}\n(.*?)```", README, re.S)]


def spoken(row: str) -> tuple[Json, ...]:
    """The JSON objects in the line of the table that holds *row*."""
    [line] = [line for line in README.splitlines() if line.startswith("|") and row in line]
    return tuple(json.loads(text) for text in re.findall(r"`(\{\".*?\})`", line))


def test_its_policies_are_good(tmp_path: Path) -> None:
    for text in code("yaml"):
        first = text.splitlines()[0]
        (tmp_path / first.partition("policies/")[2].partition(":")[0].split()[0]).write_text(text)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkout.yaml", "org.yaml"]
    assert findings(tmp_path) == ()


def test_its_picture_is_drawn_from_the_table_of_moves() -> None:
    assert [text.strip() for text in code("mermaid")] == [lifecycle().strip()]


def test_every_proof_it_names_is_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", README)

    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_variable_it_explains_is_read_and_every_one_read_is_explained() -> None:
    rows = [line for line in README.splitlines() if re.match(r"\| `[A-Z]", line)]
    explained = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}

    assert explained == {field.alias for field in Settings.model_fields.values()}


def test_every_command_it_names_is_in_the_manifest_or_the_makefile() -> None:
    slack_s_own = {"/invite"}
    addresses = {"/healthz", "/readyz", "/metrics"}
    named = set(re.findall(r"`(/[a-z]+)[ `]", README)) - slack_s_own - addresses
    targets = set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.M))

    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert named == Manifest.read(ROOT / "manifest.yml").commands.keys()
    assert {"demo", "test", "check", "install"} <= targets
    assert [name for name in targets if f"\n{name}:" not in makefile] == []


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Every system of the table in one, which says only what the README says."""
    order, newer, _ = spoken("PUT url/weights")
    [catalogue] = spoken("GET url?service=checkout`")
    [numbers] = spoken("&version=v1.8.3")
    [split] = spoken("GET url/weights")
    app = web.Application()

    def says(body: Json, status: int = 200) -> Any:
        async def answer(_: web.Request) -> web.Response:
            return web.json_response(body, status=status)

        return answer

    async def take(request: web.Request) -> web.Response:
        assert (await request.json()).keys() == order.keys()
        return web.json_response(newer, status=409)

    app.router.add_get("/releases", says(catalogue))
    app.router.add_get("/metrics", says(numbers))
    app.router.add_get("/router/weights", says(split))
    app.router.add_put("/router/weights", take)
    async with TestServer(app) as server:
        yield str(server.make_url(""))


async def test_its_json_is_what_the_adapters_understand(url: str) -> None:
    http = HttpJson(["127.0.0.1"])

    def at(name: str) -> Driver:
        return Driver("http", (("url", f"{url.rstrip('/')}/{name}"),))

    version = await HttpReleases(http).resolve(at("releases"), "checkout", "v1.8.3")
    reading = await HttpMetrics(http).reading(at("metrics"), TARGET, "v1.8.3")
    router = WeightedHttpRouter(http)
    weights, fence = (
        await router.weights(at("router"), TARGET),
        await router.fence(at("router"), TARGET),
    )
    with pytest.raises(Outrun) as outrun:
        await router.set_weights(at("router"), TARGET, weights, 7)
    await http.close()

    assert version is not None
    assert (version.authors, version.changes) == (("U024BE7LM",), 5)
    assert reading is not None
    assert dict(reading.values) == {"error_rate": 0.4, "p95_ms": 31}
    assert (weights, fence) == ((("v1.8.2", 90), ("v1.8.3", 10)), 7)
    assert outrun.value.fence == 9
