"""The gate behind a real server: no request, however made, is answered with 5xx."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from handlers.gate import Admitted, Limits, gated
from tests.security.slack_requests import (
    COMMAND,
    FORM,
    GENUINE,
    JSON,
    NOW,
    SECRET,
    form,
    misheaded,
    signed,
    spoiled,
)

#: A machine that is busy reads everything that comes; what never comes is waited for less long.
PATIENT, IMPATIENT = 30.0, 0.3
LIMITS = Limits(read_seconds=PATIENT)


class Door:
    """A server with nothing but the gate, and what came through it."""

    def __init__(self) -> None:
        self.admitted: list[Admitted] = []
        self.turned: list[int] = []
        self.port = 0

    async def handle(self, admitted: Admitted, request: web.Request) -> web.Response:
        self.admitted.append(admitted)
        return web.Response(text=request.path)

    async def ask(self, *pieces: bytes, pause: float = 0) -> int:
        """The status of the answer to raw bytes; 0 when the connection is closed without."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            line = await asyncio.wait_for(reader.readline(), 60)
        except ConnectionError:
            return 0
        finally:
            await hung_up(writer)
        return int(line.split()[1]) if line else 0


async def hung_up(writer: asyncio.StreamWriter) -> None:
    """Closed before anything else is done, whatever was not sent yet."""
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.fixture
def patience() -> float:
    """Seconds in which a body must have come; parametrized down where it does not."""
    return PATIENT


@pytest_asyncio.fixture
async def door(patience: float) -> AsyncIterator[Door]:
    door, limits = Door(), Limits(read_seconds=patience)
    app = web.Application()
    app.router.add_route(
        "*", "/slack/events", gated(door.handle, [SECRET], lambda: NOW, limits, door.turned.append)
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    door.port = runner.addresses[0][1]
    yield door
    await runner.cleanup()


def raw(headers: dict[str, str], body: bytes, method: str = "POST") -> bytes:
    lines = [f"{method} /slack/events HTTP/1.1", "Host: localhost", "Connection: close"]
    if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.parametrize(("body", "content_type"), GENUINE)
async def test_a_genuine_request_comes_through(door: Door, body: bytes, content_type: str) -> None:
    assert await door.ask(raw(signed(body, content_type), body)) == 200
    assert [admitted.body for admitted in door.admitted] == [body]


ZEROS = "v0=" + "0" * 64
GARBAGE: list[tuple[str, str, str, bytes]] = [
    ("", ZEROS, FORM, b""),
    ("soon", ZEROS, FORM, b""),
    ("9" * 5000, ZEROS, FORM, b""),
    (str(NOW), "v0=" + "é" * 64, FORM, b""),
    (str(NOW), ZEROS, FORM, b"\xff\xfe"),
    (str(NOW), ZEROS, "text/plain; charset=klingon", b"x"),
    (str(NOW), ZEROS, JSON, b"[1]"),
    (str(NOW), ZEROS, JSON, b"[" * 100_000),
    (str(NOW), ZEROS, FORM, b"payload=[1]"),
    (str(NOW), ZEROS, FORM, b"&".join(b"k%d=" % n for n in range(20_000))),
]


@pytest.mark.parametrize(("timestamp", "signature", "content_type", "body"), GARBAGE)
async def test_unsigned_garbage_is_unauthorised(
    door: Door, timestamp: str, signature: str, content_type: str, body: bytes
) -> None:
    headers = {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
        "Content-Type": content_type,
    }

    assert await door.ask(raw(headers, body)) == 401
    assert door.admitted == []


async def test_what_is_sent_away_is_counted_by_its_status(door: Door) -> None:
    assert (
        await door.ask(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        == 401
    )

    assert door.turned == [401]


@pytest.mark.parametrize("body", [b"[1]", b"[" * 100_000, b'{"type":"unknown"}', b"\xff"])
async def test_signed_garbage_is_a_bad_request(door: Door, body: bytes) -> None:
    assert await door.ask(raw(signed(body, JSON), body)) == 400
    assert door.admitted == []


@pytest.mark.parametrize(("seconds", "expected"), [(300, 200), (301, 401), (-301, 401)])
async def test_age_counts_in_both_directions(door: Door, seconds: int, expected: int) -> None:
    body = form(COMMAND)

    assert await door.ask(raw(signed(body, at=NOW + seconds), body)) == expected


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
async def test_only_post_is_answered(door: Door, method: str) -> None:
    body = form(COMMAND)

    assert await door.ask(raw(signed(body), body, method)) == 405


async def test_a_body_announced_too_large_is_refused_unread(door: Door) -> None:
    headers = signed(b"") | {"Content-Length": str(5 * 10**9)}

    assert await door.ask(raw(headers, b"")) == 413


async def test_a_stream_is_cut_at_the_cap(door: Door) -> None:
    headers = signed(b"") | {"Transfer-Encoding": "chunked"}
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    assert await door.ask(raw(headers, b""), *[chunk] * 5) == 413


async def test_a_body_that_fits_exactly_is_verified(door: Door) -> None:
    body = b"a=" + b"x" * (LIMITS.body_bytes - 2)

    assert await door.ask(raw(signed(body, secret=b"other"), body)) == 401
    assert await door.ask(raw(signed(body + b"x"), body + b"x")) == 413


@pytest.mark.parametrize("patience", [IMPATIENT])
async def test_a_body_that_trickles_is_given_up(door: Door) -> None:
    headers = signed(b"a" * 100) | {"Content-Length": "100"}

    assert await door.ask(raw(headers, b""), *[b"a"] * 8, pause=0.05) == 408


@pytest.mark.parametrize("patience", [IMPATIENT])
async def test_a_body_that_never_ends_does_not_keep_the_others_waiting(door: Door) -> None:
    body = form(COMMAND)
    stuck = asyncio.create_task(door.ask(raw(signed(body) | {"Content-Length": "999"}, body)))

    assert await door.ask(raw(signed(body), body)) == 200
    assert await stuck == 408


async def test_a_compressed_body_is_refused_before_it_is_inflated(door: Door) -> None:
    bomb = gzip.compress(b"a" * 50_000_000)

    assert await door.ask(raw(signed(bomb, Content_Encoding="gzip"), bomb)) == 415


async def test_a_broken_chunk_is_a_bad_request(door: Door) -> None:
    headers = signed(b"") | {"Transfer-Encoding": "chunked"}

    assert await door.ask(raw(headers, b"zz\r\nhello\r\n")) == 400


async def test_a_client_that_hangs_up_leaves_the_server_well(door: Door) -> None:
    body = form(COMMAND)
    for cut in range(1, 200, 20):
        _, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(raw(signed(body), body)[:-cut])
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    assert await door.ask(raw(signed(body), body)) == 200


@pytest.mark.parametrize("patience", [IMPATIENT])
async def test_two_thousand_spoiled_requests_are_never_answered_with_5xx(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    random = Random(2000)
    requests: list[bytes] = []
    for turn in range(2000):
        body, content_type = random.choice(GENUINE)
        changed = spoiled(random, body)
        headers = signed(changed if turn % 2 else body, content_type)
        request = raw(misheaded(random, headers) if turn % 3 else headers, changed)
        if turn % 10 == 0:
            request = spoiled(random, request)
        if request:
            requests.append(request + b"\r\n\r\n")
    seen: set[int] = set()
    for start in range(0, len(requests), 50):
        seen.update(await asyncio.gather(*map(door.ask, requests[start : start + 50])))

    assert {200, 400, 401} <= seen
    assert max(seen) < 500
    raised = {record.exc_info[0] for record in caplog.records if record.exc_info}
    assert all(kind and issubclass(kind, HttpProcessingError) for kind in raised)


def test_a_gate_without_a_secret_does_not_open() -> None:
    door = Door()

    with pytest.raises(ValueError, match="secret"):
        gated(door.handle, [b""], lambda: NOW, LIMITS)
