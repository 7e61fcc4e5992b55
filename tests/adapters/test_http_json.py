"""What is asked of other systems, and what is never asked."""

from time import process_time

import pytest

from bot.adapters.http_json import (
    MAX_BYTES,
    MAX_DEPTH,
    CarefulResolver,
    Forbidden,
    HttpJson,
    fill,
    hosts_of,
)
from bot.ports import Unavailable
from tests.adapters.hostile import Hostile, reply, saying


async def test_an_answer_is_its_status_and_its_json(hostile: Hostile, http: HttpJson) -> None:
    hostile.reply = saying({"a": [1, 2]}, "404 Not Found")

    answer = await http.get(f"{hostile.url}/x?y=1", {"service": "a b&c"})

    assert (answer.status, answer.body) == (404, {"a": [1, 2]})
    assert hostile.asked == ["GET /x?y=1&service=a+b%26c HTTP/1.1"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/metrics",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://localhost:80/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://0x7f.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[bad/",
    ],
)
async def test_only_a_host_that_a_policy_names_is_asked(http: HttpJson, url: str) -> None:
    with pytest.raises(Unavailable, match=r"not a host that a policy names|not one"):
        await http.get(url)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104
        "255.255.255.255",
        "224.0.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:a9fe:a9fe",
        "::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
    ],
)
async def test_an_address_of_the_link_is_never_asked_even_when_named(host: str) -> None:
    http = HttpJson([host])
    written = f"[{host}]" if ":" in host else host

    with pytest.raises(Unavailable, match="not asked"):
        await http.get(f"http://{written}/")

    await http.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[0:0::1]"])
async def test_a_service_on_this_machine_may_be_named(host: str) -> None:
    http = HttpJson(hosts_of([f"http://{host}/"]))

    with pytest.raises(Unavailable, match="could not be asked"):
        await http.get(f"http://{host}:1/")

    await http.close()


async def test_a_name_that_leads_to_the_link_is_refused() -> None:
    resolver = CarefulResolver()

    with pytest.raises(Forbidden):
        await resolver.resolve("169.254.169.254", 80)
    assert await resolver.resolve("127.0.0.1", 80)

    await resolver.close()


async def test_a_name_is_resolved_with_care(hostile: Hostile) -> None:
    http = HttpJson(["localhost"])
    hostile.reply = saying({})

    assert (await http.get(hostile.url.replace("127.0.0.1", "localhost"))).status == 200

    await http.close()


async def test_a_redirect_is_not_followed(hostile: Hostile, http: HttpJson) -> None:
    hostile.reply = reply(b"", "302 Found", f"Location: {hostile.url}/elsewhere")

    with pytest.raises(Unavailable, match="points elsewhere"):
        await http.get(hostile.url)

    assert len(hostile.asked) == 1


async def test_nothing_of_an_address_but_its_host_is_told(http: HttpJson) -> None:
    with pytest.raises(Unavailable) as refused:
        await http.get("http://pilot:hunter2@127.0.0.1:1/secret-path?token=abc")

    assert str(refused.value) == "127.0.0.1 could not be asked"


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[" * 5000 + b"]" * 5000, b'{"a": Infinity}'])
async def test_what_is_no_json_is_none(hostile: Hostile, http: HttpJson, body: bytes) -> None:
    hostile.reply = reply(body)

    assert (await http.get(hostile.url)).body is None


@pytest.mark.parametrize(("depth", "is_taken"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
async def test_json_is_taken_only_down_to_a_depth(
    hostile: Hostile, http: HttpJson, depth: int, is_taken: bool
) -> None:
    hostile.reply = reply(b"[" * depth + b"]" * depth)

    assert ((await http.get(hostile.url)).body is not None) is is_taken


async def test_brackets_in_a_text_are_not_depth(hostile: Hostile, http: HttpJson) -> None:
    hostile.reply = saying({"a": '[{\\"' * 50})

    assert (await http.get(hostile.url)).body == {"a": '[{\\"' * 50}


@pytest.mark.parametrize("piece", [b'"\\', b'\\"', b'"\\"', b"[]", b'{"'])
async def test_an_answer_takes_no_longer_to_read_than_its_length(
    hostile: Hostile, http: HttpJson, piece: bytes
) -> None:
    hostile.reply = reply(b'"' + piece * ((MAX_BYTES - 1) // len(piece)))
    before = process_time()

    assert (await http.get(hostile.url)).body is None

    assert process_time() - before < 20, "nobody else is answered meanwhile"


async def test_what_no_database_can_keep_is_replaced(hostile: Hostile, http: HttpJson) -> None:
    hostile.reply = reply(rb'{"a\u0000": ["\ud83d", "\ud83d\ude00"], "b": {"c": "\udc00x"}}')

    body = (await http.get(hostile.url)).body

    assert body == {"a\ufffd": ["\ufffd", "\U0001f600"], "b": {"c": "\ufffdx"}}


async def test_json_is_utf_8(hostile: Hostile, http: HttpJson) -> None:
    bodies = []
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"):
        hostile.reply = reply('{"a": "é"}'.encode(encoding))
        bodies.append((await http.get(hostile.url)).body)

    assert bodies == [{"a": "é"}, {"a": "é"}, None, None, None]


def test_placeholders_cannot_leave_their_place() -> None:
    filled = fill("http://h/{service}/{version}?e={environment}&{other}", "a/../b", "v1#x", "p&q=1")

    assert filled == "http://h/a%2F..%2Fb/v1%23x?e=p%26q%3D1&{other}"


def test_the_hosts_of_policies_are_taken_from_their_addresses() -> None:
    assert hosts_of(["https://Metrics.example:9090/q", "", "http://[bad", "/x"]) == {
        "metrics.example"
    }
    assert hosts_of(["https://xn--mnchen-3ya.example/"]) == hosts_of(["https://münchen.example/"])
