"""The load: signed slash commands over keep-alive connections, one at a time on each."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

SECRET = "bench-signing-secret"  # noqa: S105 - good for the servers that the bench starts
_LONGEST = 30.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Typed:
    """One slash command as somebody types it; *key* is Slack's trigger, new for every one."""

    text: str
    key: str
    command: str = "/approve"
    team: str = "T0DEMO"
    user: str = "U0ANA"


@dataclass(slots=True)
class Answered:
    """What came of one round."""

    seconds: float = 0.0
    #: From when a command was due (or sent, in a closed loop) until its whole answer was there.
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    example: str = ""

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


def signed(typed: Typed, at: float, secret: str = SECRET) -> bytes:
    """The whole request as it goes over the wire; good for five minutes from *at*."""
    body = urlencode(
        {
            "token": "unused",
            "team_id": typed.team,
            "team_domain": "bench",
            "channel_id": "C0DEPLOY",
            "channel_name": "deployment",
            "user_id": typed.user,
            "user_name": "ana",
            "command": typed.command,
            "text": typed.text,
            "api_app_id": "A0PILOT",
            "is_enterprise_install": "false",
            "response_url": "https://hooks.slack.com/commands/1/2",
            "trigger_id": typed.key,
        }
    ).encode()
    stamp = str(int(at))
    base = b"v0:" + stamp.encode() + b":" + body
    signature = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    head = (
        "POST /slack/events HTTP/1.1\r\nHost: bot\r\nUser-Agent: Slackbot 1.0\r\n"
        "Accept: application/json,*/*\r\nAccept-Encoding: gzip,deflate\r\n"
        f"X-Slack-Signature: v0={signature}\r\nX-Slack-Request-Timestamp: {stamp}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 : lowered.index(b"\r\n", at)]) if at >= 0 else 0
        body = await self._reader.readexactly(length) if length else b""
        return int(head[9:12]), body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def closed_loop(
    port: int, requests: Sequence[bytes], mark: bytes, connections: int = 1
) -> Answered:
    """As fast as it goes: every connection sends its next one when the last was answered.

    An answer counts when it is 200 and holds *mark*; others are `failed`.
    """
    answered = Answered()
    waiting = iter(requests)
    lines = [await Connection.open(port) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(*(_send_all(line, waiting, mark, answered) for line in lines))
    answered.seconds = time.perf_counter() - began
    for line in lines:
        await line.close()
    return answered


async def paced(port: int, requests: Sequence[bytes], mark: bytes, per_second: float) -> Answered:
    """One every 1/*per_second*, whether or not the ones before were answered."""
    answered = Answered()
    free = [await Connection.open(port) for _ in range(8)]
    began = time.perf_counter()
    tasks = []
    for number, request in enumerate(requests):
        due = began + number / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(_send_one(port, free, request, mark, due, answered)))
    await asyncio.gather(*tasks)
    answered.seconds = time.perf_counter() - began
    for line in free:
        await line.close()
    return answered


async def _send_one(
    port: int,
    free: list[Connection],
    request: bytes,
    mark: bytes,
    due: float,
    answered: Answered,
) -> None:
    line = free.pop() if free else await Connection.open(port)
    _note(answered, await asyncio.wait_for(line.ask(request), _LONGEST), mark, due)
    free.append(line)


async def _send_all(
    line: Connection, waiting: Iterator[bytes], mark: bytes, answered: Answered
) -> None:
    for request in waiting:
        sent = time.perf_counter()
        _note(answered, await asyncio.wait_for(line.ask(request), _LONGEST), mark, sent)


def _note(answered: Answered, answer: tuple[int, bytes], mark: bytes, since: float) -> None:
    status, body = answer
    answered.latencies.append(time.perf_counter() - since)
    if status != 200 or mark not in body:
        answered.failed += 1
        answered.example = f"{status} {body[:300]!r}"


def sign_all(typed: Iterable[Typed]) -> list[bytes]:
    now = time.time()
    return [signed(one, now) for one in typed]
