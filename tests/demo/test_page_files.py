"""The page's files: what is served, under which headers, and what they may contain."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from bot.demo.page import routes

STATIC = Path(routes.__file__).parent / "static"
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]

Client = TestClient[Request, Application]


def content(path: Path) -> bytes:
    return path.read_bytes()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = Application()
    routes.mount(app)
    async with TestClient(TestServer(app)) as opened:
        yield opened


async def test_the_page_may_load_nothing_from_elsewhere(client: Client) -> None:
    answer = await client.get("/")

    assert answer.status == 200
    assert answer.content_type == "text/html"
    policy = dict(
        rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_page_is_where_a_link_to_one_of_its_messages_leads(client: Client) -> None:
    linked = await client.get("/archives/C0DEPLOY/p1795215172778034?thread_ts=1795215172.778034")

    assert linked.status == 200
    assert await linked.read() == await (await client.get("/")).read()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
async def test_every_file_is_served_with_its_type(client: Client, path: Path) -> None:
    answer = await client.get(f"/static/{path.relative_to(STATIC).as_posix()}")

    assert answer.status == 200
    assert await answer.read() == content(path)
    expected = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    assert answer.content_type == expected.get(path.suffix, "text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name", ["../routes.py", "..%2froutes.py", "js/../../routes.py", "/etc/passwd", "js", "none"]
)
async def test_no_path_leads_out_of_the_static_files(client: Client, name: str) -> None:
    answer = await client.get(f"/static/{name}")

    assert answer.status == 404


async def test_an_unchanged_file_is_not_sent_again(client: Client) -> None:
    first = await client.get("/static/js/main.js")

    again = await client.get("/static/js/main.js", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status == 304


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_a_resource_outside(path: Path) -> None:
    namespaces = "http://www.w3.org/"
    found = re.findall(r"https?://[a-z0-9][^\s\"')]*", path.read_text(encoding="utf-8"))

    assert [one for one in found if not one.startswith(namespaces)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_turns_text_into_markup_or_code(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    risky = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert re.findall(risky, source) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_is_longer_than_one_reads_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_import_leads_to_a_file_that_is_there(path: Path) -> None:
    names = re.findall(r'from "\./([^"]+)"', path.read_text(encoding="utf-8"))

    assert [name for name in names if not (path.parent / name).is_file()] == []
